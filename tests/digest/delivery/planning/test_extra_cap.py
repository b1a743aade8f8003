"""A reader gets only so many extra editions in 24 hours, over all newsletters together."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from digest.delivery.lane import lane
from digest.delivery.planning import start
from digest.delivery.planning.resend import CannotResend, resend_failed
from digest.editions.decide import audience
from digest.editions.decide.approve import approve
from digest.editions.draft.extra import draft_extra
from digest.models import Delivery, Edition
from subscribers.models import Subscription
from tests import factories
from tests.digest.delivery.conftest import rows
from tests.factories import NOW
from tests.support.waiting import wait_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def newsletters(db):
    """Return two newsletters that Ada reads; Bob reads only the first."""
    first, second = factories.newsletter(), factories.newsletter()
    ada = factories.subscription(first, "ada@example.com")
    factories.second_subscription(ada.subscriber, second)
    factories.subscription(first, "bob@example.com")
    return first, second


def extra(newsletter, *, now=NOW):
    """Return an approved extra edition that is being sent and has no rows yet."""
    edition = draft_extra(story_id=factories.story(newsletter).pk, now=now)
    approve(edition_id=edition.pk, now=now)
    start.start_delivery(edition_id=edition.pk, now=now)
    edition.refresh_from_db()
    return edition


def plan(edition, *, now=NOW):
    start.plan_audience(edition_id=edition.pk, now=now)
    return rows(edition)


def settle(edition, status="sent", *, at=NOW, reason=""):
    """Let every waiting row of the edition end like this."""
    waiting = Delivery.objects.filter(edition=edition, status="pending")
    factories.force_update(waiting, status=status, finished_at=at, reason=reason)


WAITS, CAPPED = ("pending", ""), ("skipped", "extra-cap")


def test_the_cap_is_shared_by_all_newsletters_of_a_reader(newsletters, settings):
    settings.EXTRA_EDITIONS_PER_DAY = 1
    first, second = newsletters

    assert plan(extra(second)) == {"ada@example.com": WAITS}
    later = extra(first)

    assert plan(later) == {"ada@example.com": CAPPED, "bob@example.com": WAITS}
    capped = Delivery.objects.get(edition=later, reason="extra-cap")
    assert (capped.finished_at, later.audience) == (NOW, 1)


def test_two_extra_editions_a_day_are_allowed_by_default(newsletters):
    for newsletter in newsletters:
        edition = extra(newsletter)
        plan(edition)
        settle(edition)

    third = extra(newsletters[0])
    assert audience.estimate(third, now=NOW).at_cap == 1
    assert audience.remaining(third, now=NOW) == 1
    assert plan(third) == {"ada@example.com": CAPPED, "bob@example.com": WAITS}


@pytest.mark.parametrize(
    ("status", "reason", "outcome"),
    [
        ("sent", "", CAPPED),
        ("uncertain", "", CAPPED),
        ("failed", "refused", WAITS),
        ("skipped", "muted", WAITS),
    ],
)
def test_only_copies_that_the_reader_may_have_are_counted(
    newsletters, settings, status, reason, outcome
):
    settings.EXTRA_EDITIONS_PER_DAY = 1
    earlier = extra(newsletters[1])
    plan(earlier)
    settle(earlier, status, reason=reason)

    assert plan(extra(newsletters[0]))["ada@example.com"] == outcome


def test_the_day_is_the_last_24_hours(newsletters, settings):
    settings.EXTRA_EDITIONS_PER_DAY = 1
    earlier = extra(newsletters[1])
    plan(earlier)
    settle(earlier)
    later = NOW + timedelta(hours=23, minutes=59)

    assert plan(extra(newsletters[0], now=later), now=later)["ada@example.com"] == CAPPED
    tomorrow = NOW + timedelta(hours=24)
    assert plan(extra(newsletters[0], now=tomorrow), now=tomorrow)["ada@example.com"] == WAITS


def test_editions_of_the_schedule_neither_count_nor_are_capped(newsletters, settings):
    settings.EXTRA_EDITIONS_PER_DAY = 1
    plan(extra(newsletters[0]))
    daily = factories.edition(newsletters[1], sends_at=NOW)
    approve(edition_id=daily.pk, now=NOW)
    start.start_delivery(edition_id=daily.pk, now=NOW)

    assert plan(daily) == {"ada@example.com": WAITS}


def test_an_edition_that_is_planned_again_keeps_its_own_readers(newsletters, settings):
    settings.EXTRA_EDITIONS_PER_DAY = 1
    edition = extra(newsletters[0])
    plan(edition)
    Edition.objects.filter(pk=edition.pk).update(planned_at=None, planned_to=0)
    factories.subscription(newsletters[0], "eve@example.com")

    assert set(plan(edition).values()) == {WAITS}


def test_a_failed_copy_is_not_sent_again_past_the_cap(newsletters, settings):
    settings.EXTRA_EDITIONS_PER_DAY = 1
    failed = extra(newsletters[1])
    plan(failed)
    settle(failed, "failed", reason="refused")
    factories.force_update(Edition.objects.filter(pk=failed.pk), status="sent", sent_at=NOW)
    plan(extra(newsletters[0]))

    with pytest.raises(CannotResend, match="had enough extra editions"):
        resend_failed(edition_id=failed.pk, now=NOW)
    assert rows(failed) == {"ada@example.com": ("failed", "refused")}


def test_weekly_readers_get_no_extra_edition_also_where_nothing_weekly_is_sent(
    newsletters,
):
    first, _ = newsletters
    factories.subscription(first, "week@example.com", frequency="weekly")

    assert set(plan(extra(first))) == {"ada@example.com", "bob@example.com"}


@pytest.mark.django_db(transaction=True)
def test_two_editions_planned_at_the_same_moment_cannot_both_pass_the_cap(newsletters, settings):
    settings.EXTRA_EDITIONS_PER_DAY = 1
    one, other = extra(newsletters[0]), extra(newsletters[1])

    def plan_in_a_thread():
        try:
            start.plan_audience(edition_id=other.pk, now=NOW)
        finally:
            connection.close()

    thread = threading.Thread(target=plan_in_a_thread)
    with transaction.atomic():
        start.plan_batch(edition_id=one.pk, now=NOW)
        thread.start()
        # The other one reads nothing before this one's rows can be seen.
        wait_for(waits_for_the_lock)
    thread.join()

    assert rows(one)["ada@example.com"] == WAITS
    assert rows(other)["ada@example.com"] == CAPPED


def waits_for_the_lock():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
        )
        return cursor.fetchone()


def test_a_reader_may_want_no_extra_editions(newsletters):
    first, second = newsletters
    Subscription.objects.filter(newsletter=first, subscriber__email="ada@example.com").update(
        wants_extras=False
    )

    assert plan(extra(first)) == {"bob@example.com": WAITS}
    assert plan(extra(second)) == {"ada@example.com": WAITS}


def test_a_reader_who_declines_them_after_the_planning_is_skipped(newsletters, relay):
    edition = extra(newsletters[0])
    plan(edition)
    Subscription.objects.filter(subscriber__email="ada@example.com").update(wants_extras=False)

    lane.run_lane(edition_id=edition.pk, lane="lane-1", clock=lambda: NOW)

    assert rows(edition) == {
        "ada@example.com": ("skipped", "no-extras"), "bob@example.com": ("sent", ""),
    }  # fmt: skip
