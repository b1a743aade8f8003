"""Data is kept no longer than the settings say, and what is still needed is kept for longer."""

from datetime import timedelta

import pytest
from django.core.cache import cache

from subscribers import tasks
from subscribers.consent.record import Origin, record_consent
from subscribers.consent.suppression import suppressed_among
from subscribers.models import AddressChange, Consent, GrowthDay, RequestedMail, Subscriber
from subscribers.privacy import retention
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

ORIGIN = Origin(page="https://x/", ip_address="192.0.2.7", user_agent="Firefox/140")


def ago(days):
    return NOW - timedelta(days=days)


def agreed(subscription, days, kind="signup"):
    return record_consent(
        subscription_id=subscription.pk,
        newsletter=subscription.newsletter,
        kind=kind,
        origin=ORIGIN,
        now=ago(days),
    )


def unsubscribed(newsletter, email, days):
    return factories.subscription(
        newsletter, email, status="unsubscribed", confirmed_at=ago(5000), ended_at=ago(days)
    )


def test_old_ip_addresses_and_user_agents_are_cleared_and_the_wording_stays(settings):
    settings.RETENTION_NETWORK_DAYS = 365
    subscription = factories.subscription(factories.newsletter())
    old, new = agreed(subscription, 366), agreed(subscription, 364)

    retention.purge(now=NOW)

    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.ip_address, old.user_agent) == (None, "")
    assert (old.wording, old.page) == (new.wording, "https://x/")
    assert (new.ip_address, new.user_agent) == ("192.0.2.7", "Firefox/140")


def test_a_reader_who_unsubscribed_long_ago_is_erased_and_no_import_adds_them(settings):
    settings.RETENTION_INACTIVE_DAYS = 1095
    newsletter = factories.newsletter()
    gone = unsubscribed(newsletter, "gone@example.com", 1096)
    agreed(gone, 1096, kind="withdrawal")
    unsubscribed(newsletter, "lately@example.com", 1094)

    retention.purge(now=NOW)

    assert Subscriber.objects.exclude(erased_at=None).get().pk == gone.subscriber_id
    assert not Consent.objects.exists()
    assert suppressed_among(["gone@example.com", "lately@example.com"]) == {
        "gone@example.com": "erased"
    }


@pytest.mark.parametrize("other", ["active", "pending"])
def test_a_reader_who_still_has_another_newsletter_is_not_erased(other):
    subscription = unsubscribed(factories.newsletter(), "ann@example.com", 2000)
    subscription.subscriber.subscriptions.create(
        newsletter=factories.newsletter(),
        status=other,
        confirmed_at=NOW if other == "active" else None,
    )

    retention.purge(now=NOW)

    assert Subscriber.objects.get().erased_at is None


def test_nothing_is_purged_when_the_settings_say_zero_days(settings):
    settings.RETENTION_NETWORK_DAYS = settings.RETENTION_INACTIVE_DAYS = 0
    entry = agreed(unsubscribed(factories.newsletter(), "ann@example.com", 9000), 9000)

    assert not retention.purge(now=NOW)

    entry.refresh_from_db()
    assert entry.ip_address == "192.0.2.7"
    assert Subscriber.objects.get().erased_at is None


def test_mails_and_address_changes_requested_long_ago_are_deleted(settings):
    settings.RETENTION_REQUEST_DAYS = 30
    subscriber = factories.subscription(factories.newsletter()).subscriber
    for days in (31, 29):
        change = AddressChange.objects.create(
            subscriber=subscriber, email="x@example.com", email_key="x@example.com",
            created_at=ago(days), status="dropped",
        )  # fmt: skip
        done = {"asked_at": ago(days), "outcome": "sent", "email_key": "x@example.com"}
        RequestedMail.objects.create(kind="link", **done)
        RequestedMail.objects.create(kind="new-address", change=change, **done)

    retention.purge(now=NOW)

    assert {row.created_at for row in AddressChange.objects.all()} == {ago(29)}
    assert {row.asked_at for row in RequestedMail.objects.all()} == {ago(29)}


def test_the_purge_goes_in_small_steps_until_nothing_is_left(monkeypatch):
    monkeypatch.setattr(retention, "ROWS_PER_STEP", 2)
    monkeypatch.setattr(retention, "READERS_PER_STEP", 2)
    newsletter = factories.newsletter()
    for n in range(5):
        agreed(unsubscribed(newsletter, f"reader{n}@example.com", 2000), 2000)

    assert retention.purge(now=NOW)
    assert Subscriber.objects.filter(erased_at=None).count() == 3
    while retention.purge(now=NOW):
        pass

    assert not Subscriber.objects.filter(erased_at=None).exists()


def test_the_tick_purges_every_ten_minutes_and_goes_on_while_there_is_more(monkeypatch):
    enqueued = []
    monkeypatch.setattr(tasks, "enqueue", lambda task, **_: enqueued.append(task))
    cache.delete("retention")

    tasks.tick()
    tasks.tick()
    assert enqueued == [tasks.housekeeping]
    tasks.housekeeping()
    assert len(enqueued) == 1, "nothing was left to do"

    monkeypatch.setattr(retention, "ROWS_PER_STEP", 1)
    agreed(factories.subscription(factories.newsletter()), 2000)
    tasks.housekeeping()
    assert enqueued == [tasks.housekeeping, tasks.housekeeping]


def test_growth_is_counted_before_the_readers_are_erased():
    subscription = unsubscribed(factories.newsletter(), "ann@example.com", 2000)
    agreed(subscription, 2001)
    agreed(subscription, 2000, kind="withdrawal")

    tasks.housekeeping()

    assert not Consent.objects.exists()
    assert GrowthDay.objects.get(signups=1).day == ago(2001).date()
    assert GrowthDay.objects.get(leavers=1).day == ago(2000).date()
