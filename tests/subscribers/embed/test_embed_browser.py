"""The embedded form in a real browser, on a page of another site."""

import re

import pytest

from subscribers.models import Consent, Subscription
from subscribers.signup.abuse import form_token
from tests import factories
from tests.support.browser import (
    axe_violations,
    refused,
    set_colour_scheme,
    wait_for_animations,
)
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ARTICLE = """<!doctype html>
<html lang="{lang}"{html}>
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Peace talks resume</title><style nonce="page">{css}</style>{head}</head>
<body><main><h1>Peace talks resume</h1>{before}{embed}{after}</main></body></html>"""
PARAGRAPHS = "<p>Delegates met for forty minutes.</p>" * 5
LONG = "<p>Delegates met for forty minutes.</p>" * 80
# The policy allows only our script and our server; Trusted Types forbid innerHTML.
POLICY = (
    "default-src 'none'; script-src {host}; connect-src {host}; style-src 'nonce-page'; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
# A page's own aggressive styles, which must not change the form.
LOUD = (
    "* {color: red !important; font: 9px cursive !important; text-transform: uppercase} "
    "form, section, input, h2 {display: none !important}"
)


@pytest.fixture
def newsletter(page, settings, quick_forms):
    return factories.newsletter(
        name="EconoTimes",
        slug="econo",
        promise="The most important stories unfolding in the global economy, every day.",
        accent_color="#0b57d0",
    )


@pytest.fixture
def article(page, live_server, web, newsletter):
    """Return a function that opens an article on another site with the script in it."""

    def open_article(
        *, path="/article", lang="en", html="", css="", head="", before=PARAGRAPHS,
        after=PARAGRAPHS, policy=POLICY, embed=None, wait_until="load", **attributes,
    ):  # fmt: skip
        attributes = {"newsletter": newsletter.slug} | attributes
        data = "".join(f' data-{n.replace("_", "-")}="{v}"' for n, v in attributes.items())
        script = f'<script async src="{live_server.url}/embed.js"{data}></script>'
        body = ARTICLE.format(
            lang=lang, html=html, css=css, head=head, before=before, after=after,
            embed=script if embed is None else embed,
        )  # fmt: skip
        headers = {"Content-Type": "text/html; charset=utf-8"}
        if policy:
            headers["Content-Security-Policy"] = policy.format(host=live_server.url)
        page.goto(web.serve(path, body.encode(), headers=headers), wait_until=wait_until)
        return page

    # The clock runs by itself, and a test can move it forward.
    page.clock.install()
    page.add_init_script(
        "window.requested = [];"
        "window.fetch = new Proxy(fetch, {apply(target, _, sent) {"
        " requested.push(String(sent[0])); return target.apply(window, sent);}});"
        "window.violations = [];"
        "addEventListener('securitypolicyviolation', e => violations.push(e.violatedDirective));"
        "window.notified = [];"
        "for (const name of ['shown', 'closed', 'subscribed'])"
        " addEventListener('daybreak:' + name, e => notified.push([name, e.detail.newsletter]));"
    )
    return open_article


def field(page):
    return page.get_by_label("E-mail address")


def send(page, email, *, answer):
    """Fill in and send the form, and move the clock over the half second that the form waits."""
    field(page).fill(email)
    page.get_by_role("button", name="Sign up").click()

    def answered():
        page.clock.run_for(100)
        return answer.is_visible()

    wait_for(answered, what="the form's answer")


def sign_up(page, email="ann@example.com"):
    send(page, email, answer=page.get_by_role("heading", name="Check your inbox"))


def dialog(page):
    return page.get_by_role("dialog")


def stays_hidden(page, milliseconds):
    """Move the clock; return whether the pop-up is still hidden and nothing was fetched for it."""
    page.clock.run_for(milliseconds)
    return page.evaluate("requested") == [] and not dialog(page).is_visible()


def wait_for_pop_up(page, *, seconds=1):
    """Move the clock and wait for the pop-up, whose conditions the script checks once a second."""
    page.clock.run_for(1000 * seconds)
    dialog(page).wait_for()


def stored_state(page):
    return page.evaluate("localStorage.getItem('daybreak:econo')")


# --- Inline -------------------------------------------------------------------------------------


def test_one_line_of_html_signs_up_from_another_site_under_a_strict_policy(article, worker, relay):
    page = article()
    sign_up(page)

    assert relay.wait_for_mail("ann@example.com")
    assert Subscription.objects.get().status == "pending"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/article", Consent.objects.get().page)
    assert page.evaluate("violations") == []
    assert page.evaluate("notified") == [["subscribed", "econo"]]
    assert page.context.cookies() == []
    assert (
        page.evaluate("document.querySelector('daybreak-form').shadowRoot.activeElement.id")
        == "title"
    )


# Without the server's answer the script would assume a minimum of two seconds.
@pytest.mark.parametrize("min_seconds", [0.5, 3])
def test_a_quick_reader_with_autofill_is_not_taken_for_a_bot(article, min_seconds, monkeypatch):
    monkeypatch.setattr(form_token, "MIN_SECONDS", min_seconds)
    page = article()
    field(page).focus()
    field(page).fill("quick@example.com")
    field(page).press("Enter")
    page.get_by_role("heading", name="Check your inbox").wait_for()

    assert Subscription.objects.filter(subscriber__email="quick@example.com").exists()


def test_a_bad_address_is_explained_beside_the_field(article):
    page = article()
    send(page, "ann@example", answer=page.get_by_role("alert").filter(has_text="Error:"))

    assert field(page).get_attribute("aria-invalid") == "true"
    assert field(page).input_value() == "ann@example"
    assert axe_violations(page) == []
    sign_up(page)


def test_the_pages_styles_and_the_forms_styles_do_not_affect_each_other(article):
    page = article(css=LOUD)
    box = page.locator("daybreak-form .box")
    box.wait_for()

    assert field(page).is_visible()
    assert box.evaluate("e => getComputedStyle(e).color") == "rgb(26, 26, 26)"
    assert box.evaluate("e => getComputedStyle(e).textTransform") == "none"
    assert box.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") == 16
    assert page.locator("p").first.evaluate("e => getComputedStyle(e).color") == "rgb(255, 0, 0)"


def test_a_form_out_of_view_sends_no_request_to_the_server(article, page):
    requested = []
    page.on("request", lambda request: requested.append(request.url))
    article(before=LONG)
    # The form's own observer, which is older, has been called before this one.
    page.evaluate("new Promise((done) => new IntersectionObserver(done).observe(document.body))")
    assert not any("form.json" in url for url in requested)

    page.locator("daybreak-form").scroll_into_view_if_needed()
    field(page).wait_for()
    assert not any("opened.json" in url for url in requested)


def test_the_page_owner_chooses_the_texts_and_the_look(article):
    page = article(
        title="Wake up wiser", text="Five stories at six.", button="Join", theme="dark",
        background="#102030", accent="#ffc400", radius="24", font="page",
        css="main {font-family: Georgia}",
    )  # fmt: skip
    box = page.get_by_role("region", name="Wake up wiser")
    box.get_by_text("Five stories at six.").wait_for()
    style = "getComputedStyle(e)"

    assert box.evaluate(f"e => {style}.backgroundColor") == "rgb(16, 32, 48)"
    assert box.evaluate(f"e => {style}.fontFamily") == "Georgia"
    assert box.evaluate(f"e => {style}.borderRadius") == "24px"
    assert box.get_by_role("button", name="Join").evaluate(f"e => {style}.backgroundColor") == (
        "rgb(255, 196, 0)"
    )
    assert axe_violations(page) == []
    assert page.evaluate("violations") == []


def test_the_form_uses_the_language_of_the_element_around_it(article, newsletter):
    page = article(lang="de", before='<div lang="ar">', after="</div>")
    box = page.locator("daybreak-form .box")
    box.wait_for()

    assert box.get_attribute("lang") == "ar"
    assert box.get_attribute("dir") == "rtl"
    assert box.locator(".promise").get_attribute("lang") == "en"


def test_the_form_goes_into_the_target_element(article, live_server):
    script = (
        f'<script async src="{live_server.url}/embed.js" data-newsletter="econo"'
        ' data-target="#here"></script>'
    )
    page = article(head=script, embed="", after='<aside id="here"></aside><p>More.</p>')

    page.locator("#here > daybreak-form .box").wait_for()


def test_the_form_works_under_a_policy_of_nonces_alone(article, live_server, settings):
    settings.SIGNUP_CHALLENGE = "always"
    script = (
        f'<script async nonce="n1" src="{live_server.url}/embed.js"'
        ' data-newsletter="econo"></script>'
    )
    policy = (
        "default-src 'none'; script-src 'nonce-n1' 'strict-dynamic'; connect-src {host}; "
        "style-src 'nonce-page'"
    )
    page = article(embed=script, policy=policy)
    sign_up(page)

    assert page.evaluate("violations") == []
    assert Subscription.objects.exists()


def test_two_forms_work_on_one_page(article, newsletter, live_server):
    factories.newsletter(name="Science Weekly", slug="science")
    scripts = "".join(
        f'<script async src="{live_server.url}/embed.js" data-newsletter="{slug}"></script>'
        for slug in ("econo", "science")
    )
    page = article(embed=scripts)

    page.get_by_role("region", name="Get EconoTimes by e-mail").wait_for()
    page.get_by_role("region", name="Get Science Weekly by e-mail").wait_for()
    assert axe_violations(page) == []


TYPO = "ann@gmial.com"


def background(element):
    return element.evaluate("e => getComputedStyle(e).backgroundColor")


def test_after_a_typo_the_mended_address_is_the_loud_button_with_the_focus(article):
    page = article()
    use = page.get_by_role("button", name="Use ann@gmail.com")
    loud = background(page.get_by_role("button", name="Sign up"))
    send(page, TYPO, answer=use)
    quiet = [page.get_by_role("button", name=name) for name in ("Sign up", f"Keep {TYPO}")]

    assert background(use) == loud
    assert [background(button) for button in quiet] == ["rgba(0, 0, 0, 0)"] * 2
    assert use.evaluate("e => e.getRootNode().activeElement === e")
    assert axe_violations(page) == []
    # Another address than the one that was asked about is a new question.
    field(page).fill("ann@example.com")
    assert background(quiet[0]) == loud
    assert not use.is_visible()


# What the page and its owner say, what the device prefers, and what the form should then be.
@pytest.mark.parametrize(
    ("says", "device", "expected"),
    [
        ({}, "dark", "light"),
        ({"css": ":root {color-scheme: dark}"}, "light", "dark"),
        ({"css": "main {color-scheme: light dark}"}, "dark", "dark"),
        ({"head": "<meta name='color-scheme' content='light dark'>"}, "dark", "dark"),
        ({"head": "<meta name='color-scheme' content='light dark'>"}, "light", "light"),
        ({"theme": "auto"}, "dark", "dark"),
        ({"theme": "auto"}, "light", "light"),
        ({"theme": "light", "css": ":root {color-scheme: dark}"}, "dark", "light"),
    ],
)  # fmt: skip
def test_the_form_is_as_light_or_dark_as_the_page_around_it(article, page, says, device, expected):
    page.emulate_media(color_scheme=device)
    article(**says)
    box = page.locator("daybreak-form .box")
    box.wait_for()

    assert background(box) == {"light": "rgb(255, 255, 255)", "dark": "rgb(28, 28, 30)"}[expected]


def test_a_form_follows_a_page_that_turns_dark(article):
    page = article(css=".night {color-scheme: dark}")
    box = page.locator("daybreak-form .box")
    box.wait_for()
    page.evaluate("document.documentElement.className = 'night'")

    assert background(box) == "rgb(28, 28, 30)"


# --- What moves ---------------------------------------------------------------------------------


def below(page):
    """Return where the paragraph below the form is."""
    return page.evaluate("document.querySelector('main').lastElementChild.offsetTop")


def hold(page, pattern):
    """Keep requests for the pattern waiting; return the list of them, for `release`."""
    held = []
    page.route(pattern, lambda route: held.append(route))
    return held


def release(page, held):
    # Playwright hands over a request only while it is asked something.
    wait_for(lambda: page.evaluate("true") and held, what="the request")
    for route in held:
        route.continue_()


@pytest.mark.parametrize("width", [320, 375, 768])
def test_nothing_moves_when_the_form_comes(article, page, width):
    page.set_viewport_size({"width": width, "height": 800})
    held = hold(page, "**/form.json*")
    article()
    page.locator("daybreak-form").wait_for()
    before = below(page)
    release(page, held)
    field(page).wait_for()

    assert below(page) == pytest.approx(before, abs=1)


@pytest.mark.parametrize("width", [320, 375, 768])
def test_nothing_moves_when_the_builders_line_gets_its_script_late(
    article, page, newsletter, width
):
    from subscribers.embed import snippet

    page.set_viewport_size({"width": width, "height": 800})
    held = hold(page, "**/embed.js")
    line = snippet.script(newsletter, options=snippet.EmbedOptions())
    # The page has not loaded before its script has.
    article(embed=line, css="body {font: 18px/1.6 Georgia}", wait_until="domcontentloaded")
    link = page.get_by_role("link", name="Get EconoTimes by e-mail")
    assert link.get_attribute("href").endswith("/newsletters/econo/")
    before = below(page)
    release(page, held)
    field(page).wait_for()

    assert below(page) == pytest.approx(before, abs=1)
    assert not link.is_visible()
    assert axe_violations(page) == []


@pytest.mark.parametrize("by", ["the builder's line", "the short line"])
@pytest.mark.parametrize("how", ["never answers", "has no more room"])
def test_a_form_that_never_comes_leaves_a_link_to_our_page_and_no_gap(
    article, page, newsletter, live_server, by, how
):
    from subscribers.embed import snippet

    fail(page, "form.json*", how)
    line = snippet.script(newsletter, options=snippet.EmbedOptions())
    article(embed=line if by == "the builder's line" else None)
    wait_for(lambda: page.evaluate("requested").count, what="the request")
    page.clock.run_for(16_000)

    link = page.get_by_role("link")
    link.wait_for()
    assert link.get_attribute("href") == f"{live_server.url}/newsletters/econo/"
    assert len(link.inner_text()) > 10
    form = page.locator("daybreak-form")
    wait_for(lambda: form.bounding_box()["height"] < 60, what="the gap to close")


def test_the_room_for_a_script_that_never_comes_closes(article, page, newsletter):
    from subscribers.embed import snippet

    page.route("**/embed.js", lambda route: route.abort())
    article(embed=snippet.script(newsletter, options=snippet.EmbedOptions()))
    before = page.locator("daybreak-form").bounding_box()["height"]
    page.evaluate(
        "document.querySelectorAll('daybreak-form svg').forEach(s => s.setCurrentTime(11))"
    )

    assert page.get_by_role("link", name="Get EconoTimes by e-mail").is_visible()
    wait_for(
        lambda: page.locator("daybreak-form").bounding_box()["height"] < 100 < before,
        what="the room to close",
    )
    assert page.evaluate("violations") == []


# --- With a challenge ---------------------------------------------------------------------------


def test_a_challenge_is_solved_in_the_page(article, settings):
    settings.SIGNUP_CHALLENGE = "always"
    page = article()
    sign_up(page)

    assert Subscription.objects.filter(subscriber__email="ann@example.com").exists()
    assert page.evaluate("violations") == []


def test_a_page_that_cannot_solve_the_challenge_hands_the_address_to_our_own_page(
    article, settings, page
):
    settings.SIGNUP_CHALLENGE = "always"
    page.add_init_script("Object.defineProperty(crypto, 'subtle', {value: undefined})")
    article(policy="")
    go_on = page.get_by_role("button", name="Go on")
    send(page, "ann@example.com", answer=go_on)
    ours = opened_by(page, go_on)

    assert ours.get_by_label("E-mail address").input_value() == "ann@example.com"
    assert "ann" not in ours.url


# --- When the server fails ----------------------------------------------------------------------

JSON = {"content_type": "application/json", "headers": {"Access-Control-Allow-Origin": "*"}}
FAILURES = {
    "never answers": lambda route: None,
    "is out of reach": lambda route: route.abort(),
    "has no more room": lambda route: route.fulfill(status=503, json={"detail": "?"}, **JSON),
    "is hidden by a proxy": lambda route: route.fulfill(body="<h1>Log in</h1>", **JSON),
    "is cut off": lambda route: route.fulfill(body='{"state": "se', **JSON),
    "says nothing": lambda route: route.fulfill(body="null", **JSON),
}


def fail(page, path, how):
    """Let every request for that path of the embedded form fail."""
    page.context.route(f"**/embed/econo/{path}", FAILURES[how])


def opened_by(page, button):
    """Press a button that opens a new page; return that page."""
    with page.context.expect_page() as opened:
        button.click()
    opened.value.wait_for_load_state()
    return opened.value


@pytest.mark.parametrize("how", FAILURES)
def test_a_sign_up_without_an_answer_ends_with_a_way_on(article, how):
    page = article()
    fail(page, "", how)
    field(page).fill("ann@example.com")
    page.get_by_role("button", name="Sign up").click()
    assert page.get_by_role("button", name="Sending…").get_attribute("aria-disabled") == "true"
    assert page.get_by_role("status").text_content() == "Sending…"

    again = page.get_by_role("button", name="Try again")
    wait_for(lambda: page.clock.run_for(1000) or again.is_visible(), what="a way on")
    assert page.get_by_role("alert").filter(has_text="whether your address has reached us").count()
    assert again.evaluate("e => e.getRootNode().activeElement === e")
    assert field(page).get_attribute("aria-invalid") is None
    page.context.unroute_all()
    again.click()
    assert page.evaluate("document.activeElement.localName") == "daybreak-form"
    title = page.get_by_role("heading", name="Check your inbox")
    wait_for(lambda: page.clock.run_for(100) or title.is_visible(), what="the form's answer")


def test_a_sign_up_whose_answer_is_lost_is_not_made_twice(article):
    page = article()

    def lose(route):
        route.fetch()
        route.abort()

    page.context.route("**/embed/econo/", lose)
    again = page.get_by_role("button", name="Try again")
    send(page, "ann@example.com", answer=again)
    page.context.unroute_all()
    again.click()
    title = page.get_by_role("heading", name="Check your inbox")
    wait_for(lambda: page.clock.run_for(100) or title.is_visible(), what="the form's answer")

    assert Subscription.objects.get().status == "pending"
    assert Consent.objects.count() == 1


@pytest.mark.parametrize("allowed", [True, False])
def test_our_own_page_goes_on_with_the_address_if_the_pages_policy_allows_it(
    article, allowed, live_server
):
    page = article(policy=POLICY if not allowed else "")
    fail(page, "", "is cut off")
    hosted = page.get_by_role("button", name="Sign up on our own page")
    send(page, "ann@example.com", answer=hosted)
    page.context.unroute_all()
    ours = opened_by(page, hosted)

    if allowed:
        ours.get_by_role("heading", name="Check your inbox").wait_for()
        assert Consent.objects.get().page == page.url
    else:
        assert ours.url == f"{live_server.url}/newsletters/econo/"
        refused.clear()


# --- Pop-up -------------------------------------------------------------------------------------


def test_the_pop_up_comes_after_the_scroll_depth_that_the_owner_set(article):
    page = article(mode="popup", after_scroll="60", after=LONG)
    page.evaluate("""new Promise((done) => {
        addEventListener("scroll", done, {once: true});
        scrollTo(0, document.documentElement.scrollHeight * 0.3);
    })""")
    assert stays_hidden(page, 400)

    page.evaluate("scrollTo(0, document.documentElement.scrollHeight * 0.6)")
    dialog(page).wait_for()
    assert page.evaluate("notified") == [["shown", "econo"]]
    assert page.evaluate("violations") == []


def test_the_pop_up_comes_after_the_time_that_the_owner_set(article):
    page = article(mode="popup", after_seconds="4")
    assert stays_hidden(page, 2000)

    wait_for_pop_up(page, seconds=2)
    welcome = page.get_by_role("heading", name="Welcome to EconoTimes")
    assert welcome.evaluate("e => e.getRootNode().activeElement === e")
    assert dialog(page).get_by_text("unfolding in the global economy").is_visible()


def test_the_pop_up_waits_while_a_visitor_types(article):
    page = article(
        mode="popup", after_seconds="1", before="<label>Comment <input autofocus></label>"
    )
    assert page.locator("input").first.evaluate("e => e === document.activeElement")
    assert stays_hidden(page, 2500)

    page.get_by_label("Comment").blur()
    wait_for_pop_up(page)


def test_focus_stays_in_the_pop_up_and_returns_after_closing(article):
    page = article(mode="popup", after_seconds="3", before='<a href="#x">A link</a>')
    page.get_by_role("link", name="A link").focus()
    wait_for_pop_up(page, seconds=3)
    where = "document.querySelector('daybreak-form').shadowRoot.activeElement?.getAttribute('part')"

    seen = []
    for _ in range(7):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(where))
    assert seen == ["field", "button", "close", "field", "button", "close", "field"]
    for _ in range(4):
        page.keyboard.press("Shift+Tab")
        seen.append(page.evaluate(where))
    assert seen[-4:] == ["close", "button", "field", "close"]

    page.keyboard.press("Escape")
    dialog(page).wait_for(state="hidden")
    assert page.evaluate("document.activeElement.textContent") == "A link"


