"""Webhooks that got events about a reader get the erasure too; the log then loses the address."""

import json
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from django.db import connection, transaction

from subscribers.consent.record import Origin
from subscribers.models import Event, Subscription, WebhookAttempt, WebhookDelivery
from subscribers.preferences import leaving
from subscribers.privacy import erasure, retention
from subscribers.signup import confirmation_mail, flow
from subscribers.webhooks import log, send
from subscribers.webhooks.emit import emit_for_subscription
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

ADDRESS = "ann.unmistakable@example.com"
PERSONAL = ("unmistakable", "Ann", '"fr"')


@pytest.fixture
def ann():
    subscription = factories.subscription(factories.newsletter(slug="daily"), ADDRESS)
    reader = subscription.subscriber
    reader.name, reader.language = "Ann", "fr"
    reader.save()
    return subscription


def erase_reader(subscription, now=NOW):
    erasure.erase(subscriber_id=subscription.subscriber_id, now=now)


def send_due(webhook, now=NOW):
    return send.send_to_webhook(webhook_id=webhook.pk, clock=lambda: now)


def payload():
    return json.loads(WebhookDelivery.objects.get().payload)


def test_an_erasure_is_sent_for_each_subscription(ann):
    factories.webhook()

    erase_reader(ann)

    event = payload()
    assert event["type"] == "subscriber.unsubscribed"
    assert event["data"]["erased"] is True
    subscription = event["data"]["subscription"]
    assert (subscription["id"], subscription["newsletter"]) == (ann.pk, "daily")
    assert (subscription["status"], subscription["email"]) == ("unsubscribed", ADDRESS)
    assert subscription["ended_at"] == NOW.isoformat()


def test_a_webhook_that_got_the_unsubscribe_event_gets_the_erasure_too(ann, receiver):
    webhook = factories.webhook(receiver.url)
    leaving.unsubscribe(subscription_id=ann.pk, now=NOW)
    assert send_due(webhook) == 1

    erase_reader(ann, now=NOW + timedelta(days=400))

    assert send_due(webhook, now=NOW + timedelta(days=400)) == 1
    data = json.loads(receiver.received[-1].body)["data"]
    assert data["erased"] is True
    assert data["subscription"]["email"] == ADDRESS
    assert data["subscription"]["ended_at"] == NOW.isoformat()


def test_the_erasure_of_a_former_address_is_sent_as_well(ann):
    factories.webhook()
    former = factories.subscription(
        ann.newsletter, "ann.unmistakable@example.org", status="unsubscribed", ended_at=NOW,
        moved_to=ann,
    )  # fmt: skip

    erase_reader(ann)

    data = [json.loads(row.payload)["data"] for row in WebhookDelivery.objects.all()]
    assert {(one["subscription"]["id"], one["subscription"]["email"]) for one in data} == {
        (ann.pk, ADDRESS),
        (former.pk, "ann.unmistakable@example.org"),
    }


def test_an_erasure_event_holds_no_personal_data_but_the_address(ann):
    factories.webhook()

    erase_reader(ann)

    row = WebhookDelivery.objects.get().payload
    assert [mark for mark in PERSONAL if mark in row] == ["unmistakable"]


def test_a_waiting_unsubscribe_event_is_still_sent_after_the_erasure(ann, receiver):
    webhook = factories.webhook(receiver.url)
    emit_for_subscription(event=Event.CONFIRMED, subscription_id=ann.pk, now=NOW)
    leaving.unsubscribe(subscription_id=ann.pk, now=NOW)
    waiting = WebhookDelivery.objects.get(event=Event.UNSUBSCRIBED)

    erase_reader(ann)

    row = WebhookDelivery.objects.get()
    assert row.message_id == waiting.message_id
    assert [mark for mark in PERSONAL if mark in row.payload] == ["unmistakable"]
    assert send_due(webhook) == 1
    [posted] = receiver.received
    assert json.loads(posted.body)["data"]["subscription"]["email"] == ADDRESS


def test_a_delivered_erasure_event_loses_the_address_and_stays_in_the_log(ann, receiver):
    receiver.status, receiver.body = 200, f"Removed {ADDRESS}".encode()
    webhook = factories.webhook(receiver.url)
    erase_reader(ann)

    send_due(webhook)

    row = WebhookDelivery.objects.get()
    assert (row.state, row.subscriber_id) == ("delivered", ann.subscriber_id)
    assert payload()["data"]["subscription"]["id"] == ann.pk
    assert not [mark for mark in PERSONAL if mark in row.payload]
    assert WebhookAttempt.objects.get().answer == ""


