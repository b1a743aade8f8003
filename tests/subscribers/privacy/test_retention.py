"""Data is kept no longer than the settings say, and what is still needed is kept for longer."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.cache import cache

from subscribers import tasks
from subscribers.consent.record import Origin, record_consent
from subscribers.models import (
    AddressChange,
    Consent,
    GrowthDay,
    RequestedMail,
    Subscriber,
    WebhookDelivery,
)
from subscribers.privacy import retention
from tests import factories
from tests.factories import NOW
from tests.support.paths import ROOT
from tests.support.suppression import suppressed_among

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


def test_a_request_for_a_link_is_deleted_after_a_day_but_not_before_its_mail_went_out():
    done = {"kind": "link", "outcome": "sent", "email_key": "x@example.com"}
    for days in (0.9, 1.1):
        RequestedMail.objects.create(**done, asked_at=ago(days))
    waiting = RequestedMail.objects.create(
        kind="link", email_key="y@example.com", asked_at=ago(2), due_at=ago(0)
    )

    retention.purge(now=NOW)

    assert {row.asked_at for row in RequestedMail.objects.all()} == {ago(0.9), waiting.asked_at}


def test_a_change_of_address_is_deleted_after_two_weeks_with_its_mails():
    subscriber = factories.subscription(factories.newsletter()).subscriber
    for days in (13, 15):
        change = AddressChange.objects.create(
            subscriber=subscriber, email="x@example.com", email_key="x@example.com",
            created_at=ago(days), status="dropped",
        )  # fmt: skip
        RequestedMail.objects.create(
            kind="new-address", change=change, asked_at=ago(days), outcome="sent",
            email_key="x@example.com",
        )  # fmt: skip

    retention.purge(now=NOW)

    assert {row.created_at for row in AddressChange.objects.all()} == {ago(13)}
    assert {row.asked_at for row in RequestedMail.objects.all()} == {ago(13)}


@pytest.mark.parametrize(("days", "left"), [(30, 1), (0, 2)])
def test_the_log_of_webhooks_is_purged_after_a_month_or_kept(settings, days, left):
    settings.RETENTION_WEBHOOK_DAYS = days
    webhook = factories.webhook()
    for age in (29, 31):
        factories.webhook_delivery(webhook, created_at=ago(age))

    retention.purge(now=NOW)

    assert WebhookDelivery.objects.count() == left
    assert WebhookDelivery.objects.filter(created_at=ago(29)).exists()


def test_rows_are_deleted_in_batches(monkeypatch):
    monkeypatch.setattr(retention, "ROWS_PER_STEP", 2)
    webhook = factories.webhook()
    for _ in range(3):
        factories.webhook_delivery(webhook, created_at=ago(31))

    assert retention.purge(now=NOW)
    assert WebhookDelivery.objects.count() == 1
    assert not retention.purge(now=NOW)
    assert not WebhookDelivery.objects.exists()


def test_a_step_that_fails_does_not_keep_the_others_from_their_work(monkeypatch, caplog):
    broken = retention.RetentionRule("what breaks", 1, lambda **_: 1 / 0)
    monkeypatch.setattr(retention, "RULES", (broken, *retention.RULES))
    factories.webhook_delivery(factories.webhook(), created_at=ago(31))

    assert not retention.purge(now=NOW)

    assert not WebhookDelivery.objects.exists()
    assert "what breaks" in caplog.text


def test_the_page_on_privacy_lists_each_rule():
    section = (ROOT / "docs/privacy.md").read_text().partition("## Periods")[2].partition("##")[0]
    rows = re.findall(r"^\| ([a-z][^|]+) \| ([^|]+) \| (\d*) ?\|", section, re.M)
    listed = [(what, days.strip("`"), default) for what, days, default in rows]

    assert listed == [
        (rule.what, str(rule.days), str(getattr(settings, str(rule.days), "")))
        for rule in retention.RULES
    ]


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


def test_a_scan_whose_position_cannot_be_stored_does_not_go_on_at_once(monkeypatch):
    """Otherwise it would find the same rows again, for ever."""
    monkeypatch.setattr(retention, "ROWS_PER_STEP", 1)
    newsletter = factories.newsletter()
    for _ in range(3):
        subscription = unsubscribed(newsletter, None, 2000)
        Subscriber.objects.filter(pk=subscription.subscriber_id).update(erased_at=NOW)
    assert retention.purge(now=NOW)

    monkeypatch.setattr(cache, "set", lambda *args, **options: None, raising=False)
    assert not retention.purge(now=NOW)


def test_growth_is_counted_before_the_readers_are_erased():
    subscription = unsubscribed(factories.newsletter(), "ann@example.com", 2000)
    agreed(subscription, 2001)
    agreed(subscription, 2000, kind="withdrawal")

    tasks.housekeeping()

    assert not Consent.objects.exists()
    assert GrowthDay.objects.get(signups=1).day == ago(2001).date()
    assert GrowthDay.objects.get(leavers=1).day == ago(2000).date()