@pytest.mark.parametrize("way", ["Escape", "Close", "beside"])
def test_a_closed_pop_up_stays_hidden_for_thirty_days(article, way):
    page = article(mode="popup", after_seconds="0")
    wait_for_pop_up(page)
    if way == "Escape":
        page.keyboard.press("Escape")
    elif way == "Close":
        page.get_by_role("button", name="Close").click()
    else:
        page.mouse.click(3, 3)
    dialog(page).wait_for(state="hidden")
    wait_for(lambda: page.evaluate("notified.at(-1)[0] === 'closed'"))

    page.reload()
    assert stays_hidden(page, 1800)
    for days, shown in ((29.9, False), (30.1, True)):
        page.evaluate(f"localStorage.setItem('daybreak:econo', Date.now() - {days} * 864e5)")
        page.reload()
        assert stays_hidden(page, 1800) != shown, days
    dialog(page).wait_for()
    assert page.context.cookies() == []


def test_the_pop_up_never_comes_again_after_a_sign_up(article):
    page = article(mode="popup", after_seconds="0")
    wait_for_pop_up(page)
    sign_up(page)
    page.get_by_role("button", name="Close").click()
    wait_for(lambda: page.evaluate("notified.at(-1)[0] === 'closed'"))
    assert stored_state(page) == "subscribed"

    page.clock.set_system_time(4e9)  # in seconds: the year 2096
    page.reload()
    assert page.evaluate("Date.now()") >= 4e12
    assert stays_hidden(page, 1800)


