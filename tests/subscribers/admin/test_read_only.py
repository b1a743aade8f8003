"""Read-only records: nobody, not even a superuser, adds, edits or deletes one by accident."""

import pytest
from django.urls import reverse
from django.utils.timezone import now

from digest.models import Delivery, Edition
from subscribers.models import Consent, Subscriber, Subscription, Suppression
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def records():
    newsletter = factories.newsletter()
    subscription = factories.subscription(newsletter)
    edition = factories.edition(newsletter, status="sent", sending_at=now(), sent_at=now())
    return {
        "subscribers_subscription": subscription,
        "subscribers_consent": Consent.objects.create(
            subscription=subscription, kind="signup", wording="Send me it.", wording_version="1"
        ),
        "subscribers_suppression": Suppression.objects.create(
            email_key="gone@example.com", reason="bounce"
        ),
        "digest_delivery": Delivery.objects.create(edition=edition, subscription=subscription),
        "digest_edition": edition,
    }


RECORDS = [
    "subscribers_subscription",
    "subscribers_consent",
    "subscribers_suppression",
    "digest_delivery",
    "digest_edition",
]


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_can_be_read_and_neither_saved_nor_deleted(admin_client, records, name):
    row = records[name]
    change = reverse(f"admin:{name}_change", args=[row.pk])

    assert admin_client.get(change).status_code == 200
    assert (
        admin_client.post(change, {"status": "active", "subject": "Rewritten"}).status_code == 403
    )
    assert admin_client.post(reverse(f"admin:{name}_delete", args=[row.pk])).status_code == 403


@pytest.mark.parametrize("name", RECORDS)
def test_no_action_on_the_list_deletes_records(admin_client, records, name):
    row = records[name]

    admin_client.post(
        reverse(f"admin:{name}_changelist"),
        {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"},
    )

    assert type(row).objects.filter(pk=row.pk).exists()


def test_a_suppression_is_told_in_an_editors_words(admin_client, records):
    gone = records["subscribers_suppression"]
    erased = factories.suppression("erased:0123abc", reason="erased")
    rows = admin_client.get(reverse("admin:subscribers_suppression_changelist"))
    pages = [
        admin_client.get(reverse("admin:subscribers_suppression_change", args=[row.pk]))
        for row in (gone, erased)
    ]

    for page in (rows, *pages):
        assert "mail key" not in page.content.decode()
        assert "keyed hash" not in page.content.decode()
    assert "gone@example.com" in rows.content.decode()
    for page in (rows, pages[1]):
        assert "erased: only its fingerprint is kept" in page.content.decode()


@pytest.mark.parametrize(
    "name", ["subscribers_subscription", "subscribers_subscriber", "digest_delivery"]
)
def test_subscriptions_readers_and_deliveries_cannot_be_added_by_hand(admin_client, db, name):
    assert admin_client.get(reverse(f"admin:{name}_add")).status_code == 403


def test_a_readers_name_can_be_changed_and_their_address_cannot(admin_client, records):
    reader = records["subscribers_subscription"].subscriber

    admin_client.post(
        reverse("admin:subscribers_subscriber_change", args=[reader.pk]),
        {"name": "Ada", "email": "else@example.com", "language": "", "timezone": ""}
        | {f"subscriptions-{field}_FORMS": 0 for field in ("TOTAL", "INITIAL")},
    )

    stored = Subscriber.objects.get(pk=reader.pk)
    assert (stored.name, stored.email) == ("Ada", reader.email)
    assert Subscription.objects.get(subscriber=reader).status == "active"


def test_a_feeds_fetch_state_is_shown_and_not_edited(admin_client, db):
    feed = factories.feed(factories.newsletter(), last_error="503", consecutive_failures=2)
    url = reverse("admin:digest_feed_change", args=[feed.pk])

    page = admin_client.get(url)

    assert "2 fetches failed in a row" in page.content.decode()
    assert not {"etag", "next_fetch_at", "last_error"} & set(page.context["adminform"].form.fields)


def test_a_schedule_with_editions_cannot_be_deleted(admin_client, db):
    newsletter = factories.newsletter()
    schedule = factories.schedule(newsletter)
    url = reverse("admin:digest_schedule_delete", args=[schedule.pk])
    assert admin_client.get(url).status_code == 200

    factories.edition(newsletter, schedule=schedule)

    assert admin_client.post(url, {"post": "yes"}).status_code == 403


def test_only_a_valid_address_can_be_suppressed_by_hand(admin_client, db):
    url = reverse("admin:subscribers_suppression_add")

    refused = admin_client.post(url, {"email": "not an address"})
    assert refused.status_code == 200
    assert refused.context["form"].errors["email"]

    admin_client.post(url, {"email": "Please.Stop@example.com", "detail": "By letter"})
    assert Suppression.objects.get().reason == "manual"


def test_an_edition_is_never_deleted(admin_client, db):
    edition = factories.edition(factories.newsletter())

    assert (
        admin_client.post(reverse("admin:digest_edition_delete", args=[edition.pk])).status_code
        == 403
    )
    assert Edition.objects.filter(pk=edition.pk).exists()


def test_the_ledger_of_one_edition_names_the_edition(admin_client, records):
    edition = records["digest_edition"]
    ledger = reverse("admin:digest_delivery_changelist")

    page = admin_client.get(f"{ledger}?edition__id__exact={edition.pk}").content.decode()
    assert f"{edition}</a> · <a" in page
    assert f"{edition}</a> · <a" not in admin_client.get(ledger).content.decode()
