"""Import readers from a list in batches of ten thousand, and account for every row."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice, takewhile
from threading import Event

from django.db import transaction

from subscribers.consent.record import Origin
from subscribers.models import Newsletter
from subscribers.transfer import storing
from subscribers.transfer.checking import Batch, Checker
from subscribers.transfer.csv_lines import FILE_START, ResumePoint
from subscribers.transfer.presets import DAYBREAK, Preset
from subscribers.transfer.questions import NO_ANSWERS, Answers, Question
from subscribers.transfer.rows import ColumnMapping
from subscribers.transfer.signs.meanings import has_left
from subscribers.transfer.spreadsheet import Spreadsheet
from subscribers.transfer.storing import ImportResult, ImportTarget
from subscribers.transfer.survey import OpenQuestions, Survey, sign_columns, take_survey

BATCH_SIZE = 10_000
# While a batch is read for longer than this, the caller is asked whether it may go on.
_WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class ImportEvidence:
    """The evidence that readers confirmed elsewhere, and who gave it.

    If `statement` is empty, each reader is asked to confirm.
    """

    statement: str = ""
    by: str = ""
    service: str = ""
    job: int | None = None
    answers: str = ""

    def details(self, file: str) -> dict[str, str | int]:
        """Return what each consent record holds of it; the row adds its line and its times."""
        details = {
            "evidence": self.statement, "by": self.by, "service": self.service, "file": file,
            "import": self.job, "answers": self.answers,
        }  # fmt: skip
        return {name: value for name, value in details.items() if value}


@dataclass(frozen=True)
class ImportPlan:
    """One list to import: the file, how it is read and checked, and where its readers go.

    `survey` is what an earlier slice has found out about the list.
    """

    sheet: Spreadsheet
    mapping: ColumnMapping
    checker: Checker
    target: ImportTarget
    preset: Preset
    answers: Answers = field(default_factory=Answers)
    survey: Survey | None = None
    kind_is_given: bool = False

    def surveyed(self, survey: Survey) -> ImportPlan:
        """Return the plan that reads the list as the survey and the answers say."""
        header = self.sheet.header()
        found = sign_columns(survey, header, self.mapping.columns, self.preset, self.answers)
        orders = dict(survey.orders)
        if self.answers.dates:
            orders = dict.fromkeys("/-", self.answers.dates) | orders
        return replace(
            self,
            survey=survey,
            mapping=self.mapping.with_signs(found),
            checker=replace(self.checker, orders=orders),
        )

    def open_questions(self, survey: Survey) -> list[Question]:
        """Return what the operator has to answer before a row is stored."""
        return [one for one in survey.questions if self.is_open(one)]

    def is_open(self, question: Question) -> bool:
        if question.about == "rows":
            return not self.kind_is_given
        if question.about == "unconfirmed":
            # Without evidence each of them is asked by mail, as they should be.
            is_of_readers = not self.kind_is_given and not has_left(self.mapping.kind)
            return is_of_readers and self.checker.confirmed
        if question.about == "file":
            return not self.kind_is_given and not has_left(self.mapping.kind)
        if question.about == "dates":
            # Without a confirmation to prove, a date that is left out changes nothing.
            return self.checker.confirmed and not self.answers.settle(question)
        return not self.mapping.is_fixed and not self.answers.settle(question)


def prepare(
    sheet: Spreadsheet,
    mapping: ColumnMapping,
    *,
    newsletter: Newsletter,
    evidence: ImportEvidence,
    preset: Preset = DAYBREAK,
    answers: Answers = NO_ANSWERS,
    survey: Survey | None = None,
    kind_is_given: bool = False,
    dry_run: bool = False,
    now: datetime,
) -> ImportPlan:
    """Return what `import_all` and `chunks` take. With `dry_run`, nothing is stored."""
    name = sheet.file.name
    return ImportPlan(
        sheet=Spreadsheet(sheet.file, has_backslashes=preset.has_backslashes),
        mapping=mapping,
        checker=Checker(
            confirmed=bool(evidence.statement),
            requires_confirmed_at=mapping.has_confirmations,
            lenient=mapping.lenient,
            now=now,
        ),
        target=ImportTarget(
            newsletter=newsletter,
            origin=Origin(page=f"import of {name}"),
            details=evidence.details(name),
            dry_run=dry_run,
            now=now,
        ),
        preset=preset,
        answers=answers,
        survey=survey,
        kind_is_given=kind_is_given,
    )


@dataclass(frozen=True)
class Chunk:
    """A batch, where another run resumes after it, and how many bytes of the file are read.

    `survey` counts the rows up to the end of this batch.
    """

    batch: Batch
    resume_point: ResumePoint
    position: int
    survey: Survey


def chunks(
    plan: ImportPlan,
    *,
    after: ResumePoint = FILE_START,
    while_waiting: Callable[[], None] = lambda: None,
) -> Iterator[Chunk]:
    """Read and check the list batch by batch, one batch ahead of the caller, who stores them.

    PostgreSQL works on one batch while the next is checked: on two cores that is nearly twice as
    fast. At the start the whole file is decoded once, and looked at once for who has left: a list
    that leaves that open is refused as a whole. `while_waiting` is called every few seconds
    for as long as a batch is not ready; what it raises ends the import.

    Raises:
        UnreadableFile: the file cannot be read to its end.
    """
    stopped = Event()
    found = _chunks(plan, after, stopped)
    with _short_switch_interval(), ThreadPoolExecutor(1) as pool:
        next_chunk = pool.submit(next, found, None)
        try:
            while (chunk := _wait_for(next_chunk, while_waiting)) is not None:
                next_chunk = pool.submit(next, found, None)
                yield chunk
        finally:
            # If the caller stops early, the record being read is finished and the file is closed.
            stopped.set()
            wait([next_chunk])
            found.close()


def _wait_for(chunk: Future[Chunk | None], while_waiting: Callable[[], None]) -> Chunk | None:
    while not wait([chunk], timeout=_WAIT_SECONDS).done:
        while_waiting()
    return chunk.result()


@contextmanager
def _short_switch_interval() -> Iterator[None]:
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


def _chunks(plan: ImportPlan, after: ResumePoint, stopped: Event) -> Generator[Chunk, None, None]:
    survey = plan.survey
    if after == FILE_START:
        plan.sheet.file.check_encoding(should_stop=stopped.is_set)
    if after == FILE_START or survey is None:
        survey = survey_list(plan, should_stop=stopped.is_set)
        if (questions := plan.open_questions(survey)) and not stopped.is_set():
            raise OpenQuestions(survey, questions)
    plan = plan.surveyed(survey)
    records = takewhile(lambda _: not stopped.is_set(), plan.sheet.records(after=after))
    rows = plan.mapping.rows(records)
    while (batch := plan.checker.fill(Batch(), islice(rows, BATCH_SIZE))).rows_read:
        # Made here, in the thread that checks; `store_batch` then finds it in the batch.
        batch.as_csv()
        counted = survey.counted(plan.mapping.counts)
        yield Chunk(batch, plan.sheet.resume_point(), plan.sheet.position(), counted)


def survey_list(
    plan: ImportPlan, *, first: int | None = None, should_stop: Callable[[], bool] = lambda: False
) -> Survey:
    """Return what the whole list says of itself, or its `first` records.

    `should_stop` is asked after each record; if it is true, the rest is not read.

    Raises:
        UnreadableFile: as in `Spreadsheet.records`.
    """
    sheet = plan.sheet
    header = sheet.header()
    records = sheet.records()
    try:
        seen = takewhile(lambda _: not should_stop(), islice(records, first))
        return take_survey(
            header, plan.mapping.columns, plan.preset, seen, file_name=sheet.file.name
        )
    finally:
        records.close()


def import_all(
    plan: ImportPlan, *, tell: Callable[[Survey], None] = lambda _: None
) -> Iterator[ImportResult]:
    """Import the whole list, each batch in its own transaction, and yield what became of each.

    `tell` is called after each batch with what is known of the columns by then.

    Raises:
        UnreadableFile: the file cannot be read to its end. The batches before that are stored.
        OpenQuestions: the list does not say for certain who has left. Nothing is stored.
    """
    storing.reset_seen()
    asked = 0
    for chunk in chunks(plan):
        with transaction.atomic():
            result = storing.store_batch(plan.target, chunk.batch, asked_before=asked)
        asked += result.asked
        tell(chunk.survey)
        yield result