def test_a_sign_up_in_the_inline_form_silences_the_pop_up(article):
    sign_up(article(path="/inline"))
    page = article(path="/popup", mode="popup", after_seconds="0")

    assert stays_hidden(page, 1800)


def test_the_pop_up_stays_hidden_without_local_storage(article, page):
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() {throw new Error('blocked')}})"
    )
    article(mode="popup", after_seconds="0")

    assert stays_hidden(page, 1800)


def test_a_link_of_the_page_opens_the_pop_up_at_any_time(article, newsletter):
    link = f'<a href="/newsletters/" data-daybreak-open="{newsletter.slug}">Subscribe</a>'
    page = article(mode="popup", after_scroll="100", before=LONG + link)
    page.evaluate("localStorage.setItem('daybreak:econo', 'subscribed')")
    page.reload()
    page.get_by_role("link", name="Subscribe").click()
    dialog(page).wait_for()
    page.get_by_role("button", name="Close").click()
    wait_for(lambda: page.evaluate("notified.at(-1)[0] === 'closed'"))

    assert stored_state(page) == "subscribed"


LINK = '<a href="/subscribe" data-daybreak-open="econo">Subscribe</a>'
NOWHERE = LINK.replace("/subscribe", "#")
BUTTON = '<button type="button" data-daybreak-open="econo"><b>Subscribe</b></button>'


