"""Show what a feed would bring, from the command line."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from digest.feeds.adding.trial import Unreadable, load, try_feed, try_page
from subscribers.models import validate_time

HELP = """\
Print the stories that a feed, or with --page an article's page, would bring. It stores nothing.

Each entry is a line of JSON, in the feed's order:
  title, summary  plain texts; the summary may be empty
  url             where the headline leads to
  identity        what the story is known by: two entries of the same identity are one story. The
                  next fetch finds it by that, else by the entry's id, else by title and date
  published_at    ISO 8601, in UTC; null: nobody knows
  outlet          the publisher's name, which is printed beside the story
  image           the picture's URL; null: none
  section         the slug of the section that the newsletter files this feed's stories under;
                  null: none, or no newsletter has the feed

Added where they are needed:
  id              the entry's id as the feed has it, by which the story is known besides: if its
                  URL, and so its identity, is another at the next fetch, but its title or its date
                  is not, it is the same story
  unread_date     the date as it is written, which cannot be read
  future_date     the date as it is written, which is more than a day ahead and so not believed
  missing         what has to be known beside a page that comes from a file

An entry that would bring no story is {"skipped": the reason, "title": ...}; so is what is no feed.

A file may have its HTTP headers beside it, in FILE.hdr. It counts as if it came from --url, else
from the URL that the feed names as its own or as its site's.
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="FILE_OR_URL")
        parser.add_argument("--page", action="store_true", help="it is an article's page")
        parser.add_argument("--url", default="", help="the URL that it counts as coming from")
        parser.add_argument(
            "--as-of",
            type=_moment,
            metavar="TIME",
            help="read it as at this time, such as 2026-03-10T06:00Z (default: now)",
        )

    def handle(
        self, *, source: str, page: bool, url: str, as_of: datetime | None, **options: Any
    ) -> None:
        try:
            loaded = load(source, url=url)
        except Unreadable as error:
            raise CommandError(str(error)) from error
        lines = (try_page if page else try_feed)(loaded, now=as_of or now())
        for line in lines:
            self.stdout.write(json.dumps(line, ensure_ascii=False))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        validate_time(moment)
    except (ValueError, ValidationError):
        raise ArgumentTypeError(f"“{text}” is not a time like 2026-03-10T06:00Z") from None
    return moment
