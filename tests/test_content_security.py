"""Every page has a Content-Security-Policy, and nothing on it that this policy refuses."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from subscribers.api import tokens
from subscribers.plumbing import content_security
from subscribers.views import pages as front_page
from tests import factories
from tests.factories import NOW
from tests.languages import pages_and_mails
from tests.support import browser as browser_support
from tests.support.content_security import is_page, policy_of, refused_markup
from tests.support.paths import ROOT

pytestmark = pytest.mark.django_db

# What a reader's address may answer that is no page: scripts, JSON, and what only a POST reaches.
NO_PAGES = {
    "data-export-download", "embed", "embed-form-token", "embed-frames", "embed-script",
    "embed-solver", "hub_callback", "resubscribe", "unsubscribe-reason",
}  # fmt: skip
# What X-Frame-Options, for old browsers, says of the same page.
FRAME_OPTIONS = {"'none'": "DENY", "'self'": "SAMEORIGIN", "*": None}


@pytest.fixture
def newsletter():
    return pages_and_mails.newsletter()


@pytest.fixture
def rows(newsletter):
    """Make a row of each model that is in the admin."""
    readers = pages_and_mails.readers(newsletter, "en")
    feed = factories.feed(newsletter)
    factories.story(newsletter, feed=feed)
    factories.edition(newsletter)
    Group.objects.get_or_create(name="Editors")
    tokens.issue(name="CMS", scopes=["stories:read"], now=NOW)
    factories.webhook_delivery(factories.webhook())
    return readers


def check(response, path):
    """Fail if a browser would refuse a part of the page, or may put it into a frame it may not."""
    policy = policy_of(response)
    assert policy["default-src"] == ["'none'"], path
    if not is_page(response):
        return
    assert policy["base-uri"] == ["'none'"], path
    assert refused_markup(response) == [], path
    (ancestors,) = policy["frame-ancestors"]
    assert response.headers.get("X-Frame-Options") == FRAME_OPTIONS[ancestors], path
    # A page that is cached would have the same nonce for everybody.
    assert "nonce-" not in response.headers["Content-Security-Policy"], path


def patterns(resolver, prefix=""):
    """Yield each URL of the product as (name, path with gaps, names of the gaps)."""
    for found in resolver.url_patterns:
        path = f"{prefix}{found.pattern}"
        if isinstance(found, URLResolver):
            yield from patterns(found, path)
        else:
            yield found.name or "", path, found.pattern.converters


def admin_paths():
    """Return a path for each pattern of the admin, with the last row of its model in the gap."""
    found = list(patterns(get_resolver()))  # this registers the models with the admin
    models = {f"{m._meta.app_label}_{m._meta.model_name}": m for m in admin.site._registry}
    for name, path, gaps in found:
        model = models.get("_".join(name.split("_")[:2]))
        row = model.objects.order_by("pk").last() if gaps and model else None
        if path.startswith("admin/") and "^" not in path and (row or not gaps):
            yield "/" + re.sub(r"<[^>]+>", str(row.pk if row else ""), path)


def test_no_page_of_the_admin_has_what_its_policy_refuses(admin_client, admin_user, rows):
    pages = 0
    for path in admin_paths():
        admin_client.force_login(admin_user)  # some of them log out
        response = admin_client.get(path)
        check(response, path)
        pages += is_page(response)
    assert pages > 60
    check(Client().get(reverse("admin:login")), "log-in")


def test_no_readers_page_has_what_its_policy_refuses(admin_client, newsletter, rows):
    edition = newsletter.editions.first()
    pasted = factories.story(newsletter, url="", text="Ships wait at sea.")
    paths = pages_and_mails.pages(newsletter, rows) | {
        "edition": reverse("edition", args=[edition.public_id]),
        "story": reverse("story", args=[pasted.pk]),  # staff may see it before it is sent
        "api": reverse("api:openapi-view"),
        "problems": reverse("api-problems"),
        "form.json": reverse("embed-form", args=[newsletter.slug]),
        "unknown-api": "/api/nothing",
    }
    opened = set()
    for name, path in paths.items():
        response = admin_client.get(path)
        check(response, name)
        match = response.wsgi_request.resolver_match
        opened.add(match.view_name if match else "")
    named = {name for name, *_ in patterns(get_resolver("config.reader_urls"))}
    assert named - opened == NO_PAGES


def test_the_accents_of_all_newsletters_on_a_page_are_allowed(client):
    for colour in ("#ffee00", "#0b57d0", "red"):
        factories.newsletter(accent_color=colour)

    page = client.get("/")

    names = re.findall(r'<li data-accent="(\w+)"', page.content.decode())
    assert sorted(names) == ["0b57d0", "0b57d0", "ffee00"]
    for name in names:
        assert f'[data-accent="{name}"]{{--accent-light:#' in page.content.decode()
    check(page, "home")
    # Its pages are the same for everybody, so a cache may keep them.
    assert (
        client.get("/").headers["Content-Security-Policy"]
        == page.headers["Content-Security-Policy"]
    )


def test_error_pages_have_a_policy_too(monkeypatch):
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    forged = client.post(reverse("admin:login"))
    monkeypatch.delattr(front_page, "render")
    broken = client.get("/")

    for response, status in ((forged, 403), (broken, 500)):
        assert response.status_code == status
        check(response, status)
    assert b"<style>" in broken.content


def test_what_is_no_page_can_do_nothing(client, newsletter):
    nothing = {"default-src": ["'none'"], "frame-ancestors": ["'none'"]}
    for path in ("/api/openapi.json", "/api/nothing", "/embed.js", "/embed/daily/form.json"):
        assert policy_of(client.get(path)) == nothing, path


def test_a_browser_keeps_the_policy_of_the_page_that_it_has(client):
    etag = client.get("/embed.js").headers["ETag"]

    unchanged = client.get("/embed.js", headers={"If-None-Match": etag})

    assert unchanged.status_code == 304
    assert policy_of(unchanged) == {}


def test_only_the_named_policies_allow_more_than_our_own_files():
    policies = {
        name: policy for name, policy in vars(content_security).items()
        if name.isupper() and isinstance(policy, dict)
    }  # fmt: skip
    looser = {
        name: {
            f"{directive} {source}"
            for directive, sources in policy.items()
            for source in sources
            if re.fullmatch(r"'unsafe-.*'|[a-z]+:|.*\*.*", source)
        }
        for name, policy in policies.items()
    }
    mail = {"style-src 'unsafe-inline'", "img-src https:", "img-src http:"}

    assert {name: sources for name, sources in looser.items() if sources} == {
        "ADMIN_PAGE": {"script-src 'unsafe-eval'", "style-src-attr 'unsafe-inline'"},
        "API_DOCS": {"img-src data:"},
        "EMBEDDED_PAGE": {"frame-ancestors *"},
        "MAIL_PAGE": mail,
        "MAIL_FRAME": mail,
    }


INLINE = re.compile(
    r"""<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|=["']\s*javascript:""",
    re.IGNORECASE,
)


def test_our_templates_have_nothing_inline():
    found = {
        str(path.relative_to(ROOT)): INLINE.findall(path.read_text())
        for path in (ROOT / "templates").rglob("*.html")
        if "email" not in path.parts
    }

    assert len(found) > 70
    assert {path: what for path, what in found.items() if what} == {
        "templates/500.html": ["<style"]  # it needs no other file
    }


def test_the_admins_style_sheet_has_each_colour_that_unfold_takes_from_us():
    from unfold.settings import CONFIG_DEFAULTS

    text = (ROOT / "static/admin-theme.css").read_text()

    defined = set(re.findall(r"--color-([a-z]+-[a-z0-9-]+):", text))
    assert defined == {
        f"{name}-{weight}"
        for name, weights in CONFIG_DEFAULTS["COLORS"].items()
        for weight in weights
    }


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_browser_runs_no_injected_script(page):
    page.goto("/")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'),"
        " {textContent: 'window.injected = true'}))"
    )

    assert page.evaluate("window.injected") is None
    # So a test that opens a page notices what the page's policy refuses.
    assert "script-src 'self'" in browser_support.refused.pop()