@pytest.mark.parametrize(
    ("how", "opener", "where"),
    [
        ("never answers", LINK, "/subscribe"),
        ("has no more room", LINK, "/subscribe"),
        ("is out of reach", NOWHERE, "/newsletters/econo/"),
        ("never answers", BUTTON, "/newsletters/econo/"),
    ],
)
def test_a_click_that_cannot_open_the_pop_up_goes_on_to_the_page(article, web, how, opener, where):
    web.serve("/subscribe", b"<h1>Subscribe here</h1>", headers={"Content-Type": "text/html"})
    page = article(mode="popup", after_scroll="100", before=LONG + opener)
    fail(page, "form.json*", how)
    with page.expect_navigation():
        page.get_by_text("Subscribe").click()
        if how == "never answers":
            page.clock.run_for(5000)

    assert page.url.endswith(where)


def test_a_second_click_on_a_link_does_not_wait_for_the_pop_up(article, web):
    web.serve("/subscribe", b"<h1>Subscribe here</h1>", headers={"Content-Type": "text/html"})
    page = article(mode="popup", after_scroll="100", before=LONG + LINK)
    fail(page, "form.json*", "never answers")
    page.get_by_role("link", name="Subscribe").click()
    assert page.get_by_role("link", name="Subscribe").get_attribute("aria-busy") == "true"
    with page.expect_navigation():
        page.get_by_role("link", name="Subscribe").click()

    assert page.url.endswith("/subscribe")