def test_the_log_keeps_the_payload_of_a_reader_who_was_not_erased(ann, receiver):
    webhook = factories.webhook(receiver.url)
    leaving.unsubscribe(subscription_id=ann.pk, now=NOW)

    send_due(webhook)

    assert payload()["data"]["subscription"]["email"] == ADDRESS


def test_a_failed_erasure_event_can_be_sent_again_for_a_month_only(ann, receiver, settings):
    settings.RETENTION_WEBHOOK_DAYS = 0
    receiver.status = 503
    webhook = factories.webhook(receiver.url)
    erase_reader(ann)
    WebhookDelivery.objects.update(attempts=len(send.RETRY_DELAYS))
    send_due(webhook)
    row = WebhookDelivery.objects.get()
    assert row.state == "failed"

    retention.purge(now=NOW + timedelta(days=29))
    assert WebhookDelivery.objects.exists()
    receiver.status = 204
    log.resend(delivery_ids=[row.pk], now=NOW)
    send_due(webhook)
    assert json.loads(receiver.received[-1].body)["data"]["subscription"]["email"] == ADDRESS

    factories.force_update(
        WebhookDelivery.objects.filter(pk=row.pk), state="failed", next_attempt_at=None
    )
    retention.purge(now=NOW + timedelta(days=31))
    assert not WebhookDelivery.objects.exists()


def test_a_reader_erased_while_an_event_is_being_posted_leaves_no_trace_of_it(
    ann, receiver, monkeypatch
):
    webhook = factories.webhook(receiver.url, events=[Event.CONFIRMED])
    emit_for_subscription(event=Event.CONFIRMED, subscription_id=ann.pk, now=NOW)
    post = send.post

    def post_and_erase(*args, **kwargs):
        response = post(*args, **kwargs)
        erase_reader(ann)
        return response

    monkeypatch.setattr(send, "post", post_and_erase)
    assert send_due(webhook) == 1

    assert not WebhookDelivery.objects.exists()
    assert not WebhookAttempt.objects.exists()
    webhook.refresh_from_db()
    assert webhook.last_success_at == NOW


@pytest.mark.parametrize("end", ["erase", "leave"])
def test_a_reader_who_leaves_while_the_mail_is_sent_causes_no_sign_up_event(monkeypatch, end):
    factories.webhook()
    flow.sign_up(newsletter=factories.newsletter(), email=ADDRESS, origin=Origin(), now=NOW)
    subscription = Subscription.objects.get()

    def erase_or_unsubscribe(self, **_):
        if end == "erase":
            erase_reader(subscription)
        else:
            leaving.unsubscribe(subscription_id=subscription.pk, now=NOW)

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", erase_or_unsubscribe)
    assert confirmation_mail.send_if_due(subscription.pk, now=NOW)

    assert [row.event for row in WebhookDelivery.objects.all()] == ["subscriber.unsubscribed"]


@pytest.mark.django_db(transaction=True)
def test_a_bounce_during_an_erasure_stores_no_event(ann):
    factories.webhook(events=[Event.BOUNCED])

    def bounce():
        try:
            return emit_for_subscription(event=Event.BOUNCED, subscription_id=ann.pk, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            erase_reader(ann)
            bouncing = pool.submit(bounce)
            wait([bouncing], timeout=0.5)
        assert bouncing.result(10) == 0

    assert not WebhookDelivery.objects.exists()


def test_the_purge_of_an_unconfirmed_sign_up_is_sent_without_its_address():
    factories.webhook(events=[Event.UNSUBSCRIBED])
    waiting = factories.subscription(
        factories.newsletter(),
        status="pending",
        confirmed_at=None,
        created_at=NOW - timedelta(days=60),
    )

    retention.purge(now=NOW)

    assert not Subscription.objects.exists()
    data = payload()["data"]
    assert data["erased"] is True
    assert data["subscription"]["id"] == waiting.pk
    assert data["subscription"]["status"] == "unsubscribed"
    assert data["subscription"]["email"] == data["subscription"]["name"] == ""


def test_a_former_reader_who_did_not_confirm_again_causes_an_unsubscribed_event():
    factories.webhook(events=[Event.UNSUBSCRIBED])
    again = factories.subscription(
        factories.newsletter(), status="pending", created_at=NOW - timedelta(days=60)
    )

    retention.purge(now=NOW)

    data = payload()["data"]
    assert "erased" not in data
    assert data["subscription"]["id"] == again.pk
    assert data["subscription"]["status"] == "unsubscribed"
    assert data["subscription"]["email"] == again.subscriber.email
