"""Import readers, or people who left, from a list."""

from __future__ import annotations

import csv
import getpass
import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import click
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import reset_queries
from django.utils.timezone import now

from subscribers.management.questions import ask
from subscribers.models import Newsletter
from subscribers.transfer import importing, presets
from subscribers.transfer.column_report import column_report, rows_sentence
from subscribers.transfer.dates import DateOrder
from subscribers.transfer.importing import ImportEvidence, ImportPlan
from subscribers.transfer.presets import BY_NAME, Field, RowKind
from subscribers.transfer.questions import Answers
from subscribers.transfer.rows import ColumnMapping
from subscribers.transfer.signs.columns import ANY_VALUE
from subscribers.transfer.signs.leaving_words import plain
from subscribers.transfer.signs.meanings import answer_key
from subscribers.transfer.spreadsheet import Refusal, Spreadsheet
from subscribers.transfer.storing import ImportResult
from subscribers.transfer.survey import OpenQuestions, Survey
from subscribers.transfer.unpacking import ENCODINGS, SourceFile, UnreadableFile

MAX_PRINTED = 50
LIST_KINDS = (RowKind.READER, RowKind.UNSUBSCRIBED, RowKind.CLEANED)


class Command(BaseCommand):
    help = (
        "Import readers from a CSV file, compressed with gzip or not: an export from Mailchimp, "
        "Substack, Ghost, Buttondown, listmonk, MailPoet or phpList, or any list whose first line "
        "names its columns, email[,name,timezone,language,status]; other columns are left out. An "
        "address that unsubscribed or bounced there gets no mail from here either. Rows that "
        "cannot be imported are refused with their line number, and the others are imported. "
        "Importing a file twice is harmless, so one that was interrupted is simply imported again. "
        "The exit "
        "status is 0 if the file was read to its end and at least one row was added, suppressed "
        "or already there. It is 1 if the file cannot be read, the newsletter is unknown, every "
        "row was refused, or the file does not say for certain who has left: then nothing is "
        "imported, and --means or --ignore-column answers."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("file", type=Path, metavar="FILE.csv")
        add("--newsletter", required=True, metavar="SLUG")
        add(
            "--confirmed",
            action="store_true",
            help="These readers have confirmed elsewhere: they become active immediately, with a "
            "consent record that holds the evidence. If the list has a column of confirmation "
            "dates, readers without a date are still asked by mail. Without --confirmed each "
            "reader is asked by mail.",
        )
        add(
            "--evidence",
            default="",
            metavar="TEXT",
            help="With --confirmed: where, when and how these readers agreed, in a sentence. "
            "Asked for if it is missing.",
        )
        add(
            "--preset",
            choices=sorted(BY_NAME),
            help="The service that exported the list. Without it, the header decides.",
        )
        add(
            "--column",
            action="append",
            default=[],
            type=_column,
            metavar="FIELD=NAME",
            help=f"The column NAME of the file holds FIELD, one of {', '.join(Field)}. With an "
            "empty NAME, no column holds it. May be given several times.",
        )
        add(
            "--list-of",
            choices=LIST_KINDS,
            help="What each row is: a reader, unless a column says that they left; an address that "
            "unsubscribed, or one that bounced, whatever the file says.",
        )
        add(
            "--means",
            action="append",
            default=[],
            type=_value_meaning,
            metavar="VALUE=KIND",
            help="What a value means in a column that says who has left, such as paused=reader; "
            f"KIND is one of {', '.join(RowKind)}. “*=KIND” stands for every other value, and "
            "“COLUMN:VALUE=KIND” is about one column. May be given several times.",
        )
        add(
            "--ignore-column",
            action="append",
            default=[],
            metavar="NAME",
            help="The column NAME does not say who has left, although it seems to.",
        )
        add(
            "--dates",
            choices=list(DateOrder),
            help="Whether the day (dmy) or the month (mdy) comes first in dates like 03/04/2021.",
        )
        add("--encoding", choices=ENCODINGS, default="", help="If it is not UTF-8 or UTF-16.")
        add("--dry-run", action="store_true", help="Say what would happen, and change nothing.")
        add(
            "--refused",
            type=Path,
            metavar="REFUSED.csv",
            help=f"Write every refused row there, not only the first {MAX_PRINTED} to the screen.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if _is_same_file(options["file"], options["refused"]):
            raise CommandError("--refused names the file to import; its lines would be lost.")
        newsletter = _newsletter(options["newsletter"])
        evidence = self._evidence(newsletter, options["evidence"]) if options["confirmed"] else ""
        self.total, self.refused, self.unread = ImportResult(), 0, 0
        self.survey = Survey()
        self.is_dry_run = options["dry_run"]
        try:
            plan = _plan(newsletter, evidence, options)
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
        total.suppressed += result.suppressed
        total.already_there += result.already_there
        self.refused += len(result.refused)
        self.unread += len(result.unread)

    def _counts(self) -> str:
        total = self.total
        suppressed = f", suppressed {total.suppressed}" if total.suppressed else ""
        counts = (
            f"added {total.added}{suppressed}, already there {total.already_there}, "
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


def _plan(newsletter: Newsletter, evidence: str, options: dict[str, Any]) -> ImportPlan:
    sheet = Spreadsheet(_file(options["file"], options["encoding"]))
    header = sheet.header()
    preset = BY_NAME[options["preset"]] if options["preset"] else presets.detect(header)
    columns = presets.columns(header, preset)
    for field, name in options["column"]:
        columns.pop(field, None)
        if name:
            columns[field] = _column_number(header, name)
    if Field.EMAIL not in columns:
        raise UnreadableFile(presets.no_address_message(header))
    kind = RowKind(options["list_of"]) if options["list_of"] else None
    answers = _answers(header, options)
    return importing.prepare(
        sheet,
        ColumnMapping.from_preset(preset, columns, kind=kind),
        newsletter=newsletter,
        evidence=ImportEvidence(
            statement=evidence,
            by=f"{_user()}, command line",
            service=preset.service,
            answers=answers.statement(),
        ),
        preset=preset,
        answers=answers,
        kind_is_given=kind is not None,
        dry_run=options["dry_run"],
        now=now(),
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number that has no name
        return f"user {os.getuid()}"


def _file(path: Path, encoding: str) -> SourceFile:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}.") from None
    if not path.is_file():
        raise UnreadableFile(f"{path} is not a file.")
    return SourceFile(path.name, size, lambda: path.open("rb"), encoding, settings.IMPORT_MAX_BYTES)


def _column(text: str) -> tuple[Field, str]:
    field, separator, name = text.partition("=")
    if not separator or field not in list(Field):
        raise ArgumentTypeError(f"{text!r} is not FIELD=NAME with one of {', '.join(Field)}")
    return Field(field), name


def _value_meaning(text: str) -> tuple[str, RowKind]:
    value, separator, kind = text.rpartition("=")
    if not separator or kind not in list(RowKind):
        raise ArgumentTypeError(f"{text!r} is not VALUE=KIND with one of {', '.join(RowKind)}")
    return value, RowKind(kind)


def _answers(header: list[str], options: dict[str, Any]) -> Answers:
    """Return what the options say of the file's columns; COLUMN:VALUE needs such a column."""
    names = {plain(name) for name in header} - {""}
    means: dict[str, dict[str, RowKind]] = {}
    for text, kind in options["means"]:
        column, separator, value = text.partition(":")
        if not separator or plain(column) not in names:
            column, value = "", text
        key = value if value == ANY_VALUE else answer_key(value)
        means.setdefault(plain(column), {})[key] = kind
    for name in options["ignore_column"]:
        if plain(name) not in names:
            raise CommandError(f"There is no column “{name}”. There is: {', '.join(header)}.")
    order = DateOrder(options["dates"]) if options["dates"] else None
    return Answers(means, frozenset(plain(name) for name in options["ignore_column"]), order)


def _questions_text(error: OpenQuestions) -> str:
    hints = {
        "column": "Answer with --means VALUE=KIND or --ignore-column NAME.",
        "dates": "Answer with --dates dmy or --dates mdy.",
        "heading": "Answer with --ignore-column and the name of the column of addresses.",
        "file": "Answer with --list-of.",
    }
    lines = [f"{one.sentence()} {hints[one.about]}" for one in error.questions]
    return "\n".join([*lines, "Nothing was imported."])


def _column_number(header: list[str], name: str) -> int:
    names = [one.casefold() for one in header]
    if name.casefold() not in names:
        raise CommandError(f"There is no column “{name}”. There is: {', '.join(header)}.")
    return names.index(name.casefold())


def _newsletter(slug: str) -> Newsletter:
    try:
        return Newsletter.objects.get(slug=slug)
    except Newsletter.DoesNotExist:
        known = ", ".join(Newsletter.objects.order_by("slug").values_list("slug", flat=True)[:20])
        raise CommandError(
            f"There is no newsletter “{slug}”. There is: {known or 'none yet'}."
        ) from None


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
