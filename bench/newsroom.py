"""Bring in a day of 300 feeds, group it and draft from it, and measure time and memory.

    make bench-newsroom

The feeds are a made-up press's (bench/press.py). A server on this machine answers for each after
DELAY seconds, as publishers do. The yardstick of fetching is to fetch one feed after the other;
that of grouping is the growth from 5,000 stories to 20,000.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psutil

from bench import servers
from bench.figures import Figures, heading
from bench.press import NewsReport, Press, rss, vectors
from digest.ranking import Article
from digest.ranking.events import group_by_vectors

FEEDS, STORIES, GROWN, MORE = 300, 5_000, 20_000, 50
DELAY = 0.15
PROCESSES = 4
LEAST_FETCH_RATIO = 2.0
MOST_TIME, MOST_MEMORY, MOST_FOR_MORE = 5.0, 2.0, 0.6


class _Publishers(BaseHTTPRequestHandler):
    """Serves each outlet's feed under an address of its own."""

    feeds: dict[str, bytes]

    def do_GET(self) -> None:
        time.sleep(DELAY)
        body = self.feeds[self.path]
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def _serve(port: int, feeds: dict[str, bytes]) -> None:
    _Publishers.feeds = feeds
    ThreadingHTTPServer(("0.0.0.0", port), _Publishers).serve_forever()  # noqa: S104


def host(number: int) -> str:
    """Return an outlet's address: all of 127.0.0.0/8 is this machine."""
    return f"127.0.{1 + number // 200}.{1 + number % 200}"


def run_newsroom_bench() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    heading(f"A day of {FEEDS} feeds and {STORIES:,} stories")
    figures = Figures()
    _measure_growth(figures)
    day = datetime.now(UTC) - timedelta(days=1)
    reports = Press(outlets=FEEDS).day(day.date(), reports=STORIES)
    port = servers.free_port()
    serving = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(port, _feeds(reports)), daemon=True
    )
    serving.start()
    try:
        with servers.production_services("smtp://127.0.0.1:9"):
            _measure_newsroom(figures, port, reports)
    finally:
        serving.terminate()
        serving.join()
    figures.verdict()


def _feeds(reports: list[NewsReport]) -> dict[str, bytes]:
    by_outlet: defaultdict[Any, list[NewsReport]] = defaultdict(list)
    for report in reports:
        by_outlet[report.outlet].append(report)
    return {f"/{outlet.number}": rss(outlet, theirs) for outlet, theirs in by_outlet.items()}


# --- Growth ---------------------------------------------------------------------------------------


def _measure_growth(figures: Figures) -> None:
    for with_vectors in (False, True):
        name = "stored vectors" if with_vectors else "words alone"
        (seconds, memory), (grown, grown_memory) = (
            _in_a_process(count, with_vectors) for count in (STORIES, GROWN)
        )
        figures.line(f"grouping {STORIES:,}, {name}", f"{seconds:,.1f} s", f"{memory:,.0f} MB")
        figures.line(f"grouping {GROWN:,}, {name}", f"{grown:,.1f} s", f"{grown_memory:,.0f} MB")
        figures.at_most("  times the time", grown / seconds, MOST_TIME)
        figures.at_most("  times the memory", grown_memory / memory, MOST_MEMORY)


