"""Fetch feeds now, from the command line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from digest.feeds.ingest import IngestReport, fetch_feed
from digest.models import Feed


class Command(BaseCommand):
    help = (
        "Fetch every active feed now, due or not, and print a line for each. The exit status is "
        "0 only if all of them could be fetched. A feed on a private address is fetched only if "
        "its host is in FETCH_ALLOW_HOSTS."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--feed", type=int, metavar="ID", help="only this one, even if it is switched off"
        )

    def handle(self, *, feed: int | None, **options: Any) -> None:
        feeds = (
            Feed.objects.filter(is_active=True) if feed is None else Feed.objects.filter(pk=feed)
        )
        if feed is not None and not feeds:
            raise CommandError(f"There is no feed {feed}.")
        if not feeds:
            self.stdout.write("There is no active feed.")
        failed = 0
        for each in feeds.order_by("id"):
            report = fetch_feed(feed_id=each.pk, now=now(), force=True, apart=True)
            failed += bool(report.error)
            self.stdout.write(f"{each.pk} {each}: {_summary(report)}")
        if failed:
            raise CommandError(f"{failed} of {len(feeds)} feeds could not be fetched.")


def _summary(report: IngestReport) -> str:
    if report.error:
        return f"failed. {report.error}"
    if report.not_modified:
        return "not modified since the last fetch"
    counts = f"added {report.added}, updated {report.updated}, unchanged {report.unchanged}"
    return f"{counts}, skipped {report.skipped}" if report.skipped else counts
