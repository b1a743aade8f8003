"""A reader's whole way through the servers of a deployment: nginx with TLS, gunicorn, a worker.

Daybreak runs without DEBUG, on the settings that .env.example asks for.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from redis import Redis

from digest.models import Edition
from subscribers.models import Consent, Subscription
from subscribers.signup.abuse import new_form_token
from tests import factories
from tests.servers.nginx import HOST, NginxServer
from tests.servers.ports import free_port
from tests.support import deployments, shell
from tests.support.paths import ROOT
from tests.support.programs import find_program
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.subprocess, pytest.mark.django_db(transaction=True)]

SITE = f"https://{HOST}"
READER = "ada@example.com"
# No other test uses this number: a worker of theirs would take the tasks of this one.
REDIS_NUMBER = 15
# What a client says about itself that only a proxy may say.
FORGED = {"X-Forwarded-For": "203.0.113.66", "X-Forwarded-Proto": "http"}
# Three commands in one process, because each loads the whole code.
SEND = """
from django.core.management import call_command
from digest.models import Edition
call_command("draft_edition", "boat")
edition = Edition.objects.get()
call_command("approve_edition", edition.pk)
call_command("send_edition", edition.pk, "--wait")
"""
BROWSER = {"User-Agent": "Firefox/145.0", "Accept-Encoding": "gzip"}


class ProductionSite:
    """The processes of one Daybreak without DEBUG, on this test's database and relay."""

    def __init__(self, var, relay_port):
        self.var, self.port = var, free_port()
        database = django_settings.DATABASES["default"]
        self.redis_url = re.sub(r"db=\d+$", f"db={REDIS_NUMBER}", django_settings.REDIS_URL)
        self.variables = shell.SAFE_VARIABLES | {
            "DEBUG": "false",
            "BEHIND_PROXY": "true",
            "SITE_URL": SITE,
            "DATABASE_URL": f"postgres://{database['USER']}@/{database['HOST']}/{database['NAME']}",
            "REDIS_URL": self.redis_url,
            "EMAIL_RELAYS": f"smtp://127.0.0.1:{relay_port}",
            "MAIL_DOMAIN": django_settings.MAIL_DOMAIN,
            "PYTHONWARNINGS": "default",
        }
        self.running = []

    def manage(self, *command):
        done = shell.run("manage.py", *command, var=self.var, **self.variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *command):
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=shell.environment(self.var, **self.variables),
            start_new_session=True,
        )
        self.running.append(process)
        return process

    def start_worker(self):
        self.start(
            "celery", "--quiet", "-A", "config", "worker", "-c", "1", "-n", "nginx@localhost",
            "-Q", "default,mail,delivery", "--without-gossip", "--without-mingle",
        )  # fmt: skip

    def start_web(self):
        """Start gunicorn as its systemd unit does."""
        command = deployments.by_systemd()["daybreak-web.service"]
        web = self.start(*(word.replace(":8000", f":{self.port}") for word in command))

        def answers():
            assert web.poll() is None, "gunicorn has ended"
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return True

        wait_for(answers, seconds=60, what="gunicorn")

    def stop(self):
        for process in self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


@pytest.fixture
def site(tmp_path, relay, settings):
    """A running deployment; without nginx nothing of it starts."""
    find_program("nginx", package="nginx-light")
    settings.SECRET_KEY = shell.SAFE_VARIABLES["SECRET_KEY"]  # the test makes a form token
    site = ProductionSite(tmp_path / "var", relay.port)
    with Redis.from_url(site.redis_url) as redis, contextlib.ExitStack() as stack:
        redis.flushdb()
        stack.callback(redis.flushdb)
        stack.callback(site.stop)
        site.start_worker()
        site.manage("collectstatic", "--no-input", "-v0")
        site.start_web()
        yield site
    assert shell.processes(site.var) == []


@pytest.fixture
def nginx(tmp_path, site):
    nginx = NginxServer(tmp_path / "nginx", upstream=site.port)
    with nginx.running():
        yield nginx


