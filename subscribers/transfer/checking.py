"""Check what a list says of each reader, by the same rules as a sign-up."""

from __future__ import annotations

import csv
import io
import ipaddress
import json
import re
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from django.core.exceptions import ValidationError

from subscribers.addresses.address import BadAddress, compare_key, normalise
from subscribers.addresses.mailbox import mailbox_of
from subscribers.addresses.mentions import addresses_in
from subscribers.models import one_line
from subscribers.plumbing.characters import without_bidi_controls
from subscribers.transfer import dates
from subscribers.transfer.dates import Orders
from subscribers.transfer.placeholders import placeholder_reason
from subscribers.transfer.presets import RowKind
from subscribers.transfer.rows import Row
from subscribers.transfer.spreadsheet import Refusal

# The C1 control characters. Windows-1252 text that was read as Latin-1 is full of them.
_C1_CONTROLS = re.compile(r"[\x80-\x9f]")
_ORDINARY_NAME = re.compile(r"[ -~\xa0-\u02ff]*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}+){0,2}")
# What nearly all addresses look like. Before their @-sign, `normalise` refuses nothing and changes
# only the names of RFC 2142, such as Postmaster, which it writes in lower case.
_ORDINARY_ADDRESS = re.compile(r"([A-Za-z0-9_+-]++(?:\.[A-Za-z0-9_+-]++)*+)@([a-zA-Z0-9.-]+)")
_LONGEST_LOCAL, _LONGEST = 64, 254
LONGEST_NAME = 120


class Checked(NamedTuple):
    """One reader, ready to be stored; the fields are the columns of `storing`'s table."""

    line: int
    kind: RowKind
    email: str
    email_key: str
    mailbox: str
    email_as_typed: str
    name: str
    timezone: str
    language: str
    is_confirmed: bool
    confirmed_at: datetime | None
    ip_address: str | None
    left_at: datetime | None
    details: str
    why: str


@dataclass
class Batch:
    """Consecutive rows of a list, checked; `duplicates` counts the rows that repeat an address.

    `unread` are rows that are not refused although a date in them cannot be read.
    """

    rows: list[Checked] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    unread: list[Refusal] = field(default_factory=list)
    duplicates: int = 0
    seen: set[tuple[str, bool]] = field(default_factory=set)
    # The thread that checks makes this beforehand, while another batch is being stored.
    csv_text: str | None = None

    def as_csv(self) -> str:
        if self.csv_text is None:
            self.csv_text = as_csv(self.rows)
        return self.csv_text

    @property
    def rows_read(self) -> int:
        return len(self.rows) + len(self.refused) + self.duplicates


