"""Failed deliveries are sent again when an operator asks for it, and nothing else is."""

from datetime import timedelta

import pytest

from digest.delivery.planning import start
from digest.delivery.planning.resend import (
    CannotResend,
    ResendResult,
    ResendTooLate,
    Undelivered,
    resend_failed,
    undelivered,
)
from digest.models import Delivery, Edition
from subscribers.consent.suppression import suppress
from tests import factories
from tests.digest.delivery.conftest import row, rows, status
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(edition, readers, start_sending, run_lane, relay):
    """A sent edition's readers: one got it, two were refused, one is unknown, one is uncertain."""
    found = readers(5)
    relay.replies |= {
        "reader1@example.com": "550 5.2.0 not today",
        "reader2@example.com": "550 5.2.0 not today",
        "reader3@example.com": "550 5.1.1 no such user",
    }
    start_sending()
    Delivery.objects.filter(subscription=found[4]).update(
        status="sending", claimed_at=NOW, lane="x"
    )
    Delivery.objects.filter(subscription=found[4]).update(
        status="uncertain", uncertain_at=NOW, finished_at=NOW, lane=""
    )
    run_lane()
    assert status(edition) == Edition.Status.SENT
    relay.replies.clear()
    relay.received.clear()
    return found


def recipients(relay):
    return sorted(mail.rcpt_to for mail in relay.received)


def test_undelivered_readers_are_counted_by_reason(edition, sent):
    assert undelivered(edition.pk) == Undelivered(reasons={"refused": 2}, suppressed=1, uncertain=1)
    assert undelivered(edition.pk).failed == 2


def test_failed_readers_get_the_edition_again_and_nobody_else(edition, sent, run_lane, relay):
    attempts = row(sent[1]).attempts
    done = resend_failed(edition_id=edition.pk, now=NOW)

    assert done == ResendResult(failed=2, uncertain=0, left_out=1)
    assert status(edition) == Edition.Status.SENDING
    resent = row(sent[1])
    assert (resent.status, resent.reason, resent.finished_at) == ("pending", "", None)
    assert (resent.attempts, resent.next_attempt_at) == (attempts, NOW)

    run_lane("lane-2")
    assert recipients(relay) == ["reader1@example.com", "reader2@example.com"]
    assert status(edition) == Edition.Status.SENT
    assert rows(edition)["reader3@example.com"] == ("failed", "bad-address")


def test_a_resent_edition_keeps_its_first_sent_time(edition, sent, run_lane):
    soon = NOW + timedelta(hours=1)
    resend_failed(edition_id=edition.pk, now=soon)
    run_lane("lane-2", now=soon)

    assert Edition.objects.get(pk=edition.pk).sent_at == NOW


def test_an_address_suppressed_since_is_left_out(edition, sent):
    suppress(email="reader1@example.com", reason="complaint", now=NOW)

    done = resend_failed(edition_id=edition.pk, now=NOW)

    assert (done.failed, done.left_out) == (1, 2)
    assert row(sent[1]).status == "failed"


def test_a_reader_who_unsubscribed_since_is_skipped(edition, sent, run_lane, relay):
    sent[1].status = "unsubscribed"
    sent[1].save()
    resend_failed(edition_id=edition.pk, now=NOW)
    run_lane("lane-2")

    assert recipients(relay) == ["reader2@example.com"]
    assert row(sent[1]).status == "skipped"


def test_a_reader_who_confirmed_since_gets_no_old_edition(edition, sent, run_lane, relay):
    factories.subscription(edition.newsletter, "since@example.com")
    late = NOW + timedelta(days=30)
    resend_failed(edition_id=edition.pk, new_deadline=late + timedelta(hours=2), now=late)
    start.plan_audience(edition_id=edition.pk, now=late)
    run_lane("lane-2", now=late)

    assert edition.pk not in start.half_planned()
    assert recipients(relay) == ["reader1@example.com", "reader2@example.com"]


def test_uncertain_readers_get_the_edition_again_on_explicit_request(
    edition, sent, run_lane, relay
):
    done = resend_failed(edition_id=edition.pk, include_uncertain=True, now=NOW)
    run_lane("lane-2")

    assert done.uncertain == 1
    assert "reader4@example.com" in recipients(relay)
    resent = row(sent[4])
    assert resent.status == "sent"
    assert resent.uncertain_at == NOW, "the row still says that it may have arrived twice"


def test_a_delivery_that_fails_again_can_be_resent_once_more(edition, sent, run_lane, relay):
    relay.replies["reader1@example.com"] = "550 5.2.0 not today either"
    for n in (2, 3):
        assert resend_failed(edition_id=edition.pk, now=NOW).failed >= 1
        run_lane(f"lane-{n}")

    assert row(sent[1]).attempts == 3


def test_an_edition_past_its_deadline_is_resent_only_with_more_time(edition, sent, run_lane, relay):
    late = edition.deadline_at

    with pytest.raises(ResendTooLate, match="Its deadline, 10:00 on 10 March 2026"):
        resend_failed(edition_id=edition.pk, now=late)
    assert status(edition) == Edition.Status.SENT

    new_deadline = late + timedelta(hours=2)
    resend_failed(edition_id=edition.pk, new_deadline=new_deadline, now=late)
    run_lane("lane-2", now=late)
    assert Edition.objects.get(pk=edition.pk).deadline_at == new_deadline
    assert recipients(relay) == ["reader1@example.com", "reader2@example.com"]


def test_a_new_deadline_never_shortens_the_old_one(edition, sent):
    factories.force_update(Edition.objects.filter(pk=edition.pk), status="sending")

    soon = NOW + timedelta(minutes=1)
    resend_failed(edition_id=edition.pk, new_deadline=soon, now=NOW)

    assert Edition.objects.get(pk=edition.pk).deadline_at == edition.deadline_at > soon


def test_failed_readers_rejoin_an_edition_that_is_still_being_sent(edition, sent):
    factories.force_update(Edition.objects.filter(pk=edition.pk), status="sending")

    assert resend_failed(edition_id=edition.pk, now=NOW).failed == 2
    assert status(edition) == Edition.Status.SENDING


@pytest.mark.parametrize("held", ["held", "skipped", "approved", "draft"])
def test_an_unsent_edition_is_not_resent(edition, held):
    factories.force_update(Edition.objects.filter(pk=edition.pk), status=held, reason="refused")

    with pytest.raises(CannotResend, match="not sent"):
        resend_failed(edition_id=edition.pk, now=NOW)


def test_an_edition_without_failures_stays_sent(edition, sent):
    factories.force_update(Delivery.objects.filter(status="failed"), status="sent", reason="")

    with pytest.raises(CannotResend, match="no delivery of it has failed"):
        resend_failed(edition_id=edition.pk, now=NOW)
    assert status(edition) == Edition.Status.SENT


def test_the_error_says_that_all_failed_readers_are_suppressed(edition, sent):
    for n in (1, 2):
        suppress(email=f"reader{n}@example.com", reason="bounce", now=NOW)

    with pytest.raises(CannotResend, match="3 failed, and all are suppressed"):
        resend_failed(edition_id=edition.pk, now=NOW)
