"""Each answer of the relay has its effect on the reader, the address and the edition."""

import pytest

from digest.delivery.lane.lane import MAX_DISCONNECTS, End
from digest.delivery.lane.outbox import LONGEST_RETRY, backoff
from digest.delivery.pacing import circuit_breaker
from digest.delivery.planning import finish, start
from digest.delivery.progress.report import tally
from digest.delivery.transport.replies import Verdict
from digest.delivery.transport.smtp import SmtpConnection
from digest.editions.decide.approve import approve, void_if_changed
from digest.editions.decide.stop import skip
from digest.models import Delivery, Edition, Story
from subscribers.models import IllegalMove, Suppression
from tests import factories
from tests.digest.delivery.conftest import later, row, rows, status
from tests.factories import NOW
from tests.servers.smtp import CUT, ScriptedServer, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings):
    with running(ScriptedServer()) as server:
        settings.EMAIL_RELAYS = [server.relay]
        yield server


def answer(server, verb, reply, *, to=""):
    server.script = lambda got, line, _: reply if got == verb and to in line else None


@pytest.mark.parametrize("reply", ["421 4.3.2 closing", "451 4.7.1 greylisted", "452 full"])
def test_a_temporarily_refused_message_is_tried_again(
    edition, readers, start_sending, run_lane, server, reply
):
    deferred, _other = readers(2)
    answer(server, "RCPT", reply, to="reader0@")
    start_sending()
    run_lane()

    waiting = row(deferred)
    assert (waiting.status, waiting.attempts, waiting.reply) == ("pending", 1, reply)
    assert NOW < waiting.next_attempt_at <= later(seconds=60)
    assert status(edition) == Edition.Status.SENDING
    assert not Suppression.objects.exists()

    answer(server, "RCPT", None)
    assert run_lane("early") is End.DONE
    run_lane("again", now=later(seconds=61))
    assert set(rows(edition).values()) == {("sent", "")}
    assert status(edition) == Edition.Status.SENT


def test_retries_back_off_with_jitter():
    for attempt in range(1, 40):
        longest = min(60 * 2 ** (attempt - 1), LONGEST_RETRY.total_seconds())
        assert longest / 2 <= backoff(attempt).total_seconds() <= longest
    assert len({backoff(1) for _ in range(20)}) > 1


def test_an_address_that_does_not_exist_is_suppressed(
    edition, readers, start_sending, run_lane, server
):
    readers(3)
    answer(server, "RCPT", "550 5.1.1 no such user", to="reader1@")
    start_sending()
    run_lane()

    assert rows(edition) == {
        "reader0@example.com": ("sent", ""),
        "reader1@example.com": ("failed", "bad-address"),
        "reader2@example.com": ("sent", ""),
    }
    suppressed = Suppression.objects.get()
    assert suppressed.email_key == "reader1@example.com"
    assert (suppressed.reason, suppressed.detail) == ("bounce", "550 5.1.1 no such user")
    assert status(edition) == Edition.Status.SENT


def test_a_refusal_without_a_reason_suppresses_nobody(
    edition, readers, start_sending, run_lane, server
):
    readers(2)
    answer(server, "RCPT", "550 no", to="reader0@")
    start_sending()
    run_lane()

    assert rows(edition)["reader0@example.com"] == ("failed", "refused")
    assert rows(edition)["reader1@example.com"] == ("sent", "")
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("verb", "reply"),
    [
        ("CONTENT", "550 5.7.1 looks like spam"),
        ("RCPT", "554 5.7.1 relay access denied"),
        ("MAIL", "552 5.3.4 too big"),
        ("CONTENT", "554 5.6.0 malformed"),
        ("MAIL", "530 5.7.0 authenticate first"),
        ("GREETING", "554 5.7.1 your network is blocked"),
    ],
)
def test_a_refusal_that_is_our_fault_holds_the_edition_and_loses_nobody(
    edition, readers, start_sending, run_lane, server, verb, reply
):
    readers(25)
    answer(server, verb, reply)
    start_sending()

    assert run_lane() is End.HELD

    held = Edition.objects.get(pk=edition.pk)
    assert (held.status, held.reason) == ("held", "refused")
    assert reply in held.reason_detail
    assert held.notice_due_at == NOW
    assert {status for status, _reason in rows(edition).values()} == {"pending"}
    assert not Suppression.objects.exists()
    assert run_lane("next") is End.DONE
    assert server.connections == 1


def test_a_held_delivery_resumes_where_it_stopped(
    edition, readers, start_sending, run_lane, server
):
    readers(5)
    answer(server, "RCPT", "550 5.7.1 quota", to="reader3@")
    start_sending()
    run_lane()
    assert len(server.arrived) == 3

    answer(server, "RCPT", None)
    approve(edition_id=edition.pk, now=later(minutes=5))
    start_sending(later(minutes=5))
    run_lane("again", now=later(minutes=5))

    # The refused reader comes last, so that a second refusal could not stop the others.
    assert [to for to, _ in server.arrived] == [f"reader{n}@example.com" for n in (0, 1, 2, 4, 3)]
    assert status(edition) == Edition.Status.SENT


