"""An approved edition reaches each active reader once, and closes."""

import pytest

from digest.delivery.lane import cursor, outbox
from digest.delivery.lane.claim import PendingClaim
from digest.delivery.lane.lane import End
from digest.delivery.planning import finish, start
from digest.delivery.progress.report import tally
from digest.editions.decide.approve import approve
from digest.models import Delivery, Edition, EditionItem, Story
from digest.rendering.identifiers import parse_verp
from subscribers.models import Suppression
from tests import factories
from tests.digest.delivery.conftest import later, row, rows, status
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def test_every_active_reader_gets_one_message(edition, readers, start_sending, run_lane, relay):
    subscriptions = readers(45)

    assert start_sending() == 45
    assert status(edition) == Edition.Status.SENDING
    assert run_lane() is End.DONE

    addresses = [f"reader{n}@example.com" for n in range(45)]
    assert [mail.rcpt_to for mail in relay.received] == addresses
    assert status(edition) == Edition.Status.SENT
    assert tally(edition.pk).sent == 45
    first = relay.received[0]
    assert parse_verp(first.mail_from) == (edition.pk, subscriptions[0].pk)
    assert first.message["To"] == "reader0@example.com"
    for item in edition.items.all():
        assert item.shown_headline in first.part("plain")


def test_an_unconfirmed_or_unsubscribed_reader_is_not_planned(edition, start_sending):
    factories.subscription(edition.newsletter, status="pending", confirmed_at=None)
    factories.subscription(edition.newsletter, status="unsubscribed")
    factories.subscription(factories.newsletter())

    assert start_sending() == 0


def test_an_edition_without_readers_ends_as_sent(edition, start_sending, run_lane, relay):
    start_sending()

    assert run_lane() is End.DONE
    assert status(edition) == Edition.Status.SENT


def test_a_second_start_plans_no_reader_twice(edition, readers, start_sending, run_lane, relay):
    readers(3)

    assert start_sending() == 3
    assert start_sending() == 0
    run_lane("one")
    run_lane("two")
    assert len(relay.received) == 3


def test_a_sent_edition_cannot_be_started_again(edition, readers, start_sending, run_lane, relay):
    start_sending()
    run_lane()

    with pytest.raises(start.NotStarted, match="sent, not approved"):
        start_sending()


def test_an_unapproved_edition_is_not_started(edition):
    draft = factories.edition(edition.newsletter)

    with pytest.raises(start.NotStarted, match="draft, not approved"):
        start.start_delivery(edition_id=draft.pk, now=NOW)
    assert status(draft) == Edition.Status.DRAFT


def test_an_edition_changed_after_approval_is_held_for_its_editors(edition, readers, start_sending):
    readers(1)
    Story.objects.filter(items__edition=edition).update(title="Nobody approved this")

    with pytest.raises(start.NotStarted, match="changed after it was approved"):
        start_sending()

    held = Edition.objects.get(pk=edition.pk)
    assert (held.status, held.reason, held.approved_hash) == ("held", "changed", "")
    assert held.notice_due_at == NOW
    assert not Delivery.objects.exists()
    assert not hasattr(held, "frozen")


def test_an_edition_past_its_deadline_is_skipped_and_releases_its_stories(edition, start_sending):
    with pytest.raises(start.NotStarted, match="past its deadline"):
        start_sending(edition.deadline_at)

    skipped = Edition.objects.get(pk=edition.pk)
    assert (skipped.status, skipped.reason) == ("skipped", "past-deadline")
    assert "not started in time. No reader got it." in skipped.reason_detail
    assert EditionItem.objects.filter(edition=edition, released=True).count() == 3


def test_a_reader_who_unsubscribes_after_planning_gets_nothing(
    edition, readers, start_sending, run_lane, relay
):
    stays, leaves, bounced = readers(3)
    start_sending()
    edition.newsletter.subscriptions.filter(pk=leaves.pk).update(status="unsubscribed")
    Suppression.objects.create(email_key=bounced.subscriber.email_key, reason="bounce")

    run_lane()

    assert rows(edition) == {
        "reader0@example.com": ("sent", ""),
        "reader1@example.com": ("skipped", "unsubscribed"),
        "reader2@example.com": ("skipped", "suppressed"),
    }
    assert [mail.rcpt_to for mail in relay.received] == [stays.subscriber.email]


def test_a_window_of_unsubscribed_readers_does_not_end_the_lane(
    edition, readers, start_sending, run_lane, relay
):
    readers(40)
    readers(1, "stays")
    start_sending()
    others = edition.newsletter.subscriptions.exclude(subscriber__email="stays0@example.com")
    others.update(status="unsubscribed")

    assert run_lane() is End.DONE
    assert [mail.rcpt_to for mail in relay.received] == ["stays0@example.com"]
    assert tally(edition.pk).reasons == {"unsubscribed": 40}


def test_a_reader_who_muted_every_section_is_skipped_as_muted(
    edition, readers, start_sending, run_lane, relay
):
    section = factories.section(edition.newsletter)
    edition.items.update(section=section)
    approve(edition_id=edition.pk, now=NOW)
    readers(1)
    edition.newsletter.subscriptions.update(muted_sections=[section.pk])
    start_sending()

    run_lane()

    assert rows(edition) == {"reader0@example.com": ("skipped", "muted")}
    assert relay.received == []


def test_the_deadline_ends_a_delivery_and_is_the_recorded_reason(
    edition, readers, start_sending, run_lane, relay
):
    sent, *_others = readers(30)
    start_sending()
    Delivery.objects.exclude(subscription=sent).update(next_attempt_at=later(hours=2))
    run_lane()
    late = edition.deadline_at

    assert run_lane("late", now=late) is End.DONE
    assert status(edition) == Edition.Status.SENDING
    assert finish.close_late(now=late) == [edition.pk]

    assert status(edition) == Edition.Status.SENT
    counted = tally(edition.pk)
    assert (counted.sent, counted.skipped) == (1, 29)
    assert counted.reasons == {"past-deadline": 29}
    assert row(sent).status == "sent"


def test_an_edition_that_reached_nobody_by_its_deadline_is_skipped(edition, readers, start_sending):
    readers(2)
    start_sending()

    finish.close_late(now=edition.deadline_at)

    skipped = Edition.objects.get(pk=edition.pk)
    assert (skipped.status, skipped.reason) == ("skipped", "past-deadline")
    assert EditionItem.objects.filter(edition=edition, released=True).count() == 3


def test_a_claim_costs_one_statement_per_window(
    edition, readers, start_sending, run_lane, relay, django_assert_max_num_queries, monkeypatch
):
    # On a busy machine a window takes longer, and the lane would check its readers again.
    monkeypatch.setattr(outbox, "TRUST_SECONDS", 60)
    readers(100)
    start_sending()

    claims = []
    monkeypatch.setattr(
        cursor,
        "PendingClaim",
        lambda *args, **kwargs: claims.append(1) or PendingClaim(*args, **kwargs),
    )

    # They serve the connection slot, the session, the frozen page and the end of the edition; the
    # claims themselves are prepared statements.
    with django_assert_max_num_queries(30):
        run_lane()
    # There is one claim for each of eight windows. Two more found nobody: one behind the last row,
    # one from the beginning.
    assert len(claims) == 8 + 2
