"""An ESP's answer becomes a verdict on each message, and never an exception."""

from __future__ import annotations

import socket
import time
from functools import partial

import pytest
from django.core import mail as django_mail

from config.checks import check_deployment
from digest.delivery.transport.base import NoConnection, RelayRefuses
from digest.delivery.transport.connect import connect
from digest.delivery.transport.esp import connection
from digest.delivery.transport.replies import Verdict
from subscribers.mail.relays import parse_relay
from tests.servers.esp import (
    frozen_with,
    mailgun,
    outgoing,
    postmark,
    send,
    verdicts,
)

pytestmark = pytest.mark.django_db


# --- What comes back ------------------------------------------------------------------------------


def test_postmarks_inactive_and_invalid_recipients_fail_alone(esp, postmark_relay, page):
    inactive = "You tried to send to recipient(s) that have been marked as inactive.\nFound inactive addresses: reader2@example.com.\nInactive recipients are ones that have generated a hard bounce."  # noqa: E501
    invalid = "Invalid 'To' address: 'reader3@example.com'."
    esp.answer = partial(
        postmark,
        refused={"reader2@example.com": (406, inactive), "reader3@example.com": (300, invalid)},
    )
    expected = [Verdict.ACCEPTED, Verdict.REFUSED, Verdict.NO_SUCH_ADDRESS]

    outcomes, _ = send(postmark_relay, page, [outgoing(page, n) for n in (1, 2, 3)])
    assert verdicts(outcomes) == expected


def test_a_message_that_postmark_rejects_does_not_affect_the_others(esp, postmark_relay, page):
    esp.answer = partial(postmark, refused={"reader2@example.com": (300, "Invalid metadata")})

    outcomes, _ = send(postmark_relay, page, [outgoing(page, n) for n in (1, 2, 3)])

    assert verdicts(outcomes) == [Verdict.ACCEPTED, Verdict.REFUSED, Verdict.ACCEPTED]
    assert "Invalid metadata" in outcomes[1002].reply


def test_a_sender_unknown_to_postmark_holds_the_edition(esp, postmark_relay, page):
    esp.answer = partial(postmark, refused={"@example.com": (400, "Sender signature not found")})

    outcomes, _ = send(postmark_relay, page, [outgoing(page, n) for n in (1, 2, 3)])

    assert verdicts(outcomes) == [Verdict.SENDERS_FAULT] * 3


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (401, Verdict.SENDERS_FAULT),
        (403, Verdict.SENDERS_FAULT),
        (422, Verdict.SENDERS_FAULT),
        (429, Verdict.DEFERRED),
        (500, Verdict.UNKNOWN),  # the message may have been accepted before the failure
        (502, Verdict.UNKNOWN),
        (503, Verdict.DEFERRED),
        (504, Verdict.UNKNOWN),
        (200, Verdict.UNKNOWN),  # there is no JSON, but the message may have been accepted
    ],
)
def test_an_http_status_maps_to_a_verdict(esp, mailgun_relay, page, status, verdict):
    esp.answer = lambda post: (status, "Sorry, key-of-mine,\nno " + "x" * 5000)

    outcomes, _ = send(mailgun_relay, page, [outgoing(page, n) for n in range(3)])

    assert set(verdicts(outcomes)) <= {verdict, Verdict.NOT_SENT}
    first = next(iter(outcomes.values()))
    assert first.verdict is verdict
    assert first.reply.startswith(f"{status} Sorry, ***, no xxx") or status == 200
    assert len(first.reply) <= 300


def test_at_most_five_requests_go_out_between_two_checks_for_unsubscribes(esp, mailgun_relay, page):
    """Otherwise the last of twenty single messages would rely on a check before the first."""
    headline = frozen_with("%recipient.x%")  # which cannot be merged
    with connect(mailgun_relay, should_stop=lambda: False, frozen=headline) as transport:
        for n in range(20):
            transport.put(outgoing(headline, n))
        found = verdicts(dict(transport.take()))
        assert sorted(verdict.name for verdict in found) == ["ACCEPTED"] * 5 + ["NOT_SENT"] * 15
        assert len(esp.posts) == 5
        assert transport.batch == 4
        for n in range(4):
            transport.put(outgoing(headline, n))
        # The lane asks like this, and its messages do not wait for the next window.
        assert verdicts(dict(transport.take(unanswered=16))) == [Verdict.ACCEPTED] * 4
        assert transport.batch == 4