def test_a_held_delivery_that_reached_readers_ends_as_sent_at_its_deadline(
    edition, readers, start_sending, run_lane, server
):
    readers(5)
    answer(server, "RCPT", "550 5.7.1 quota", to="reader3@")
    start_sending()
    run_lane()

    finish.close_late(now=edition.deadline_at)

    assert status(edition) == Edition.Status.SENT
    assert rows(edition)["reader4@example.com"] == ("skipped", "past-deadline")
    assert not edition.items.filter(released=True).exists()


@pytest.fixture
def stopped_in_mid_send(edition, readers, start_sending, run_lane, server):
    readers(5)
    answer(server, "RCPT", "550 5.7.1 quota", to="reader3@")
    start_sending()
    run_lane()
    return edition


def test_a_delivery_stopped_in_mid_send_is_not_skipped(stopped_in_mid_send):
    with pytest.raises(IllegalMove):
        skip(edition_id=stopped_in_mid_send.pk, reason="by-editor", now=NOW)

    finish.close_late(now=stopped_in_mid_send.deadline_at)
    assert status(stopped_in_mid_send) == Edition.Status.SENT
    assert tally(stopped_in_mid_send.pk).pending == 0


def test_a_delivery_resumed_past_its_deadline_ends_as_sent(stopped_in_mid_send, start_sending):
    edition = approve(edition_id=stopped_in_mid_send.pk, now=later(minutes=5))

    with pytest.raises(start.NotStarted):
        start_sending(edition.deadline_at)
    finish.close_late(now=edition.deadline_at)

    assert status(edition) == Edition.Status.SENT
    assert tally(edition.pk).pending == 0


def test_a_delivery_changed_while_it_resumes_is_held_again(stopped_in_mid_send, start_sending):
    edition = approve(edition_id=stopped_in_mid_send.pk, now=later(minutes=5))
    Story.objects.filter(items__edition=edition).update(title="Corrected")
    void_if_changed(edition_id=edition.pk)

    with pytest.raises(start.NotStarted):
        start_sending(later(minutes=5))
    held = Edition.objects.get(pk=edition.pk)
    assert (held.status, held.reason) == ("held", "changed")


def test_a_reader_whose_answer_was_lost_is_uncertain_and_gets_one_more_copy(
    edition, readers, start_sending, run_lane, server
):
    lost, *_others = readers(3)
    answer(server, "CONTENT", CUT, to="reader0@")
    start_sending()
    run_lane()

    uncertain = row(lost)
    assert (uncertain.status, uncertain.uncertain_at) == ("uncertain", NOW)
    assert (uncertain.revision, uncertain.relay) == (1, server.relay.name)
    assert rows(edition)["reader1@example.com"] == ("sent", "")

    answer(server, "CONTENT", None)
    run_lane("again", now=later(minutes=2))
    assert row(lost).status == "sent"
    assert row(lost).uncertain_at == NOW
    first, second = [mail for to, mail in server.arrived if to == "reader0@example.com"]
    ids = {
        line for mail in (first, second) for line in mail.split(b"\r\n") if b"Message-ID" in line
    }
    assert len(ids) == 1


def test_a_message_whose_answer_is_lost_twice_is_not_sent_a_third_time(
    edition, readers, start_sending, run_lane, server
):
    (lost,) = readers(1)
    answer(server, "CONTENT", CUT)
    start_sending()
    run_lane("one")
    run_lane("two", now=later(minutes=5))

    assert run_lane("three", now=later(minutes=30)) is End.DONE
    assert len(server.arrived) == 2
    assert (row(lost).status, row(lost).finished_at) == ("uncertain", later(minutes=5))
    assert status(edition) == Edition.Status.SENT


def test_an_uncertain_reader_gets_no_second_copy_if_resending_is_off(
    edition, readers, start_sending, run_lane, server, settings
):
    settings.RESEND_UNCERTAIN = False
    readers(2)
    answer(server, "CONTENT", CUT, to="reader0@")
    start_sending()
    run_lane("one")
    run_lane("two", now=later(minutes=5))

    assert rows(edition) == {
        "reader0@example.com": ("uncertain", ""),
        "reader1@example.com": ("sent", ""),
    }
    assert status(edition) == Edition.Status.SENT


