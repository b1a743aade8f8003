"""Set up the import of an uploaded list, start it, stop it and let it go."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.files import File as DjangoFile
from django.db import transaction

from subscribers.models import ImportJob, ImportRefusal, Newsletter
from subscribers.transfer import files, importing, presets
from subscribers.transfer.importing import ImportEvidence, ImportPlan
from subscribers.transfer.presets import BY_NAME, DAYBREAK, Field, RowKind
from subscribers.transfer.questions import Answers, Question
from subscribers.transfer.rows import ColumnMapping
from subscribers.transfer.spreadsheet import Spreadsheet
from subscribers.transfer.survey import Survey
from subscribers.transfer.unpacking import SourceFile

logger = logging.getLogger(__name__)

Status = ImportJob.Status

# The records that are looked at while somebody waits for the page.
SURVEYED_FIRST = 500
NO_PROGRESS: dict[str, Any] = {
    "line": 0, "cookie": "0", "position": 0, "rows": 0, "added": 0, "asked": 0, "suppressed": 0,
    "already_there": 0, "refused": 0, "unread_dates": 0,
}  # fmt: skip


class InvalidImportState(Exception):
    """The state of the import does not allow this; the message is a sentence for the operator."""


# --- Before it runs -------------------------------------------------------------------------------


def upload(
    *, newsletter: Newsletter, file: DjangoFile[Any], encoding: str = "", by: Any, now: datetime
) -> ImportJob:
    """Store the file, and guess from its header whose export it is and what its columns hold.

    Raises:
        UnreadableFile: the file has no header. Nothing is stored.
        CannotStore: the disk is full, or cannot be written. Nothing is stored.
    """
    raw = cast(BinaryIO, file.file)
    name = (file.name or "list.csv").replace("\\", "/").rpartition("/")[2]
    source = SourceFile(
        name, file.size, lambda: cast(BinaryIO, _Rewound(raw)), encoding, settings.IMPORT_MAX_BYTES
    )
    header = Spreadsheet(source).header()
    preset = presets.detect(header)
    raw.seek(0)
    job = ImportJob(
        newsletter=newsletter, name=name[:200], size=file.size, encoding=encoding,
        preset=preset.name, columns=presets.columns(header, preset), created_by=by,
        created_at=now,
    )  # fmt: skip
    job.file.name = files.store(job.file.field.generate_filename(job, name), file)
    try:
        job.save(force_insert=True)
    except BaseException:
        files.discard(job.file.name)
        raise
    return job


def configure(
    *,
    job_id: int,
    preset: str,
    columns: Mapping[Field, int],
    kind: str,
    treatment: str,
    evidence: str,
    answers: Answers | None = None,
) -> None:
    """Set what the columns hold and what the evidence is; the import starts over after that.

    `answers` are to the questions of the list; None leaves those that were given.

    Raises:
        InvalidImportState: the import is under way.
    """
    changed = ImportJob.objects.filter(pk=job_id).exclude(status__in=ImportJob.UNDER_WAY)
    if not changed.update(
        preset=preset, columns=dict(columns), kind=kind, treatment=treatment,
        evidence=evidence.strip(), **NO_PROGRESS,
        **({} if answers is None else {"answers": answers.as_json()}),
    ):  # fmt: skip
        raise InvalidImportState("The import is under way; stop it first.")


def start_import(
    *, job_id: int, dry_run: bool = False, resume: bool = False, now: datetime
) -> None:
    """Make the job due: a dry run, an import from the start, or one from where it was stopped.

    Running an import again is harmless: readers who are in are counted as already there.

    Raises:
        InvalidImportState: the import is under way, or its list cannot be read.
    """
    new_status = Status.TRYING if dry_run else Status.RUNNING
    job = ImportJob.objects.get(pk=job_id)
    if not job.file:
        raise InvalidImportState("The file has been deleted; upload it again.")
    if Field.EMAIL not in job.columns:
        raise InvalidImportState("Say which column holds the addresses.")
    resume = resume and job.status == Status.STOPPED and job.line > 0
    with transaction.atomic():
        changed = ImportJob.objects.filter(
            pk=job_id, status__in=[old for old, new in ImportJob.MOVES.items() if new_status in new]
        ).update(
            status=new_status, started_at=now, ended_at=None, error="", lease="", leased_until=now,
            **({} if resume else NO_PROGRESS),
        )  # fmt: skip
        if not changed:
            raise InvalidImportState("The import is under way.")
        if not resume:
            ImportRefusal.objects.filter(job=job_id).delete()


def stop_import(*, job_id: int, now: datetime) -> bool:
    """Stop the import immediately; return False if it was over.

    What is stored stays. The batch that is under way is not stored.
    """
    return bool(
        ImportJob.objects.filter(pk=job_id, status__in=ImportJob.UNDER_WAY).update(
            status=Status.STOPPED, ended_at=now, lease=""
        )
    )


# --- How its list is read -------------------------------------------------------------------------


def plan_of(job: ImportJob, *, now: datetime) -> ImportPlan:
    """Return how the job's list is read, and where its readers go."""
    preset = BY_NAME.get(job.preset, DAYBREAK)
    columns = {Field(field): column for field, column in job.columns.items()}
    mapping = ColumnMapping.from_preset(
        preset, columns, kind=RowKind(job.kind) if job.kind else None
    )
    confirmed = job.treatment == ImportJob.Treatment.CONFIRMED
    answers = Answers.from_json(job.answers or {})
    return importing.prepare(
        sheet_of(job),
        mapping,
        newsletter=job.newsletter,
        evidence=ImportEvidence(
            statement=job.evidence if confirmed else "",
            by=job.created_by.get_username() if job.created_by else "",
            service=preset.service,
            job=job.pk,
            answers=answers.statement(),
        ),
        preset=preset,
        answers=answers,
        survey=Survey.from_json(job.survey) if job.survey and job.line else None,
        kind_is_given=bool(job.kind),
        dry_run=job.status == Status.TRYING,
        now=now,
    )


