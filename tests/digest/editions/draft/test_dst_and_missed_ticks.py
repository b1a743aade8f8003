"""From the schedule to the planned audience, across DST changes and when ticks are missed.

These tests run the real tick with a given time. The tasks that it enqueues run immediately; only
the lanes are left out.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from config import celery_app
from digest import tasks
from digest.models import Delivery, Edition, Schedule
from tests import factories

pytestmark = [pytest.mark.faults, pytest.mark.django_db]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# One zone for each whole-hour offset, and some with other offsets.
MIDNIGHT_ZONES = [
    "Pacific/Pago_Pago", "Pacific/Honolulu", "Pacific/Marquesas", "America/Anchorage",
    "America/Los_Angeles", "America/Denver", "America/Chicago", "America/New_York",
    "America/Halifax", "America/St_Johns", "America/Sao_Paulo", "Atlantic/South_Georgia",
    "Atlantic/Cape_Verde", "UTC", "Europe/Berlin", "Africa/Cairo", "Africa/Nairobi", "Asia/Tehran",
    "Asia/Dubai", "Asia/Karachi", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Dhaka", "Asia/Bangkok",
    "Asia/Shanghai", "Asia/Tokyo", "Australia/Adelaide", "Australia/Sydney", "Pacific/Noumea",
    "Pacific/Auckland", "Pacific/Chatham", "Pacific/Tongatapu", "Pacific/Kiritimati",
]  # fmt: skip


@pytest.fixture
def tick(monkeypatch, django_capture_on_commit_callbacks):
    """A function that runs the beat's tick at an instant, with every task that it enqueues."""
    celery_app.conf.task_always_eager = celery_app.conf.task_eager_propagates = True
    monkeypatch.setattr(tasks, "start_lanes", lambda edition_id: None)
    # The stories differ by a number alone. Grouping is tested in tests/digest/events.
    monkeypatch.setattr(tasks.grouping, "group_stories", lambda **kwargs: 0)

    def run(at):
        monkeypatch.setattr(tasks, "now", lambda: at)
        with django_capture_on_commit_callbacks(execute=True):
            tasks.tick()

    yield run
    celery_app.conf.task_always_eager = celery_app.conf.task_eager_propagates = False


def daily(zone, local_time, *, around, changed_at):
    """Make a newsletter with a story for each day, and a schedule last changed at `changed_at`."""
    newsletter = factories.newsletter(timezone=zone)
    schedule = factories.schedule(
        newsletter, local_time=local_time, unapproved="send", min_stories=1, max_stories=1
    )
    Schedule.objects.filter(pk=schedule.pk).update(changed_at=changed_at)
    for days in range(-3, 4):
        factories.story(newsletter, published_at=around + days * DAY)
    for _ in range(2):
        factories.subscription(newsletter)
    return newsletter


def every(step, *, start, end):
    """Yield the instants from `start` up to, but not including, `end`."""
    at = start
    while at < end:
        yield at
        at += step


def started(newsletter):
    """Return [(date, the instant at which its delivery started)], ordered by date."""
    found = Edition.objects.filter(newsletter=newsletter, sending_at__isnull=False)
    return list(found.order_by("slot_date").values_list("slot_date", "sending_at"))


def never_started(newsletter):
    """Return [(date, status, reason)], ordered by date."""
    found = Edition.objects.filter(newsletter=newsletter, sending_at=None)
    return list(found.order_by("slot_date").values_list("slot_date", "status", "reason"))


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


# Zone, local time, date, and the instant at which the edition of that date goes out.
SPRING = [
    ("Europe/London", time(1, 30), date(2026, 3, 29), utc(2026, 3, 29, 1, 30)),
    ("Europe/London", time(7), date(2026, 3, 29), utc(2026, 3, 29, 6)),
    ("America/New_York", time(2, 30), date(2026, 3, 8), utc(2026, 3, 8, 7, 30)),
    ("Australia/Lord_Howe", time(2, 15), date(2026, 10, 4), utc(2026, 10, 3, 15, 45)),
    ("America/Sao_Paulo", time(0), date(2018, 11, 4), utc(2018, 11, 4, 3)),
    ("Africa/Cairo", time(0), date(2026, 4, 24), utc(2026, 4, 23, 22)),
]
AUTUMN = [
    ("Europe/London", time(1, 30), date(2026, 10, 25), utc(2026, 10, 25, 0, 30)),
    ("Europe/London", time(7), date(2026, 10, 25), utc(2026, 10, 25, 7)),
    ("America/New_York", time(1, 15), date(2026, 11, 1), utc(2026, 11, 1, 5, 15)),
    ("Australia/Lord_Howe", time(1, 45), date(2026, 4, 5), utc(2026, 4, 4, 14, 45)),
    ("America/Sao_Paulo", time(23, 30), date(2018, 2, 17), utc(2018, 2, 18, 1, 30)),
    ("Africa/Casablanca", time(2, 30), date(2026, 2, 15), utc(2026, 2, 15, 1, 30)),
]