def test_a_link_leads_on_while_the_script_is_late(article, page, web):
    web.serve("/subscribe", b"<h1>Subscribe here</h1>", headers={"Content-Type": "text/html"})
    hold(page, "**/embed.js")
    article(mode="popup", before=LINK, wait_until="domcontentloaded")
    with page.expect_navigation():
        page.evaluate("document.querySelector('a').click()")

    assert page.url.endswith("/subscribe")


def test_a_link_opened_in_a_new_tab_is_left_to_the_browser(article, web):
    web.serve("/subscribe", b"<h1>Subscribe here</h1>", headers={"Content-Type": "text/html"})
    page = article(mode="popup", after_scroll="100", before=LINK)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Subscribe").click(modifiers=["Control"])

    opened.value.get_by_role("heading", name="Subscribe here").wait_for()
    assert page.evaluate("requested") == []


def test_a_link_pressed_by_keyboard_opens_the_pop_up_and_gets_the_focus_back(article):
    page = article(mode="popup", after_scroll="100", before=LONG + LINK)
    page.get_by_role("link", name="Subscribe").press("Enter")
    dialog(page).wait_for()
    page.keyboard.press("Escape")
    dialog(page).wait_for(state="hidden")

    assert page.evaluate("document.activeElement.textContent") == "Subscribe"


