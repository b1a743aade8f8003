"""Who was told of a reader is told to forget them; what told it is then forgotten here."""

import json
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from django.db import connection, transaction

from subscribers import confirmation, erase, pending, preferences, retention, signup
from subscribers.consent import Origin
from subscribers.models import Event, Subscription, WebhookAttempt, WebhookDelivery
from subscribers.webhooks import log, send
from subscribers.webhooks.emit import emit_of_reader
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


def erased(subscription, now=NOW):
    erase.erase(subscriber_id=subscription.subscriber_id, now=now)


def send_due(webhook, now=NOW):
    return send.send_due(webhook_id=webhook.pk, clock=lambda: now)


def payload():
    return json.loads(WebhookDelivery.objects.get().payload)


def test_each_subscription_is_told_of(ann):
    factories.webhook()

    erased(ann)

    told = payload()
    assert told["type"] == "subscriber.unsubscribed"
    assert told["data"]["erased"] is True
    subscription = told["data"]["subscription"]
    assert (subscription["id"], subscription["newsletter"]) == (ann.pk, "daily")
    assert (subscription["status"], subscription["email"]) == ("unsubscribed", ADDRESS)
    assert subscription["ended_at"] == NOW.isoformat()


def test_whoever_was_told_that_a_reader_left_is_told_to_forget_them(ann, receiver):
    webhook = factories.webhook(receiver.url)
    preferences.unsubscribe(subscription_id=ann.pk, now=NOW)
    assert send_due(webhook) == 1

    erased(ann, now=NOW + timedelta(days=400))

    assert send_due(webhook, now=NOW + timedelta(days=400)) == 1
    told = json.loads(receiver.received[-1].body)["data"]
    assert told["erased"] is True
    assert told["subscription"]["email"] == ADDRESS
    assert told["subscription"]["ended_at"] == NOW.isoformat()


def test_an_address_that_a_reader_had_before_is_told_of_as_well(ann):
    factories.webhook()
    former = factories.subscription(
        ann.newsletter, "ann.unmistakable@example.org", status="unsubscribed", ended_at=NOW,
        moved_to=ann,
    )  # fmt: skip

    erased(ann)

    told = [json.loads(row.payload)["data"] for row in WebhookDelivery.objects.all()]
    assert {(one["subscription"]["id"], one["subscription"]["email"]) for one in told} == {
        (ann.pk, ADDRESS),
        (former.pk, "ann.unmistakable@example.org"),
    }


def test_it_says_nothing_of_the_person_but_the_address(ann):
    factories.webhook()

    erased(ann)

    row = WebhookDelivery.objects.get().payload
    assert [mark for mark in PERSONAL if mark in row] == ["unmistakable"]


def test_a_leaving_that_waits_is_told_all_the_same(ann, receiver):
    webhook = factories.webhook(receiver.url)
    emit_of_reader(event=Event.CONFIRMED, subscription_id=ann.pk, now=NOW)
    preferences.unsubscribe(subscription_id=ann.pk, now=NOW)
    waiting = WebhookDelivery.objects.get(event=Event.UNSUBSCRIBED)

    erased(ann)

    row = WebhookDelivery.objects.get()
    assert row.message_id == waiting.message_id
    assert [mark for mark in PERSONAL if mark in row.payload] == ["unmistakable"]
    assert send_due(webhook) == 1
    [posted] = receiver.received
    assert json.loads(posted.body)["data"]["subscription"]["email"] == ADDRESS


def test_once_it_has_arrived_the_address_is_gone_and_that_it_was_told_stays(ann, receiver):
    receiver.status, receiver.body = 200, f"Removed {ADDRESS}".encode()
    webhook = factories.webhook(receiver.url)
    erased(ann)

    send_due(webhook)

    row = WebhookDelivery.objects.get()
    assert (row.state, row.subscriber_id) == ("delivered", ann.subscriber_id)
    assert payload()["data"]["subscription"]["id"] == ann.pk
    assert not [mark for mark in PERSONAL if mark in row.payload]
    assert WebhookAttempt.objects.get().answer == ""


def test_of_who_was_not_erased_the_log_keeps_what_it_told(ann, receiver):
    webhook = factories.webhook(receiver.url)
    preferences.unsubscribe(subscription_id=ann.pk, now=NOW)

    send_due(webhook)

    assert payload()["data"]["subscription"]["email"] == ADDRESS