def test_a_few_messages_of_a_rejected_request_are_sent_one_by_one(esp, mailgun_relay, page):
    def answer(post):
        bad = any("reader5@" in to for to in post.form["to"])
        return (400, {"message": "to parameter is not a valid address"}) if bad else mailgun(post)

    esp.answer = answer
    with connect(mailgun_relay, should_stop=lambda: False, frozen=page) as transport:
        left, windows = list(range(20)), []
        refused = []
        while left and len(windows) < 20:
            window = left[: transport.batch]
            before = len(esp.posts)
            for n in window:
                transport.put(outgoing(page, n))
            outcomes = dict(transport.take())
            windows.append(len(esp.posts) - before)
            refused += [key for key, one in outcomes.items() if one.verdict is Verdict.REFUSED]
            left = [n for n in left if outcomes.get(1000 + n) in (None, connection._NO_TIME_LEFT)]
    assert not left
    assert refused == [1005]
    assert max(windows) <= 5
    assert len(esp.posts) < 16


def test_messages_are_sent_one_by_one_after_a_slow_rejection_too(
    esp, mailgun_relay, page, monkeypatch
):
    monkeypatch.setattr(connection, "_FLUSH_SECONDS", 0.2)

    def answer(post):
        if len(post.form["to"]) > 1:
            time.sleep(0.3)
            return 400, "no"
        return mailgun(post)

    esp.answer = answer
    outcomes, _ = send(mailgun_relay, page, [outgoing(page, n) for n in range(3)])

    assert Verdict.ACCEPTED in verdicts(outcomes)


def test_a_401_closes_the_connection(esp, postmark_relay, page):
    esp.answer = lambda post: (401, {"ErrorCode": 10, "Message": "Bad or missing Server token"})

    with connect(postmark_relay, should_stop=lambda: False, frozen=page) as transport:
        transport.put(outgoing(page, 1))
        [(_, outcome)] = transport.take()
        assert outcome.verdict is Verdict.SENDERS_FAULT
        assert not transport.is_open
        transport.put(outgoing(page, 2))
        [(_, outcome)] = transport.take()
        assert outcome.verdict is Verdict.NOT_SENT
    assert len(esp.posts) == 1


def test_one_rejected_address_does_not_fail_the_other_messages(esp, mailgun_relay, page):
    """Mailgun refuses the whole request if one of its recipients is invalid."""

    def answer(post):
        bad = any("reader0@" in to for to in post.form["to"])
        return (400, {"message": "to parameter is not a valid address"}) if bad else mailgun(post)

    esp.answer = answer
    outcomes, _ = send(mailgun_relay, page, [outgoing(page, n) for n in range(4)])

    assert verdicts(outcomes) == [Verdict.REFUSED] + [Verdict.ACCEPTED] * 3
    assert len(esp.posts) == 5


def test_an_esp_that_rejects_every_message_holds_the_edition(esp, mailgun_relay, page):
    with connect(mailgun_relay, should_stop=lambda: False, frozen=page) as transport:
        transport.put(outgoing(page, 0))
        assert verdicts(dict(transport.take())) == [Verdict.ACCEPTED]
        esp.answer = lambda post: (400, {"message": "sending is disabled for this account"})
        for n in range(1, 6):
            transport.put(outgoing(page, n))
        assert Verdict.SENDERS_FAULT in verdicts(dict(transport.take()))


def test_an_esp_that_disconnects_after_the_request_leaves_its_messages_uncertain(
    esp, mailgun_relay, page
):
    esp.answer = lambda post: (0, None)

    outcomes, transport = send(mailgun_relay, page, [outgoing(page, n) for n in range(3)])

    assert verdicts(outcomes) == [Verdict.UNKNOWN] * 3
    assert not transport.is_open


def test_an_esp_that_never_answers_leaves_the_messages_uncertain(
    esp, mailgun_relay, page, monkeypatch
):
    monkeypatch.setattr(connection, "REPLY_TIMEOUT", 0.3)
    esp.answer = esp.hang

    outcomes, transport = send(mailgun_relay, page, [outgoing(page, n) for n in range(3)])

    assert verdicts(outcomes) == [Verdict.UNKNOWN] * 3
    assert not transport.is_open


