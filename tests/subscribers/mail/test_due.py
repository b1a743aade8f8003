"""A due mail is sent once, tried again with growing pauses, or given up."""

import itertools
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
    found = attempt(smtplib.SMTPDataError(452, b"4.2.2 <r0@x.org> is over quota"))
    options = {"what": "Mail 7", "give_up_after": 3 * DAY, "now": NOW}

    assert due.next_attempt_at(found, due_since=NOW - 3 * DAY, **options) is not None
    assert due.next_attempt_at(found, due_since=NOW - 3.1 * DAY, **options) is None
    assert "Mail 7 given up: (452, b'4.2.2 <…> is over quota')" in caplog.text
    assert "x.org" not in caplog.text


def test_a_refused_recipient_is_logged_without_the_address(caplog):
    caplog.set_level("INFO")

    attempt(refused((550, b"5.1.1 <r0@x.org> unknown"), (551, b"moved")))

    assert "Mail 7 is refused with 550 b'5.1.1 <…> unknown', 551 b'moved'" in caplog.text
    assert "x.org" not in caplog.text


def test_the_traceback_of_a_fault_of_ours_names_no_address(caplog):
    found = attempt(ValueError('Invalid address; only r0 could be parsed from "r0,x@x.org"'))

    assert found.may_retry
    assert "Mail 7 failed: Traceback" in caplog.text
    assert "x.org" not in caplog.text


def test_an_error_of_any_length_is_described_in_one_short_line():
    reply = due.SendAttempt(OSError("no\nway " + "x" * 100_000 + "@x.org")).reply
    at_the_end = due.SendAttempt(OSError("y" * 290 + " secret.reader@x.org")).reply

    assert reply.startswith("no way xxx")
    assert len(reply) <= 300
    assert "secret" not in at_the_end


def test_rows_that_stay_due_are_tried_once_and_do_not_hold_up_the_others(caplog):
    rows, tried = list(range(100)), []

    def send(pk, *, now):
        tried.append(pk)
        if pk < 50:
            raise ValueError("broken")
        rows.remove(pk)

    has_more = due.send_all(lambda now, limit: rows[:limit], send, clock=lambda: NOW, limit=1_000)

    assert (tried, has_more) == (list(range(100)), False)
    assert "The mail of row 49 failed" in caplog.text


def test_a_task_ends_after_its_limit_and_says_that_there_may_be_more():
    rows = list(range(100))

    def send(pk, *, now):
        rows.remove(pk)

    assert due.send_all(lambda now, limit: rows[:limit], send, clock=lambda: NOW, limit=30)
    assert rows == list(range(2 * due.ROWS_PER_QUERY, 100))


def test_a_task_ends_after_some_minutes_if_each_mail_takes_long():
    rows, minutes = list(range(100)), itertools.count()

    def send(pk, *, now):
        rows.remove(pk)

    has_more = due.send_all(
        lambda now, limit: rows[:limit],
        send,
        clock=lambda: NOW + timedelta(minutes=next(minutes)),
        limit=1_000,
    )

    assert has_more
    assert rows == list(range(due.ROWS_PER_QUERY, 100))
