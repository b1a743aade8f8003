"""Webhooks in the admin: their form is validated, a test event sent, and failed ones resent."""

import pytest
from django.urls import reverse

from subscribers.models import Webhook, WebhookDelivery
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

ADD = reverse("admin:subscribers_webhook_add")
FIELDS = {
    "name": "CRM",
    "url": "https://hooks.example.com/daybreak",
    "events": ["subscriber.confirmed", "edition.sent"],
    "is_active": "on",
}


def change_url(webhook):
    return reverse("admin:subscribers_webhook_change", args=[webhook.pk])


def test_a_new_webhook_gets_a_secret_of_its_own(admin_client):
    admin_client.post(ADD, FIELDS)
    admin_client.post(ADD, FIELDS | {"name": "Other"})
    one, other = Webhook.objects.order_by("pk")
    assert one.events == ["subscriber.confirmed", "edition.sent"]
    assert one.secret.startswith("whsec_")
    assert one.secret != other.secret
    assert one.secret in admin_client.get(change_url(one)).content.decode()


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://user:password@hooks.example.com/",
        "https://127.0.0.1/",
        "https://10.0.0.8/hook",
        "https://[::1]/",
        "https://169.254.169.254/",
        "ftp://hooks.example.com/",
        "hooks",
    ],
)
def test_an_unsafe_url_is_refused(admin_client, settings, url):
    settings.DEBUG = False
    assert admin_client.post(ADD, FIELDS | {"url": url}).status_code == 200
    assert not Webhook.objects.exists()


def test_a_private_host_is_accepted_if_the_operator_allows_it(admin_client, settings):
    settings.DEBUG = False
    settings.WEBHOOK_ALLOW_HOSTS = ["10.0.0.8"]
    admin_client.post(ADD, FIELDS | {"url": "http://10.0.0.8:8000/hook"})
    assert Webhook.objects.exists()


def test_a_webhook_without_events_is_refused(admin_client):
    admin_client.post(ADD, FIELDS | {"events": []})
    assert not Webhook.objects.exists()


def test_a_test_event_is_sent_with_one_click_and_needs_a_post(admin_client):
    webhook = factories.webhook()
    url = reverse("admin:subscribers_webhook_test", args=[webhook.pk])

    assert admin_client.get(url).status_code == 405
    assert not WebhookDelivery.objects.exists()
    response = admin_client.post(url)

    delivery = WebhookDelivery.objects.get()
    assert (delivery.event, delivery.state) == ("webhook.test", "waiting")
    page = admin_client.get(response.url).content.decode()
    assert "It works." in page


def test_the_page_says_how_long_the_old_secret_still_signs_after_a_change(admin_client):
    webhook = factories.webhook()
    old = webhook.secret
    admin_client.post(reverse("admin:subscribers_webhook_secret", args=[webhook.pk]))
    webhook.refresh_from_db()
    assert webhook.secret != old
    assert webhook.old_secret == old
    page = admin_client.get(change_url(webhook)).content.decode()
    assert old not in page
    assert "signed with the previous secret until" in page


def test_failed_events_are_sent_again_from_their_page_or_the_list(admin_client):
    webhook = factories.webhook()
    failed = [
        factories.webhook_delivery(webhook, state="failed", next_attempt_at=None) for _ in range(3)
    ]
    admin_client.post(reverse("admin:subscribers_webhookdelivery_again", args=[failed[0].pk]))
    admin_client.post(
        reverse("admin:subscribers_webhookdelivery_changelist"),
        {"action": "send_selected_again", "_selected_action": [failed[1].pk, failed[2].pk]},
    )
    assert WebhookDelivery.objects.filter(state="waiting").count() == 3


def test_a_webhook_that_is_switched_on_again_loses_its_record_of_failures(admin_client):
    webhook = factories.webhook(
        is_active=False, failing_since=NOW, off_because="Nothing arrived for 5 days."
    )
    assert "Nothing arrived for 5 days." in admin_client.get(change_url(webhook)).content.decode()
    admin_client.post(change_url(webhook), FIELDS)
    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.failing_since, webhook.off_because) == (True, None, "")