def test_a_reader_goes_from_sign_up_to_digest_and_out_through_nginx(site, nginx, relay):
    newsletter = factories.newsletter(name="The Morning Boat", slug="boat")
    for _ in range(3):
        factories.story(newsletter, published_at=timezone.now())

    with nginx.client(headers=BROWSER | FORGED) as browser:
        assert [browser.get(path).status_code for path in ("/healthz", "/readyz/web")] == [200, 200]
        assert_http_leads_to_https(nginx)
        assert_the_page_is_sent_once_secured_and_compressed(browser)
        sign_up(browser, newsletter)
        confirmation = relay.wait_for_mail(READER, seconds=60)
        confirm(browser, link(confirmation, "confirm"))
        assert_the_admin_accepts_its_own_form(browser)
    assert_no_consent_has_the_forged_address()
    relay.wait_for_mail(READER, count=2)

    said = site.manage("shell", "-v0", "-c", SEND)
    assert "sent 1, failed 0, skipped 0, uncertain 0" in said
    digest = relay.wait_for_mail(READER, count=3)
    assert digest.message["Subject"] == Edition.objects.get().subject

    [one_click] = re.findall(r"<(https[^>]+)>", digest.message["List-Unsubscribe"])
    with nginx.client() as mail_program:
        response = mail_program.post(one_click, data={"List-Unsubscribe": "One-Click"})
    assert response.status_code == 200
    assert Subscription.objects.get().status == "unsubscribed"


def link(mail, kind):
    return re.search(rf"{SITE}/{kind}/\S+", mail.part("plain"))[0]


def fields(page):
    """Return the hidden fields of a page's forms, as a browser would send them."""
    inputs = re.findall(r"<input[^>]*>", page)
    pairs = [(re.search(r'name="([^"]+)"', i), re.search(r'value="([^"]*)"', i)) for i in inputs]
    return {name[1]: value[1] if value else "" for name, value in pairs if name}


def assert_http_leads_to_https(nginx):
    """Whatever the client says of its scheme."""
    headers = {"X-Forwarded-Proto": "https"}
    with nginx.client(base_url=f"http://{HOST}", headers=headers) as client:
        response = client.get("/newsletters/boat/")
    assert (response.status_code, response.headers["Location"]) == (
        301, f"{SITE}/newsletters/boat/",
    )  # fmt: skip


def assert_the_page_is_sent_once_secured_and_compressed(browser):
    page = browser.get("/newsletters/boat/")
    # If it believed the forged scheme, it would redirect to https for ever.
    assert page.status_code == 200
    assert page.headers["Content-Encoding"] == "gzip"
    for name in ("Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options",
                 "Content-Security-Policy", "Referrer-Policy",
                 "Cross-Origin-Opener-Policy"):  # fmt: skip
        assert len(page.headers.get_list(name)) == 1, name
    style = browser.get(re.search(r'href="(/static/site\.\w+\.css)"', page.text)[1])
    assert style.status_code == 200
    assert style.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert style.headers["Content-Encoding"] == "gzip"


def sign_up(browser, newsletter):
    """Send the form as a reader does who looked at it for a minute."""
    path = f"/newsletters/{newsletter.slug}/"
    form = fields(browser.get(path).text)
    assert "opened" in form
    opened = new_form_token(timezone.now() - timedelta(minutes=1))
    response = browser.post(
        path,
        data=form | {"email": READER, "opened": opened},
        headers={"Origin": SITE, "Referer": SITE + path},
    )
    assert response.status_code == 302
    assert browser.get(response.headers["Location"]).status_code == 200


def confirm(browser, url):
    page = browser.get(url)
    assert Subscription.objects.get().status == "pending"
    response = browser.post(url, data=fields(page.text), headers={"Origin": SITE, "Referer": url})
    assert response.status_code in {200, 302}
    assert Subscription.objects.get().status == "active"


def assert_the_admin_accepts_its_own_form(browser):
    """And no form of another site; Django knows its own by scheme and host."""
    login = "/admin/login/"
    form = fields(browser.get(login).text) | {"username": "nobody", "password": "nothing"}
    statuses = [
        browser.post(login, data=form, headers={"Origin": origin}).status_code
        for origin in (SITE, "https://evil.example.com")
    ]
    assert statuses == [200, 403]


def assert_no_consent_has_the_forged_address():
    consents = Consent.objects.order_by("pk").values_list("kind", "ip_address", "page")
    assert list(consents) == [
        ("signup", "127.0.0.1", f"{SITE}/newsletters/boat/"),
        ("confirmation", "127.0.0.1", f"{SITE}/confirm/…/"),
    ]
