"""The new address turns out to be a reader's: the two become one, and nothing is lost."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.urls import reverse

from subscribers import dossier, erase, signals, signup, tokens
from subscribers.consent import Origin
from subscribers.models import Consent, Subscriber, Subscription, WebhookDelivery
from subscribers.preferences import moving
from tests import factories
from tests.factories import NOW
from tests.subscribers.preferences.conftest import leave_link, link

pytestmark = pytest.mark.django_db

OLD, NEW = "ann@example.com", "new@example.org"


def move(subscription, email=NEW):
    change = moving.ask_to_move(subscription_id=subscription.pk, email=email, now=NOW)
    for side in ("old", "new"):
        step = moving.agree(token=tokens.change_token(change.pk, side, now=NOW), now=NOW)
    return step


@pytest.fixture
def evening():
    return factories.newsletter(name="The Evening", slug="evening")


def at(email):
    return Subscriber.objects.get(email=email)


def receives(email):
    """The newsletters that go to the address."""
    active = Subscription.objects.filter(subscriber__email=email, status="active")
    return sorted(active.values_list("newsletter__name", flat=True))


def test_what_only_the_other_had_is_the_readers_now(active, evening):
    theirs = factories.subscription(evening, NEW)

    assert move(active).done

    assert receives(NEW) == ["The Daily", "The Evening"]
    assert Subscriber.objects.count() == 1
    theirs.refresh_from_db()
    assert theirs.subscriber_id == active.subscriber_id
    assert [set(row.details) for row in theirs.consents.order_by("pk")] == [{"reader"}, {"email"}]


def test_what_both_had_comes_once_and_as_the_reader_chose(active):
    theirs = factories.subscription(active.newsletter, NEW, frequency="weekly")
    Subscription.objects.filter(pk=active.pk).update(frequency="weekdays")

    move(active)

    assert receives(NEW) == ["The Daily"]
    assert receives(OLD) == []
    theirs.refresh_from_db()
    assert (theirs.status, theirs.moved_to_id) == ("unsubscribed", active.pk)
    assert at(NEW).subscriptions.get().frequency == "weekdays"


@pytest.mark.parametrize("status", ["unsubscribed", "pending"])
def test_what_is_active_goes_on_whoever_had_it(active, status):
    theirs = factories.subscription(active.newsletter, NEW, frequency="weekly")
    factories.put(Subscription.objects.filter(pk=active.pk), status=status)

    move(active)

    assert receives(NEW) == ["The Daily"]
    kept = at(NEW).subscriptions.get()
    assert (kept.pk, kept.frequency) == (theirs.pk, "weekly")
    active.refresh_from_db()
    assert (active.status, active.moved_to_id) == ("unsubscribed", theirs.pk)


def test_what_the_reader_left_open_is_as_the_other_had_it(active, evening):
    factories.subscription(evening, NEW)
    Subscriber.objects.filter(email=NEW).update(language="de", timezone="Asia/Tokyo", name="Ann")
    Subscriber.objects.filter(email=OLD).update(timezone="Europe/Paris")

    move(active)

    reader = at(NEW)
    assert (reader.language, reader.timezone, reader.name) == ("de", "Europe/Paris", "Ann")


def test_no_record_of_consent_is_lost(active, evening):
    theirs = factories.subscription(active.newsletter, NEW)
    for subscription in (active, theirs):
        factories.put(Subscription.objects.filter(pk=subscription.pk), status="pending")
        token = tokens.confirm_token(subscription, now=NOW)
        signup.confirm(token=token, origin=Origin(), now=NOW)
    before = set(Consent.objects.values_list("pk", flat=True))

    move(active)

    assert before <= set(Consent.objects.values_list("pk", flat=True))


def test_links_of_old_mails_lead_to_what_goes_on(client, active):
    theirs = factories.subscription(active.newsletter, NEW)
    move(active)

    assert "new@example.org</strong>" in client.get(link(theirs)).content.decode()
    client.post(leave_link(theirs), {"List-Unsubscribe": "One-Click"})

    assert receives(NEW) == []


@pytest.mark.parametrize("somebody_there", [False, True])
def test_mails_in_the_former_mailbox_open_nothing_but_still_let_its_reader_go(
    client, active, somebody_there
):
    if somebody_there:
        factories.subscription(active.newsletter, NEW)
    former = tokens.preferences_token(active)
    assert client.get(reverse("preferences", args=[former])).status_code == 200
    move(active)

    for page in ("preferences", "dossier", "dossier-download", "erase-me"):
        assert client.get(reverse(page, args=[former])).status_code == 404
        assert client.post(reverse(page, args=[former])).status_code == 404
    assert client.get(f"/api/v1/subscriptions/{former}").status_code == 404
    client.post(leave_link(active))
    assert receives(NEW) == []


def test_the_readers_page_does_not_show_what_has_been_replaced(client, active):
    factories.subscription(active.newsletter, NEW)
    move(active)
    active.subscriber.refresh_from_db()

    assert client.get(link(active)).content.decode().count('class="card') == 1


def test_what_was_planned_for_the_one_that_ended_is_stopped(
    active, django_capture_on_commit_callbacks
):
    theirs = factories.subscription(active.newsletter, NEW)
    heard = []

    def listen(sender, subscription_id, now, **kwargs):
        heard.append(subscription_id)

    signals.subscription_ended.connect(listen)
    with django_capture_on_commit_callbacks(execute=True):
        move(active)
    signals.subscription_ended.disconnect(listen)
    assert heard == [theirs.pk]


@pytest.mark.parametrize("kept", ["the reader's own", "the other's"])
def test_other_programs_hear_of_the_one_that_ended_by_the_address_nobody_reads(active, kept):
    theirs = factories.subscription(active.newsletter, NEW)
    if kept == "the other's":
        factories.put(Subscription.objects.filter(pk=active.pk), status="pending")
    ended, goes_on = (theirs, active) if kept == "the reader's own" else (active, theirs)
    factories.webhook()

    move(active)

    [row] = WebhookDelivery.objects.all()
    told = json.loads(row.payload)
    assert told["type"] == "subscriber.unsubscribed"
    assert told["data"]["subscription"]["id"] == ended.pk
    assert told["data"]["subscription"]["email"] == OLD
    assert told["data"]["moved_to"] == goes_on.pk


def test_one_that_had_ended_before_is_not_told_of_again(active):
    factories.subscription(active.newsletter, NEW, status="unsubscribed")
    factories.webhook()

    move(active)

    assert not WebhookDelivery.objects.exists()


def test_what_waits_to_be_told_of_the_other_is_told(active, evening):
    theirs = factories.subscription(evening, NEW)
    waiting = factories.webhook_delivery(factories.webhook(), subscriber=theirs.subscriber)

    move(active)

    assert not Subscriber.objects.filter(pk=theirs.subscriber_id).exists()
    waiting.refresh_from_db()
    assert waiting.subscriber_id == active.subscriber_id


def test_who_signs_up_again_with_the_old_address_is_a_reader_there(client, active):
    factories.subscription(active.newsletter, NEW)
    move(active)

    again = at(OLD).subscriptions.get()
    factories.put(Subscription.objects.filter(pk=again.pk), status="pending")
    again.refresh_from_db()
    signup.confirm(token=tokens.confirm_token(again, now=NOW), origin=Origin(), now=NOW)
    assert receives(OLD) == receives(NEW) == ["The Daily"]

    client.post(leave_link(again))
    assert (receives(OLD), receives(NEW)) == ([], ["The Daily"])
    client.post(leave_link(again))
    assert receives(NEW) == ["The Daily"]


def test_erasing_the_reader_erases_the_row_they_had_before(active):
    factories.subscription(active.newsletter, NEW)
    move(active)

    erase.erase(subscriber_id=active.subscriber_id, now=NOW)

    assert not Subscriber.objects.filter(email__in=[OLD, NEW]).exists()
    assert not Consent.objects.exists()


def test_the_dossier_has_what_was_replaced(active):
    factories.subscription(active.newsletter, NEW)
    move(active)

    data = dossier.export(subscriber_id=active.subscriber_id)

    assert len(data["subscriptions"]) == 2
    assert any("moved_to" in entry["details"] for entry in data["consents"])


@pytest.mark.django_db(transaction=True)
def test_a_sign_up_with_the_new_address_at_the_same_moment_loses_nobody(active, evening):
    change = moving.ask_to_move(subscription_id=active.pk, email=NEW, now=NOW)
    moving.agree(token=tokens.change_token(change.pk, "old", now=NOW), now=NOW)
    token = tokens.change_token(change.pk, "new", now=NOW)
    barrier = Barrier(2)

    def act(number):
        try:
            barrier.wait()
            if number:
                return moving.agree(token=token, now=NOW)
            return signup.sign_up(newsletter=evening, email=NEW, origin=Origin(), now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(act, range(2)))

    reader = at(NEW)
    names = reader.subscriptions.values_list("newsletter__name", "status")
    assert sorted(names) == [("The Daily", "active"), ("The Evening", "pending")]
    assert Subscriber.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_readers_who_change_places_do_not_wait_for_each_other(active, evening):
    theirs = factories.subscription(evening, NEW)
    readers = [(active, NEW), (theirs, OLD)]
    changes = [
        moving.ask_to_move(subscription_id=one.pk, email=email, now=NOW) for one, email in readers
    ]
    for change in changes:
        moving.agree(token=tokens.change_token(change.pk, "old", now=NOW), now=NOW)
    barrier = Barrier(2)

    def act(change):
        try:
            barrier.wait()
            return moving.agree(token=tokens.change_token(change.pk, "new", now=NOW), now=NOW)
        except tokens.ExpiredToken:
            return None  # the other's became this reader's, and this wish was dropped with it
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(act, changes))

    active_ones = Subscription.objects.filter(status="active")
    assert sorted(active_ones.values_list("newsletter__name", flat=True)) == [
        "The Daily", "The Evening",
    ]  # fmt: skip


def test_the_wish_is_not_shown_once_it_is_old(client, active):
    change = moving.ask_to_move(subscription_id=active.pk, email=NEW, now=NOW)

    assert moving.live_change(subscriber_id=active.subscriber_id, now=NOW) == change
    late = NOW + timedelta(hours=73)
    assert moving.live_change(subscriber_id=active.subscriber_id, now=late) is None
