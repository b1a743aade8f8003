"""Nobody guesses a password, and nobody keeps an editor out by guessing."""

import logging
from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import management
from django.db.models import F
from django.test import Client
from django.utils.timezone import now

from config.login import throttle
from subscribers.privacy import retention
from tests.config.login.conftest import PASSWORD, is_in, log_in

pytestmark = pytest.mark.django_db


def move_back(**how_long):
    """Let every wrong password be that much older."""
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(**how_long))


def fill(count, *, name="editor", networks=1):
    """Store wrong passwords for the account, spread over so many networks."""
    AccessAttempt.objects.bulk_create(
        AccessAttempt(
            username=name,
            ip_address=f"198.51.{number}.0",
            failures_since_start=count // networks,
        )
        for number in range(networks)
    )


def text_of(response):
    return " ".join(response.content.decode().split())


def test_25_wrong_passwords_and_then_the_right_one_do_not_let_anybody_in(client, editor):
    statuses = [log_in(client, f"guess {number}").status_code for number in range(25)]
    right = log_in(client)

    assert statuses == [200] * 4 + [429] * 21
    assert right.status_code == 429
    assert "Try again in 15 minutes." in text_of(right)
    assert right["Retry-After"] == "900"
    assert "python manage.py axes_reset_username" in text_of(right)
    assert not is_in(client)
    # What was tried during the lock is not counted: it would prolong it.
    assert AccessAttempt.objects.get().failures_since_start == 5


@pytest.mark.parametrize("superuser", [True, False])
def test_after_the_cool_off_the_right_password_enters(client, editor, superuser):
    editor.is_superuser = superuser
    editor.save()
    for _ in range(6):
        log_in(client, "wrong")

    move_back(minutes=14)
    early = log_in(client)
    move_back(minutes=1)

    assert early.status_code == 429
    assert "Try again in 1 minute." in text_of(early)
    assert log_in(client).status_code == 302
    assert is_in(client)


@pytest.mark.parametrize(
    ("locked", "other", "enters"),
    [
        ("192.0.2.7", "203.0.113.9", True),
        ("192.0.2.7", "192.0.2.200", True),
        ("192.0.2.7", "192.0.2.7", False),
        ("2001:db8:1:2::7", "2001:db8:1:2:ffff::1", False),
        ("2001:db8:1:2::7", "2001:db8:1:3::7", True),
        ("", "192.0.2.7", True),
        ("", "unix:", False),
    ],
)
def test_a_lock_is_for_one_address_and_leaves_the_neighbours_alone(
    client, editor, locked, other, enters
):
    for _ in range(5):
        log_in(client, "wrong", network=locked)

    assert (log_in(client, network=other).status_code == 302) == enters


