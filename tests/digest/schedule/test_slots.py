"""The slots of a rule are right in every zone and on every unusual day."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.schedule import Rule, next_slot, slot_on, slots

EVERY_DAY = frozenset(range(7))
ODD_ZONES = [
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",  # its DST is half an hour
    "Asia/Kathmandu",  # +05:45
    "Asia/Kolkata",
    "Pacific/Apia",  # had no 30 December 2011
    "Pacific/Kwajalein",  # had no 21 August 1993
    "Africa/Casablanca",
    "America/Sao_Paulo",  # its clock jumped at midnight
    "America/Nuuk",
]
zones = st.sampled_from(ODD_ZONES) | st.sampled_from(sorted(available_timezones()))
rules = st.builds(
    Rule,
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    local_time=st.times(),
    zone=zones.map(ZoneInfo),
)
instants = st.datetimes(
    min_value=datetime(1975, 1, 1),  # noqa: DTZ001 (hypothesis adds the zone)
    max_value=datetime(2036, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def rule(zone: str, local_time: time, weekdays: frozenset[int] = EVERY_DAY) -> Rule:
    return Rule(weekdays, local_time, ZoneInfo(zone))


def local(zone: str, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone))


def test_the_local_time_stays_when_dst_begins():
    seven = rule("Europe/London", time(7))
    before = slot_on(seven, date(2026, 3, 28))
    after = slot_on(seven, date(2026, 3, 29))

    assert before.sends_at == datetime(2026, 3, 28, 7, tzinfo=UTC)
    assert after.sends_at == datetime(2026, 3, 29, 6, tzinfo=UTC)


def test_a_time_in_the_dst_gap_moves_forward():
    slot = slot_on(rule("Europe/London", time(1, 30)), date(2026, 3, 29))

    assert slot.sends_at.astimezone(ZoneInfo("Europe/London")) == local(
        "Europe/London", 2026, 3, 29, 2, 30
    )


def test_a_time_that_occurs_twice_is_taken_the_first_time():
    slot = slot_on(rule("Europe/London", time(1, 30)), date(2026, 10, 25))

    assert slot.sends_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_time_in_a_gap_of_half_an_hour_moves_by_half_an_hour():
    slot = slot_on(rule("Australia/Lord_Howe", time(2, 15)), date(2026, 10, 4))

    assert slot.sends_at.astimezone(ZoneInfo("Australia/Lord_Howe")).time() == time(2, 45)


def test_a_day_that_the_zone_skipped_has_no_slot():
    seven = rule("Pacific/Apia", time(7))

    assert slot_on(seven, date(2011, 12, 30)) is None
    assert next_slot(seven, after=local("Pacific/Apia", 2011, 12, 29, 7)).date == date(2011, 12, 31)


def test_a_weekly_slot_on_a_skipped_day_comes_a_week_later():
    fridays = rule("Pacific/Apia", time(7), frozenset({4}))

    assert next_slot(fridays, after=local("Pacific/Apia", 2011, 12, 23, 8)).date == date(2012, 1, 6)


def test_a_midnight_that_does_not_exist_still_has_a_slot():
    slot = slot_on(rule("America/Sao_Paulo", time(0)), date(2018, 11, 4))

    assert slot.sends_at == local("America/Sao_Paulo", 2018, 11, 4, 1)


def test_the_next_slot_is_later_than_the_given_instant():
    seven = rule("UTC", time(7))

    assert next_slot(seven, after=datetime(2026, 3, 10, 7, tzinfo=UTC)).date == date(2026, 3, 11)
    assert next_slot(
        seven, after=datetime(2026, 3, 10, 7, tzinfo=UTC) - timedelta(microseconds=1)
    ).date == date(2026, 3, 10)


@pytest.mark.parametrize("weekdays", [frozenset(), frozenset({7}), frozenset({-1})])
def test_a_rule_without_sensible_weekdays_is_refused(weekdays):
    with pytest.raises(ValueError, match="weekdays"):
        rule("UTC", time(7), weekdays)


def test_a_rule_with_a_time_of_another_zone_is_refused():
    with pytest.raises(ValueError, match="local"):
        rule("UTC", time(7, tzinfo=UTC))


@given(rules, instants)
def test_the_next_slot_is_the_earliest_one_after(rule, after):
    slot = next_slot(rule, after=after)

    assert slot.sends_at > after
    assert slot == slot_on(rule, slot.date)
    assert slot.date.weekday() in rule.weekdays
    for days in range(1, 15):
        earlier = slot_on(rule, slot.date - timedelta(days=days))
        assert earlier is None or earlier.sends_at <= after


@given(rules, instants)
def test_slots_come_in_order_one_a_day_and_none_twice(rule, after):
    found = list(slots(rule, after=after))

    assert found == sorted(found)
    assert (
        len({slot.date for slot in found}) == len({slot.sends_at for slot in found}) == len(found)
    )


@given(rules, instants)
def test_a_slot_has_its_local_time_unless_the_clock_jumped_over_it(rule, after):
    slot = next_slot(rule, after=after)
    shown = slot.sends_at.astimezone(rule.zone)
    wanted = datetime.combine(slot.date, rule.local_time)
    jumped = shown.replace(tzinfo=None) - wanted

    assert timedelta(0) <= jumped < timedelta(days=1)
    if jumped:
        # In a gap the two folds of the local time have different UTC offsets.
        folds = {wanted.replace(tzinfo=rule.zone, fold=fold).utcoffset() for fold in (0, 1)}
        assert len(folds) == 2