def test_what_was_given_up_can_be_sent_again_for_a_month_and_no_longer(ann, receiver, settings):
    settings.RETENTION_WEBHOOK_DAYS = 0
    receiver.status = 503
    webhook = factories.webhook(receiver.url)
    erased(ann)
    WebhookDelivery.objects.update(attempts=len(send.PAUSES))
    send_due(webhook)
    row = WebhookDelivery.objects.get()
    assert row.state == "failed"

    retention.let_go(now=NOW + timedelta(days=29))
    assert WebhookDelivery.objects.exists()
    receiver.status = 204
    log.send_again(delivery_ids=[row.pk], now=NOW)
    send_due(webhook)
    assert json.loads(receiver.received[-1].body)["data"]["subscription"]["email"] == ADDRESS

    factories.put(WebhookDelivery.objects.filter(pk=row.pk), state="failed", next_attempt_at=None)
    retention.let_go(now=NOW + timedelta(days=31))
    assert not WebhookDelivery.objects.exists()


def test_a_reader_erased_while_an_event_is_on_the_wire_leaves_no_trace_of_it(
    ann, receiver, monkeypatch
):
    webhook = factories.webhook(receiver.url, events=[Event.CONFIRMED])
    emit_of_reader(event=Event.CONFIRMED, subscription_id=ann.pk, now=NOW)
    post = send.post

    def meanwhile(*args, **kwargs):
        answer = post(*args, **kwargs)
        erased(ann)
        return answer

    monkeypatch.setattr(send, "post", meanwhile)
    assert send_due(webhook) == 1

    assert not WebhookDelivery.objects.exists()
    assert not WebhookAttempt.objects.exists()
    webhook.refresh_from_db()
    assert webhook.last_success_at == NOW


@pytest.mark.parametrize("end", ["erase", "leave"])
def test_a_mail_that_goes_out_while_its_reader_goes_tells_of_no_sign_up(monkeypatch, end):
    factories.webhook()
    signup.sign_up(newsletter=factories.newsletter(), email=ADDRESS, origin=Origin(), now=NOW)
    subscription = Subscription.objects.get()

    def meanwhile(self, **_):
        if end == "erase":
            erased(subscription)
        else:
            preferences.unsubscribe(subscription_id=subscription.pk, now=NOW)

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", meanwhile)
    assert confirmation.send_due(subscription_id=subscription.pk, now=NOW)

    assert [row.event for row in WebhookDelivery.objects.all()] == ["subscriber.unsubscribed"]


@pytest.mark.django_db(transaction=True)
def test_a_bounce_at_the_moment_of_an_erasure_writes_nobody_down_again(ann):
    factories.webhook(events=[Event.BOUNCED])

    def bounce():
        try:
            return emit_of_reader(event=Event.BOUNCED, subscription_id=ann.pk, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            erased(ann)
            bouncing = pool.submit(bounce)
            wait([bouncing], timeout=0.5)
        assert bouncing.result(10) == 0

    assert not WebhookDelivery.objects.exists()


def test_a_sign_up_that_nobody_confirmed_is_told_of_without_its_address():
    factories.webhook(events=[Event.UNSUBSCRIBED])
    waiting = factories.subscription(
        factories.newsletter(),
        status="pending",
        confirmed_at=None,
        created_at=NOW - timedelta(days=60),
    )

    pending.forget(now=NOW)

    assert not Subscription.objects.exists()
    told = payload()["data"]
    assert told["erased"] is True
    assert told["subscription"]["id"] == waiting.pk
    assert told["subscription"]["status"] == "unsubscribed"
    assert told["subscription"]["email"] == told["subscription"]["name"] == ""


def test_who_had_left_and_never_confirmed_anew_is_told_of_as_one_who_left():
    factories.webhook(events=[Event.UNSUBSCRIBED])
    again = factories.subscription(
        factories.newsletter(), status="pending", created_at=NOW - timedelta(days=60)
    )

    pending.forget(now=NOW)

    told = payload()["data"]
    assert "erased" not in told
    assert told["subscription"]["id"] == again.pk
    assert told["subscription"]["status"] == "unsubscribed"
    assert told["subscription"]["email"] == again.subscriber.email
