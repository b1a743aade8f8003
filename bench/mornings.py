"""Run a week of mornings by the clock alone, and print every edition with its log and reasons.

    .venv/bin/python -m bench.mornings --days 7 --reports 2000

A made-up press of 300 outlets in seven languages (bench/press.py) publishes; nobody edits. The beat
ticks at made-up times and everything it finds due is done in this process. Beside each story stands
what the press knows: the number of its event, and how many reports of it there were. What an
edition printed twice, or should not have printed, is counted at the end.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from unittest import mock

from bench import servers
from bench.press import NewsReport, Outlet, Press, rss

FIRST_DAY = date(2026, 3, 2)
SEND_AT = time(6, 0)
# What a feed still shows is not older than this.
SHOWN_FOR = timedelta(hours=36)


def ticks(day: date) -> Iterator[datetime]:
    """Yield the times of a day's ticks: one each hour, and every ten minutes before the mail."""
    start = datetime.combine(day, time(0), UTC)
    for minute in range(0, 24 * 60, 10):
        if minute % 60 == 0 or 3 * 60 <= minute <= 7 * 60:
            yield start + timedelta(minutes=minute)


class Web:
    """Answers for all outlets, with what they have published by `now`."""

    def __init__(self, outlets: list[Outlet]) -> None:
        self._outlets = {feed_url(outlet): outlet for outlet in outlets}
        self.now = datetime.combine(FIRST_DAY, time(0), UTC)
        self.reports: defaultdict[Outlet, list[NewsReport]] = defaultdict(list)

    def clock(self) -> datetime:
        return self.now

    def publish(self, reports: list[NewsReport]) -> None:
        for report in reports:
            self.reports[report.outlet].append(report)

    def get(self, url: str, **options: Any) -> Any:
        """Return an outlet's feed as `fetch.get` does."""
        from digest.feeds.fetch import Fetched

        outlet = self._outlets[url]
        shown = [
            report
            for report in self.reports[outlet]
            if report.kind == "old" or self.now - SHOWN_FOR < report.published <= self.now
        ]
        return Fetched(200, rss(outlet, shown), "", "", url, "application/rss+xml")


def feed_url(outlet: Outlet) -> str:
    return f"https://{outlet.host}/feed.xml"


def run_mornings() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--reports", type=int, default=2000, help="how many the press has a day")
    parser.add_argument("--outlets", type=int, default=300)
    options = parser.parse_args()
    press = Press(outlets=options.outlets)
    web = Web(press.outlets)
    with servers.production_services("smtp://127.0.0.1:9"), ExitStack() as stack:
        from celery import current_app

        current_app.conf.task_always_eager = True
        for name in ("digest.tasks.now", "subscribers.tasks.now"):
            stack.enter_context(mock.patch(name, web.clock))
        stack.enter_context(mock.patch("digest.feeds.fetch.get", web.get))
        stack.enter_context(mock.patch("digest.feeds.fetch.status_of", return_value=200))
        _newsletters(press)
        for number in range(options.days):
            day = FIRST_DAY + timedelta(days=number)
            web.publish(press.day(day, reports=options.reports))
            _live_through(day, web)
        _print_editions(web)


def _newsletters(press: Press) -> None:
    from digest.models import Feed, Schedule
    from tests import factories

    for slug, langs in (("world", None), ("english", {"en"}), ("deutsch", {"de"})):
        newsletter = factories.newsletter(slug=slug, name=slug.title(), timezone="UTC")
        factories.schedule(
            newsletter, local_time=SEND_AT, unapproved=Schedule.Unapproved.SEND, max_stories=12
        )
        start = datetime.combine(FIRST_DAY, time(0), UTC)
        Feed.objects.bulk_create(
            Feed(
                newsletter=newsletter,
                url=feed_url(outlet),
                title=outlet.name,
                source_name=outlet.name,
                next_fetch_at=start,
            )
            for outlet in press.outlets
            if langs is None or outlet.lang in langs
        )


def _live_through(day: date, web: Web) -> None:
    from digest.models import Story
    from digest.tasks import tick

    for at in ticks(day):
        web.now = at
        tick()
    print(f"{day}: {Story.objects.count():,} stories", flush=True)


def _print_editions(web: Web) -> None:
    from digest.models import Edition

    known = {report.url: report for reports in web.reports.values() for report in reports}
    sizes = Counter(report.event for report in known.values())
    said: defaultdict[str, Counter[str]] = defaultdict(Counter)
    printed: defaultdict[str, set[int | None]] = defaultdict(set)
    for edition in Edition.objects.select_related("newsletter").order_by("newsletter", "sends_at"):
        slug = edition.newsletter.slug
        print(f"\n=== {edition} · {edition.get_status_display()} {edition.reason}")
        print(f"    {edition.subject}\n    {edition.preheader}")
        here: set[int | None] = set()
        for item in edition.items.select_related("story__feed", "section"):
            report = known[item.story.url]
            says = [f"event {report.event}, {sizes[report.event]} reports, {report.kind}"]
            if report.event is None:
                said[slug][report.kind] += 1
                says.append("NO NEWS")
            elif report.event in here:
                said[slug]["double"] += 1
                says.append("DOUBLE")
            elif item.follows_id:
                said[slug]["follow-up"] += 1
            elif report.event in printed[slug]:
                said[slug]["repeat"] += 1
                says.append("REPEAT")
            here.add(report.event)
            said[slug]["stories"] += 1
            print(f"  - [{report.outlet.lang}] {item.shown_headline} ({item.story.outlet})")
            print(f"      {item.why}\n      ({'; '.join(says)})")
        printed[slug] |= here
        for entry in edition.log.all():
            print(f"    {entry.at:%d %H:%M} {entry.actor}: {entry.words}")
    print()
    for slug, counts in said.items():
        print(slug, dict(counts))


if __name__ == "__main__":
    run_mornings()