def as_csv(rows: Iterable[Checked]) -> str:
    """Return the rows as `storing` copies them into its table."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    # Row by row: `writerows` would hold the interpreter lock for the whole batch.
    for row in rows:
        writer.writerow(row)
    return lines.getvalue()


@dataclass(frozen=True)
class Checker:
    """The rules of one import.

    `confirmed`: the readers have confirmed elsewhere, so they need not be asked.
    `requires_confirmed_at`: the list has a column of confirmation dates, and a reader without a
    date is still asked.
    `orders`: whether the day or the month comes first in the list's dates.
    """

    confirmed: bool
    now: datetime
    requires_confirmed_at: bool = False
    lenient: bool = False
    orders: Orders = field(default_factory=dict)
    zones: frozenset[str] = field(default_factory=lambda: frozenset(zoneinfo.available_timezones()))

    def fill(self, batch: Batch, rows: Iterable[Row | Refusal]) -> Batch:
        """Check each row. If an address comes twice, the first row counts."""
        for row in rows:
            if isinstance(row, Refusal):
                batch.refused.append(row)
                continue
            checked = self.check(row)
            if isinstance(checked, Refusal):
                batch.refused.append(checked)
                continue
            key = (checked.email_key, checked.kind in _READER_KINDS)
            if key in batch.seen:
                batch.duplicates += 1
            else:
                batch.seen.add(key)
                batch.rows.append(checked)
                if (row.confirmed_at or row.signed_up_at) and checked.kind in _READER_KINDS:
                    self._note_unread_dates(batch, row, checked)
        return batch

    def _note_unread_dates(self, batch: Batch, row: Row, checked: Checked) -> None:
        """Say of which reader a date is left out of the evidence, and what follows from that."""
        if checked.confirmed_at is None and not dates.is_empty(row.confirmed_at):
            asked = self.confirmed and self.requires_confirmed_at and not checked.is_confirmed
            follows = ", so the reader is asked by mail to confirm" if asked else ""
            reason = f"the confirmation date {self._unread(row.confirmed_at)}{follows}"
        elif '"signed_up_at"' not in checked.details and not dates.is_empty(row.signed_up_at):
            reason = f"the sign-up date {self._unread(row.signed_up_at)} and is left out"
        else:
            return
        batch.unread.append(Refusal(row.line, checked.email, reason))

    def _unread(self, text: str) -> str:
        is_read = dates.read_date(text, self.orders) is not None
        shown = repr(_printable(text)[:40])
        return f"{shown} {'lies in the future' if is_read else 'cannot be read'}"

    def check(self, row: Row) -> Checked | Refusal:
        """Return the reader, or what is wrong with the row."""
        try:
            email = fast_normalise(row.email)
        except BadAddress as error:
            reason = placeholder_reason(row.email) or str(error)
            return Refusal(row.line, _printable(row.email)[:254], reason)
        # Before the next check: "bounced.one@" is an address too, and this row says that it left.
        if row.kind not in _READER_KINDS:
            return self._suppressed_row(row, email)
        if reason := placeholder_reason(email):
            return Refusal(row.line, email, reason)
        reason = self._reason_to_refuse(row)
        if reason:
            return Refusal(row.line, email, reason)
        signed_up_at = self._past_time(row.signed_up_at)
        confirmed_at = self._past_time(row.confirmed_at)
        confirmed = (
            self.confirmed
            and row.kind is RowKind.READER
            and (confirmed_at is not None or not self.requires_confirmed_at)
        )
        email_key = compare_key(email)
        return Checked(
            line=row.line,
            kind=row.kind,
            email=email,
            email_key=email_key,
            mailbox=mailbox_of(email_key),
            email_as_typed="" if row.email == email else _printable(row.email),
            name=_name(row.name),
            timezone=row.timezone if row.timezone in self.zones else "",
            language=row.language.replace("_", "-")[:16] if _is_language(row.language) else "",
            is_confirmed=confirmed,
            confirmed_at=confirmed_at,
            ip_address=_ip(row.confirmed_ip) or _ip(row.signed_up_ip),
            left_at=None,
            details=_details(row.line, signed_up_at, confirmed_at),
            why="",
        )

    def _suppressed_row(self, row: Row, email: str) -> Checked:
        """Return somebody who left or bounced: only the address is kept, to be suppressed."""
        return Checked(
            line=row.line, kind=row.kind, email=email, email_key=compare_key(email),
            mailbox="", email_as_typed="", name="", timezone="", language="", is_confirmed=False,
            confirmed_at=None, ip_address=None, left_at=self._past_time(row.left_at), details="{}",
            why=_printable(row.why)[:120],
        )  # fmt: skip

    def _reason_to_refuse(self, row: Row) -> str:
        """Return why a reader with a valid address is refused; a service's codes are no reason."""
        name = row.name
        if name and not _ORDINARY_NAME.fullmatch(name):
            try:
                one_line(_name(name))
            except ValidationError:
                return "the name holds control characters"
        if len(name) > LONGEST_NAME and len(_name(name)) > LONGEST_NAME:
            return f"the name is longer than {LONGEST_NAME} characters"
        if self.lenient:
            return ""
        if row.timezone and row.timezone not in self.zones:
            return f"{_quoted(row.timezone)} is not a time zone; write it like Europe/London"
        if row.language and not _is_language(row.language):
            return f"{_quoted(row.language)} is not a language; write it like en or pt-BR"
        return ""

    def _past_time(self, text: str) -> datetime | None:
        """Return the list's time, as UTC if it names no zone; None if invalid or in the future."""
        if not text:
            return None
        time = dates.read_date(text, self.orders)
        return time if time and time <= self.now + timedelta(days=1) else None


_READER_KINDS = frozenset({RowKind.READER, RowKind.UNCONFIRMED})


def fast_normalise(raw: str) -> str:
    """Return what `normalise` returns, faster: lists have few domains and few odd spellings.

    Raises:
        BadAddress: as `normalise` does.
    """
    found = _ORDINARY_ADDRESS.fullmatch(raw)
    if found and len(raw) <= _LONGEST:
        local, domain = found[1], _domain(found[2])
        may_be_role = local.isalpha() and not local.islower()
        if domain and len(local) <= _LONGEST_LOCAL and not may_be_role:
            return f"{local}@{domain}"
    return normalise(raw)


@lru_cache(maxsize=50_000)
def _domain(domain: str) -> str | None:
    """Return how `normalise` writes the domain; None if it would refuse the domain."""
    try:
        return normalise(f"a@{domain}").removeprefix("a@")
    except BadAddress:
        return None


def _quoted(value: str) -> str:
    """Return the value as a reason may quote it: no reason holds an address, which names a person.

    A line with one comma too many has its address in another column.
    """
    return "the address in its place" if addresses_in(value) else repr(value[:40])


def _name(raw: str) -> str:
    # A badly converted list has C1 controls for apostrophes; no reader is refused for that.
    # Nor for marks of the writing direction, which spreadsheets add.
    return " ".join(without_bidi_controls(_C1_CONTROLS.sub(" ", raw)).split())


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else "�" for c in text)


@lru_cache(maxsize=1000)
def _is_language(text: str) -> bool:
    return bool(_LANGUAGE.fullmatch(text))


def _ip(text: str) -> str | None:
    if not text:
        return None
    try:
        # PostgreSQL's inet cannot hold a zone, as in fe80::1%eth0.
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def _details(line: int, signed_up_at: datetime | None, confirmed_at: datetime | None) -> str:
    """Return what this row adds to the evidence of its import, as JSON."""
    if signed_up_at is None and confirmed_at is None:
        return f'{{"line": {line}}}'
    found = {"signed_up_at": signed_up_at, "confirmed_at": confirmed_at}
    times = {name: at.isoformat() for name, at in found.items() if at is not None}
    return json.dumps({"line": line} | times)
