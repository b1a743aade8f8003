"""A slot by the readers' clocks is drafted, begins and ends at the right instants."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from digest.editions.draft.draft import draft_edition
from digest.editions.draft.missed import record_missed
from digest.editions.draft.slots import DueSlot, due_slots, next_open_slots
from digest.models import Edition, Schedule
from tests import factories

pytestmark = pytest.mark.django_db

TUESDAY = date(2026, 3, 10)


def utc(*parts):
    return datetime(2026, 3, *parts, tzinfo=UTC)


@pytest.fixture
def newsletter():
    newsletter = factories.newsletter(timezone="Europe/London")
    for _ in range(5):
        factories.story(newsletter)
    return newsletter


@pytest.fixture
def schedule(newsletter):
    """A schedule for Tuesdays at seven in each reader's time zone."""
    schedule = factories.schedule(newsletter, clock="reader", weekdays=[1], draft_lead_minutes=60)
    Schedule.objects.update(changed_at=utc(1))
    return schedule


def drafted(newsletter, now):
    return draft_edition(newsletter=newsletter, date=TUESDAY, now=now)


def test_an_edition_lasts_from_the_first_time_zone_to_the_last(newsletter, schedule):
    edition = drafted(newsletter, utc(9, 16))

    assert edition.local_time == time(7)
    assert edition.sends_at == utc(9, 17)  # seven in UTC+14
    assert edition.last_wave_at == utc(10, 19)  # seven in UTC-12
    assert edition.deadline_at == utc(10, 22)


def test_an_edition_is_drafted_before_the_first_time_zone_is_due(newsletter, schedule):
    slot = DueSlot(schedule.pk, TUESDAY)

    assert due_slots(now=utc(9, 15, 59)) == []
    assert due_slots(now=utc(9, 16)) == [slot]
    # No tick ran overnight, but readers in the west are still to come.
    assert due_slots(now=utc(10, 21, 59)) == [slot]
    assert due_slots(now=utc(10, 22, 1)) == []


@pytest.mark.parametrize(
    ("hours", "begins"), [(0, utc(10, 7)), (9, utc(9, 22)), (26, utc(9, 17)), (None, utc(9, 17))]
)
def test_the_head_start_limits_how_early_eastern_readers_get_the_edition(
    newsletter, schedule, hours, begins
):
    Schedule.objects.update(head_start_hours=hours)

    edition = drafted(newsletter, utc(9, 16))

    assert edition.sends_at == begins
    assert edition.last_wave_at == utc(10, 19)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"])
def test_the_newsrooms_time_zone_does_not_move_the_slot(newsletter, schedule, zone):
    newsletter.timezone = zone
    newsletter.save()

    edition = drafted(newsletter, utc(9, 16))

    assert (edition.sends_at, edition.last_wave_at) == (utc(9, 17), utc(10, 19))


def test_a_slot_is_recorded_as_missed_only_after_the_last_time_zone(newsletter, schedule):
    assert record_missed(now=utc(10, 21)) == []
    (missed,) = record_missed(now=utc(10, 23))

    edition = Edition.objects.get(pk=missed)
    assert (edition.status, edition.reason) == ("skipped", "past-deadline")
    assert (edition.local_time, edition.last_wave_at) == (time(7), utc(10, 19))


def test_a_schedule_changed_after_its_send_time_waits_for_the_next_slot(newsletter, schedule):
    Schedule.objects.update(changed_at=utc(10, 8))

    assert due_slots(now=utc(10, 8, 1)) == []
    assert due_slots(now=utc(16, 16)) == [DueSlot(schedule.pk, date(2026, 3, 17))]


def test_a_schedule_switched_to_reader_clocks_still_drafts_tomorrows_edition(newsletter, schedule):
    Schedule.objects.update(changed_at=utc(9, 21))

    assert due_slots(now=utc(9, 21, 1)) == [DueSlot(schedule.pk, TUESDAY)]


def test_a_new_readers_next_edition_is_given_at_the_newsrooms_time(newsletter, schedule):
    assert next_open_slots([schedule], now=utc(9, 12))[schedule.pk].sends_at == utc(10, 7)
    edition = drafted(newsletter, utc(9, 16))
    factories.force_update(Edition.objects.filter(pk=edition.pk), status="sending")
    # That edition has begun for those who were readers then; a new reader gets the next one.
    after = next_open_slots([schedule], now=utc(9, 20))[schedule.pk]
    assert after.date == TUESDAY + timedelta(days=7)
