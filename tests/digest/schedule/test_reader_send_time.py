"""A reader's send time comes once, at the hour of their own clock, in any zone and on any day."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.schedule import instant_of, reader_send_time, worldwide_span

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EARLY = datetime(1990, 1, 1, tzinfo=UTC)
# Zones where a day begins first and ends last, where DST is half an hour, and where clocks jump at
# midnight.
ODD_ZONES = [
    "Pacific/Kiritimati", "Pacific/Pago_Pago", "Etc/GMT+12", "Etc/GMT-14", "Pacific/Chatham",
    "Pacific/Apia", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo",
    "Africa/Casablanca", "Europe/London", "America/New_York",
]  # fmt: skip
zones = (st.sampled_from(ODD_ZONES) | st.sampled_from(sorted(available_timezones()))).map(ZoneInfo)
days = st.dates(min_value=date(2000, 1, 1), max_value=date(2036, 1, 1))


def send_time(day, local_time, zone, *, now=EARLY, hours=3):
    return reader_send_time(
        day, local_time, ZoneInfo(zone), now=now, allowed_lateness=timedelta(hours=hours)
    )


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@given(day=days, local_time=st.times(), zone=zones)
def test_the_send_time_is_the_local_time_of_that_day_in_the_readers_zone(day, local_time, zone):
    at = reader_send_time(day, local_time, zone, now=EARLY, allowed_lateness=HOUR)
    shown = at.astimezone(zone).replace(tzinfo=None)

    # They differ only if the clock jumps over that time: by an hour in spring, or by a day where a
    # zone moved across the date line.
    assert timedelta() <= shown - datetime.combine(day, local_time) <= DAY
    if shown != datetime.combine(day, local_time):
        for fold in (0, 1):
            local = datetime.combine(day, local_time.replace(fold=fold), zone)
            again = local.astimezone(UTC).astimezone(zone)
            assert again.replace(tzinfo=None) != datetime.combine(day, local_time)


@given(day=days, local_time=st.times(), zone=zones)
def test_no_send_time_is_before_the_first_time_zone_or_after_the_last(day, local_time, zone):
    first, last = worldwide_span(day, local_time)
    # Where a zone skips a whole day, the hour of that day comes on the next day.
    assert first <= instant_of(day, local_time, zone) <= last + DAY
    assert last - first == 26 * HOUR


@given(day=days, local_time=st.times(), zone=zones, late=st.integers(0, 60))
def test_a_late_reader_gets_the_edition_immediately_unless_the_day_is_over(
    day, local_time, zone, late
):
    own = instant_of(day, local_time, zone)
    now, allowed = own + late * HOUR, 3 * HOUR
    at = reader_send_time(day, local_time, zone, now=now, allowed_lateness=allowed)

    is_that_day = now < instant_of(day + DAY, time(0), zone)
    if late == 0 or late < 3 or is_that_day:
        assert at == now
    else:
        assert at == own <= now - allowed


@pytest.mark.parametrize(
    ("zone", "day", "hour", "expected"),
    [
        # That night has no 01:30, and its 07:00 comes an hour earlier in UTC.
        ("Europe/London", date(2026, 3, 29), time(1, 30), utc(2026, 3, 29, 1, 30)),
        ("Europe/London", date(2026, 3, 29), time(7), utc(2026, 3, 29, 6)),
        # That night has two 01:30s, and the first one counts.
        ("Europe/London", date(2026, 10, 25), time(1, 30), utc(2026, 10, 25, 0, 30)),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), utc(2026, 10, 3, 15, 45)),
        ("Australia/Lord_Howe", date(2026, 4, 5), time(1, 45), utc(2026, 4, 4, 14, 45)),
        ("Pacific/Kiritimati", date(2026, 3, 10), time(7), utc(2026, 3, 9, 17)),
        ("Pacific/Pago_Pago", date(2026, 3, 10), time(7), utc(2026, 3, 10, 18)),
    ],
)
def test_the_send_time_is_right_across_dst_changes_and_in_extreme_zones(zone, day, hour, expected):
    assert send_time(day, hour, zone) == expected


def test_the_edition_of_a_day_that_a_zone_skipped_is_sent_on_the_next_day():
    # Samoa skipped 30 December 2011.
    at = send_time(date(2011, 12, 30), time(7), "Pacific/Apia").astimezone(ZoneInfo("Pacific/Apia"))
    assert at.date() == date(2011, 12, 31)