@pytest.mark.parametrize(("zone", "local_time", "day", "instant"), SPRING + AUTUMN)
def test_a_dst_change_leaves_one_edition_at_the_expected_instant(
    tick, zone, local_time, day, instant
):
    newsletter = daily(zone, local_time, around=instant, changed_at=instant - 8 * HOUR)

    for at in every(timedelta(minutes=15), start=instant - 6 * HOUR, end=instant + 6 * HOUR):
        tick(at)

    assert started(newsletter) == [(day, instant)]
    assert never_started(newsletter) == []
    assert Delivery.objects.count() == 2


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Pacific/Chatham"])
def test_each_day_around_a_dst_change_has_an_edition(tick, zone):
    for changed in (date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 10, 25)):
        begin = datetime.combine(changed, time(2), ZoneInfo(zone)).astimezone(UTC)
        newsletter = daily(zone, time(2, 30), around=begin, changed_at=begin - 30 * HOUR)
        for at in every(HOUR, start=begin - 26 * HOUR, end=begin + 28 * HOUR):
            tick(at)

        assert [day for day, _ in started(newsletter)] == [changed - DAY, changed, changed + DAY]
        Schedule.objects.update(is_active=False)


def test_a_midnight_edition_goes_out_once_a_day_in_each_zone(tick):
    start = utc(2026, 3, 10, 9)
    by_zone = {
        zone: daily(zone, time(0), around=start, changed_at=start) for zone in MIDNIGHT_ZONES
    }

    for at in every(timedelta(minutes=15), start=start, end=start + DAY):
        tick(at)

    for zone, newsletter in by_zone.items():
        # From UTC-11 to UTC+14 one instant has two dates. A day of ticks has two at most.
        midnights = [
            datetime.combine(date(2026, 3, day), time(0), ZoneInfo(zone)).astimezone(UTC)
            for day in (10, 11, 12)
        ]
        sent = started(newsletter)
        assert [at for _, at in sent] == [at for at in midnights if start <= at < start + DAY]
        assert all(at.astimezone(ZoneInfo(zone)).date() == day for day, at in sent)
        assert Delivery.objects.filter(edition__newsletter=newsletter).count() == 2 * len(sent)


@pytest.mark.parametrize("drafted", [False, True])
def test_a_slot_missed_by_an_hour_is_sent_late(tick, drafted):
    seven = utc(2026, 3, 10, 7)
    newsletter = daily("UTC", time(7), around=seven, changed_at=seven - 8 * HOUR)
    if drafted:
        tick(seven - HOUR)

    back = seven + HOUR
    tick(back)
    tick(back + timedelta(seconds=30))

    ((day, at),) = started(newsletter)
    assert day == seven.date()
    assert back <= at <= back + timedelta(seconds=30)
    assert Delivery.objects.count() == 2


@pytest.mark.parametrize("drafted", [False, True])
def test_a_slot_missed_by_a_day_is_skipped_with_a_reason_and_the_next_goes_out(tick, drafted):
    seven = utc(2026, 3, 10, 7)
    newsletter = daily("UTC", time(7), around=seven, changed_at=seven - 30 * HOUR)
    tick(seven - DAY)
    tick(seven - DAY + timedelta(seconds=30))
    if drafted:
        tick(seven - HOUR)

    for at in every(timedelta(minutes=30), start=seven + DAY - 3 * HOUR, end=seven + DAY + HOUR):
        tick(at)

    assert [day.day for day, _ in started(newsletter)] == [9, 11]
    assert never_started(newsletter) == [(date(2026, 3, 10), "skipped", "past-deadline")]
    missed = Edition.objects.get(slot_date=seven.date())
    assert missed.reason_detail
    assert not missed.deliveries.exists()


def test_slots_missed_without_a_beat_are_recorded_but_none_from_before_the_schedule(tick):
    seven = utc(2026, 3, 10, 7)
    newsletter = daily("UTC", time(7), around=seven, changed_at=seven - 4 * DAY + HOUR)

    tick(seven - 3 * HOUR)
    tick(seven - 3 * HOUR)

    assert never_started(newsletter) == [
        (date(2026, 3, day), "skipped", "past-deadline") for day in (7, 8, 9)
    ]


def test_repeated_and_out_of_order_ticks_send_one_edition(tick):
    seven = utc(2026, 3, 29, 6)
    newsletter = daily("Europe/London", time(7), around=seven, changed_at=seven - 8 * HOUR)

    for at in every(timedelta(minutes=20), start=seven - 3 * HOUR, end=seven + 2 * HOUR):
        # The clock of another host is an hour behind, and messages of one beat arrive twice.
        for late in (at, at - HOUR, at, at - timedelta(minutes=30)):
            tick(late)

    assert started(newsletter) == [(date(2026, 3, 29), seven)]
    assert never_started(newsletter) == []
    assert Delivery.objects.count() == 2