# --- Without our script -------------------------------------------------------------------------


def test_the_plain_form_needs_no_script(browser, live_server, web, newsletter, settings):
    from subscribers.embed import snippet

    settings.SITE_URL = live_server.url
    plain = snippet.plain_form(newsletter, options=snippet.EmbedOptions())
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    body = ARTICLE.format(lang="en", html="", css="", head="", before="", after="", embed=plain)
    page.goto(web.serve("/plain", body.encode(), headers={"Content-Type": "text/html"}))
    field(page).fill("mailto:plain@example.com")
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("heading", name="Check your inbox").wait_for()

    assert Consent.objects.get().page.startswith(web.url("/"))
    context.close()


def test_the_iframe_signs_up_and_records_the_page_around_it(article, newsletter, live_server):
    from subscribers.embed import snippet

    frame = snippet.frame(newsletter, options=snippet.EmbedOptions())
    page = article(
        embed=frame, policy="default-src 'none'; frame-src {host}; style-src 'nonce-page'"
    )
    inside = page.frame_locator("iframe")
    inside.get_by_label("E-mail address").fill("framed@example.com")
    inside.get_by_role("button", name="Sign up").click()
    inside.get_by_role("heading", name="Check your inbox").wait_for()

    assert Subscription.objects.filter(subscriber__email="framed@example.com").exists()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", Consent.objects.get().page)
    assert page.context.cookies() == []


