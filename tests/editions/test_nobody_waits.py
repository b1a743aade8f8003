"""A weekly schedule that nobody has chosen makes no editions, and no alarm."""

from datetime import UTC, date, datetime, timedelta

import pytest

from digest.editions.draft import draft_edition
from digest.editions.missed import record_missed
from digest.editions.slots import due_slots
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
    made = factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[6])
    Schedule.objects.update(changed_at=SUNDAY - 3 * DAY)
    return made


def weeklies():
    return Edition.objects.filter(cadence="weekly")


def clock(*, until, start=SUNDAY - 3 * HOUR):
    """What the tick does about slots, every half hour."""
    at = start
    while at <= until:
        for slot in due_slots(now=at):
            schedule = Schedule.objects.get(pk=slot.schedule_id)
            draft_edition(newsletter=schedule.newsletter, schedule=schedule, date=slot.date, now=at)
        record_missed(now=at)
        at += HOUR / 2


def test_nothing_is_drafted_and_nothing_is_missed(week):
    clock(until=SUNDAY + 2 * DAY)

    assert not weeklies().exists()


@pytest.mark.parametrize("fields", [{"frequency": "weekdays"}, {"status": "pending"}])
def test_who_chose_otherwise_or_has_not_confirmed_does_not_wait_for_it(newsletter, week, fields):
    factories.subscription(newsletter, **{"frequency": "weekly"} | fields)
    factories.subscription(factories.newsletter(), frequency="weekly")

    clock(until=SUNDAY + DAY)

    assert not weeklies().exists()


def test_the_first_weekly_reader_brings_the_next_edition_and_none_of_the_past(newsletter, week):
    clock(until=SUNDAY + DAY)

    factories.subscription(newsletter, frequency="weekly")
    clock(start=SUNDAY + DAY, until=SUNDAY + 7 * DAY)

    (made,) = weeklies()
    assert (made.slot_date, made.status) == (date(2026, 3, 22), "draft")


def test_with_a_reader_a_slot_that_nothing_ran_for_is_on_record(newsletter, week):
    factories.subscription(newsletter, frequency="weekly")

    record_missed(now=SUNDAY + DAY)

    assert weeklies().get().status == "skipped"


def test_a_daily_edition_is_drafted_before_its_first_reader_has_come(newsletter):
    factories.schedule(newsletter)
    Schedule.objects.update(changed_at=SUNDAY - 3 * DAY)

    assert due_slots(now=SUNDAY)


def test_where_nothing_else_is_scheduled_everybody_waits_for_it(newsletter, week):
    factories.story(newsletter)
    Schedule.objects.exclude(pk=week.pk).update(is_active=False)
    factories.subscription(newsletter, frequency="daily")

    clock(until=SUNDAY)

    assert weeklies().exists()
