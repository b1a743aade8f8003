"""By the readers' clocks each reader's row waits for the hour in the reader's own zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from digest.delivery.planning import reader_clock, start
from digest.delivery.progress.report import tally
from digest.editions.decide.approve import approve
from digest.models import Delivery, Edition
from subscribers.models import Subscription
from tests import factories
from tests.digest.delivery.conftest import row
from tests.digest.delivery.waves.zones import (
    AROUND_THE_WORLD,
    DATES,
    HOUR,
    HOURS,
    TUESDAY,
    ZONES,
    instant,
    utc,
)

pytestmark = pytest.mark.django_db


def test_each_readers_row_is_due_at_the_hour_of_their_own_zone(reader, started):
    readers = {zone: reader(zone) for zone in AROUND_THE_WORLD}

    started()

    for zone, subscription in readers.items():
        planned = row(subscription)
        assert planned.next_attempt_at == planned.due_at == instant(zone, TUESDAY, time(7)), zone


def test_a_reader_who_chose_an_hour_gets_the_edition_at_that_hour(reader, started):
    early = reader("Asia/Tokyo", preferred_time=time(5, 30))
    late = reader("America/New_York", preferred_time=time(21))

    edition = started()

    assert row(early).due_at == instant("Asia/Tokyo", TUESDAY, time(5, 30))
    assert row(late).due_at == instant("America/New_York", TUESDAY, time(21)) == utc(11, 1)
    # The edition lasts until the last reader's hour.
    assert (edition.last_wave_at, edition.deadline_at) == (utc(11, 1), utc(11, 4))


def test_a_reader_without_a_known_zone_is_planned_by_the_newsrooms_zone(
    reader, started, newsletter
):
    unknown, nonsense = reader(""), reader("Mars/Olympus")
    schedule = factories.schedule(newsletter, timezone="Asia/Tokyo", clock="reader")

    started(schedule=schedule)

    assert row(unknown).due_at == row(nonsense).due_at == instant("Asia/Tokyo", TUESDAY, time(7))


def test_a_reader_whose_hour_has_passed_gets_the_edition_immediately(reader, started):
    tokyo, london = reader("Asia/Tokyo"), reader("Europe/London")

    started(now=utc(10, 6))

    # In Tokyo it is three in the afternoon of that day.
    assert row(tokyo).due_at == utc(10, 6)
    assert row(london).due_at == utc(10, 7)


def test_a_reader_whose_day_is_over_is_skipped(reader, started):
    auckland = reader("Pacific/Auckland")
    reader("Europe/London")

    edition = started(now=utc(10, 12))  # one o'clock on Wednesday in Auckland
    reader_clock.skip_late(now=utc(10, 12))

    assert (row(auckland).status, row(auckland).reason) == ("skipped", "past-deadline")
    assert tally(edition.pk).pending == 1


def test_an_edition_ends_with_the_last_wave_of_its_own_readers(reader, started):
    reader("Europe/London")
    reader("America/New_York")

    edition = started()

    assert edition.last_wave_at == instant("America/New_York", TUESDAY, time(7)) == utc(10, 11)
    assert edition.deadline_at == utc(10, 14)


def test_a_deadline_that_an_editor_set_before_the_last_wave_stays(reader, started):
    reader("America/Los_Angeles")

    assert started(deadline_at=utc(10, 12)).deadline_at == utc(10, 12)


def test_planning_in_small_batches_gives_the_same_send_times(reader, started, monkeypatch):
    monkeypatch.setattr(start, "BATCH_SIZE", 3)
    readers = {zone: reader(zone) for zone in AROUND_THE_WORLD}

    edition = started()

    assert edition.planned_at
    for zone, subscription in readers.items():
        assert row(subscription).due_at == instant(zone, TUESDAY, time(7))


def test_planning_a_batch_costs_the_same_for_any_number_of_zones(
    reader, started, newsletter, django_assert_max_num_queries
):
    for zone in AROUND_THE_WORLD:
        reader(zone)
    edition = started()
    Delivery.objects.all().delete()
    Edition.objects.filter(pk=edition.pk).update(planned_at=None, planned_to=0)

    with django_assert_max_num_queries(9):
        start.plan_batch(edition_id=edition.pk, now=utc(9, 17))

    assert Delivery.objects.count() == len(AROUND_THE_WORLD)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.lists(st.tuples(ZONES, HOURS), min_size=1, max_size=8), day=DATES)
@example(chosen=[("", time(1))], day=date(2026, 3, 29))
def test_each_reader_is_planned_once_and_at_their_hour_on_any_date(newsletter, chosen, day):
    Subscription.objects.all().update(status="unsubscribed")
    readers = []
    for zone, preferred in chosen:
        made = factories.subscription(newsletter, preferred_time=preferred)
        made.subscriber.timezone = zone
        made.subscriber.save()
        readers.append((made, zone or "Europe/London", preferred or time(7)))
    begins = datetime.combine(day, time(7), UTC) - 14 * HOUR
    edition = factories.edition(
        newsletter,
        slot_date=day,
        schedule=factories.schedule(newsletter),
        local_time=time(7),
        sends_at=begins,
        last_wave_at=begins + 26 * HOUR,
        deadline_at=begins + 29 * HOUR,
    )
    approve(edition_id=edition.pk, now=begins)
    start.start_delivery(edition_id=edition.pk, now=begins)
    start.plan_audience(edition_id=edition.pk, now=begins)
    edition.refresh_from_db()

    assert edition.deliveries.count() == len(readers)
    for subscription, zone, hour in readers:
        due = Delivery.objects.get(edition=edition, subscription=subscription).due_at
        own = instant(zone, day, hour)
        assert due == max(own, begins)
        assert due <= edition.last_wave_at < edition.deadline_at