@pytest.fixture
def framed(article, newsletter):
    """Return a function that opens an article with the form in an iframe, maybe with its script."""
    from subscribers.embed import snippet

    def open_framed(*, listening=False, **options):
        code = str(snippet.frame(newsletter, options=snippet.EmbedOptions(**options)))
        host = code.split("/embed/")[0].partition('src="')[2]
        if listening:
            code = f'<script async src="{host}/embed/frames.js"></script>' + code
        page = article(
            embed=code,
            policy="default-src 'none'; frame-src {host}; script-src {host}; "
            "style-src 'nonce-page'",
        )
        inside = page.frame_locator("iframe")
        inside.locator("[type=email]").wait_for()
        return page, inside

    return open_framed


@pytest.mark.parametrize("listening", [True, False])
def test_after_a_typo_the_iframe_shows_every_choice_and_the_consent(framed, listening):
    page, inside = framed(listening=listening)
    below_before = below(page)
    inside.get_by_label("E-mail address").fill(TYPO)
    inside.get_by_role("button", name="Sign up").click()
    keep = inside.get_by_role("button", name=f"Keep {TYPO}")
    keep.wait_for()
    consent = inside.locator("#wording")
    frame = page.locator("iframe")

    def shown():
        edge = frame.bounding_box()
        bottom = edge["y"] + edge["height"]
        return all(
            edge["y"] <= box["y"] and box["y"] + box["height"] <= bottom
            for box in (keep.bounding_box(), consent.bounding_box())
        )

    wait_for(shown, what="the choices and the consent")
    grown = below(page) > below_before
    assert grown == listening
    assert inside.locator(".promise").is_visible() == listening

    inside.get_by_role("button", name="Use ann@gmail.com").click()
    inside.get_by_role("heading", name="Check your inbox").wait_for()
    wait_for(lambda: below(page) == below_before, what="the frame's first height")


