"""The pages of the log-in are usable by keyboard, screen reader and phone."""

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.login import second_factor
from tests.config.login.conftest import PASSWORD, code_of, wrong_code_of
from tests.support.browser import axe_violations, set_colour_scheme

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("codes_are_asked_for"),
]


def problems(page):
    """Return what axe finds, but for the links that unfold puts above the page's main part."""
    found = []
    for scheme in ("light", "dark"):
        set_colour_scheme(page, scheme)
        found += [(scheme, rule) for rule in axe_violations(page) if not rule.startswith("region")]
    return found


def give_password(page, password):
    page.get_by_label("Username").fill("editor")
    page.get_by_label("Password").fill(password)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def type_code(page, code):
    field = page.get_by_label("Code", exact=True)
    field.fill(code)
    field.press("Enter")


def test_a_person_sets_up_an_app_and_logs_in_with_it(page, editor):
    page.goto("/admin/digest/feed/")
    give_password(page, PASSWORD)
    page.get_by_text("I cannot scan it").click()
    assert problems(page) == []
    app = second_factor.app_of_offer(editor, page.locator("[name=offer]").input_value())
    assert page.locator(".login-secret").inner_text().replace(" ", "") in app.config_url
    assert page.locator(".login-qr svg").is_visible()

    type_code(page, code_of(app))
    page.get_by_text("They are shown only now.").wait_for()
    assert problems(page) == []
    with page.expect_download() as download:
        page.get_by_text("Save as a text file").click()
    kept = download.value.path().read_text()
    assert all(code in kept for code in page.locator(".login-codes li").all_inner_texts())
    page.get_by_text("I have kept them").click()
    page.wait_for_url("**/admin/digest/feed/")
    page.goto("/admin/authenticator/")
    assert problems(page) == []

    page.context.clear_cookies()
    page.goto("/admin/")
    give_password(page, PASSWORD)
    field = page.get_by_label("Code", exact=True)
    assert field.get_attribute("autocomplete") == "one-time-code"
    assert field.get_attribute("inputmode") == "numeric"
    page.wait_for_function("document.activeElement.name === 'code'")
    type_code(page, wrong_code_of(app))
    page.get_by_role("alert").wait_for()
    assert problems(page) == []
    # Half a minute later:
    TOTPDevice.objects.update(throttling_failure_timestamp=None, last_t=-1, drift=0)
    type_code(page, code_of(app))
    page.wait_for_url("**/admin/")


def test_the_page_of_a_locked_log_in_says_when_and_whom_to_ask(page, editor):
    page.goto("/admin/")
    for _ in range(5):
        give_password(page, "wrong")

    assert "Try again in 15 minutes." in page.inner_text("main")
    assert "ask a superuser" in page.inner_text("main")
    assert problems(page) == []
