"""Queries of a tick, task or request read a part of an index, not a table of millions of rows."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection

from subscribers.api import readers, tokens
from subscribers.models import ApiReceipt, ImportJob, Subscriber
from subscribers.privacy import inactive, retention
from subscribers.signup import pending
from subscribers.transfer import refusals
from tests import factories
from tests.factories import NOW
from tests.support.other_release import FromAnotherRelease
from tests.support.query_plans import collect_plans

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def unconfirmed(newsletter):
    return factories.subscription(
        newsletter, status="pending", confirmed_at=None, mail_sent_at=NOW - 25 * DAY / 24
    )


def unsubscribed(newsletter, *, days, **fields):
    return factories.subscription(
        newsletter, status="unsubscribed", ended_at=NOW - days * DAY, **fields
    )


def scan_all(**limits):
    """Return all readers that a round of retention finds, and in how many batches."""
    found, batches, has_more = [], 0, True
    while has_more:
        batch = inactive.find_batch(before=NOW - 1000 * DAY, now=NOW, **limits)
        inactive.save_position(batch.position)
        found, batches, has_more = found + batch.readers, batches + 1, batch.has_more
    return found, batches


def test_an_erased_address_is_found_among_import_refusals_by_an_index():
    job = ImportJob.objects.create(newsletter=factories.newsletter(), name="list.csv")
    job.refusals.create(line=2, email="Ann@example.com", reason="is already a reader")
    job.refusals.create(line=3, email="<Ann@example.com>", reason="it cannot be written to")
    with collect_plans("importrefusal") as plans:
        refusals.anonymise_refusals(["Ann@example.com"])
        # Without statistics of the values, PostgreSQL takes every row for an unusual one.
        with connection.connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        refusals.anonymise_refusals(["Ann@example.com"])

    assert "import_refusal_address" in plans[0]
    assert any("import_refusal_unusual" in plan for plan in plans)


def test_readers_to_remind_are_found_by_an_index():
    unconfirmed(factories.newsletter())
    with collect_plans("subscribers_subscription") as plans:
        pending.remind(now=NOW)

    assert "Index Scan using subscription_to_remind" in plans[0]
    assert "Index Cond: ((mail_sent_at >" in plans[0]


def test_readers_are_reminded_in_batches(monkeypatch):
    monkeypatch.setattr(pending, "ROWS_PER_TRANSACTION", 2)
    newsletter = factories.newsletter()
    for _ in range(5):
        unconfirmed(newsletter)

    assert pending.remind(now=NOW) == 5
    assert pending.remind(now=NOW) == 0


def test_readers_who_unsubscribed_long_ago_are_found_by_an_index():
    unsubscribed(factories.newsletter(), days=1000)
    with collect_plans("subscribers_subscription") as plans:
        retention._erase_inactive(before=NOW - 1095 * DAY, now=NOW)

    assert "subscription_left_by_time" in plans[0]
    assert "Sort" not in plans[0]


@pytest.mark.parametrize(
    ("what", "table", "index"),
    [
        ("events for webhooks", "subscribers_webhookdelivery", "webhook_delivery_age"),
        ("answers to repeated requests to the API", "subscribers_apireceipt", "api_receipt_age"),
    ],
)
def test_old_rows_are_found_by_the_index_of_their_age(what, table, index):
    [rule] = [rule for rule in retention.RULES if rule.what == what]
    factories.webhook_delivery(factories.webhook(), created_at=NOW - 31 * DAY)
    token, _ = tokens.issue(name="CMS", scopes=["stories:read"], now=NOW)
    ApiReceipt.objects.create(token=token, key="a", created_at=NOW - 31 * DAY)
    with collect_plans(table) as plans:
        rule.step(before=NOW - 30 * DAY, now=NOW)

    assert index in plans[0]
    assert "Sort" not in plans[0]


def test_unsubscribed_readers_who_are_erased_already_are_scanned_once():
    newsletter = factories.newsletter()
    for _ in range(4):
        Subscriber.objects.filter(pk=unsubscribed(newsletter, days=2000).subscriber_id).update(
            erased_at=NOW
        )
    last = unsubscribed(newsletter, days=1500)

    assert scan_all(max_rows=2, max_readers=2) == ([last.subscriber_id], 3)
    assert scan_all(max_rows=2, max_readers=2) == ([], 1)


def test_readers_who_unsubscribed_at_the_same_moment_are_all_found():
    newsletter = factories.newsletter()
    gone = [unsubscribed(newsletter, days=2000).subscriber_id for _ in range(5)]

    assert scan_all(max_rows=3, max_readers=2) == (gone, 3)


def test_a_reader_of_two_newsletters_is_found_by_the_later_unsubscribe():
    first = unsubscribed(factories.newsletter(), days=2000)
    second = factories.second_subscription(
        first.subscriber,
        factories.newsletter(),
        status="unsubscribed",
        ended_at=NOW - 1000 * DAY + DAY / 24,
    )
    assert scan_all(max_rows=5, max_readers=5)[0] == []

    later = inactive.find_batch(before=NOW - 999 * DAY, max_rows=5, max_readers=5, now=NOW)

    assert later.readers == [second.subscriber_id]


def test_all_unsubscribed_readers_are_scanned_again_after_a_week():
    subscription = unsubscribed(factories.newsletter(), days=2000)
    scan_all(max_rows=5, max_readers=5)

    batch = inactive.find_batch(
        before=NOW - 1000 * DAY, max_rows=5, max_readers=5, now=NOW + 7 * DAY
    )

    assert batch.readers == [subscription.subscriber_id]


def test_a_position_that_another_release_stored_starts_a_new_scan():
    subscription = unsubscribed(factories.newsletter(), days=2000)
    cache.set("inactive-scan", FromAnotherRelease("subscribers.no_such_module"))

    assert scan_all(max_rows=5, max_readers=5)[0] == [subscription.subscriber_id]


def test_an_export_reads_each_page_with_a_query_of_its_own(monkeypatch):
    monkeypatch.setattr(readers, "CHUNK", 2)
    newsletter = factories.newsletter()
    theirs = [factories.subscription(newsletter) for _ in range(5)]
    factories.suppression("gone@example.com")

    with collect_plans("subscribers_subscription") as plans:
        found = readers._iterate_by_page(readers._subscribers(newsletter, None))
        first, second, later = next(found), next(found), factories.subscription(newsletter)
        rest = list(found)

    assert [row.pk for row in (first, second, *rest)] == [row.pk for row in (*theirs, later)]
    assert all("Index Cond: (" in plan for plan in plans)
    assert len(plans) == 4
