"""Export readers as CSV."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from subscribers.management.import_options import newsletter_of
from subscribers.models import Newsletter
from subscribers.transfer import exporting

STATUSES = ("active", "pending", "unsubscribed", "bounced", "complained", "suppressed")


class Command(BaseCommand):
    help = (
        "Export the readers of one newsletter, or of all, as CSV in UTF-8, one row for each "
        "subscription, to the screen or into a file. import_subscribers can read it. The "
        "column status says which readers bounced, complained or are suppressed. Erased readers "
        "are left out. Memory does not grow with the list."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--newsletter", metavar="SLUG", help="Without it, of all newsletters.")
        parser.add_argument(
            "--status",
            action="append",
            choices=STATUSES,
            default=[],
            help="Only readers with this status. May be given several times.",
        )
        parser.add_argument(
            "--output",
            type=Path,
            metavar="FILE.csv",
            help="Write to this file instead of the screen; it is compressed with gzip if its name "
            "ends in .gz.",
        )
        parser.add_argument("--gzip", action="store_true", help="Compress it with gzip.")

    def handle(self, *args: Any, **options: Any) -> None:
        output: Path | None = options["output"]
        by_gzip = options["gzip"] or (output is not None and output.suffix == ".gz")
        if output is None and by_gzip and sys.stdout.isatty():
            raise CommandError("A terminal cannot show gzip: name a file with --output.")
        chunks = exporting.csv_chunks(
            newsletter=_newsletter(options["newsletter"]), statuses=options["status"]
        )
        if output is None and not by_gzip:
            for chunk in chunks:
                self.stdout.write(chunk, ending="")
            return
        encoded = exporting.encoded(chunks, by_gzip=by_gzip)
        if output is None:
            _write(sys.stdout.buffer, encoded)
        elif output.exists():
            raise CommandError(f"{output} exists already; name another file.")
        else:
            _write_whole(output, encoded)


def _write(file: IO[bytes], encoded: Iterable[bytes]) -> None:
    for chunk in encoded:
        file.write(chunk)
    file.flush()


def _write_whole(output: Path, encoded: Iterable[bytes]) -> None:
    """Write a file that has its name only once it is complete."""
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as file:
            _write(file, encoded)
        part.replace(output)
    except OSError as error:
        raise CommandError(f"{output}: {error.strerror}. No part of it is kept.") from None
    finally:
        part.unlink(missing_ok=True)


def _newsletter(slug: str | None) -> Newsletter | None:
    return newsletter_of(slug) if slug else None
