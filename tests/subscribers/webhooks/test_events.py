"""An event is stored for the webhooks that subscribe to it, in the transaction of the change."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from digest.delivery.planning import finish
from digest.models import Delivery, Edition
from subscribers import signed_links
from subscribers.consent import suppression
from subscribers.consent.record import Origin
from subscribers.models import Event, Subscription, Suppression, WebhookDelivery
from subscribers.preferences import leaving
from subscribers.privacy import data_export, erasure
from subscribers.signup import confirmation_mail, flow
from subscribers.webhooks.emit import emit_for_subscription
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def payloads():
    return [json.loads(row.payload) for row in WebhookDelivery.objects.order_by("pk")]


def test_a_reader_causes_events_from_sign_up_to_unsubscribing():
    newsletter = factories.newsletter(slug="daily")
    factories.webhook()

    flow.sign_up(newsletter=newsletter, email="ann@example.com", origin=Origin(), now=NOW)
    confirmation_mail.send_all_due(clock=lambda: NOW)
    subscription = Subscription.objects.get()
    token = signed_links.confirm_token(subscription, now=NOW)
    flow.confirm(token=token, origin=Origin(), now=NOW)
    leaving.unsubscribe(subscription_id=subscription.pk, now=NOW)

    assert [event["type"] for event in payloads()] == [
        "subscriber.subscribed",
        "subscriber.confirmed",
        "subscriber.unsubscribed",
    ]
    last = payloads()[-1]
    assert last["timestamp"] == NOW.isoformat()
    assert last["data"]["subscription"]["newsletter"] == "daily"
    assert last["data"]["subscription"]["email"] == "ann@example.com"
    assert last["data"]["subscription"]["status"] == "unsubscribed"
    assert last["data"]["subscription"]["ended_at"] == NOW.isoformat()


def test_a_request_that_changes_nothing_causes_no_event():
    newsletter = factories.newsletter()
    factories.webhook()
    active = factories.subscription(newsletter, "ann@example.com")
    again = signed_links.confirm_token(active, now=NOW)

    flow.sign_up(newsletter=newsletter, email="ann@example.com", origin=Origin(), now=NOW)
    confirmation_mail.send_all_due(clock=lambda: NOW)
    flow.confirm(token=again, origin=Origin(), now=NOW)
    leaving.unsubscribe(subscription_id=active.pk, now=NOW)
    leaving.unsubscribe(subscription_id=active.pk, now=NOW)

    assert [event["type"] for event in payloads()] == ["subscriber.unsubscribed"]


def test_an_import_that_asks_for_confirmation_causes_no_event_until_readers_confirm(tmp_path):
    factories.newsletter(slug="daily")
    factories.webhook()
    path = tmp_path / "readers.csv"
    path.write_text("email\nann@example.com\n")
    call_command("import_subscribers", str(path), "--newsletter", "daily", stdout=StringIO())
    later = timezone.now() + timedelta(seconds=1)

    confirmation_mail.send_all_due(clock=lambda: later)

    assert len(mail.outbox) == 1
    assert payloads() == []
    token = signed_links.confirm_token(Subscription.objects.get(), now=later)
    flow.confirm(token=token, origin=Origin(), now=later)
    assert [event["type"] for event in payloads()] == ["subscriber.confirmed"]


def test_a_bounce_causes_one_event_per_newsletter_and_a_manual_suppression_none():
    one, other = factories.newsletter(slug="one"), factories.newsletter(slug="other")
    factories.webhook()
    first = factories.subscription(one, "ann@example.com")
    Subscription.objects.create(
        subscriber=first.subscriber, newsletter=other, status="active", confirmed_at=NOW
    )

    for _ in range(2):
        suppression.suppress(
            email="Ann@example.com",
            reason=Suppression.Reason.BOUNCE,
            detail="550 5.1.1 Unknown",
            now=NOW,
        )
    suppression.suppress(email="bob@example.com", reason=Suppression.Reason.MANUAL, now=NOW)

    assert [event["type"] for event in payloads()] == ["subscriber.bounced"] * 2
    assert {event["data"]["subscription"]["newsletter"] for event in payloads()} == {"one", "other"}
    assert payloads()[0]["data"]["detail"] == "550 5.1.1 Unknown"


def test_a_complaint_is_an_event_of_its_own():
    factories.webhook()
    factories.subscription(factories.newsletter(), "ann@example.com")

    suppression.suppress(email="ann@example.com", reason=Suppression.Reason.COMPLAINT, now=NOW)

    assert [event["type"] for event in payloads()] == ["subscriber.complained"]


def test_a_sent_edition_causes_exactly_one_event():
    newsletter = factories.newsletter(slug="daily")
    factories.webhook()
    reader = factories.subscription(newsletter)
    edition = factories.publish(
        factories.edition(newsletter, subject="Rain"),
        status=Edition.Status.SENDING,
        planned_at=NOW,
    )
    Delivery.objects.create(edition=edition, subscription=reader, status="sent")

    assert finish.finish_if_done(edition_id=edition.pk, now=NOW)
    factories.force_update(Edition.objects.filter(pk=edition.pk), status=Edition.Status.SENDING)
    assert finish.finish_if_done(edition_id=edition.pk, now=NOW + timedelta(hours=1))

    [event] = payloads()
    assert event["type"] == "edition.sent"
    assert event["data"]["edition"]["subject"] == "Rain"
    assert event["data"]["edition"]["url"].endswith(edition.get_absolute_url())
    assert event["data"]["edition"]["readers"] == {
        "sent": 1,
        "failed": 0,
        "skipped": 0,
        "uncertain": 0,
    }


def test_a_webhook_gets_only_events_of_its_newsletter_and_its_types():
    mine, other = factories.newsletter(), factories.newsletter()
    factories.webhook(name="mine", newsletter=mine)
    factories.webhook(name="leavers", events=[Event.UNSUBSCRIBED])
    factories.webhook(name="off", is_active=False)
    factories.webhook(name="all")

    for newsletter in (mine, other):
        subscription = factories.subscription(newsletter)
        emit_for_subscription(event=Event.CONFIRMED, subscription_id=subscription.pk, now=NOW)

    rows = WebhookDelivery.objects.order_by("pk").values_list("webhook__name", flat=True)
    assert list(rows) == ["mine", "all", "all"]


def test_an_event_has_the_same_id_for_all_webhooks():
    factories.webhook()
    factories.webhook()
    subscription = factories.subscription(factories.newsletter())

    emit_for_subscription(event=Event.CONFIRMED, subscription_id=subscription.pk, now=NOW)

    assert WebhookDelivery.objects.count() == 2
    assert WebhookDelivery.objects.values("message_id").distinct().count() == 1


def test_a_change_that_is_rolled_back_causes_no_event():
    factories.webhook()
    subscription = factories.subscription(factories.newsletter())

    with transaction.atomic():
        emit_for_subscription(event=Event.CONFIRMED, subscription_id=subscription.pk, now=NOW)
        transaction.set_rollback(True)

    assert payloads() == []


def test_an_event_without_webhooks_costs_no_query(django_assert_num_queries):
    subscription = factories.subscription(factories.newsletter())
    emit_for_subscription(event=Event.CONFIRMED, subscription_id=subscription.pk, now=NOW)

    with django_assert_num_queries(0):
        emit_for_subscription(event=Event.CONFIRMED, subscription_id=subscription.pk, now=NOW)

    factories.webhook()
    emit_for_subscription(event=Event.CONFIRMED, subscription_id=subscription.pk, now=NOW)
    assert len(payloads()) == 1


def test_an_erased_reader_is_deleted_from_the_log_too():
    webhook = factories.webhook(events=[Event.CONFIRMED])
    subscription = factories.subscription(factories.newsletter())
    emit_for_subscription(event=Event.CONFIRMED, subscription_id=subscription.pk, now=NOW)
    other = factories.webhook_delivery(webhook)

    erasure.erase(subscriber_id=subscription.subscriber_id, now=NOW)

    assert list(WebhookDelivery.objects.all()) == [other]


def test_a_readers_data_export_lists_the_programs_that_got_events():
    factories.webhook(name="The CRM")
    subscription = factories.subscription(factories.newsletter())
    emit_for_subscription(event=Event.CONFIRMED, subscription_id=subscription.pk, now=NOW)

    [entry] = data_export.export(subscriber_id=subscription.subscriber_id)["told_to_other_programs"]

    assert entry == {
        "at": "2026-03-10T06:00:00Z",
        "event": "subscriber.confirmed",
        "program": "The CRM",
        "state": "waiting",
    }
