"""Run a list's import in the background, in slices of seconds that may be stopped or killed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, BinaryIO, cast
from uuid import uuid4

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.files import File as DjangoFile
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from psycopg.errors import DiskFull

from subscribers.models import ImportJob, ImportRefusal, Newsletter
from subscribers.transfer import files, importing, presets, storing
from subscribers.transfer.csv_lines import FILE_START, ResumePoint
from subscribers.transfer.importing import Chunk, ImportEvidence, ImportPlan
from subscribers.transfer.presets import BY_NAME, DAYBREAK, Field, RowKind
from subscribers.transfer.questions import Answers, Question
from subscribers.transfer.rows import ColumnMapping
from subscribers.transfer.spreadsheet import Spreadsheet
from subscribers.transfer.storing import ImportResult
from subscribers.transfer.survey import OpenQuestions, Survey
from subscribers.transfer.unpacking import SourceFile, UnreadableFile

logger = logging.getLogger(__name__)

Status = ImportJob.Status

# How long a worker runs before other tasks (feeds, webhooks) have their turn. The first slice reads
# the whole list before its first batch, to see who has left. SIGTERM waits for the
# end of a slice. A dry run is a single slice, since its counts are lost with its connection.
SLICE_SECONDS = 8.0
# Much longer than a batch takes to store, and the lease is renewed while one is read. A worker that
# has not renewed its lease for so long is dead.
LEASE = timedelta(minutes=2)
# The records that are looked at while somebody waits for the page.
SURVEYED_FIRST = 500
NO_ROOM = "The disk of PostgreSQL is full. Make room there, then import the rest."
_NO_PROGRESS: dict[str, Any] = {
    "line": 0, "cookie": "0", "position": 0, "rows": 0, "added": 0, "asked": 0, "suppressed": 0,
    "already_there": 0, "refused": 0, "unread_dates": 0,
}  # fmt: skip


class InvalidImportState(Exception):
    """The state of the import does not allow this; the message is a sentence for the operator."""


class _LeaseLost(Exception):
    """Somebody stopped the import, or another worker has it."""


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
        evidence=evidence.strip(), **_NO_PROGRESS,
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
            **({} if resume else _NO_PROGRESS),
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


def unclaimed(*, now: datetime) -> list[int]:
    """Return the imports that no worker has: their task was lost, or their worker died."""
    found = ImportJob.objects.filter(status__in=ImportJob.UNDER_WAY, leased_until__lt=now)
    return list(found.order_by("leased_until").values_list("pk", flat=True))


# --- While it runs --------------------------------------------------------------------------------


def run_slice(*, job_id: int, clock: Callable[[], datetime]) -> bool:
    """Run one slice of the import; return True if more is to do and no worker has it now."""
    lease = str(uuid4())
    job = _claim(job_id, lease, clock())
    if job is None:
        return False
    try:
        return _Run(job, lease, clock).run()
    except _LeaseLost:
        return False
    except OpenQuestions as error:
        _held(job_id, lease).update(survey=error.survey.as_json())
        _end(job_id, lease, Status.FAILED, clock(), error=f"Nothing is imported yet. {error}")
    except UnreadableFile as error:
        _end(job_id, lease, Status.FAILED, clock(), error=str(error))
    except (OperationalError, InterfaceError) as error:
        if not isinstance(error.__cause__, DiskFull):
            raise  # the database will be back, and the lease runs out
        logger.error("Import %s is stopped: the disk of PostgreSQL is full", job_id)
        # If there is no room for this either, the next slice tries again.
        _end(job_id, lease, Status.STOPPED, clock(), error=NO_ROOM)
    except SoftTimeLimitExceeded:
        _end(
            job_id, lease, Status.FAILED, clock(),
            error="It took too long to read. Split the list into several files.",
        )  # fmt: skip
    except Exception as error:
        logger.exception("Import %s failed", job_id)
        _end(
            job_id, lease, Status.FAILED, clock(),
            error=f"A programming error stopped it: {type(error).__name__}. The log has details.",
        )  # fmt: skip
    return False


class _Run:
    """One slice of an import, run by one worker."""

    def __init__(self, job: ImportJob, lease: str, clock: Callable[[], datetime]) -> None:
        self.job, self.lease, self.clock = job, lease, clock
        self.is_dry_run = job.status == Status.TRYING
        self.asked = job.asked

    def run(self) -> bool:
        plan = plan_of(self.job, now=self.clock())
        resume_point = ResumePoint.parse(self.job.line, self.job.cookie)
        if self.is_dry_run and resume_point != FILE_START:
            reset_progress(self.job.pk)
            resume_point, self.asked = FILE_START, 0
        if resume_point == FILE_START:
            storing.reset_seen()
        until = time.monotonic() + SLICE_SECONDS
        for chunk in importing.chunks(plan, after=resume_point, while_waiting=self._renew_lease):
            with transaction.atomic():
                result = storing.store_batch(plan.target, chunk.batch, asked_before=self.asked)
                self._store_progress(result, chunk)
            self.asked += result.asked
            if not self.is_dry_run and time.monotonic() > until:
                return self._release()
        _end(
            self.job.pk, self.lease, Status.TRIED if self.is_dry_run else Status.DONE, self.clock()
        )
        return False

    def _store_progress(self, result: ImportResult, chunk: Chunk) -> None:
        """Store the progress in the transaction that stores the batch: both, or neither."""
        ImportRefusal.objects.bulk_create(
            [
                ImportRefusal(
                    job=self.job,
                    line=refusal.line,
                    email=refusal.email[:254],
                    reason=refusal.reason[:300],
                    is_note=is_note,
                )
                for refusals, is_note in ((result.refused, False), (result.unread, True))
                for refusal in refusals
            ],
            batch_size=5000,
        )
        has_lease = _held(self.job.pk, self.lease).update(
            line=chunk.resume_point.line,
            cookie=chunk.resume_point.position_text(),
            position=chunk.position,
            leased_until=self.clock() + LEASE,
            rows=F("rows") + result.rows,
            added=F("added") + result.added,
            asked=F("asked") + result.asked,
            suppressed=F("suppressed") + result.suppressed,
            already_there=F("already_there") + result.already_there,
            refused=F("refused") + len(result.refused),
            unread_dates=F("unread_dates") + len(result.unread),
            survey=chunk.survey.as_json(),
        )
        if not has_lease:
            raise _LeaseLost

    def _renew_lease(self) -> None:
        until = self.clock() + LEASE
        if not _held(self.job.pk, self.lease).update(leased_until=until):
            raise _LeaseLost

    def _release(self) -> bool:
        return bool(_held(self.job.pk, self.lease).update(lease="", leased_until=self.clock()))


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


def sheet_of(job: ImportJob) -> Spreadsheet:
    def open_file() -> BinaryIO:
        return cast(BinaryIO, job.file.storage.open(str(job.file.name), "rb"))

    return Spreadsheet(
        SourceFile(job.name, job.size, open_file, job.encoding, settings.IMPORT_MAX_BYTES)
    )


def reset_progress(job_id: int) -> None:
    """Delete what an earlier slice has counted."""
    ImportRefusal.objects.filter(job=job_id).delete()
    ImportJob.objects.filter(pk=job_id).update(**_NO_PROGRESS)


def _claim(job_id: int, lease: str, now: datetime) -> ImportJob | None:
    claimed = ImportJob.objects.filter(
        pk=job_id, status__in=ImportJob.UNDER_WAY, leased_until__lte=now
    ).update(lease=lease, leased_until=now + LEASE)
    if not claimed:
        return None
    return ImportJob.objects.select_related("newsletter", "created_by").get(pk=job_id)


def _held(job_id: int, lease: str) -> Any:
    return ImportJob.objects.filter(pk=job_id, lease=lease, status__in=ImportJob.UNDER_WAY)


def _end(job_id: int, lease: str, status: str, now: datetime, *, error: str = "") -> None:
    _held(job_id, lease).update(status=status, ended_at=now, lease="", error=error[:500])


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
