"""Import readers from a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import reset_queries
from django.utils.timezone import now

from subscribers.consent import Origin
from subscribers.models import Newsletter
from subscribers.spreadsheet import Refusal, Spreadsheet, UnreadableFile
from subscribers.transfer import Batch, Import, import_rows

PRINTED = 50


@dataclass
class Tally:
    """How many lines went which way."""

    added: int = 0
    already_there: int = 0
    refused: int = 0

    def __str__(self) -> str:
        return f"added {self.added}, already there {self.already_there}, refused {self.refused}"

    def add(self, batch: Batch) -> None:
        self.added += batch.added
        self.already_there += batch.already_there
        self.refused += len(batch.refused)


class Command(BaseCommand):
    help = (
        "Import readers from a CSV file in UTF-8 whose first line is "
        "email[,name,timezone,language]; other columns are left out. Rows that cannot go in are "
        "refused with their line number and the rest go in; importing a file twice is harmless. "
        "The exit status is 0 when the file was read to its end and at least one row is in, "
        "added now or already there; 1 when the file cannot be read, the newsletter is unknown, "
        "or every row was refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument("--newsletter", required=True, metavar="SLUG")
        parser.add_argument(
            "--confirmed",
            action="store_true",
            help="These readers have confirmed elsewhere: they are active at once, with a consent "
            "record that says so. Without it each is asked to confirm by mail.",
        )
        parser.add_argument(
            "--refused",
            type=Path,
            metavar="REFUSED.csv",
            help=f"Write every refused line there, not only the first {PRINTED} to the screen.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tally = Tally()
        if _are_one(options["file"], options["refused"]):
            raise CommandError("--refused names the file to import; its lines would be lost.")
        try:
            with _opened(options["refused"]) as refusals:
                sheet = Spreadsheet(options["file"])
                task = Import(
                    newsletter=_newsletter(options["newsletter"]),
                    confirmed=options["confirmed"],
                    origin=Origin(page=f"import of {options['file'].name}"),
                    now=now(),
                )
                for batch in import_rows(task, sheet.rows()):
                    self._report(batch.refused, tally, refusals)
                    tally.add(batch)
                    reset_queries()  # with DEBUG every statement is kept, a thousand rows each
                    self._progress(tally, sheet)
        except UnreadableFile as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.stdout.write(str(tally))
            raise CommandError("Stopped. Import the file again to go on.", returncode=130) from None
        self._close(tally, every_refusal_is_written=bool(options["refused"]))

    def _report(self, refused: list[Refusal], tally: Tally, refusals: TextIO | None) -> None:
        if refusals:
            csv.writer(refusals).writerows(
                [refusal.line, refusal.email, refusal.reason] for refusal in refused
            )
        for refusal in refused[: max(PRINTED - tally.refused, 0)]:
            # As repr, since a terminal obeys control characters.
            who = f" {refusal.email!r}:" if refusal.email else ""
            self.stdout.write(f"line {refusal.line}:{who} {refusal.reason}")

    def _progress(self, tally: Tally, sheet: Spreadsheet) -> None:
        if self.stderr.isatty():
            share = sheet.position / sheet.size
            self.stderr.write(f"\r{share:4.0%} · {tally}", ending="", style_func=str)
            self.stderr.flush()

    def _close(self, tally: Tally, *, every_refusal_is_written: bool) -> None:
        if self.stderr.isatty():
            self.stderr.write("\r\x1b[K", ending="", style_func=str)
        unprinted = tally.refused - PRINTED
        if unprinted > 0 and not every_refusal_is_written:
            self.stdout.write(f"and {unprinted} more; --refused FILE writes them all")
        self.stdout.write(str(tally))
        if tally.refused and not (tally.added or tally.already_there):
            raise CommandError("No row of the file went in.")


def _newsletter(slug: str) -> Newsletter:
    try:
        return Newsletter.objects.get(slug=slug)
    except Newsletter.DoesNotExist:
        known = ", ".join(Newsletter.objects.order_by("slug").values_list("slug", flat=True)[:20])
        raise CommandError(
            f"There is no newsletter “{slug}”. There is: {known or 'none yet'}."
        ) from None


def _are_one(file: Path, refused: Path | None) -> bool:
    return refused is not None and refused.exists() and file.exists() and refused.samefile(file)


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO | None]:
    """The file for refusals, with its header; None where none is wanted."""
    if path is None:
        yield None
        return
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.") from None
    with file:
        csv.writer(file).writerow(["line", "email", "reason"])
        yield file