def test_the_iframe_is_light_in_a_light_page_whatever_the_device_prefers(framed, page):
    page.emulate_media(color_scheme="dark")
    _, inside = framed()
    assert background(inside.locator(".box")) == "rgb(255, 255, 255)"
    _, inside = framed(theme="auto")
    assert background(inside.locator(".box")) == "rgb(28, 28, 30)"


def test_a_message_of_another_page_changes_no_iframe(framed, web):
    page, _ = framed(listening=True)
    frame = page.locator("iframe")
    wait_for(lambda: frame.evaluate("e => e.style.minHeight"))
    before = frame.bounding_box()["height"]
    page.evaluate(
        "new Promise((done) => { addEventListener('message', done, {once: true});"
        " postMessage({daybreak: 'height', height: 1500}, '*'); })"
    )

    assert frame.bounding_box()["height"] == before


@pytest.mark.parametrize("script", [True, False])
def test_the_iframes_page_passes_axe(browser, live_server, newsletter, script):
    context = browser.new_context(java_script_enabled=script, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{live_server.url}/embed/econo/frame/")
    page.get_by_role("heading", level=1).wait_for()

    assert page.locator("h1").count() == 1
    if script:
        assert axe_violations(page) == []
    context.close()


def test_the_iframes_page_needs_no_script(browser, live_server, web, newsletter):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 420})
    page = context.new_page()
    # The page is opened by itself. Inside an iframe Playwright turns scripts off too late for
    # noscript elements.
    page.goto(f"{live_server.url}/embed/econo/frame/", referer=web.url("/article"))
    page.locator("[name=email]").fill("framed@example")
    page.locator("[type=submit]").click()
    page.locator("[role=alert]", has_text="Error:").wait_for()
    page.locator("[name=email]").fill(TYPO)
    page.locator("[type=submit]").click()
    page.locator("[name=sure]").wait_for()
    assert page.evaluate("document.documentElement.scrollHeight") <= 420
    page.locator("[name=email]").fill("framed@example.com")
    page.locator("[name=email]").press("Enter")
    page.locator("h1", has_text="Check your inbox").wait_for()

    assert Consent.objects.get().page == web.url("/article")
    assert context.cookies() == []
    context.close()


# --- Accessibility ------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "ar"])
@pytest.mark.parametrize("mode", ["inline", "popup"])
def test_the_form_passes_axe_and_never_scrolls_sideways(article, page, lang, mode):
    article(lang=lang, mode=mode, after_seconds="0")
    page.clock.run_for(1000)
    page.locator("daybreak-form .box").wait_for()
    wait_for_animations(page)
    for width in (320, 375, 1280):
        page.set_viewport_size({"width": width, "height": 700})
        box = page.locator("daybreak-form .box").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        inner = page.locator("daybreak-form .box")
        assert inner.evaluate("e => e.scrollWidth <= e.clientWidth")
    for scheme in ("light", "dark"):
        set_colour_scheme(page, scheme)
        assert axe_violations(page) == [], scheme


def test_the_pop_up_respects_reduced_motion(article, page):
    page.emulate_media(reduced_motion="reduce")
    article(mode="popup", after_seconds="0")
    wait_for_pop_up(page)

    assert dialog(page).evaluate("e => getComputedStyle(e).animationName") == "none"


def test_a_zoomed_phone_can_reach_everything_in_the_pop_up(article, page):
    page.set_viewport_size({"width": 320, "height": 256})
    article(mode="popup", after_seconds="0")
    wait_for_pop_up(page)
    page.get_by_role("button", name="Sign up").scroll_into_view_if_needed()

    box = page.get_by_role("button", name="Sign up").bounding_box()
    assert 0 <= box["y"] <= 256 - box["height"]