def questions_of(job: ImportJob, *, now: datetime) -> tuple[Survey, list[Question]]:
    """Return what the first records say of the list, and all that the operator may answer.

    The questions of an earlier reading of the whole list come first.

    Raises:
        UnreadableFile: the records cannot be read.
    """
    plan = plan_of(job, now=now)
    survey = importing.survey_list(plan, first=SURVEYED_FIRST)
    whole = Survey.from_json(job.survey or {})
    known = {(one.about, one.column) for one in whole.questions}
    found = [one for one in survey.questions if (one.about, one.column) not in known]
    return survey, [*whole.questions, *found]


def waits_for_answer(job: ImportJob, *, now: datetime) -> bool:
    """Return whether the last run ended before its first row at a question that is open."""
    if job.status != Status.FAILED or job.line or not job.survey:
        return False
    return bool(plan_of(job, now=now).open_questions(Survey.from_json(job.survey)))


def sheet_of(job: ImportJob) -> Spreadsheet:
    def open_file() -> BinaryIO:
        return cast(BinaryIO, job.file.storage.open(str(job.file.name), "rb"))

    return Spreadsheet(
        SourceFile(job.name, job.size, open_file, job.encoding, settings.IMPORT_MAX_BYTES)
    )


# --- Afterwards -----------------------------------------------------------------------------------


def purge_uploads(*, before: datetime, limit: int = 20) -> int:
    """Delete the files and refusals of imports from before that time; their counts stay."""
    old = ImportJob.objects.filter(created_at__lt=before).exclude(file="")
    old_jobs = list(old.exclude(status__in=ImportJob.UNDER_WAY).order_by("created_at")[:limit])
    for job in old_jobs:
        ImportRefusal.objects.filter(job=job).delete()
        files.discard(str(job.file.name))
        # Both may hold what the list says of a person.
        ImportJob.objects.filter(pk=job.pk).update(file="", survey=None, answers=None)
    return len(old_jobs)


class _Rewound:
    """An upload as SourceFile opens it: from the start each time. Closing it leaves it open."""

    def __init__(self, raw: BinaryIO) -> None:
        self.raw = raw
        raw.seek(0)

    def __enter__(self) -> BinaryIO:
        return self.raw

    def __exit__(self, *_: object) -> None:
        self.raw.seek(0)
