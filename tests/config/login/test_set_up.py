"""An account without an app sets one up before anything else, and changes it with a code."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.login import second_factor, views
from tests.config.login.conftest import (
    CODE,
    LOGIN,
    PASSWORD,
    SET_UP,
    code_of,
    is_in,
    log_in,
    shown_codes,
    wrong_code_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("codes_are_asked_for")]
PAGE = "/admin/authenticator/"


def offered_app(user, response):
    return second_factor.app_of_offer(user, response.context["offer"])


def confirm(client, page, code, **data):
    return client.post(SET_UP, {"offer": page.context["offer"], "code": code, **data})


@pytest.fixture
def newcomer(editor):
    """A client that has given the password of an account without an app."""
    client = Client()
    log_in(client)
    return client


@pytest.fixture
def inside(half_in, app):
    """A client that has given password and code."""
    half_in.post(CODE, {"code": code_of(app, steps=-1)})
    assert is_in(half_in)
    return half_in


def test_the_first_log_in_sets_up_an_app_before_anything_else(newcomer, editor):
    page = newcomer.get("/admin/digest/feed/", follow=True)
    app = offered_app(editor, page)
    assert not TOTPDevice.objects.exists()  # a look at a page changes nothing

    code = code_of(app)
    wrong = confirm(newcomer, page, wrong_code_of(app))
    done = confirm(newcomer, wrong, code, next="/admin/digest/feed/")

    assert page.redirect_chain[-1][0].startswith(SET_UP)
    assert app.config_url.replace("&", "&amp;") in page.content.decode()
    assert offered_app(editor, wrong).key == app.key  # the app that has it already stays right
    assert "not the code" in wrong.content.decode()
    codes = shown_codes(done)
    assert len(set(codes)) == 10
    assert {code.replace(" ", "") for code in codes} == {
        token.token for token in StaticToken.objects.all()
    }
    assert 'href="/admin/digest/feed/"' in done.content.decode()
    assert is_in(newcomer)
    assert LogEntry.objects.get().get_change_message() == "Set up an authenticator app."
    # The code that set it up is used up.
    other = Client()
    log_in(other)
    other.post(CODE, {"code": code})
    assert not is_in(other)


def test_recovery_codes_are_shown_once(newcomer, editor):
    page = newcomer.get(SET_UP)
    data = {"offer": page.context["offer"], "code": code_of(offered_app(editor, page))}
    codes = shown_codes(newcomer.post(SET_UP, data))

    again = newcomer.post(SET_UP, data, follow=True).content.decode()

    assert len(codes) == 10
    assert not any(code in again for code in codes)
    assert TOTPDevice.objects.count() == 1


def test_no_cache_keeps_a_secret(newcomer, editor):
    page = newcomer.get(SET_UP)
    codes = confirm(newcomer, page, code_of(offered_app(editor, page)))

    assert "no-store" in page["Cache-Control"]
    assert "no-store" in codes["Cache-Control"]


def test_who_owes_a_code_cannot_set_up_another_app(half_in, editor, app):
    ones = second_factor.offer(editor, replaces=None)
    theirs = second_factor.app_of_offer(editor, ones)

    assert half_in.get(SET_UP)["Location"].startswith(CODE)
    half_in.post(SET_UP, {"offer": ones, "code": code_of(theirs)})
    of_an_app = second_factor.offer(editor, replaces=app)
    half_in.post(
        SET_UP,
        {"offer": of_an_app, "code": code_of(second_factor.app_of_offer(editor, of_an_app))},
    )

    assert TOTPDevice.objects.get() == app
    assert not is_in(half_in)


@pytest.mark.parametrize("age", [0, 3601])
def test_an_offer_is_for_one_account_and_an_hour(newcomer, editor, monkeypatch, age):
    page = newcomer.get(SET_UP)
    app = offered_app(editor, page)
    other = User.objects.create_user("other", password=PASSWORD, is_staff=True)
    if age:
        monkeypatch.setattr(second_factor, "SET_UP_WITHIN", -1)
        client = newcomer
    else:
        client = Client()
        log_in(client, name="other")

    response = confirm(client, page, code_of(app))

    assert response["Location"].startswith(LOGIN)
    assert not TOTPDevice.objects.exists()
    assert not is_in(client)
    assert other.is_active


def test_a_session_from_before_the_upgrade_gives_its_password_again(editor):
    client = Client()
    client.force_login(editor)  # as Django itself logs in

    response = client.get("/admin/digest/feed/", follow=True)

    assert [url.partition("?")[0] for url, _ in response.redirect_chain] == [
        LOGIN, CODE, SET_UP, LOGIN,
    ]  # fmt: skip
    assert "Please log in again" in response.content.decode()
    assert "_auth_user_id" not in client.session
    log_in(client)
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith(SET_UP)


def test_a_password_that_was_given_long_ago_sets_up_nothing(newcomer):
    session = newcomer.session
    session[views.PASSWORD_AT] -= views.PASSWORD_GOOD_FOR + 1
    session.save()

    assert newcomer.get(SET_UP)["Location"].startswith(LOGIN)


def test_nobody_sets_up_nothing(editor):
    offer = second_factor.offer(editor, replaces=None)

    assert Client().get(SET_UP)["Location"].startswith(LOGIN)
    assert Client().post(SET_UP, {"offer": offer})["Location"].startswith(LOGIN)
    with pytest.raises(second_factor.OfferExpired):
        second_factor.app_of_offer(editor, signing.dumps({"user": editor.pk, "key": "00"}))


def test_new_recovery_codes_replace_the_old_ones(inside, app, recovery_codes):
    for code in ("", wrong_code_of(app)):
        assert shown_codes(inside.post(PAGE, {"wants": "codes", "code": code})) == []
    TOTPDevice.objects.update(throttling_failure_timestamp=None)

    new = shown_codes(inside.post(PAGE, {"wants": "codes", "code": code_of(app)}))

    assert len(new) == 10
    assert not set(new) & set(recovery_codes)
    assert StaticToken.objects.count() == 10
    assert is_in(inside)


def test_another_app_replaces_the_first_and_ends_other_sessions(inside, editor, app):
    other = Client()
    log_in(other)
    codes = second_factor.make_recovery_codes(editor)
    other.post(CODE, {"code": codes[0]})
    assert is_in(other)

    page = inside.post(PAGE, {"wants": "app", "code": code_of(app)})
    new = offered_app(editor, page)
    assert TOTPDevice.objects.get() == app  # until the new one has shown a code
    done = confirm(inside, page, code_of(new))

    assert TOTPDevice.objects.get().key == new.key
    assert len(shown_codes(done)) == 10
    assert is_in(inside)
    assert not is_in(other)
    stale = confirm(inside, page, code_of(new, steps=1))
    assert stale["Location"].startswith(LOGIN)
    assert TOTPDevice.objects.count() == 1


def test_a_recovery_code_makes_new_ones_and_the_session_stays(half_in, recovery_codes):
    half_in.post(CODE, {"code": recovery_codes[0]})

    new = shown_codes(half_in.post(PAGE, {"wants": "codes", "code": recovery_codes[1]}))

    assert len(new) == 10
    assert is_in(half_in)


def test_a_new_password_ends_other_sessions(inside, app):
    other = Client()
    log_in(other)
    other.post(CODE, {"code": code_of(app)})
    assert is_in(other)

    data = {
        "old_password": PASSWORD,
        "new_password1": "a longer one",
        "new_password2": "a longer one",
    }
    inside.post("/admin/password_change/", data)

    assert is_in(inside)
    assert not is_in(other)
