"""Real parts at the edges that tests own: a relay, a web server, a worker, a browser."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import random
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.core.cache import cache
from django.test import TransactionTestCase, override_settings
from hypothesis import settings as hypothesis_settings

from tests import database
from tests import worker as celery_worker
from tests.waiting import ROOT as ROOT
from tests.waiting import wait_for as wait_for
from tests.worker import process_environment as process_environment

# How long an example takes says more about the machine than about the code.
hypothesis_settings.register_profile("daybreak", deadline=None)
hypothesis_settings.load_profile("daybreak")
# Debian builds both from one source. The shell is the engine without a window, and needs a third of
# the CPU time.
CHROMIUMS = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"]
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(os.path.exists, CHROMIUMS), CHROMIUMS[0])


# `make test-fast` leaves out tests with these marks. Only such tests may start processes.
SLOW_MARKS = {"browser", "worker", "faults", "subprocess", "fuzzing"}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Add the marks that follow from a test's fixtures or its folder."""
    if "worker" in getattr(item, "fixturenames", ()):
        item.add_marker("worker")
    if "delivery/faults/" in item.nodeid:
        item.add_marker("faults")


@pytest.fixture(autouse=True)
def _require_a_mark_for_processes(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fail a test that starts a process without such a mark, to keep `make test-fast` fast."""

    def refuse(self: object, *args: Any, **kwargs: Any) -> None:
        pytest.fail(f"mark the test that starts {args or kwargs} as one of {sorted(SLOW_MARKS)}")

    if not SLOW_MARKS & {mark.name for mark in request.node.iter_markers()}:
        monkeypatch.setattr(subprocess.Popen, "__init__", refuse)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first, so that no xdist worker is busy at the end while the others wait."""
    items.sort(key=lambda item: not SLOW_MARKS & {mark.name for mark in item.iter_markers()})


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Exempt the code's own objects from garbage collection, which would take 10 % of the time."""
    gc.collect()
    gc.freeze()


def free_port() -> int:
    """Return a port that nobody else takes before the test uses it.

    The kernel gives only higher ports to connections and to port 0, and each of xdist's workers
    has a range of its own.
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for port in _ports:
        with contextlib.suppress(OSError), socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", 20_000 + 800 * number + port))
            return int(sock.getsockname()[1])
    raise AssertionError("no port is free")


# The order is random in each run, since two clones may be tested at the same time.
_ports = itertools.chain.from_iterable(itertools.repeat(random.sample(range(800), 800), 2))


# --- Mail ---------------------------------------------------------------------------------------


@dataclass
class ReceivedMail:
    """One message as it came over the wire."""

    mail_from: str
    rcpt_to: str
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = BytesParser(policy=policy.default).parsebytes(self.raw)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def part(self, kind: str) -> str:
        """Return the text of the part of this kind, `plain` or `html`."""
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content())


@dataclass
class RelayServer:
    """A real SMTP server; `replies` maps a recipient to the reply its message gets."""

    port: int
    received: list[ReceivedMail] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(self, server, session, envelope, address, options):  # type: ignore[no-untyped-def]
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # type: ignore[no-untyped-def]
        for address in envelope.rcpt_tos:
            self.received.append(
                ReceivedMail(envelope.mail_from, address, envelope.original_content)
            )
        return "250 OK"

    def mails_to(self, address: str) -> list[ReceivedMail]:
        return [mail for mail in self.received if mail.rcpt_to == address]

    def wait_for_mail(self, address: str, *, count: int = 1, seconds: float = 30) -> ReceivedMail:
        """Wait for `count` messages to `address`, and return the newest."""
        wait_for(
            lambda: len(self.mails_to(address)) >= count,
            seconds=seconds,
            what=f"{count} mail(s) to {address}",
        )
        return self.mails_to(address)[-1]


class _ControllerOnSocket(Controller):
    """A controller on a given socket: a port that was free a moment ago may be taken by now."""

    def __init__(self, handler: Any, listening: socket.socket, **options: Any) -> None:
        self.listening = listening
        hostname, port = listening.getsockname()
        super().__init__(handler, hostname=hostname, port=port, **options)

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self.listening)


@contextlib.contextmanager
def running_relay() -> Iterator[RelayServer]:
    listening = socket.create_server(("127.0.0.1", 0))
    relay = RelayServer(port=listening.getsockname()[1])
    controller = _ControllerOnSocket(relay, listening, decode_data=False, ready_timeout=30)
    controller.start()
    try:
        yield relay
    finally:
        controller.stop()


@pytest.fixture(scope="session")
def relay_server() -> Iterator[RelayServer]:
    with running_relay() as relay:
        yield relay


@pytest.fixture
def relay(relay_server: RelayServer, settings: Any) -> RelayServer:
    """An empty mailbox on a real SMTP server, which is this test's only relay."""
    from subscribers.mail.relays import parse_relay

    relay_server.received.clear()
    relay_server.replies.clear()
    settings.EMAIL_BACKEND = "subscribers.mail.failover.FailoverBackend"
    settings.EMAIL_RELAYS = [parse_relay(f"smtp://127.0.0.1:{relay_server.port}")]
    return relay_server


# --- Web server for feeds and pages -------------------------------------------------------------


@dataclass
class WebResponse:
    """The response of the test's web server for a path, and how badly the server behaves."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    # Seconds to wait before the first byte, and between two bytes of the body.
    wait: float = 0
    drip: float = 0


class WebServer:
    """A real HTTP server. `requests` holds the path and the headers of each request."""

    def __init__(self) -> None:
        self.responses: dict[str, WebResponse] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_WebHandler, self))
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"

    def serve(self, path: str, body: bytes = b"", **fields: Any) -> str:
        """Respond with this at the path from now on, and return its URL."""
        self.responses[path] = WebResponse(body, **fields)
        return self.url(path)

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"


class _WebHandler(BaseHTTPRequestHandler):
    def __init__(self, web: WebServer, *args: Any) -> None:
        self.web = web
        super().__init__(*args)

    def do_GET(self) -> None:
        self.web.requests.append((self.path, dict(self.headers)))
        response = self.web.responses.get(self.path, WebResponse(status=404))
        time.sleep(response.wait)
        etag = response.headers.get("ETag")
        unchanged = etag is not None and self.headers["If-None-Match"] == etag
        # The client closes the connection when a limit of its own is reached.
        with contextlib.suppress(ConnectionError):
            self.send_response(304 if unchanged else response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if unchanged:
                return
            pieces = [response.body] if not response.drip else [bytes([b]) for b in response.body]
            for piece in pieces:
                self.wfile.write(piece)
                time.sleep(response.drip)

    def log_message(self, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def web(settings: Any) -> Iterator[WebServer]:
    """A web server on loopback, from which feeds and pages may be fetched."""
    web = WebServer()
    settings.FETCH_ALLOW_HOSTS = ["127.0.0.1"]
    thread = threading.Thread(target=web.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield web
    web.server.shutdown()
    web.server.server_close()
    thread.join(5)


# --- Celery -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _worker_process(
    django_db_setup: None, relay_server: RelayServer
) -> Iterator[celery_worker.Worker]:
    with celery_worker.running(relay_server.port) as running:
        yield running


@pytest.fixture
def worker(
    transactional_db: None, _worker_process: celery_worker.Worker, relay: RelayServer
) -> Iterator[None]:
    """A real Celery worker process on this test's database, Redis and relay."""
    with _worker_process.awake():
        relay.received.clear()
        yield


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    """Replace pytest-django's fixture, which migrates a database for each worker."""
    with django_db_blocker.unblock(), database.migrated_copy():
        yield


@pytest.fixture(scope="session", autouse=True)
def _empty_database_by_delete() -> Iterator[None]:
    """Delete the rows after a test that commits, instead of Django's `flush`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: database.empty())
        yield


@pytest.fixture(scope="session", autouse=True)
def _fast_password_hasher() -> Iterator[None]:
    """Replace the password hasher, which takes half a second of a core on purpose.

    Most tests of the admin make an editor. Daybreak processes that tests start keep the real
    hasher.
    """
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    yield
    cache.clear()


# --- Browser ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright. In CI its absence is a failure."""
    from playwright.sync_api import sync_playwright

    if not Path(CHROMIUM).exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs the browser tests, and there is no {CHROMIUM}")
        pytest.skip(f"no {CHROMIUM}: apt-get install chromium-headless-shell")
    # Playwright's event loop runs in this thread, so to Django all queries would look asynchronous.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                  "--disable-background-networking", "--disable-component-update",
                  "--disable-sync"],
        )  # fmt: skip
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, live_server: Any, settings: Any) -> Iterator[Any]:
    """A page of a new visitor at a phone's width. `settings.SITE_URL` is the live server."""
    settings.SITE_URL = live_server.url
    context = browser.new_context(base_url=live_server.url, viewport={"width": 375, "height": 800})
    page = context.new_page()
    yield page
    context.close()


