"""By the readers' clocks each reader gets the edition once and in time, and no lane spins."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from digest.delivery.lane import lane
from digest.delivery.lane.claim import Claimant, PendingClaim
from digest.editions.decide.approve import approve
from digest.models import Edition, Schedule
from tests import factories
from tests.digest.delivery.conftest import row, status
from tests.digest.delivery.waves.zones import (
    AROUND_THE_WORLD,
    DAY,
    HOUR,
    MINUTE,
    TUESDAY,
    every,
    instant,
    sent_at,
    utc,
)

pytestmark = pytest.mark.django_db


def test_a_day_of_ticks_brings_each_reader_one_edition_at_their_own_hour(
    newsletter, reader, tick, relay
):
    factories.schedule(newsletter, clock="reader", unapproved="send", min_stories=1, weekdays=[1])
    Schedule.objects.update(changed_at=utc(8))
    for _ in range(3):
        factories.story(newsletter, published_at=utc(9, 12))
    readers = {zone: reader(zone) for zone in AROUND_THE_WORLD}

    lanes = {at: tick(at) for at in every(15 * MINUTE, start=utc(9, 14), end=utc(11))}

    edition = Edition.objects.get()
    assert (edition.status, edition.sent_at) == (
        "sent",
        instant("Pacific/Pago_Pago", TUESDAY, time(7)),
    )
    assert sent_at() == {
        subscription.subscriber.email: [instant(zone, TUESDAY, time(7))]
        for zone, subscription in readers.items()
    }
    assert len(relay.received) == len(readers)
    # No lane runs without readers: one runs after planning, and one for each wave.
    assert sum(lanes.values()) <= len({row(s).due_at for s in readers.values()}) + 1


def test_no_lane_runs_between_two_waves(reader, started, tick, relay):
    reader("Asia/Tokyo")
    reader("America/New_York")
    edition = started()
    assert tick(utc(9, 22)) == 1

    assert [tick(at) for at in every(10 * MINUTE, start=utc(9, 23), end=utc(10, 10))] == [0] * 67
    assert status(edition) == "sending"
    assert (
        lane.run_lane(edition_id=edition.pk, lane="x", clock=lambda: utc(10, 10)) is lane.End.DONE
    )
    assert status(edition) == "sending"
    tick(utc(10, 11))
    assert status(edition) == "sent"


def test_editions_of_two_days_overlap_and_each_reader_gets_their_own(
    newsletter, reader, tick, relay
):
    factories.schedule(newsletter, clock="reader", unapproved="send", min_stories=1, max_stories=2)
    Schedule.objects.update(changed_at=utc(8, 16))
    for hours in range(0, 96, 6):
        factories.story(newsletter, published_at=utc(8, 10) + timedelta(hours=hours))
    readers = {zone: reader(zone) for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago")}
    late_reader = reader("Pacific/Pago_Pago", preferred_time=time(22))

    for at in every(30 * MINUTE, start=utc(8, 14), end=utc(11, 12)):
        tick(at)

    days = [date(2026, 3, 9), TUESDAY, date(2026, 3, 11)]
    for zone, subscription in readers.items():
        times = [instant(zone, day, time(7)) for day in days]
        assert sent_at()[subscription.subscriber.email] == [t for t in times if t <= utc(11, 12)]
    assert sent_at()[late_reader.subscriber.email] == [
        instant("Pacific/Pago_Pago", day, time(22)) for day in days[:2]
    ]


@pytest.mark.parametrize(
    "day", [date(2026, 3, 8), date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 1)]
)
def test_a_dst_change_brings_each_reader_one_edition_at_their_hour(
    newsletter, reader, tick, relay, day
):
    begin = datetime.combine(day, time(0), UTC) - 14 * HOUR
    factories.schedule(
        newsletter, clock="reader", unapproved="send", min_stories=1, local_time=time(1, 30),
        weekdays=[day.weekday()],
    )  # fmt: skip
    Schedule.objects.update(changed_at=begin - DAY)
    factories.story(newsletter, published_at=begin - HOUR)
    zones = ["Europe/London", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"]
    readers = [reader(zone) for zone in zones]

    for at in every(15 * MINUTE, start=begin, end=begin + 45 * HOUR):
        tick(at)

    assert sent_at() == {
        subscription.subscriber.email: [instant(zone, day, time(1, 30))]
        for zone, subscription in zip(zones, readers, strict=True)
    }


# --- Late -----------------------------------------------------------------------------------------


def test_a_claim_passes_over_a_reader_who_was_not_reached_in_time(reader, started):
    tokyo, london = reader("Asia/Tokyo"), reader("Europe/London")
    edition = started()
    claimant = Claimant(edition.pk, edition.revision, "lane", "relay")

    late = row(tokyo).due_at + 3 * HOUR
    assert PendingClaim(claimant, now=late).window().rows == []
    (claimed,) = PendingClaim(claimant, now=late - MINUTE).window().rows
    assert claimed.subscription_id == tokyo.pk
    (claimed,) = PendingClaim(claimant, now=utc(10, 7)).window().rows
    assert claimed.subscription_id == london.pk


def test_readers_of_a_wave_that_workers_slept_through_are_skipped(reader, started, tick, relay):
    tokyo, london = reader("Asia/Tokyo"), reader("Europe/London")
    edition = started()

    tick(utc(10, 7))

    assert row(tokyo).reason == "past-deadline"
    assert [mail.rcpt_to for mail in relay.received] == [london.subscriber.email]
    assert status(edition) == "sent"


def test_a_later_deadline_gives_every_reader_more_time(reader, started, tick, relay):
    tokyo = reader("Asia/Tokyo")
    edition = started()
    Edition.objects.filter(pk=edition.pk).update(deadline_at=edition.deadline_at + 7 * HOUR)

    tick(utc(10, 7))

    assert row(tokyo).status == "sent"


def test_a_stop_between_two_waves_keeps_the_later_readers_hour(reader, started, tick, relay):
    reader("Asia/Tokyo")
    new_york = reader("America/New_York")
    edition = started()
    tick(utc(9, 22))
    factories.force_update(Edition.objects.filter(pk=edition.pk), status="held", reason="stopped")
    assert tick(utc(10, 1)) == 0

    approve(edition_id=edition.pk, now=utc(10, 2))
    tick(utc(10, 2))
    assert len(relay.received) == 1
    tick(utc(10, 11))

    assert row(new_york).finished_at == utc(10, 11)
    assert len(relay.received) == 2
