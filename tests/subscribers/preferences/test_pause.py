"""A reader pauses one newsletter or all of them, until a day."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from subscribers.models import Subscriber, Subscription
from subscribers.preferences.choices import BadPause, pause
from tests.factories import NOW
from tests.subscribers.preferences.conftest import link, recorded_changes

pytestmark = pytest.mark.django_db

TOKYO = ZoneInfo("Asia/Tokyo")


def test_a_pause_until_a_day_ends_when_it_begins_in_the_readers_time_zone(send, active):
    Subscriber.objects.update(timezone="Asia/Tokyo")
    day = (timezone.now().astimezone(TOKYO) + timedelta(days=10)).date()

    page = send(active, "pause", subscription=active.pk, until=day.isoformat()).content.decode()

    active.refresh_from_db()
    assert active.paused_until == datetime(day.year, day.month, day.day, tzinfo=TOKYO)
    assert "Paused. It comes again from" in page
    until = active.paused_until.astimezone(UTC).isoformat()
    assert recorded_changes(active) == [{"paused_until": {"from": None, "to": until}}]


@pytest.mark.parametrize("weeks", [1, 2, 4])
def test_a_pause_of_some_weeks_ends_at_midnight(send, active, weeks):
    send(active, "pause", subscription=active.pk, weeks=weeks)

    active.refresh_from_db()
    london = active.paused_until.astimezone(ZoneInfo("Europe/London"))
    today = timezone.now().astimezone(ZoneInfo("Europe/London")).date()
    assert (london.date() - today).days == 7 * weeks
    assert (london.hour, london.minute) == (0, 0)


@pytest.mark.parametrize("until", ["", "2020-01-01", "2999-01-01", "tomorrow", "2026-02-31"])
def test_an_invalid_a_past_and_a_distant_day_are_explained(send, active, until):
    page = send(active, "pause", subscription=active.pk, until=until).content.decode()

    assert 'class="error"' in page
    assert "<details open>" in page
    active.refresh_from_db()
    assert active.paused_until is None


def test_a_pause_is_ended_with_a_click(send, active):
    now = timezone.now()
    pause(subscription_ids=[active.pk], until=now + timedelta(days=3), now=now)

    page = send(active, "resume", subscription=active.pk).content.decode()

    active.refresh_from_db()
    assert active.paused_until is None
    assert "Paused" not in page
    assert len(recorded_changes(active)) == 2


def test_a_pause_that_is_over_is_not_shown(client, active):
    Subscription.objects.update(paused_until=timezone.now() - timedelta(seconds=1))

    assert "Paused" not in client.get(link(active)).content.decode()


def test_a_reader_pauses_all_newsletters_with_one_button(send, active, other):
    page = send(active, "pause-all", weeks=2).content.decode()

    assert page.count("Paused. It comes again from") == 2
    for subscription in (active, other):
        subscription.refresh_from_db()
        assert subscription.paused_until
        assert len(recorded_changes(subscription)) == 1


def test_a_bad_day_for_all_newsletters_is_explained_in_that_part(send, active, other):
    page = send(active, "pause-all", until="2020-01-01").content.decode()

    assert page.index('id="all"') < page.index('class="error"')
    assert not Subscription.objects.exclude(paused_until=None).exists()


def test_an_unsubscribed_reader_is_not_paused(active):
    Subscription.objects.update(status="unsubscribed")

    assert pause(subscription_ids=[active.pk], until=NOW + timedelta(days=1), now=NOW) == 0


@pytest.mark.parametrize("days", [-1, 0, 367])
def test_a_pause_has_to_end_in_the_future_and_within_a_year(active, days):
    with pytest.raises(BadPause):
        pause(subscription_ids=[active.pk], until=NOW + timedelta(days=days), now=NOW)
