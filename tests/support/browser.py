"""A real Chromium, its pages, and axe, which checks their accessibility."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Debian builds both from one source. The shell is the engine without a window, and needs a third of
# the CPU time.
CHROMIUMS = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"]
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(os.path.exists, CHROMIUMS), CHROMIUMS[0])


# Seconds by which each script comes late. A run with 1 finds what is lost on a slow line or a busy
# machine, because it happened before a page's scripts were listening.
SLOW_SCRIPTS = float(os.environ.get("SLOW_SCRIPTS", "0"))


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
        browser.new_context = _watched(browser.new_context)
        yield browser
        browser.close()


# What the browser refused in the running test, because a policy of the page or frame forbids it.
refused: list[str] = []


def _watched(new_context: Any) -> Any:
    def watched(**options: Any) -> Any:
        context = new_context(**options)
        context.on("console", _note_refusal)
        return context

    return watched


def _note_refusal(message: Any) -> None:
    if "Content Security Policy" in message.text or "X-Frame-Options" in message.text:
        refused.append(f"{message.location.get('url', '')}: {message.text}")


@pytest.fixture(autouse=True)
def _nothing_is_refused() -> Iterator[None]:
    """Fail a test in whose pages the browser had to enforce a Content-Security-Policy."""
    refused.clear()
    yield
    assert refused == []


@pytest.fixture(scope="session", autouse=bool(SLOW_SCRIPTS))
def _slow_scripts() -> Iterator[None]:
    """Let the live server wait before it serves a script, and let no browser keep the script."""
    from django.contrib.staticfiles.handlers import StaticFilesHandlerMixin

    serve = StaticFilesHandlerMixin.serve

    def serve_late(self: Any, request: Any) -> Any:
        if request.path.endswith(".js"):
            time.sleep(SLOW_SCRIPTS)
        response = serve(self, request)
        response["Cache-Control"] = "no-store"
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticFilesHandlerMixin, "serve", serve_late)
        yield


@pytest.fixture
def page(browser: Any, live_server: Any, settings: Any) -> Iterator[Any]:
    """A page of a new visitor at a phone's width. `settings.SITE_URL` is the live server."""
    settings.SITE_URL = live_server.url
    context = browser.new_context(base_url=live_server.url, viewport={"width": 375, "height": 800})
    page = context.new_page()
    act_on_loaded_pages(page)
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
    act_on_loaded_pages(page)
    yield page
    context.clear_permissions()
    for page in context.pages:
        page.close()


@pytest.fixture
def quick_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let forms be sent at once: an automated browser is quicker than any reader."""
    from subscribers.signup.abuse import form_token

    monkeypatch.setattr(form_token, "MIN_SECONDS", 0.0)


def act_on_loaded_pages(page: Any) -> None:
    """Make each click, choice or entry wait until the page's scripts run.

    A page that a click opened shows its text before its scripts listen. What a test does in that
    moment would be lost, on a busy machine more often. Playwright waits for nothing by itself but
    for the field to be visible, so it is told that a page hides its fields until it has loaded.
    """
    page.add_init_script(
        "addEventListener('load', () => { document.documentElement.dataset.loaded = '' })"
    )
    page.add_locator_handler(page.locator("html:not([data-loaded])"), lambda: None)


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
