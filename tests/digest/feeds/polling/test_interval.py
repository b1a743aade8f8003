"""A feed is fetched as often as it brings something: every 15 minutes to 6 hours."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds import ingest
from digest.feeds.polling import arrivals, interval
from digest.feeds.polling.interval import LONGEST, SHORTEST, Observed
from tests import factories
from tests.factories import NOW

NOTHING = Observed(0, 0.0)


def wait(stories, days=7.0, recent=NOTHING, **hint):
    return interval.by_yield(recent, Observed(stories, days), **hint).wait


def test_without_any_history_the_interval_is_the_shortest():
    chosen = interval.by_yield(NOTHING, NOTHING)

    assert chosen == interval.Interval(SHORTEST, "nobody knows yet how much it brings")


def test_more_stories_make_the_interval_shorter_within_its_bounds():
    waits = [wait(stories) for stories in (0, 6, 20, 69, 167, 2000)]

    assert waits == sorted(waits, reverse=True)
    assert (waits[0], waits[-1], waits[-2]) == (LONGEST, SHORTEST, SHORTEST)
    # 70 stories are expected in seven days: ten a day, so every 36 minutes.
    assert waits[3] == timedelta(minutes=36)


def test_the_reason_says_how_much_the_feed_brings():
    assert interval.by_yield(NOTHING, Observed(20, 7.0)).reason == "it brings 3 stories a day"
    assert interval.by_yield(NOTHING, Observed(3, 7.0)).reason == "it brought 3 stories in 7 days"
    assert interval.by_yield(Observed(40, 2.0), Observed(42, 7.0)).reason == (
        "lately it brought 20 stories a day"
    )
    assert interval.by_yield(Observed(0, 1.5), Observed(0, 7.0)).reason == (
        "it brought nothing new lately"
    )


def test_a_feed_that_wakes_up_is_fetched_faster_at_once():
    assert wait(10, recent=Observed(0, 1.5)) > wait(10, recent=Observed(10, 1.5))


@pytest.mark.parametrize(
    ("hint", "expected"), [(20, 36), (50, 50), (60 * 24 * 30, 72), (0, 36)], ids=str
)
def test_what_the_publisher_asks_for_doubles_the_wait_at_most(hint, expected):
    assert wait(69, hint=timedelta(minutes=hint)) == timedelta(minutes=expected)


@given(st.integers(0, 10**6), st.floats(0, 7), st.integers(0, 10**9), st.integers(1, 10**6))
def test_no_feed_waits_less_than_15_minutes_or_more_than_6_hours(stories, days, hint, feed_id):
    week = Observed(stories, days)
    chosen = interval.by_yield(NOTHING, week, hint=timedelta(minutes=hint)).wait

    assert SHORTEST <= chosen <= LONGEST
    assert SHORTEST <= interval.spread(chosen, feed_id=feed_id, now=NOW) <= LONGEST


def test_feeds_that_were_fetched_together_do_not_stay_together():
    waits = {interval.spread(SHORTEST, feed_id=n, now=NOW) for n in range(300)}
    seconds = {wait // timedelta(seconds=1) for wait in waits}

    assert len(seconds) > 80
    assert interval.spread(SHORTEST, feed_id=1, now=NOW) == interval.spread(
        SHORTEST, feed_id=1, now=NOW
    )


@pytest.mark.parametrize(
    ("stated", "minutes"),
    [
        ({"ttl": "60"}, 60),
        ({"ttl": "-5"}, 0),
        ({"ttl": "soon"}, 0),
        ({"ttl": "9" * 5000}, 525600),
        ({"period": "daily", "frequency": "2"}, 720),
        ({"period": "hourly", "frequency": "0"}, 60),
        ({"period": "every now and then"}, 0),
        ({"cache_control": "public, max-age=600"}, 10),
        ({"cache_control": "s-maxage=600"}, 0),
        ({"ttl": "30", "cache_control": "max-age=120"}, 30),
        ({}, 0),
    ],
)
def test_what_a_publisher_wishes_is_read_or_is_nothing(stated, minutes):
    assert interval.wished(**stated) == minutes


def test_arrivals_are_counted_by_day_for_two_weeks():
    days = arrivals.counted({}, [NOW, NOW, NOW - timedelta(days=3)], now=NOW)
    assert days == {"2026-03-10": 2, "2026-03-07": 1}

    later = NOW + timedelta(days=13)
    assert arrivals.counted(days, [NOW - timedelta(days=40)], now=later) == {"2026-03-10": 2}


def test_what_was_seen_before_the_feed_was_watched_does_not_count_as_time():
    days = {"2026-03-10": 4, "2026-03-01": 9}
    since = NOW - timedelta(hours=3)

    assert arrivals.observed(days, since=since, now=NOW, back=timedelta(days=7)) == Observed(
        4, 0.125
    )
    assert arrivals.observed(days, since=None, now=NOW, back=timedelta(days=7)) == NOTHING


# --- Of a stored feed ----------------------------------------------------------------------------


def rss(*dates):
    items = "".join(
        f"<item><title>Story of {date}</title><link>https://a.example/{n}</link>"
        f"<pubDate>{date.isoformat()}</pubDate></item>"
        for n, date in enumerate(dates)
    )
    return f"<rss version='2.0'><channel><title>Wire</title>{items}</channel></rss>".encode()


def fetched(feed, now=NOW):
    ingest.fetch_feed(feed_id=feed.pk, now=now, force=True)
    feed.refresh_from_db()
    return feed


@pytest.mark.django_db
def test_the_first_fetch_knows_from_the_dates_how_much_a_feed_brings(web):
    hours = [NOW - timedelta(hours=n) for n in range(1, 30)]
    years = [NOW - timedelta(days=n) for n in range(400, 429)]
    busy, quiet = (
        fetched(factories.feed(factories.newsletter(), url=web.serve(f"/{name}", rss(*dates))))
        for name, dates in (("busy", hours), ("quiet", years))
    )

    assert (busy.current_minutes, busy.interval_reason) == (15, "it brings 24 stories a day")
    assert (quiet.current_minutes, quiet.interval_reason) == (360, "it brought nothing new lately")
    assert quiet.last_story_at == years[0]


@pytest.mark.django_db
def test_a_feed_that_falls_silent_slows_down_and_one_that_wakes_up_gets_faster(web):
    url = web.serve("/f", rss(*(NOW - timedelta(hours=n) for n in range(1, 30))))
    feed = fetched(factories.feed(factories.newsletter(), url=url))
    minutes = [fetched(feed, NOW + timedelta(days=n)).current_minutes for n in (1, 4, 8)]
    assert minutes == sorted(minutes)
    assert minutes[-1] == 360

    later = NOW + timedelta(days=9)
    web.serve("/f", rss(*(later - timedelta(minutes=n) for n in range(1, 60))))
    assert fetched(feed, later).current_minutes < 30
    assert feed.last_story_at == later


@pytest.mark.django_db
def test_an_interval_that_an_editor_fixed_is_kept(web):
    url = web.serve("/f", rss(NOW - timedelta(days=400)))
    feed = fetched(factories.feed(factories.newsletter(), url=url, interval_minutes=20))

    assert timedelta(minutes=20) <= feed.next_fetch_at - NOW <= timedelta(minutes=22)


@pytest.mark.django_db
def test_only_feeds_with_the_former_default_adapt_when_daybreak_is_upgraded():
    newsletter = factories.newsletter()
    feeds = [factories.feed(newsletter, interval_minutes=minutes) for minutes in (15, 5, 60)]
    migration = import_module("digest.migrations.0023_feeds_with_the_former_interval_adapt")

    migration.let_them_adapt(apps, None)
    for feed in feeds:
        feed.refresh_from_db()
    assert [feed.interval_minutes for feed in feeds] == [None, 5, 60]

    migration.fix_them_again(apps, None)
    feeds[0].refresh_from_db()
    assert feeds[0].interval_minutes == 15
