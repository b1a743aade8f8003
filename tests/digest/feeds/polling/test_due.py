"""Hundreds of feeds are fetched at once, and none holds up the others."""

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection
from django.utils.timezone import now as clock

from digest import tasks
from digest.editions.draft import slots
from digest.feeds import fetch, ingest
from digest.feeds.polling import due, turns
from digest.models import Feed, Schedule
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def rss(n):
    return (
        f"<rss version='2.0'><channel><title>Wire {n}</title><item><title>Story {n}</title>"
        f"<link>https://a.example/{n}</link></item></channel></rss>"
    ).encode()


@pytest.mark.parametrize(("days", "is_due"), [(2, False), (365, True)])
def test_a_feed_is_due_that_was_to_wait_longer_than_any_does(web, days, is_due):
    """The clock was a year ahead when it was fetched."""
    feed = factories.feed(factories.newsletter(), url=web.serve("/f", rss(1)))
    Feed.objects.update(next_fetch_at=NOW + timedelta(days=days))

    assert due.due_chains(now=NOW) == [[feed.pk]] * is_due
    assert ingest.fetch_feed(feed_id=feed.pk, now=NOW).fetched is is_due
    assert due.due_chains(now=NOW) == []


# --- Before a draft ------------------------------------------------------------------------------


def test_a_quiet_feed_is_fetched_before_a_draft():
    newsletter, other = factories.newsletter(), factories.newsletter()
    in_hours = NOW + timedelta(hours=5)
    long_ago, lately = NOW - timedelta(hours=1), NOW - timedelta(minutes=10)
    quiet = factories.feed(newsletter, next_fetch_at=in_hours, last_fetched_at=long_ago)
    factories.feed(newsletter, next_fetch_at=in_hours, last_fetched_at=lately)
    factories.feed(
        newsletter, next_fetch_at=in_hours, last_fetched_at=long_ago, consecutive_failures=1
    )
    factories.feed(other, next_fetch_at=in_hours, last_fetched_at=long_ago)

    assert due.make_due_before_draft({newsletter.pk}, now=NOW) == 1
    assert due.due_chains(now=NOW) == [[quiet.pk]]


def test_a_newsletter_drafts_soon_if_its_draft_is_to_come_and_not_made():
    newsletter = factories.newsletter(timezone="UTC")
    schedule = factories.schedule(newsletter, local_time=time(9), draft_lead_minutes=120)
    Schedule.objects.update(changed_at=NOW - timedelta(days=1))
    within = timedelta(minutes=20)

    def soon(hour, minute):
        return slots.drafting_soon(
            now=datetime(2026, 3, 10, hour, minute, tzinfo=UTC), within=within
        )

    assert soon(6, 30) == set()
    assert soon(6, 45) == {newsletter.pk}
    factories.edition(newsletter, schedule=schedule, slot_date=NOW.date(), stories=0)
    assert soon(6, 45) == set()


# --- Turns ---------------------------------------------------------------------------------------


def test_feeds_of_one_host_are_in_two_chains_and_slow_feeds_in_others():
    newsletter = factories.newsletter()

    def feeds(host, count, **fields):
        return [
            factories.feed(
                newsletter, url=f"https://{host}/{n}", next_fetch_at=NOW - timedelta(minutes=9 - n),
                **fields,
            ).pk
            for n in range(count)
        ]  # fmt: skip

    big, small = feeds("big.example", 5), feeds("small.example", 1)
    slow = feeds("slow.example", 2, fetch_seconds=44) + feeds("late.example", 1, fetch_seconds=6)

    chains = sorted(due.due_chains(now=NOW))

    # The longest waiting come first.
    assert chains == sorted([big[0::2], big[1::2], small, [slow[0], slow[1]], [slow[2]]])


@pytest.fixture
def elsewhere():
    """Run a function in a database session of its own."""

    def run(function, *args, **kwargs):
        def and_close():
            try:
                return function(*args, **kwargs)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(and_close).result()

    return run


def hold(host, is_slow, count):
    """Take a turn `count` times, one within the other, and return what is said to the last."""
    with turns.take_turn(host=host, is_slow=is_slow) as full:
        return full if full or count == 1 else hold(host, is_slow, count - 1)


