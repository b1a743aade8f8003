"""A new address that is another reader's merges the two readers, and nothing is lost."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.urls import reverse

from subscribers import signals, signed_links
from subscribers.consent.record import Origin
from subscribers.models import Consent, Subscriber, Subscription, WebhookDelivery
from subscribers.preferences import address_change
from subscribers.privacy import data_export, erasure
from subscribers.signup import flow
from tests import factories
from tests.factories import NOW
from tests.subscribers.preferences.conftest import data_link, link, unsubscribe_link

pytestmark = pytest.mark.django_db

OLD, NEW = "ann@example.com", "new@example.org"


def change_address(subscription, email=NEW):
    change = address_change.request_change(subscription_id=subscription.pk, email=email, now=NOW)
    for side in ("old", "new"):
        change_side = address_change.agree(
            token=signed_links.address_change_token(change.pk, side, now=NOW), now=NOW
        )
    return change_side


@pytest.fixture
def evening():
    return factories.newsletter(name="The Evening", slug="evening")


def reader_at(email):
    return Subscriber.objects.get(email=email)


def receives(email):
    """Return the newsletters that go to the address."""
    active = Subscription.objects.filter(subscriber__email=email, status="active")
    return sorted(active.values_list("newsletter__name", flat=True))


def test_a_subscription_that_only_the_other_reader_has_is_taken_over(active, evening):
    theirs = factories.subscription(evening, NEW)

    assert change_address(active).done

    assert receives(NEW) == ["The Daily", "The Evening"]
    assert Subscriber.objects.count() == 1
    theirs.refresh_from_db()
    assert theirs.subscriber_id == active.subscriber_id
    assert [set(row.details) for row in theirs.consents.order_by("pk")] == [{"reader"}, {"email"}]


def test_a_newsletter_of_both_comes_once_with_the_readers_own_choices(active):
    theirs = factories.subscription(active.newsletter, NEW, frequency="weekly")
    Subscription.objects.filter(pk=active.pk).update(frequency="weekdays")

    change_address(active)

    assert receives(NEW) == ["The Daily"]
    assert receives(OLD) == []
    theirs.refresh_from_db()
    assert (theirs.status, theirs.moved_to_id) == ("unsubscribed", active.pk)
    assert reader_at(NEW).subscriptions.get().frequency == "weekdays"


@pytest.mark.parametrize("status", ["unsubscribed", "pending"])
def test_an_active_subscription_is_kept_over_one_that_is_not(active, status):
    theirs = factories.subscription(active.newsletter, NEW, frequency="weekly")
    factories.force_update(Subscription.objects.filter(pk=active.pk), status=status)

    change_address(active)

    assert receives(NEW) == ["The Daily"]
    kept = reader_at(NEW).subscriptions.get()
    assert (kept.pk, kept.frequency) == (theirs.pk, "weekly")
    active.refresh_from_db()
    assert (active.status, active.moved_to_id) == ("unsubscribed", theirs.pk)


def test_settings_that_the_reader_has_not_made_are_taken_from_the_other_reader(active, evening):
    factories.subscription(evening, NEW)
    Subscriber.objects.filter(email=NEW).update(language="de", timezone="Asia/Tokyo", name="Ann")
    Subscriber.objects.filter(email=OLD).update(timezone="Europe/Paris")

    change_address(active)

    reader = reader_at(NEW)
    assert (reader.language, reader.timezone, reader.name) == ("de", "Europe/Paris", "Ann")


def test_no_record_of_consent_is_lost(active, evening):
    theirs = factories.subscription(active.newsletter, NEW)
    for subscription in (active, theirs):
        factories.force_update(Subscription.objects.filter(pk=subscription.pk), status="pending")
        token = signed_links.confirm_token(subscription, now=NOW)
        flow.confirm(token=token, origin=Origin(), now=NOW)
    before = set(Consent.objects.values_list("pk", flat=True))

    change_address(active)

    assert before <= set(Consent.objects.values_list("pk", flat=True))


def test_links_in_old_mails_lead_to_the_subscription_that_is_kept(client, active):
    theirs = factories.subscription(active.newsletter, NEW)
    change_address(active)

    assert "new@example.org</strong>" in client.get(link(theirs)).content.decode()
    client.post(unsubscribe_link(theirs), {"List-Unsubscribe": "One-Click"})

    assert receives(NEW) == []


@pytest.mark.parametrize("has_a_reader", [False, True])
def test_links_in_the_former_mailbox_can_only_unsubscribe(client, active, has_a_reader):
    if has_a_reader:
        factories.subscription(active.newsletter, NEW)
    former = signed_links.preferences_token(active)
    links = [
        *(reverse(page, args=[former]) for page in ("preferences", "data-request")),
        *(data_link(active, page) for page in ("data-export", "data-export-download", "erase-me")),
    ]
    assert [client.get(url).status_code for url in links] == [200] * 5
    change_address(active)

    for url in links:
        assert client.get(url).status_code == 404
        assert client.post(url).status_code == 404
    assert client.get(f"/api/v1/subscriptions/{former}").status_code == 404
    client.post(unsubscribe_link(active))
    assert receives(NEW) == []


def test_the_preferences_page_does_not_show_a_replaced_subscription(client, active):
    factories.subscription(active.newsletter, NEW)
    change_address(active)
    active.subscriber.refresh_from_db()

    assert client.get(link(active)).content.decode().count('class="card') == 1


def test_the_signal_is_sent_for_the_subscription_that_is_replaced(
    active, django_capture_on_commit_callbacks
):
    """The signal's listener skips what is planned for that subscription."""
    theirs = factories.subscription(active.newsletter, NEW)
    received = []

    def listen(sender, subscription_id, now, **kwargs):
        received.append(subscription_id)

    signals.subscription_ended.connect(listen)
    with django_capture_on_commit_callbacks(execute=True):
        change_address(active)
    signals.subscription_ended.disconnect(listen)
    assert received == [theirs.pk]