def test_the_log_shows_the_payload_and_the_response(admin_client):
    delivery = factories.webhook_delivery(
        factories.webhook(), payload='{"type": "x", "data": {"name": "J\\u00fcrgen"}}'
    )
    delivery.tries.create(at=NOW, milliseconds=34, status=503, answer="Out of order")
    url = reverse("admin:subscribers_webhookdelivery_change", args=[delivery.pk])
    page = admin_client.get(url).content.decode()
    for text in (delivery.message_id, "Jürgen", "503", "Out of order"):
        assert text in page


def test_a_view_permission_shows_no_secret_and_sends_nothing(staff_client):
    webhook = factories.webhook()
    delivery = factories.webhook_delivery(
        webhook, event="edition.sent", state="failed", next_attempt_at=None
    )
    client = staff_client("subscribers.view_webhook", "subscribers.view_webhookdelivery")
    assert webhook.secret not in client.get(change_url(webhook)).content.decode()
    for name, pk in (("webhook_test", webhook.pk), ("webhook_secret", webhook.pk),
                     ("webhookdelivery_again", delivery.pk)):  # fmt: skip
        assert client.post(reverse(f"admin:subscribers_{name}", args=[pk])).status_code == 403
    page = client.get(reverse("admin:subscribers_webhookdelivery_change", args=[delivery.pk]))
    assert "Send again" not in page.content.decode()
    assert WebhookDelivery.objects.count() == 1


CHANGERS = [
    f"subscribers.{may}" for may in ("add_webhook", "change_webhook", "view_webhookdelivery")
]


def test_staff_who_may_not_export_readers_cannot_add_a_webhook_for_reader_events(staff_client):
    client = staff_client(*CHANGERS)
    page = client.get(ADD).content.decode()
    assert 'value="edition.sent"' in page
    assert 'value="subscriber.confirmed"' not in page

    client.post(ADD, FIELDS)
    assert not Webhook.objects.exists()
    client.post(ADD, FIELDS | {"events": ["edition.sent"]})
    assert Webhook.objects.get().events == ["edition.sent"]
    client.post(change_url(Webhook.objects.get()), FIELDS)
    assert Webhook.objects.get().events == ["edition.sent"]


def test_staff_who_may_not_export_readers_cannot_change_a_webhook_for_reader_events(staff_client):
    webhook = factories.webhook()
    client = staff_client(*CHANGERS)

    assert client.post(change_url(webhook), FIELDS).status_code == 403
    for name in ("test", "secret"):
        url = reverse(f"admin:subscribers_webhook_{name}", args=[webhook.pk])
        assert client.post(url).status_code == 403
    page = client.get(change_url(webhook)).content.decode()

    assert webhook.secret not in page
    before = webhook.url
    webhook.refresh_from_db()
    assert webhook.url == before


def test_staff_who_may_not_export_readers_find_no_reader_in_the_log(staff_client):
    webhook = factories.webhook()
    delivery = factories.webhook_delivery(
        webhook, payload='{"data": {"email": "ann@example.com"}}', state="failed",
        next_attempt_at=None,
    )  # fmt: skip
    client = staff_client(*CHANGERS)
    again = reverse("admin:subscribers_webhookdelivery_again", args=[delivery.pk])
    page = reverse("admin:subscribers_webhookdelivery_change", args=[delivery.pk])
    log = reverse("admin:subscribers_webhookdelivery_changelist")

    assert "ann@example.com" not in client.get(page, follow=True).content.decode()
    assert delivery.message_id not in client.get(log, {"q": "ann"}).content.decode()
    assert client.post(again).status_code == 404
    delivery.refresh_from_db()
    assert delivery.state == "failed"


def test_staff_who_may_export_readers_add_webhooks_for_reader_events_and_read_the_log(staff_client):
    client = staff_client(*CHANGERS, "subscribers.export_readers")
    client.post(ADD, FIELDS)
    webhook = Webhook.objects.get()
    delivery = factories.webhook_delivery(webhook, payload='{"email": "ann@example.com"}')
    page = reverse("admin:subscribers_webhookdelivery_change", args=[delivery.pk])

    assert webhook.secret in client.get(change_url(webhook)).content.decode()
    assert "ann@example.com" in client.get(page).content.decode()