def _in_a_process(count: int, with_vectors: bool) -> tuple[float, float]:
    """Return the seconds of processor that grouping takes, and a fresh process's peak in MB."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_group, (count, with_vectors))


def _group(count: int, with_vectors: bool) -> tuple[float, float]:
    reports = Press(outlets=FEEDS).day(datetime(2026, 3, 9, tzinfo=UTC).date(), reports=count)
    articles = [
        Article(r.title, r.summary, r.outlet.name, r.url, r.published, r.outlet.lang)
        for r in reports
    ]
    rows = vectors(reports) if with_vectors else None
    del reports
    servers.reset_peak()
    start = time.process_time()
    groups = group_by_vectors(articles, rows)
    seconds = time.process_time() - start
    assert sum(map(len, groups)) == len(articles)
    return seconds, servers.peak_mb(psutil.Process())


# --- The newsroom ---------------------------------------------------------------------------------


def _measure_newsroom(figures: Figures, port: int, reports: list[NewsReport]) -> None:
    from django.conf import settings

    from tests import factories

    hosts = [host(number) for number in range(FEEDS)]
    settings.FETCH_ALLOW_HOSTS = hosts
    newsletter = factories.newsletter(slug="bench")
    _measure_fetching(figures, newsletter, port, hosts)
    _measure_grouping(figures, newsletter, reports)


def _measure_fetching(figures: Figures, newsletter: Any, port: int, hosts: list[str]) -> None:
    from django.utils.timezone import now

    from digest.feeds import ingest
    from digest.feeds.polling.due import due_chains
    from digest.models import Feed, Story
    from digest.tasks import fetch_feed

    def add_feeds() -> None:
        Feed.objects.all().delete()
        Story.objects.all().delete()
        Feed.objects.bulk_create(
            Feed(newsletter=newsletter, url=f"http://{host(n)}:{port}/{n}") for n in range(FEEDS)
        )

    add_feeds()
    start = time.perf_counter()
    for pk in Feed.objects.values_list("pk", flat=True):
        ingest.fetch_feed(feed_id=pk, now=now())
    serial, stored = time.perf_counter() - start, Story.objects.count()
    figures.line("fetched one after the other", f"{serial:,.1f} s", f"{stored:,} stories stored")

    with servers.workers("feeds", processes=PROCESSES, FETCH_ALLOW_HOSTS=",".join(hosts)):
        add_feeds()
        start = time.perf_counter()
        for pk, *then in due_chains(now=now()):
            fetch_feed.delay(feed_id=pk, then=then)
        left = Feed.objects.filter(last_success_at=None)
        servers.wait_until(lambda: not left.exists(), 300, "not all feeds are fetched")
        parallel = time.perf_counter() - start
    assert Story.objects.count() == stored
    figures.line(f"fetched by {PROCESSES} processes", f"{parallel:,.1f} s")
    figures.at_least("  times as fast", serial / parallel, LEAST_FETCH_RATIO)


def _store_vectors(reports: list[NewsReport]) -> None:
    """Give each story its vector, as the worker for vectors would have done on arrival."""
    from django.conf import settings
    from django.utils.timezone import now

    from digest.models import Story, TitleVector
    from digest.ranking import pack

    settings.EVENT_EMBEDDING = "bench"
    of_url = dict(zip((r.url for r in reports), pack(vectors(reports), len(reports)), strict=True))
    TitleVector.objects.bulk_create(
        TitleVector(
            story=story,
            embedding="bench",
            dimension=len(of_url[story.url]) // 2,
            numbers=of_url[story.url],
            title_md5=md5(story.title.encode(), usedforsecurity=False).hexdigest(),
            made_at=now(),
        )
        for story in Story.objects.all()
    )


def _measure_grouping(figures: Figures, newsletter: Any, reports: list[NewsReport]) -> None:
    from django.utils.timezone import now

    from digest.editions.draft.draft import draft_edition
    from digest.events.grouping import group_stories
    from digest.models import Story
    from digest.rendering.freeze import freeze

    def seconds(work: Callable[[], Any]) -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    def group() -> None:
        group_stories(newsletter_id=newsletter.pk, now=now())

    for name in ("words alone", "stored vectors"):
        if name == "stored vectors":
            _store_vectors(reports)
        Story.objects.update(event=None, cluster=None, text_number=None)
        grouping = seconds(group)
        events = Story.objects.values("event").distinct().count()
        figures.line(f"grouped, {name}", f"{grouping:,.1f} s", f"{events:,} events")
        newest = Story.objects.order_by("-pk").values_list("pk", flat=True)[:MORE]
        Story.objects.filter(pk__in=list(newest)).update(event=None)
        share = seconds(group) / grouping
        figures.at_most(f"  {MORE} more, share of that", share, MOST_FOR_MORE)
        assert not Story.objects.filter(event=None).exists()

    drafting = seconds(lambda: draft_edition(newsletter=newsletter, now=now()))
    edition = newsletter.editions.get()
    freezing = seconds(lambda: freeze(edition_id=edition.pk, now=now()))
    figures.line(f"drafted, {edition.items.count()} stories", f"{drafting:,.2f} s")
    share = (drafting + freezing) / grouping
    figures.at_most("drafted and frozen, share of grouping", share, 1)


if __name__ == "__main__":
    run_newsroom_bench()
