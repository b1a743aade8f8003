"""Import readers from a list in batches of ten thousand, and account for every row."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import transaction

from subscribers.consent import Origin
from subscribers.models import Newsletter
from subscribers.transfer import storing
from subscribers.transfer.checking import Batch, Checker
from subscribers.transfer.rows import Reading
from subscribers.transfer.spreadsheet import START, Place, Spreadsheet
from subscribers.transfer.storing import Import, Outcome

BATCH = 10_000


@dataclass(frozen=True)
class Word:
    """The evidence that readers confirmed elsewhere, and who gave it.

    If `evidence` is empty, each reader is asked to confirm.
    """

    evidence: str = ""
    by: str = ""
    service: str = ""
    job: int | None = None

    def details(self, file: str) -> dict[str, str | int]:
        """Return what each consent record holds of it; the row adds its line and its times."""
        said = {
            "evidence": self.evidence, "by": self.by, "service": self.service, "file": file,
            "import": self.job,
        }  # fmt: skip
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True)
class Plan:
    """One list to import: the file, how it is read and checked, and where its readers go."""

    sheet: Spreadsheet
    reading: Reading
    checker: Checker
    task: Import


def plan(
    sheet: Spreadsheet,
    reading: Reading,
    *,
    newsletter: Newsletter,
    word: Word,
    trial: bool = False,
    now: datetime,
) -> Plan:
    """Return what `run` and `pieces` take. With `trial`, nothing is stored."""
    name = sheet.file.name
    return Plan(
        sheet=sheet,
        reading=reading,
        checker=Checker(
            confirmed=bool(word.evidence),
            by_row=reading.has_confirmations,
            lenient=reading.lenient,
            now=now,
        ),
        task=Import(
            newsletter=newsletter,
            origin=Origin(page=f"import of {name}"),
            details=word.details(name),
            trial=trial,
            now=now,
        ),
    )


@dataclass(frozen=True)
class Piece:
    """A batch, the place in the file where it ends, and how many bytes of the file are read."""

    batch: Batch
    place: Place
    position: int


def pieces(plan: Plan, *, after: Place = START) -> Iterator[Piece]:
    """Read and check the list batch by batch, one batch ahead of the caller, who stores them.

    PostgreSQL works on one batch while the next is checked: on two cores that is nearly twice as
    fast.
    """
    found = _pieces(plan, after)
    with _taking_turns(), ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, found, None)
        try:
            while (piece := coming.result()) is not None:
                coming = pool.submit(next, found, None)
                yield piece
        finally:
            # If the caller stops early, the batch being read is finished and the file is closed.
            wait([coming])
            found.close()


@contextmanager
def _taking_turns() -> Iterator[None]:
    """Let a thread that PostgreSQL has answered continue within half a millisecond.

    By default the thread that checks rows gives way after five milliseconds. A batch waits for
    some dozens of answers, so that was a third of an import's time.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _pieces(plan: Plan, after: Place) -> Generator[Piece, None, None]:
    rows = plan.reading.rows(plan.sheet.records(after=after))
    while (batch := plan.checker.fill(Batch(), islice(rows, BATCH))).read:
        # While a closing quotation mark is searched for, no other run can resume. It ends soon.
        while (place := plan.sheet.place()) is None:
            plan.checker.fill(batch, islice(rows, 1))
        batch.as_csv()
        yield Piece(batch, place, plan.sheet.position())


def run(plan: Plan) -> Iterator[Outcome]:
    """Import the whole list, each batch in its own transaction, and yield what became of each.

    Raises:
        UnreadableFile: the file cannot be read to its end. The batches before that are stored.
    """
    storing.begin()
    asked = 0
    for piece in pieces(plan):
        with transaction.atomic():
            outcome = storing.store(plan.task, piece.batch, asked=asked)
        asked += outcome.asked
        yield outcome