def test_a_stopping_worker_does_not_wait_for_an_esp_that_never_answers(esp, mailgun_relay, page):
    esp.answer = esp.hang
    copies = [outgoing(page, n) for n in range(25)]

    outcomes, transport = send(mailgun_relay, page, copies, should_stop=lambda: bool(esp.posts))

    # The first request was on its way; no other was begun.
    assert verdicts(outcomes) == [Verdict.UNKNOWN] * 20 + [Verdict.NOT_SENT] * 5
    assert not transport.is_open


def test_an_unreachable_esp_leaves_the_message_unsent(esp, postmark_relay, page):
    with connect(postmark_relay, should_stop=lambda: False, frozen=page) as transport:
        esp.server.shutdown()
        esp.server.server_close()
        transport._backend.close()  # otherwise the kept-alive connection would still answer
        transport._backend.open()
        transport.put(outgoing(page, 1))
        assert verdicts(dict(transport.take())) == [Verdict.NOT_SENT]
        assert not transport.is_open
    with pytest.raises(NoConnection, match=r"^postmark: "):
        connect(postmark_relay, should_stop=lambda: False, frozen=page)


@pytest.mark.parametrize(
    "url",
    [
        "anymail+postmark://",  # no token
        "anymail+nobody://token@",
        "anymail+amazon-ses://id:key@",  # needs an extra that is not installed
        "django+nobody.knows.Backend://",
    ],
)
def test_an_unusable_relay_is_refused_on_connecting(url, page):
    with pytest.raises(RelayRefuses):
        connect(parse_relay(url), should_stop=lambda: False, frozen=page)


def test_the_deployment_check_names_an_unusable_relay(settings):
    urls = ("anymail+postmark://", "anymail+nobody://t@", "anymail+postmark://token@?name=good")
    settings.EMAIL_RELAYS = [parse_relay(url) for url in urls]

    found = [message.msg for message in check_deployment() if message.id == "daybreak.E013"]

    assert found == [
        "The relay postmark cannot be used: AnymailConfigurationError.",
        "The relay nobody cannot be used: ModuleNotFoundError.",
    ]


def test_two_relays_of_one_esp_use_their_own_keys(esp, page):
    esp.answer = postmark
    for token in ("first-token", "second-token"):
        send(
            parse_relay(f"anymail+postmark://{token}@?api_url={esp.url}"), page, [outgoing(page, 1)]
        )

    tokens = [post.headers["X-Postmark-Server-Token"] for post in esp.posts]
    assert tokens == ["first-token", "second-token"]


# --- Django's own backends ------------------------------------------------------------------------


def test_djangos_smtp_backend_sends_the_message_unchanged(relay, page):
    url = f"django+django.core.mail.backends.smtp.EmailBackend://127.0.0.1:{relay.port}"
    copy = outgoing(page, 1)

    outcomes, _ = send(parse_relay(url), page, [copy])

    assert verdicts(outcomes) == [Verdict.ACCEPTED]
    [received] = relay.received
    assert received.raw == copy.message
    assert (received.mail_from, received.rcpt_to) == (copy.sender, copy.recipient)


def test_refusals_through_djangos_smtp_backend_are_read_as_over_smtp(relay, page):
    url = f"django+django.core.mail.backends.smtp.EmailBackend://127.0.0.1:{relay.port}"
    relay.replies = {
        "reader1@example.com": "550 5.1.1 Who?",
        "reader2@example.com": "451 4.7.1 Wait",
    }

    outcomes, _ = send(parse_relay(url), page, [outgoing(page, n) for n in (1, 2, 3)])

    expected = [Verdict.NO_SUCH_ADDRESS, Verdict.DEFERRED, Verdict.ACCEPTED]
    assert verdicts(outcomes) == expected
    # The port is taken, and nobody listens on it.
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        nobody = parse_relay(url.replace(str(relay.port), str(deaf.getsockname()[1])))
        with pytest.raises(NoConnection):
            connect(nobody, should_stop=lambda: False, frozen=page)


def test_any_django_email_backend_can_send_an_edition(page):
    relay = parse_relay("django+django.core.mail.backends.locmem.EmailBackend://")

    outcomes, _ = send(relay, page, [outgoing(page, n) for n in (1, 2)])

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 2
    assert [mail.to for mail in django_mail.outbox] == [
        ['"Reader Nº 1" <reader1@example.com>'], ["reader2@example.com"],
    ]  # fmt: skip