@pytest.mark.parametrize("verb", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
def test_a_disconnect_before_the_message_counts_no_attempt(
    edition, readers, start_sending, run_lane, server, verb
):
    readers(5)
    answer(server, verb, CUT)
    start_sending()

    assert run_lane() is End.NO_CONNECTION
    assert set(rows(edition).values()) == {("pending", "")}
    assert not server.arrived
    answer(server, verb, None)
    assert run_lane("again", now=later(minutes=2)) is End.DONE
    assert len(server.arrived) == 5
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_a_relay_that_disconnects_after_every_message_opens_its_breaker(
    edition, readers, start_sending, run_lane, server
):
    readers(30)
    answer(server, "CONTENT", CUT)
    start_sending()

    assert run_lane() is End.NO_CONNECTION
    assert tally(edition.pk).uncertain == server.connections == MAX_DISCONNECTS
    assert circuit_breaker.is_open(server.relay)


def test_a_reader_at_whom_the_relay_disconnects_does_not_block_the_others(
    edition, readers, start_sending, run_lane, server
):
    unlucky, *_others = readers(3)
    answer(server, "RCPT", CUT, to="reader0@")
    start_sending()
    run_lane("first")
    run_lane("second", now=later(seconds=30))

    assert [to for to, _ in server.arrived] == ["reader1@example.com", "reader2@example.com"]
    assert (row(unlucky).status, row(unlucky).attempts) == ("pending", 0)


@pytest.mark.parametrize(
    ("reply", "status", "reason"),
    [
        ("550 5.1.1 no such user", "failed", "bad-address"),
        ("451 4.7.1 greylisted", "pending", ""),
    ],
)
def test_a_refusal_counts_although_the_server_disconnects_after_it(
    edition, readers, start_sending, run_lane, server, reply, status, reason
):
    readers(2)
    replies = {"RCPT": reply, "RSET": CUT}
    server.script = lambda verb, line, _: (
        replies.get(verb) if "reader0@" in line or verb == "RSET" else None
    )
    start_sending()
    run_lane("first")
    run_lane("second")

    assert rows(edition) == {
        "reader0@example.com": (status, reason),
        "reader1@example.com": ("sent", ""),
    }


def test_a_relay_that_refuses_us_and_disconnects_holds_the_edition(
    edition, readers, start_sending, run_lane, server
):
    readers(2)
    replies = {"MAIL": "550 5.7.1 blocked", "RSET": CUT}
    server.script = lambda verb, line, _: replies.get(verb)
    start_sending()

    assert run_lane() is End.HELD


def test_an_unreachable_relay_counts_no_attempt(
    edition, readers, start_sending, run_lane, settings
):
    (reader,) = readers(1)
    start_sending()  # nobody listens on the port of the tests' settings

    assert run_lane() is End.NO_CONNECTION
    assert (row(reader).status, row(reader).attempts) == ("pending", 0)
    assert status(edition) == Edition.Status.SENDING


def test_a_relay_that_closes_after_some_messages_is_reconnected(
    edition, readers, start_sending, run_lane, server
):
    readers(10)

    def three_each(verb, line, server):
        is_full = verb == "MAIL" and len(server.arrived) == 3 * server.connections
        return "421 4.7.0 enough for one connection" if is_full else None

    server.script = three_each
    start_sending()

    assert run_lane() is End.DONE
    assert len(server.arrived) == 10
    assert server.connections == 4
    assert status(edition) == Edition.Status.SENT


def test_a_relay_that_defers_everybody_is_left_after_two_windows(
    edition, start_sending, run_lane, server
):
    for n in range(60):
        factories.subscription(edition.newsletter, f"reader{n}@d{n % 5}.example.com")
    answer(server, "RCPT", "450 4.7.1 slow down")
    start_sending()

    assert run_lane() is End.NO_CONNECTION
    # The lane tries two windows, and no more readers.
    assert 20 <= sum("RCPT" in line for line in server.lines) <= 28


def test_a_message_is_announced_with_its_size(edition, readers, start_sending, run_lane, server):
    readers(1)
    start_sending()
    run_lane()

    ((_, message),) = server.arrived
    (mail,) = [line for line in server.lines if line.startswith("MAIL")]
    assert mail.endswith(f" SIZE={len(message)}")


def test_lines_that_begin_with_a_dot_arrive_unchanged(server):
    message = b".first\r\n..\r\n.\r\nlast\r\n"
    with SmtpConnection(server.relay) as connection:
        connection.send(sender="a@example.com", recipient="b@example.com", message=message)

    assert server.arrived == [("b@example.com", message)]


def test_a_local_part_beyond_ascii_needs_a_relay_that_offers_smtputf8(server):
    def send(to):
        with SmtpConnection(server.relay) as connection:
            return connection.send(sender="a@example.com", recipient=to, message=b"\r\n").verdict

    assert send("jörg@example.com") is Verdict.REFUSED
    assert send("info@bücher.example.com") is Verdict.ACCEPTED
    server.extensions = ("SMTPUTF8",)
    assert send("jörg@example.com") is Verdict.ACCEPTED
    assert [to for to, _ in server.arrived] == [
        "info@xn--bcher-kva.example.com",
        "jörg@example.com",
    ]
