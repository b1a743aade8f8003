"""Add the feeds of an OPML file from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from digest.feeds.adding.lists import Outcome, import_feeds
from digest.feeds.adding.opml import MAX_BYTES, NotOpml
from digest.management import newsletter_options


class Command(BaseCommand):
    help = (
        "Add the feeds of an OPML file to a newsletter, and print a line for each. A folder is the "
        "newsletter's section of that name. The workers fetch them in the next minutes; the list "
        "of feeds shows how that went."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--newsletter", required=True, metavar="SLUG", help="the newsletter they belong to"
        )
        parser.add_argument("--dry-run", action="store_true", help="only print, and add nothing")

    def handle(self, *, file: Path, newsletter: str, dry_run: bool, **options: Any) -> None:
        owner, _ = newsletter_options.lookup(newsletter, None)
        try:
            with file.open("rb") as opened:
                body = opened.read(MAX_BYTES + 1)
            lines = import_feeds(newsletter=owner, body=body, now=now(), dry_run=dry_run)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except NotOpml as error:
            raise CommandError(f"{file} was not read. {error}") from error
        for line in lines:
            self.stdout.write(line.in_words)
        added = sum(line.outcome == Outcome.ADDED for line in lines)
        verb = "would be added" if dry_run else "added"
        self.stdout.write(f"{added} of {len(lines)} feeds {verb}.")
