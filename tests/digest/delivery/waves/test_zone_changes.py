"""A reader who changes zone or hour while an edition goes out gets it exactly once."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.delivery.planning import due, start
from digest.editions.decide.approve import approve
from digest.models import Delivery, Edition
from subscribers.models import Subscription
from subscribers.preferences.choices import Choices, set_choices, set_locale
from tests import factories
from tests.digest.delivery.conftest import row, rows, status
from tests.digest.delivery.waves.zones import AROUND_THE_WORLD, HOUR, HOURS, MINUTE, TUESDAY, utc

pytestmark = pytest.mark.django_db


@pytest.fixture
def change_zone(django_capture_on_commit_callbacks):
    """Change a reader's zone and, if given, hour, as the preference centre does."""

    def change_zone(subscription, zone, at, **hour):
        with django_capture_on_commit_callbacks(execute=True):
            set_locale(subscription_id=subscription.pk, language="", timezone=zone, now=at)
            found = Choices.of(Subscription.objects.get(pk=subscription.pk))
            chosen = replace(found, **hour)
            set_choices(subscription_id=subscription.pk, choices=chosen, now=at)

    return change_zone


def test_a_reader_who_changes_to_a_later_zone_gets_the_edition_at_the_new_hour(
    change_zone, reader, started
):
    moved = reader("America/New_York")
    reader("Pacific/Honolulu")
    started()

    change_zone(moved, "America/Los_Angeles", utc(10, 10))

    assert row(moved).next_attempt_at == row(moved).due_at == utc(10, 14)


def test_a_reader_whose_new_hour_has_passed_gets_the_edition_immediately(
    change_zone, reader, started, tick, relay
):
    moved = reader("America/New_York")
    started()

    change_zone(moved, "Pacific/Auckland", utc(10, 10, 59))
    tick(utc(10, 10, 59))

    assert row(moved).finished_at == utc(10, 10, 59)


def test_a_reader_whose_new_hour_is_after_the_last_wave_joins_the_last_wave(
    change_zone, reader, started, tick, relay
):
    moved = reader("Asia/Tokyo")
    reader("Europe/London")
    started()

    change_zone(moved, "Pacific/Honolulu", utc(9, 18))
    assert row(moved).due_at == utc(10, 7)
    tick(utc(10, 7))

    assert row(moved).status == "sent"


def test_a_reader_who_changes_zone_after_delivery_gets_no_second_copy(
    change_zone, reader, started, tick, relay
):
    moved = reader("Asia/Tokyo")
    reader("America/Los_Angeles")
    edition = started()
    tick(utc(9, 22))

    change_zone(moved, "America/Los_Angeles", utc(9, 23))
    start.plan_audience(edition_id=edition.pk, now=utc(9, 23))
    tick(utc(10, 14))

    assert len(relay.mails_to(moved.subscriber.email)) == 1
    assert status(edition) == "sent"


def test_a_new_hour_retimes_a_planned_row_and_not_a_deferred_one(change_zone, reader, started):
    moved, deferred = reader("Europe/London"), reader("Europe/London")
    reader("Pacific/Honolulu")
    started()
    Delivery.objects.filter(subscription=deferred).update(attempts=1, next_attempt_at=utc(10, 8))

    change_zone(moved, "Europe/London", utc(9, 18), preferred_time=time(12))
    change_zone(deferred, "Europe/London", utc(9, 18), preferred_time=time(12))

    assert row(moved).next_attempt_at == utc(10, 12)
    assert row(deferred).next_attempt_at == utc(10, 8)


def tick_until(end, tick, edition):
    """Run every tick until `end` that has something to do."""
    while (at := due.next_due(edition.pk)) and at <= end:
        tick(at)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(
        st.tuples(st.integers(0, 50), st.sampled_from(AROUND_THE_WORLD), HOURS), max_size=4
    ),
    home=st.sampled_from(AROUND_THE_WORLD),
)
def test_a_reader_who_changes_zones_at_random_gets_the_edition_exactly_once(
    change_zone, newsletter, tick, relay, moves, home
):
    Edition.objects.filter(status="sending").update(deadline_at=utc(9))
    Subscription.objects.all().update(status="unsubscribed")
    relay.received.clear()
    traveller = factories.subscription(newsletter)
    traveller.subscriber.timezone = home
    traveller.subscriber.save()
    edition = factories.edition(
        newsletter,
        slot_date=TUESDAY,
        schedule=factories.schedule(newsletter, is_active=False),
        local_time=time(7),
        sends_at=utc(9, 17),
        last_wave_at=utc(10, 19),
        deadline_at=utc(10, 22),
    )
    approve(edition_id=edition.pk, now=utc(9, 16))
    begin = utc(9, 17)
    tick(begin)

    for hours, zone, preferred in sorted(moves, key=lambda each: each[0]):
        at = begin + hours * HOUR + 30 * MINUTE
        tick_until(at, tick, edition)
        change_zone(traveller, zone, at, preferred_time=preferred)
        tick(at + MINUTE)
    tick_until(begin + 60 * HOUR, tick, edition)

    assert len(relay.mails_to(traveller.subscriber.email)) == 1
    assert rows(edition) == {traveller.subscriber.email: ("sent", "")}
    assert status(edition) == "sent"
