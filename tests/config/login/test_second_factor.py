"""A password alone opens no page of the admin."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import F
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.login import second_factor, views
from tests import factories
from tests.config.login.conftest import (
    CODE,
    PASSWORD,
    code_of,
    is_in,
    log_in,
    wrong_code_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("codes_are_asked_for")]


def give(client, code, **data):
    return client.post(CODE, {"code": code, **data})


def move_back(**how_long):
    """Let the last wrong code be that much older."""
    for model in (TOTPDevice, second_factor.StaticDevice):
        at = F("throttling_failure_timestamp") - timedelta(**how_long)
        model.objects.update(throttling_failure_timestamp=at)


def admin_paths():
    """Return the path of each page of the admin by its name."""
    patterns = get_resolver().namespace_dict["admin"][1].reverse_dict
    values = {"app_label": "digest"}
    return {
        name: "/admin/" + path % {each: values.get(each, 1) for each in arguments}
        for name in patterns
        if isinstance(name, str)
        for path, arguments in patterns[name][0]
    }


# --- A session that owes the code -----------------------------------------------------------------


def test_a_session_without_its_code_reaches_no_admin_page(half_in):
    paths = admin_paths()
    assert len(paths) > 100
    for name in ("login", "login_code", "login_set_up", "login_cancel", "jsi18n"):
        del paths[name]

    del paths["logout"]  # Django leads to the overview from there

    answers = {
        (method, path): getattr(half_in, method)(path).headers.get("Location", "a page")
        for path in paths.values()
        for method in ("get", "post")
    }

    inside = {key: to for key, to in answers.items() if not to.startswith("/admin/login/?next=")}
    assert inside == {}
    assert half_in.post("/admin/logout/")["Location"] == "/admin/"
    assert User.objects.count() == 1


def test_a_session_without_its_code_is_nobody_outside_the_admin(half_in, app):
    page = f"/stories/{factories.story(factories.newsletter(), url='', text='Secret.').pk}/"

    assert half_in.get(page).status_code == 404
    give(half_in, code_of(app))
    assert half_in.get(page).status_code == 200


def test_the_code_lets_a_session_in_under_a_new_key(half_in, app):
    key = half_in.session.session_key
    asked = half_in.get("/admin/digest/edition/", follow=True)
    before = asked.redirect_chain[-1][0]

    response = give(half_in, f" {code_of(app)[:3]} {code_of(app)[3:]} ", next="/admin/digest/feed/")

    assert before == f"{CODE}?next=%2Fadmin%2Fdigest%2Fedition%2F"
    assert response["Location"] == "/admin/digest/feed/"
    assert is_in(half_in)
    assert half_in.session.session_key != key


@pytest.mark.parametrize(
    "typed", ["", "000000 000000", "12345", "no code", "٠١٢٣٤٥", "1e5000", "-00001", "0" * 41]
)
def test_what_is_no_code_lets_nobody_in(half_in, app, typed):
    assert give(half_in, typed).status_code == 200
    assert not is_in(half_in)


def test_a_code_of_full_width_digits_is_read(half_in, app):
    wide = code_of(app).translate({48 + digit: 0xFF10 + digit for digit in range(10)})

    assert give(half_in, wide).status_code == 302


def test_a_code_works_once(half_in, app):
    code = code_of(app)
    give(half_in, code)
    other = Client()
    log_in(other)

    assert "not the code" in give(other, code).content.decode()
    assert not is_in(other)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.4, "That was too soon after a wrong code. Try again in 1 second."),
        (1.4, "That was too soon after a wrong code. Try again in 2 seconds."),
        (255.5, "Too many wrong codes. Try again in 5 minutes."),
    ],
)
def test_the_wait_after_a_wrong_code_is_told_in_words(seconds, told):
    assert views.too_soon(timedelta(seconds=seconds)) == told


def test_after_wrong_codes_not_even_the_right_one_enters_until_the_wait_is_over(half_in, app):
    for _ in range(8):
        answer = give(half_in, wrong_code_of(app)).content.decode()
        move_back(hours=1)
    assert "not the code" in answer
    answer = give(half_in, wrong_code_of(app)).content.decode()

    refused = give(half_in, code_of(app))

    assert "Too many wrong codes. Try again in 5 minutes." in refused.content.decode()
    assert not is_in(half_in)
    # What is tried during the wait does not prolong it.
    move_back(seconds=256)
    give(half_in, code_of(app))
    assert is_in(half_in)


def test_a_recovery_code_works_once_and_ends_the_wait_of_the_app(half_in, app, recovery_codes):
    for _ in range(3):
        give(half_in, wrong_code_of(app))

    entered = half_in.post(CODE, {"code": recovery_codes[0]}, follow=True)
    again = Client()
    log_in(again)
    refused = give(again, recovery_codes[0])

    assert "You have 9 recovery codes left." in entered.content.decode()
    assert is_in(half_in)
    assert "not the code" in refused.content.decode()
    assert not is_in(again)
    give(again, code_of(app))
    assert is_in(again)


def test_recovery_codes_have_a_wait_of_their_own(half_in, app, recovery_codes):
    for _ in range(8):
        give(half_in, "12345 67890")
        move_back(hours=1)
    give(half_in, "12345 67890")

    assert "Too many wrong codes" in give(half_in, recovery_codes[0]).content.decode()
    assert give(half_in, code_of(app)).status_code == 302


def test_a_code_of_somebody_else_lets_nobody_in(half_in):
    other = User.objects.create_user("other", password="x", is_staff=True)
    theirs = TOTPDevice.objects.create(user=other)
    codes = second_factor.make_recovery_codes(other)

    give(half_in, code_of(theirs))
    give(half_in, codes[0])

    assert not is_in(half_in)
    assert StaticToken.objects.count() == 10


def test_a_session_that_owes_a_code_can_be_logged_out(half_in):
    assert half_in.get("/admin/login/cancel/").status_code == 405
    assert half_in.post("/admin/login/cancel/")["Location"] == "/admin/login/"

    assert half_in.get(CODE)["Location"].startswith("/admin/")
    assert "_auth_user_id" not in half_in.session


@pytest.mark.parametrize(
    "url", ["https://evil.example.com/", "//evil.example.com", "javascript:alert(1)", "/\\evil.com"]
)
def test_a_log_in_leads_to_no_other_site(editor, app, url):
    client = Client()
    first = log_in(client, next=url)
    second = client.get("/admin/login/", {"next": url})
    third = give(client, code_of(app), next=url)

    assert first["Location"] == "/admin/"
    assert second["Location"] == f"{CODE}?next=%2Fadmin%2F"
    assert third["Location"] == "/admin/"


def test_a_password_without_an_account_of_staff_opens_nothing(db):
    User.objects.create_user("reader", password=PASSWORD)

    assert log_in(Client(), name="reader").status_code == 200


def test_no_page_resets_a_password_without_the_code():
    """Else a mailbox would be enough to get in."""
    for name in ("admin_password_reset", "admin:admin_password_reset", "password_reset"):
        with pytest.raises(NoReverseMatch):
            reverse(name)


# --- With DEBUG -----------------------------------------------------------------------------------


def test_on_a_developers_machine_only_an_account_with_an_app_owes_a_code(editor, settings):
    settings.DEBUG = True
    client = Client()

    assert log_in(client).status_code == 302
    assert is_in(client)
    page = client.get("/admin/authenticator/").content.decode()
    assert "Set up an authenticator app" in page

    TOTPDevice.objects.create(user=editor)
    assert not is_in(client)


# --- A lost device --------------------------------------------------------------------------------


def test_an_operator_removes_a_lost_app_and_its_sessions_owe_a_new_one(half_in, app, capsys):
    give(half_in, code_of(app))
    second_factor.make_recovery_codes(app.user)

    call_command("reset_second_factor", "editor")

    assert "editor sets up a new app" in capsys.readouterr().out
    assert not TOTPDevice.objects.exists()
    assert not StaticToken.objects.exists()
    assert not is_in(half_in)
    with pytest.raises(CommandError, match="no account nobody"):
        call_command("reset_second_factor", "nobody")


@pytest.mark.parametrize("superuser", [True, False])
def test_only_a_superuser_removes_a_colleagues_app_and_the_log_says_so(half_in, app, superuser):
    give(half_in, code_of(app))
    User.objects.update(is_superuser=superuser)
    colleague = User.objects.create_user("colleague", password="x", is_staff=True)
    TOTPDevice.objects.create(user=colleague)
    path = reverse("admin:auth_user_reset_second_factor", args=[colleague.pk])

    assert half_in.get(path).status_code == 405
    response = half_in.post(path)

    assert response.status_code == (302 if superuser else 403)
    assert TOTPDevice.objects.filter(user=colleague).exists() != superuser
    messages = [entry.get_change_message() for entry in LogEntry.objects.all()]
    assert messages == (["Removed the authenticator app."] if superuser else [])
    if superuser:
        page = half_in.get(reverse("admin:auth_user_change", args=[colleague.pk]))
        assert "sets one up at the next log-in" in page.content.decode()
        assert half_in.get(reverse("admin:auth_user_changelist")).status_code == 200


def test_secrets_are_in_no_page_of_the_admin(half_in, app):
    give(half_in, code_of(app))

    assert half_in.get("/admin/otp_totp/totpdevice/").status_code == 404
    assert half_in.get("/admin/otp_static/staticdevice/").status_code == 404
    assert half_in.get("/admin/axes/accessattempt/").status_code == 404