@pytest.fixture
def no_script_page(browser: Any, live_server: Any, settings: Any) -> Iterator[Any]:
    """A page of a new visitor whose browser runs no JavaScript."""
    settings.SITE_URL = live_server.url
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def _admin_context(browser: Any, live_server: Any) -> Iterator[Any]:
    """A browser context that keeps unfold's scripts, styles and fonts in its cache.

    An admin page takes 0.2 s in it, and half a second in a new context.
    """
    context = browser.new_context(base_url=live_server.url)
    yield context
    context.close()


@pytest.fixture
def admin_page(_admin_context: Any, live_server: Any, settings: Any) -> Iterator[Any]:
    """A page of a logged-in editor at a desktop's width.

    Only the HTTP cache is left from earlier tests: static files, and for five minutes what the
    embedded form reads about a newsletter. No admin page is cached.
    """
    from django.contrib.auth.models import User
    from django.test import Client

    settings.SITE_URL = live_server.url
    editor = User.objects.create_superuser("editor", "editor@example.com", "a long password")
    client = Client()
    client.force_login(editor)
    context = _admin_context
    page = context.new_page()
    everything = {"origin": "*", "storageTypes": "all"}
    context.new_cdp_session(page).send("Storage.clearDataForOrigin", everything)
    context.clear_cookies()
    session = client.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies(
        [{"name": session.key, "value": session.value, "url": live_server.url, "httpOnly": True}]
    )
    page.set_viewport_size({"width": 1280, "height": 900})
    yield page
    context.clear_permissions()
    for page in context.pages:
        page.close()


