"""Add a story by hand from the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from digest.feeds.manual.by_hand import CannotAddStory, add_from_text, add_from_url
from digest.management import newsletter_options


class Command(BaseCommand):
    help = (
        "Add a story to a newsletter. With a URL, its headline, summary, image and author are read "
        "from the page. With --text, they are read from an article's text as it was copied; it "
        "may include the page's menus. With both, the headline links to the URL. A story that is "
        "added twice is stored once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", metavar="URL", nargs="?", default="")
        parser.add_argument("--text", metavar="FILE", help="a file in UTF-8; - is standard input")
        newsletter_options.add_arguments(parser)

    def handle(
        self, *, url: str, text: str | None, newsletter: str, section: str | None, **options: Any
    ) -> None:
        if not url and not text:
            raise CommandError("Give a URL, or --text FILE.")
        owner, in_section = newsletter_options.lookup(newsletter, section)
        at = now()
        try:
            if text:
                pasted = _read(text)
                story = add_from_text(
                    newsletter=owner, text=pasted, section=in_section, now=at, url=url
                )
            else:
                story = add_from_url(newsletter=owner, url=url, section=in_section, now=at)
        except CannotAddStory as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Story {story.pk}: {story}")


def _read(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{name} is not in UTF-8.") from error