@pytest.mark.parametrize("kept", ["the reader's own", "the other's"])
def test_webhooks_report_the_replaced_subscription_with_the_former_address(active, kept):
    theirs = factories.subscription(active.newsletter, NEW)
    if kept == "the other's":
        factories.force_update(Subscription.objects.filter(pk=active.pk), status="pending")
    ended, continuing = (theirs, active) if kept == "the reader's own" else (active, theirs)
    factories.webhook()

    change_address(active)

    [row] = WebhookDelivery.objects.all()
    payload = json.loads(row.payload)
    assert payload["type"] == "subscriber.unsubscribed"
    assert payload["data"]["subscription"]["id"] == ended.pk
    assert payload["data"]["subscription"]["email"] == OLD
    assert payload["data"]["moved_to"] == continuing.pk


def test_webhooks_do_not_report_a_subscription_that_had_ended_before(active):
    factories.subscription(active.newsletter, NEW, status="unsubscribed")
    factories.webhook()

    change_address(active)

    assert not WebhookDelivery.objects.exists()


def test_a_waiting_webhook_delivery_about_the_other_reader_is_kept(active, evening):
    theirs = factories.subscription(evening, NEW)
    waiting = factories.webhook_delivery(factories.webhook(), subscriber=theirs.subscriber)

    change_address(active)

    assert not Subscriber.objects.filter(pk=theirs.subscriber_id).exists()
    waiting.refresh_from_db()
    assert waiting.subscriber_id == active.subscriber_id


def test_a_new_sign_up_with_the_former_address_makes_a_reader_of_its_own(client, active):
    factories.subscription(active.newsletter, NEW)
    change_address(active)

    again = reader_at(OLD).subscriptions.get()
    factories.force_update(Subscription.objects.filter(pk=again.pk), status="pending")
    again.refresh_from_db()
    flow.confirm(token=signed_links.confirm_token(again, now=NOW), origin=Origin(), now=NOW)
    assert receives(OLD) == receives(NEW) == ["The Daily"]

    client.post(unsubscribe_link(again))
    assert (receives(OLD), receives(NEW)) == ([], ["The Daily"])
    client.post(unsubscribe_link(again))
    assert receives(NEW) == ["The Daily"]


def test_erasing_the_reader_erases_the_replaced_row_too(active):
    factories.subscription(active.newsletter, NEW)
    change_address(active)

    erasure.erase(subscriber_id=active.subscriber_id, now=NOW)

    assert not Subscriber.objects.filter(email__in=[OLD, NEW]).exists()
    assert not Consent.objects.exists()


def test_the_data_export_has_the_replaced_subscription(active):
    factories.subscription(active.newsletter, NEW)
    change_address(active)

    data = data_export.export(subscriber_id=active.subscriber_id)

    assert len(data["subscriptions"]) == 2
    assert any("moved_to" in entry["details"] for entry in data["consents"])


@pytest.mark.django_db(transaction=True)
def test_a_simultaneous_sign_up_with_the_new_address_loses_nobody(active, evening):
    change = address_change.request_change(subscription_id=active.pk, email=NEW, now=NOW)
    address_change.agree(
        token=signed_links.address_change_token(change.pk, "old", now=NOW), now=NOW
    )
    token = signed_links.address_change_token(change.pk, "new", now=NOW)
    barrier = Barrier(2)

    def act(number):
        try:
            barrier.wait()
            if number:
                return address_change.agree(token=token, now=NOW)
            return flow.sign_up(newsletter=evening, email=NEW, origin=Origin(), now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(act, range(2)))

    reader = reader_at(NEW)
    names = reader.subscriptions.values_list("newsletter__name", "status")
    assert sorted(names) == [("The Daily", "active"), ("The Evening", "pending")]
    assert Subscriber.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_readers_who_swap_addresses_do_not_deadlock(active, evening):
    theirs = factories.subscription(evening, NEW)
    readers = [(active, NEW), (theirs, OLD)]
    changes = [
        address_change.request_change(subscription_id=subscription.pk, email=email, now=NOW)
        for subscription, email in readers
    ]
    for change in changes:
        address_change.agree(
            token=signed_links.address_change_token(change.pk, "old", now=NOW), now=NOW
        )
    barrier = Barrier(2)

    def act(change):
        try:
            barrier.wait()
            return address_change.agree(
                token=signed_links.address_change_token(change.pk, "new", now=NOW), now=NOW
            )
        except signed_links.ExpiredToken:
            return None  # the other change merged the two readers, and cancelled this one
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(act, changes))

    active_ones = Subscription.objects.filter(status="active")
    assert sorted(active_ones.values_list("newsletter__name", flat=True)) == [
        "The Daily", "The Evening",
    ]  # fmt: skip


def test_an_expired_address_change_is_not_shown(client, active):
    change = address_change.request_change(subscription_id=active.pk, email=NEW, now=NOW)

    assert address_change.find_open(subscriber_id=active.subscriber_id, now=NOW) == change
    late = NOW + timedelta(hours=73)
    assert address_change.find_open(subscriber_id=active.subscriber_id, now=late) is None