def test_the_address_is_read_as_everywhere_else(client, editor, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    for number in range(5):
        client.post(
            "/admin/login/",
            {"username": "editor", "password": "wrong"},
            headers={"X-Forwarded-For": f"10.9.8.{number}, 203.0.113.7"},
        )

    assert AccessAttempt.objects.get().ip_address == "203.0.113.7"


def test_a_list_of_accounts_is_not_tried_from_one_network(client, editor):
    for number in range(49):
        AccessAttempt.objects.create(
            username=f"name {number}", ip_address=f"192.0.2.{number}", failures_since_start=1
        )
    before = log_in(client, "wrong", name="another").status_code

    assert (before, log_in(client).status_code) == (429, 429)
    assert log_in(Client(), network="192.0.2.255").status_code == 429
    assert log_in(Client(), network="203.0.113.9").status_code == 302


def test_many_networks_that_guess_for_one_account_are_stopped(client, editor):
    fill(100, networks=25)

    assert log_in(client).status_code == 429
    move_back(minutes=15)
    assert log_in(client).status_code == 302


def test_guesses_from_elsewhere_do_not_lock_the_address_an_editor_works_at(client, editor):
    assert log_in(client).status_code == 302
    fill(100, networks=25)

    assert log_in(Client()).status_code == 302
    assert log_in(Client(), network="203.0.113.9").status_code == 429
    for _ in range(5):
        log_in(Client(), "wrong")
    assert log_in(Client()).status_code == 429

    AccessLog.objects.update(attempt_time=now() - throttle.KNOWN_FOR)
    AccessAttempt.objects.filter(ip_address="192.0.2.7").delete()
    assert log_in(Client()).status_code == 429


def test_a_right_password_forgets_the_wrong_ones_of_that_account_and_address_alone(client, editor):
    log_in(client, "wrong")
    log_in(client, "wrong", name="another")
    log_in(client, "wrong", network="203.0.113.9")

    log_in(client)

    left = AccessAttempt.objects.values_list("username", "ip_address").order_by("pk")
    assert [(name[:7], network) for name, network in left] == [
        ("unknown", "192.0.2.7"),
        ("editor", "203.0.113.9"),
    ]


def test_the_answer_does_not_tell_whether_an_account_exists(editor):
    answers = []
    for name in ("editor", "nobody"):
        pages = [text_of(log_in(Client(), "wrong", name=name)) for _ in range(6)]
        answers.append([page.replace(name, "…") for page in pages])

    # Each form has a token of its own.
    cut = [[page[: page.find("csrfmiddlewaretoken")] for page in pages] for pages in answers]
    assert cut[0] == cut[1]


def test_a_password_is_stored_nowhere_and_logged_nowhere(client, editor, caplog):
    caplog.set_level(logging.DEBUG)
    for _ in range(6):
        log_in(client, "tippex-7!", name="editor")
        log_in(client, "tippex-7!", name=PASSWORD, network="203.0.113.9")  # in the wrong field

    stored = str(list(AccessAttempt.objects.values()))
    assert AccessAttempt.objects.count() == 2
    for text in (stored, caplog.text):
        assert "tippex" not in text
        assert PASSWORD not in text
    assert "Locking out account “editor”" in caplog.text
    assert "192.0.2" not in caplog.text
    assert "203.0.113" not in caplog.text


def test_a_wrong_old_password_counts_like_one_at_the_log_in(admin_client, editor):
    def change(old):
        data = {"old_password": old, "new_password1": "tippex-7!", "new_password2": "tippex-7!"}
        return admin_client.post("/admin/password_change/", data, REMOTE_ADDR="192.0.2.7")

    statuses = [change(f"guess {number}").status_code for number in range(6)]

    assert statuses == [200] * 4 + [429] * 2
    assert change(PASSWORD).status_code == 429
    assert log_in(Client()).status_code == 429
    move_back(minutes=15)
    assert change(PASSWORD).status_code == 302


def test_an_operator_unlocks_an_account(client, editor):
    fill(100, networks=25)

    management.call_command("axes_reset_username", "editor")

    assert log_in(client).status_code == 302


def test_wrong_passwords_and_sessions_are_purged_after_a_day_and_log_ins_after_a_month(editor):
    fill(3)
    move_back(days=1, minutes=1)
    for days in (29, 31):
        login = AccessLog.objects.create(username="editor", ip_address="192.0.2.0")
        AccessLog.objects.filter(pk=login.pk).update(attempt_time=now() - timedelta(days=days))

    for days in (0, 2):
        ended = now() - timedelta(days=days)
        Session.objects.create(session_key=str(days), session_data="", expire_date=ended)

    retention.purge(now=now())

    assert not AccessAttempt.objects.exists()
    assert AccessLog.objects.count() == 1
    assert list(Session.objects.values_list("session_key", flat=True)) == ["0"]


def test_no_setting_switches_the_throttle_off():
    """And its checks find nothing to complain of."""
    management.call_command("check", "--fail-level", "WARNING", "--tag", "security")
    assert settings.AXES_ENABLED
    assert settings.AXES_LOCK_OUT_AT_FAILURE
    for name in ("WHITELIST_CALLABLE", "NEVER_LOCKOUT_WHITELIST", "NEVER_LOCKOUT_GET"):
        assert not getattr(settings, f"AXES_{name}")
    assert len(throttle.WEIGHTS) == len(settings.AXES_LOCKOUT_PARAMETERS)
