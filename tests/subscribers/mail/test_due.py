"""A due mail is sent once, tried again with growing pauses, or given up."""

import smtplib
from datetime import timedelta

import pytest
from django.core.mail import EmailMessage

from subscribers.mail import due
from tests.factories import NOW

DAY = timedelta(days=1)


def refused(*replies):
    return smtplib.SMTPRecipientsRefused({f"r{n}@x.org": reply for n, reply in enumerate(replies)})


def attempt(error):
    def compose():
        raise error

    return due.attempt(compose, what="Mail 7")


@pytest.mark.parametrize(
    ("error", "may_retry"),
    [
        (refused((550, b"5.1.1 no such user")), False),
        (refused((450, b"4.2.1 later")), True),
        # The relay refuses us for its policy, not the reader.
        (refused((550, b"5.7.1 not from you")), True),
        (smtplib.SMTPServerDisconnected("closed"), True),
        (ConnectionRefusedError("nobody listens"), True),
        (ZeroDivisionError("our fault"), True),
        (due.NotToBeSent("unknown"), False),
    ],
)
def test_another_attempt_follows_unless_the_recipient_was_refused(error, may_retry):
    found = attempt(error)

    assert (found.was_sent, found.may_retry, found.error) == (False, may_retry, error)


def test_a_mail_that_a_relay_took_is_sent(mailoutbox):
    found = due.attempt(lambda: EmailMessage(to=["ann@example.com"]), what="Mail 7")

    assert (found.was_sent, found.may_retry, len(mailoutbox)) == (True, False, 1)


@pytest.mark.parametrize(
    ("waited", "pause"),
    [(0, 60), (59, 60), (600, 600), (6 * 3600, 6 * 3600), (2 * 86400, 6 * 3600)],
)
def test_the_pauses_double_from_a_minute_to_six_hours(waited, pause):
    again = due.next_attempt_at(
        attempt(OSError()), what="Mail 7", due_since=NOW - timedelta(seconds=waited),
        give_up_after=3 * DAY, now=NOW,
    )  # fmt: skip

    assert again == NOW + timedelta(seconds=pause)


def test_a_mail_is_given_up_after_its_time_and_the_log_names_no_address(caplog):
    found = attempt(refused((450, b"r0@x.org is over quota")))
    options = {"what": "Mail 7", "give_up_after": 3 * DAY, "now": NOW}

    assert due.next_attempt_at(found, due_since=NOW - 3 * DAY, **options) is not None
    assert due.next_attempt_at(found, due_since=NOW - 3.1 * DAY, **options) is None
    assert "Mail 7 given up: refused with [450]" in caplog.text
    assert "x.org" not in caplog.text


def test_a_row_that_stays_due_is_sent_once_and_does_not_hold_up_the_others(caplog):
    sent = []

    def send(pk, *, now):
        sent.append(pk)
        if pk == 2:
            raise ValueError("broken")

    has_more = due.send_all(lambda now: [1, 2, 3], send, clock=lambda: NOW, limit=100)

    assert (sent, has_more) == ([1, 2, 3], False)
    assert "The mail of row 2 failed" in caplog.text


def test_a_task_ends_after_its_limit_and_says_that_there_may_be_more():
    rows = list(range(10))

    def send(pk, *, now):
        rows.remove(pk)

    assert due.send_all(lambda now: rows[:2], send, clock=lambda: NOW, limit=3)
    assert rows == [4, 5, 6, 7, 8, 9]
