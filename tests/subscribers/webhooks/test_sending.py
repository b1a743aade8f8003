"""A webhook is signed, posted, retried with growing pauses, and never sent to private hosts."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from subscribers import tasks
from subscribers.models import Webhook, WebhookAttempt, WebhookDelivery
from subscribers.web.post import DestinationPolicy, PostFailed, post
from subscribers.webhooks import log, send
from tests import factories
from tests.factories import NOW
from tests.support.waiting import wait_for

pytestmark = pytest.mark.django_db


def send_due(webhook, now=NOW):
    return send.send_to_webhook(webhook_id=webhook.pk, clock=lambda: now)


def test_a_receiver_verifies_a_webhook_with_the_public_library(receiver):
    webhook = factories.webhook(receiver.url)
    now = timezone.now()
    delivery = factories.webhook_delivery(webhook, next_attempt_at=now)

    assert send_due(webhook, now) == 1

    [posted] = receiver.received
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["webhook-id"] == delivery.message_id
    assert Verifier(webhook.secret).verify(posted.body, posted.headers)["data"]
    with pytest.raises(WebhookVerificationError):
        Verifier(webhook.secret).verify(posted.body + b" ", posted.headers)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.settled_at) == ("delivered", 1, now)
    [attempt] = delivery.tries.all()
    assert (attempt.status, attempt.error) == (204, "")


def test_the_old_secret_signs_beside_the_new_one_for_a_day(receiver):
    now = timezone.now()
    webhook = factories.webhook(receiver.url)
    old = webhook.secret
    log.rotate_secret(webhook_id=webhook.pk, now=now)
    webhook.refresh_from_db()
    factories.webhook_delivery(webhook, next_attempt_at=now)
    send_due(webhook, now)

    [posted] = receiver.received
    for secret in (old, webhook.secret):
        assert Verifier(secret).verify(posted.body, posted.headers)

    factories.webhook_delivery(webhook, next_attempt_at=now)
    send_due(webhook, now + timedelta(hours=25))
    assert len(receiver.received[-1].headers["webhook-signature"].split()) == 1


def test_a_failing_event_is_retried_with_growing_pauses_for_three_days(receiver):
    receiver.status, receiver.body = 500, b"Out of order\x00\x07"
    webhook = factories.webhook(receiver.url)
    delivery = factories.webhook_delivery(webhook)
    now, pauses = NOW, []
    while delivery.state == "waiting":
        send_due(webhook, now)
        delivery.refresh_from_db()
        if delivery.next_attempt_at:
            pauses.append(delivery.next_attempt_at - now)
            now = delivery.next_attempt_at

    assert delivery.state == "failed"
    assert len(receiver.received) == len(send.RETRY_DELAYS) + 1
    assert all(
        pause <= waited <= 1.1 * pause
        for pause, waited in zip(send.RETRY_DELAYS, pauses, strict=True)
    )
    assert timedelta(days=3) < now - NOW < timedelta(days=4)
    assert {posted.headers["webhook-id"] for posted in receiver.received} == {delivery.message_id}
    assert len({posted.body for posted in receiver.received}) == 1
    attempt = delivery.tries.last()
    assert (attempt.status, attempt.answer) == (500, "Out of order  ")


def test_a_retry_after_header_delays_all_events_of_the_webhook(receiver):
    receiver.status, receiver.headers = 429, {"Retry-After": "7200"}
    webhook = factories.webhook(receiver.url)
    first, second = (factories.webhook_delivery(webhook) for _ in range(2))

    send_due(webhook)

    first.refresh_from_db()
    assert first.next_attempt_at == NOW + timedelta(hours=2)
    # The second event was not even tried.
    second.refresh_from_db()
    assert second.attempts == 0
    assert len(receiver.received) == 1


def test_a_refused_event_does_not_delay_the_others(receiver):
    receiver.status = 422
    webhook = factories.webhook(receiver.url)
    factories.webhook_delivery(webhook)
    factories.webhook_delivery(webhook)

    send_due(webhook)

    assert len(receiver.received) == 2


def test_a_receiver_that_answers_410_gone_gets_no_more_events(receiver):
    receiver.status = 410
    webhook = factories.webhook(receiver.url)
    factories.webhook_delivery(webhook)
    factories.webhook_delivery(webhook)

    send_due(webhook)

    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.off_because) == (False, "It answered 410 Gone.")
    assert len(receiver.received) == 1
    assert send.due_webhooks(now=NOW + timedelta(days=1)) == []


def test_a_webhook_that_fails_for_five_days_is_switched_off(receiver):
    receiver.status = 503
    webhook = factories.webhook(receiver.url)
    for day in range(5):
        fail(webhook, NOW + timedelta(days=day), times=6)
        assert webhook.is_active, f"day {day}"

    fail(webhook, NOW + timedelta(days=5))

    assert not webhook.is_active
    assert "5 days" in webhook.off_because


def test_a_success_in_between_restarts_the_days_before_a_webhook_is_switched_off(receiver):
    receiver.status = 503
    webhook = factories.webhook(receiver.url)
    fail(webhook, NOW, times=send.DISABLE_AFTER_FAILURES)
    receiver.status = 204
    send_due(webhook, NOW + timedelta(days=4))
    receiver.status = 503

    fail(webhook, NOW + timedelta(days=6))
    fail(webhook, NOW + timedelta(days=8), times=send.DISABLE_AFTER_FAILURES)

    assert webhook.is_active


def test_one_late_failure_after_an_event_was_given_up_switches_nothing_off(receiver):
    receiver.status = 422
    webhook = factories.webhook(receiver.url)
    fail(webhook, NOW, times=len(send.RETRY_DELAYS))
    fail(webhook, NOW + timedelta(days=3))
    receiver.status = 503

    fail(webhook, NOW + timedelta(days=7))

    assert webhook.is_active


def test_two_hours_of_failures_far_apart_do_not_add_up(receiver):
    receiver.status = 503
    webhook = factories.webhook(receiver.url)
    fail(webhook, NOW, times=send.DISABLE_AFTER_FAILURES)

    fail(webhook, NOW + timedelta(days=40), times=send.DISABLE_AFTER_FAILURES)

    assert webhook.is_active
    assert webhook.failing_since == NOW + timedelta(days=40)


def fail(webhook, now, *, times=1):
    """Let `times` attempts fail at this time."""
    for _ in range(times):
        WebhookDelivery.objects.all().delete()
        factories.webhook_delivery(webhook, next_attempt_at=now)
        send_due(webhook, now)
    webhook.refresh_from_db()


def test_one_success_resets_the_record_of_failures(receiver):
    webhook = factories.webhook(receiver.url, failing_since=NOW - timedelta(days=4))
    factories.webhook_delivery(webhook)

    send_due(webhook)

    webhook.refresh_from_db()
    assert (webhook.failing_since, webhook.last_success_at) == (None, NOW)


def test_a_redirect_is_not_followed(receiver):
    receiver.status, receiver.headers = 302, {"Location": receiver.url + "/elsewhere"}
    webhook = factories.webhook(receiver.url)
    delivery = factories.webhook_delivery(webhook)

    send_due(webhook)

    assert [posted.path for posted in receiver.received] == ["/hook"]
    assert "redirects" in delivery.tries.get().error


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://0x7f000001:{port}/",
    ],
)
def test_a_private_address_gets_no_request(receiver, settings, url):
    settings.WEBHOOK_ALLOW_HOSTS = []
    webhook = factories.webhook(url.format(port=receiver.port))
    delivery = factories.webhook_delivery(webhook)

    send_due(webhook)

    assert receiver.received == []
    attempt = delivery.tries.get()
    assert attempt.status is None
    assert "WEBHOOK_ALLOW_HOSTS" in attempt.error or "connection failed" in attempt.error


def test_a_response_that_drips_endlessly_is_cut_off(receiver):
    receiver.status, receiver.body, receiver.drip = 200, b"x" * 100, 0.2
    started = time.monotonic()

    with pytest.raises(PostFailed, match="did not answer within 1 seconds"):
        post(receiver.url, b"{}", headers={}, policy=DestinationPolicy(["127.0.0.1"]), seconds=1)

    assert time.monotonic() - started < 10


def test_only_the_beginning_of_a_long_response_is_read(receiver):
    receiver.status, receiver.body = 200, b"y" * 100_000

    response = post(receiver.url, b"{}", headers={}, policy=DestinationPolicy(["127.0.0.1"]))

    assert response.text == "y" * 500


def test_two_workers_do_not_send_to_one_webhook_at_the_same_time(receiver):
    webhook = factories.webhook(receiver.url, busy_until=NOW + timedelta(seconds=30))
    factories.webhook_delivery(webhook)

    assert send_due(webhook) == 0
    assert send.due_webhooks(now=NOW) == []
    # The other worker died.
    assert send.due_webhooks(now=NOW + timedelta(minutes=1)) == [webhook.pk]
    assert send_due(webhook, NOW + timedelta(minutes=1)) == 1


def test_an_event_that_was_claimed_before_a_crash_is_due_again(receiver):
    webhook = factories.webhook(receiver.url)
    delivery = factories.webhook_delivery(webhook)

    assert send._claim(webhook.pk, now=NOW) == delivery
    assert send._claim(webhook.pk, now=NOW) is None
    assert send_due(webhook, NOW + send.LEASE) == 1


def test_a_failed_event_can_be_sent_again_under_the_same_id(receiver):
    webhook = factories.webhook(receiver.url)
    failed = factories.webhook_delivery(
        webhook, state="failed", next_attempt_at=None, attempts=11, settled_at=NOW
    )

    assert log.resend(delivery_ids=[failed.pk], now=NOW) == 1
    send_due(webhook)

    assert receiver.received[0].headers["webhook-id"] == failed.message_id
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == ("delivered", 1)


def test_the_tick_enqueues_events_that_the_queue_lost(receiver, monkeypatch):
    webhook = factories.webhook(receiver.url)
    factories.webhook_delivery(webhook)
    found = []
    monkeypatch.setattr(tasks, "enqueue", lambda task, **kwargs: found.append(kwargs))

    tasks.tick()

    assert {"webhook_id": webhook.pk} in found


@pytest.mark.django_db(transaction=True)
def test_a_test_event_is_sent_by_the_workers_immediately(receiver, worker):
    webhook = factories.webhook(receiver.url)

    delivery = log.send_test_event(webhook_id=webhook.pk, now=NOW)

    wait_for(lambda: WebhookAttempt.objects.filter(delivery=delivery).exists(), what="an attempt")
    wait_for(
        lambda: Webhook.objects.filter(last_success_at__isnull=False).exists(), what="its success"
    )
    assert b'"webhook.test"' in receiver.received[0].body
