"""Turn the options of `import_subscribers` into the plan of an import."""

from __future__ import annotations

import getpass
import os
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils.timezone import now

from subscribers.models import Newsletter
from subscribers.transfer import importing, presets
from subscribers.transfer.dates import DateOrder
from subscribers.transfer.importing import ImportEvidence, ImportPlan
from subscribers.transfer.presets import BY_NAME, Field, RowKind
from subscribers.transfer.questions import Answers
from subscribers.transfer.rows import ColumnMapping
from subscribers.transfer.signs.columns import ANY_VALUE
from subscribers.transfer.signs.leaving_words import plain
from subscribers.transfer.signs.meanings import answer_key
from subscribers.transfer.spreadsheet import Spreadsheet
from subscribers.transfer.unpacking import ENCODINGS, SourceFile, UnreadableFile

# How many refused rows the command prints.
MAX_PRINTED = 50
LIST_KINDS = (RowKind.READER, RowKind.UNSUBSCRIBED, RowKind.CLEANED)


def add_options(parser: CommandParser) -> None:
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


def plan_of(newsletter: Newsletter, evidence: str, options: dict[str, Any]) -> ImportPlan:
    """Return the import that the options describe.

    Raises:
        UnreadableFile: the file cannot be opened, or no column holds the addresses.
        CommandError: an option names a column that is not there.
    """
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


def _column_number(header: list[str], name: str) -> int:
    names = [one.casefold() for one in header]
    if name.casefold() not in names:
        raise CommandError(f"There is no column “{name}”. There is: {', '.join(header)}.")
    return names.index(name.casefold())


def newsletter_of(slug: str) -> Newsletter:
    try:
        return Newsletter.objects.get(slug=slug)
    except Newsletter.DoesNotExist:
        known = ", ".join(Newsletter.objects.order_by("slug").values_list("slug", flat=True)[:20])
        raise CommandError(
            f"There is no newsletter “{slug}”. There is: {known or 'none yet'}."
        ) from None