def test_a_host_has_two_turns_and_slow_fetches_have_two(elsewhere):
    def first(host, is_slow):
        return elsewhere(hold, host, is_slow, 1)

    # In this session each take succeeds again, so the places are taken by their numbers.
    with turns.take_turn(host="a.example", is_slow=True) as full:
        assert full == ""
        assert first("a.example", True) == ""
        with connection.cursor() as cursor:
            for name in ("digest.slow-fetch", "digest.fetch-host:a.example"):
                kind = turns.zlib.crc32(name.encode()) >> 1
                cursor.execute("SELECT pg_advisory_lock(%s, 1)", [kind])
        assert first("a.example", False) == "host"
        assert first("b.example", False) == ""
        assert first("b.example", True) == "slow"
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
    assert first("a.example", True) == ""


@pytest.mark.parametrize(
    ("full", "seconds", "fetched", "goes_on"),
    [
        ("", None, True, True),
        # Another chain of this host is at work on the same feeds.
        ("host", None, False, False),
        ("slow", 40, False, False),
        # The chain of slow feeds has other hosts in it.
        ("host", 40, False, True),
    ],
)
def test_a_chain_goes_on_where_it_may(monkeypatch, full, seconds, fetched, goes_on):
    newsletter = factories.newsletter()
    feeds = [
        factories.feed(newsletter, fetch_seconds=seconds, next_fetch_at=NOW).pk for _ in range(3)
    ]
    asked = []
    monkeypatch.setattr(turns, "_taken", lambda *args, **kwargs: full)
    monkeypatch.setattr(ingest, "fetch_feed", lambda *, feed_id, now: asked.append(feed_id))

    rest = ingest.fetch_chain(feed_ids=feeds, now=NOW)

    assert asked == (feeds[:1] if fetched else [])
    assert rest == (feeds[1:] if goes_on else [])


def test_an_unexpected_error_in_one_feed_does_not_stop_the_others(monkeypatch):
    def fail(**kwargs):
        raise RuntimeError("a fault of ours")

    enqueued = []
    monkeypatch.setattr(ingest, "fetch_feed", fail)
    monkeypatch.setattr(tasks, "enqueue", lambda task, **kwargs: enqueued.append(kwargs))
    feeds = [factories.feed(factories.newsletter()).pk for _ in range(3)]

    with pytest.raises(RuntimeError):
        tasks.fetch_feed(feed_id=feeds[0], then=feeds[1:])
    assert enqueued == [{"feed_id": feeds[1], "then": feeds[2:]}]


# --- All at once ---------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_good_feeds_arrive_although_others_are_slow_broken_huge_or_endless(web, monkeypatch):
    limits = fetch.Limits(connect=2, read=1, total=1, max_bytes=200_000)
    monkeypatch.setitem(fetch.get.__kwdefaults__, "limits", limits)
    newsletter = factories.newsletter()
    bad = {
        "silent": {"wait": 1.5},
        "endless": {"body": rss(0), "drip": 0.3},
        "huge": {"body": b"<rss>" + b"x" * 300_000},
        "broken": {"body": b"\x00<<<>"},
        "page": {"body": b"<html><body>Sorry</body></html>"},
        "gone": {"status": 410},
        "down": {"status": 503, "headers": {"Retry-After": "3600"}},
        "lost": {"status": 301, "headers": {"Location": "/lost"}},
    }
    for name, response in bad.items():
        factories.feed(newsletter, title=name, url=web.serve(f"/{name}", **response))
    for n in range(60):
        factories.feed(newsletter, title=f"good {n}", url=web.serve(f"/good/{n}", rss(n)))
    waiting: queue.SimpleQueue[dict] = queue.SimpleQueue()
    monkeypatch.setattr(tasks, "enqueue", lambda task, **kwargs: waiting.put(kwargs))
    # The server is one host; here each feed has one of its own.
    monkeypatch.setattr(due, "host_of", lambda url: url.rpartition("/")[2])

    tasks._fetch(clock() + timedelta(seconds=1))
    work_off(waiting, workers=4)

    feeds = {feed.title: feed for feed in Feed.objects.all()}
    assert newsletter.stories.count() == 60
    good = {title for title, feed in feeds.items() if feed.last_success_at}
    assert good == {f"good {n}" for n in range(60)}
    assert all(feeds[name].last_error and feeds[name].failing_since for name in bad)
    assert not feeds["gone"].is_active


def work_off(waiting, *, workers):
    """Do the tasks in so many threads, as the worker processes of the queue would."""

    def work():
        try:
            while True:
                tasks.fetch_feed(**waiting.get_nowait())
        except queue.Empty:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