# unfold reads the colour scheme only when its page loads, and then sets this class. Scripts that
# listen for the scheme have been notified when the next frame begins.
_SCHEME = """dark => {
    document.querySelector("html[x-data]")?.classList.toggle("dark", dark);
    return new Promise(requestAnimationFrame);
}"""


def set_colour_scheme(page: Any, scheme: str) -> None:
    """Switch the loaded page, also one of unfold's, to the scheme "light" or "dark"."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate(_SCHEME, scheme == "dark")


def speed_up_polling(page: Any) -> None:
    """Make the pages that load from now on poll ten times as often.

    Timeouts of two seconds or more are divided by ten.
    """
    page.add_init_script(
        "{const wait = setTimeout;"
        " window.setTimeout = (then, ms, ...what) => wait(then, ms < 2000 ? ms : ms / 10, ...what)}"
    )


# This covers the content of shadow roots. It does not wait for endless animations.
_AT_REST = """async () => {
    const roots = [document];
    for (const root of roots)
        for (const element of root.querySelectorAll("*"))
            if (element.shadowRoot) roots.push(element.shadowRoot);
    const moving = roots
        .flatMap((root) => root.getAnimations())
        .filter((one) => one.playState === "running")
        .filter((one) => isFinite(one.effect.getComputedTiming().endTime));
    await Promise.allSettled(moving.map((one) => one.finished));
    return Boolean(window.axe);
}"""
# Frames do not load axe. With `iframes` it would wait half a second for each frame to answer.
_AXE = """(context) =>
    axe.run(context ?? document, {resultTypes: ["violations"], iframes: false})
        .then(({violations}) => violations.map(
            ({id, nodes}) => [id, nodes.map(({html}) => html.slice(0, 120))]))"""


def wait_for_animations(page: Any) -> bool:
    """Wait until the page's transitions and animations are over. Return whether axe is loaded."""
    return bool(page.evaluate(_AT_REST))


def axe_violations(page: Any, context: str | None = None) -> list[str]:
    """Return axe's violations in the loaded page, or in the part that `context` selects.

    Each is a rule id with its elements. The script of half a megabyte is loaded once per page.
    """
    from axe_playwright_python.base import AXE_SCRIPT

    if not wait_for_animations(page):
        page.evaluate(AXE_SCRIPT)
    return [f"{rule}: {elements}" for rule, elements in page.evaluate(_AXE, context)]
