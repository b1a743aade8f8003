"""A weekly schedule without readers makes no editions and reports none as missed."""

from datetime import UTC, date, datetime, timedelta

import pytest

from digest.editions.draft.draft import draft_edition
from digest.editions.draft.missed import record_missed
from digest.editions.draft.slots import due_slots
from digest.models import Edition, Schedule
from tests import factories

pytestmark = pytest.mark.django_db
SUNDAY = datetime(2026, 3, 15, 7, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def newsletter():
    return factories.newsletter()


@pytest.fixture
def week(newsletter):
    factories.schedule(newsletter, name="Day")
    weekly = factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[6])
    Schedule.objects.update(changed_at=SUNDAY - 3 * DAY)
    return weekly


def weeklies():
    return Edition.objects.filter(cadence="weekly")


def run_ticks(*, until, start=SUNDAY - 3 * HOUR):
    """Do every half hour what the tick does about slots."""
    at = start
    while at <= until:
        for slot in due_slots(now=at):
            schedule = Schedule.objects.get(pk=slot.schedule_id)
            draft_edition(newsletter=schedule.newsletter, schedule=schedule, date=slot.date, now=at)
        record_missed(now=at)
        at += HOUR / 2


def test_a_weekly_schedule_without_readers_drafts_and_misses_nothing(week):
    run_ticks(until=SUNDAY + 2 * DAY)

    assert not weeklies().exists()


@pytest.mark.parametrize("fields", [{"frequency": "weekdays"}, {"status": "pending"}])
def test_unconfirmed_readers_and_readers_of_another_frequency_do_not_count(
    newsletter, week, fields
):
    factories.subscription(newsletter, **{"frequency": "weekly"} | fields)
    factories.subscription(factories.newsletter(), frequency="weekly")

    run_ticks(until=SUNDAY + DAY)

    assert not weeklies().exists()


def test_the_first_weekly_reader_causes_the_next_edition_but_no_past_one(newsletter, week):
    run_ticks(until=SUNDAY + DAY)

    factories.subscription(newsletter, frequency="weekly")
    run_ticks(start=SUNDAY + DAY, until=SUNDAY + 7 * DAY)

    (edition,) = weeklies()
    assert (edition.slot_date, edition.status) == (date(2026, 3, 22), "draft")


def test_a_missed_weekly_slot_is_recorded_if_there_is_a_weekly_reader(newsletter, week):
    factories.subscription(newsletter, frequency="weekly")

    record_missed(now=SUNDAY + DAY)

    assert weeklies().get().status == "skipped"


def test_a_daily_edition_is_drafted_without_any_reader(newsletter):
    factories.schedule(newsletter)
    Schedule.objects.update(changed_at=SUNDAY - 3 * DAY)

    assert due_slots(now=SUNDAY)


def test_daily_readers_count_if_the_weekly_schedule_is_the_only_one(newsletter, week):
    factories.story(newsletter)
    Schedule.objects.exclude(pk=week.pk).update(is_active=False)
    factories.subscription(newsletter, frequency="daily")

    run_ticks(until=SUNDAY)

    assert weeklies().exists()
