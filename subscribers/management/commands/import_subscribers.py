"""Import readers, or people who left, from a list."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import click
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import reset_queries

from subscribers.management.import_options import MAX_PRINTED, add_options, newsletter_of, plan_of
from subscribers.management.questions import ask
from subscribers.models import Newsletter
from subscribers.transfer import importing
from subscribers.transfer.column_report import column_report, rows_sentence
from subscribers.transfer.importing import ImportPlan
from subscribers.transfer.spreadsheet import Refusal
from subscribers.transfer.storing import ImportResult
from subscribers.transfer.survey import OpenQuestions, Survey
from subscribers.transfer.unpacking import UnreadableFile


class Command(BaseCommand):
    help = (
        "Import readers from a CSV file, compressed with gzip or not: an export from Mailchimp, "
        "Substack, Ghost, Buttondown, listmonk, MailPoet or phpList, or any list whose first line "
        "names its columns, email[,name,timezone,language,status]; other columns are left out. An "
        "address that unsubscribed or bounced there gets no mail from here either. Rows that "
        "cannot be imported are refused with their line number, and the others are imported. "
        "Importing a file twice is harmless, so one that was interrupted is simply imported again. "
        "The exit status is 0 if the file was read to its end and at least one row was added, "
        "suppressed or already there. It is 1 if the file cannot be read, the newsletter is "
        "unknown, every row was refused, or the file does not say for certain who has left: then "
        "nothing is imported, and --means or --ignore-column answers."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if _is_same_file(options["file"], options["refused"]):
            raise CommandError("--refused names the file to import; its lines would be lost.")
        newsletter = newsletter_of(options["newsletter"])
        evidence = self._evidence(newsletter, options["evidence"]) if options["confirmed"] else ""
        self.total, self.refused, self.unread = ImportResult(), 0, 0
        self.survey = Survey()
        self.is_dry_run = options["dry_run"]
        try:
            plan = plan_of(newsletter, evidence, options)
            with _refusals_file(options["refused"]) as refusals:
                self._run(plan, refusals)
            self._report_columns(plan)
        except OpenQuestions as error:
            raise CommandError(_questions_text(error)) from None
        except UnreadableFile as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.stdout.write(self._counts())
            raise CommandError(
                "Stopped. Import the file again to continue.", returncode=130
            ) from None
        self._close(every_refusal_is_written=bool(options["refused"]))

    def _evidence(self, newsletter: Newsletter, given: str) -> str:
        """Return the evidence given or typed now; without evidence nobody becomes active."""
        missing = (
            "--confirmed needs --evidence: where, when and how these readers agreed. It is stored "
            "with each of them. Without --confirmed each is asked by mail."
        )
        if not given.strip() and sys.stdin and sys.stdin.isatty():
            self.stdout.write(f"How do you know that these readers agreed to get {newsletter}?")
            self.stdout.write("Say where, when and how they did; it is stored with each of them.")
            given = ask("> ", or_else=missing)
        if not given.strip():
            raise CommandError(missing)
        return given.strip()[:2000]

    def _run(self, plan: ImportPlan, refusals: TextIO | None) -> None:
        sheet = plan.sheet
        progress: Any = click.progressbar(
            length=sheet.file.size,
            label="Dry run" if self.is_dry_run else "Importing",
            item_show_func=lambda _: self._counts(),
            file=sys.stderr,
            hidden=not self.stderr.isatty(),
            update_min_steps=0,
        )
        with progress as bar:
            for result in importing.import_all(plan, tell=self._note_survey):
                self._report(sorted([*result.refused, *result.unread]), refusals)
                self._add(result)
                reset_queries()  # with DEBUG every statement is kept
                bar.update(sheet.position() - bar.pos, self)

    def _note_survey(self, survey: Survey) -> None:
        self.survey = survey

    def _report_columns(self, plan: ImportPlan) -> None:
        """Print what each column was read as, so that a wrong guess is seen."""
        mapping = plan.mapping
        readings = column_report(
            plan.sheet.header(), mapping.columns, self.survey, plan.answers,
            is_fixed=mapping.is_fixed,
        )  # fmt: skip
        if of_all := rows_sentence(plan.surveyed(self.survey).mapping.kind):
            self.stdout.write(of_all)
        for one in readings:
            if one.reading:
                self.stdout.write(one.sentence())
        unused = [f"“{one.column}”" for one in readings if not one.reading]
        if unused:
            self.stdout.write(f"Columns that are not used: {', '.join(unused)}.")

    def _add(self, result: ImportResult) -> None:
        total = self.total
        total.added += result.added
        total.asked += result.asked
        total.suppressed += result.suppressed
        total.already_there += result.already_there
        self.refused += len(result.refused)
        self.unread += len(result.unread)

    def _counts(self) -> str:
        total = self.total
        asked = f" ({total.asked} asked by mail)" if total.asked else ""
        suppressed = f", suppressed {total.suppressed}" if total.suppressed else ""
        counts = (
            f"added {total.added}{asked}{suppressed}, already there {total.already_there}, "
            f"refused {self.refused}"
        )
        if self.unread:
            counts += f", dates not read {self.unread}"
        return f"would be {counts}" if self.is_dry_run else counts

    def _report(self, refused: list[Refusal], refusals: TextIO | None) -> None:
        """Report the rows that were refused, and those of which a date is left out."""
        if refusals:
            _write_refused(refusals, ([row.line, row.email, row.reason] for row in refused))
        for refusal in refused[: max(MAX_PRINTED - self.refused - self.unread, 0)]:
            # Printed as repr, since a terminal obeys control characters.
            who = f" {refusal.email!r}:" if refusal.email else ""
            self.stdout.write(f"line {refusal.line}:{who} {refusal.reason}")

    def _close(self, *, every_refusal_is_written: bool) -> None:
        unprinted = self.refused + self.unread - MAX_PRINTED
        if unprinted > 0 and not every_refusal_is_written:
            self.stdout.write(f"and {unprinted} more; --refused FILE writes them all")
        self.stdout.write(self._counts())
        if self.is_dry_run:
            self.stdout.write("Nothing was changed.")
        total = self.total
        if self.refused and not (total.added or total.already_there or total.suppressed):
            raise CommandError("No row of the file was imported.")


def _questions_text(error: OpenQuestions) -> str:
    hints = {
        "column": "Answer with --means VALUE=KIND or --ignore-column NAME.",
        "dates": "Answer with --dates dmy or --dates mdy.",
        "heading": "Answer with --ignore-column and the name of the column of addresses.",
        "file": "Answer with --list-of.",
        "unconfirmed": "Answer with --list-of reader, or import without --confirmed.",
        "rows": "Answer with --list-of left (or cleaned), or --list-of reader.",
    }
    lines = [f"{one.sentence()} {hints[one.about]}" for one in error.questions]
    return "\n".join([*lines, "Nothing was imported."])


def _is_same_file(file: Path, refused: Path | None) -> bool:
    return refused is not None and refused.exists() and file.exists() and refused.samefile(file)


@contextmanager
def _refusals_file(path: Path | None) -> Iterator[TextIO | None]:
    """Open the file for refusals and write its header; yield None if no path is given."""
    if path is None:
        yield None
        return
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.") from None
    try:
        _write_refused(file, [["line", "email", "reason"]])
        yield file
    finally:
        with suppress(OSError):  # _write_refused has said it
            file.close()


def _write_refused(file: TextIO, rows: Iterable[Iterable[object]]) -> None:
    try:
        csv.writer(file).writerows(rows)
        file.flush()
    except OSError as error:
        raise CommandError(
            f"{file.name}: {error.strerror}. What has been imported stays. To see every refused "
            "row, import the file again with --refused at another place."
        ) from None
