"""Run an import in slices of some seconds, between which it may be stopped or its worker killed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from psycopg.errors import DiskFull

from subscribers.models import ImportJob, ImportRefusal
from subscribers.transfer import importing, storing
from subscribers.transfer.csv_lines import FILE_START, ResumePoint
from subscribers.transfer.importing import Chunk
from subscribers.transfer.jobs import NO_PROGRESS, plan_of
from subscribers.transfer.storing import ImportResult
from subscribers.transfer.survey import OpenQuestions
from subscribers.transfer.unpacking import UnreadableFile

logger = logging.getLogger(__name__)

Status = ImportJob.Status

# How long a worker runs before other tasks (feeds, webhooks) have their turn. The first slice reads
# the whole list before its first batch, to see who has left. SIGTERM waits for the
# end of a slice. A dry run is a single slice, since its counts are lost with its connection.
SLICE_SECONDS = 8.0
# Much longer than a batch takes to store, and the lease is renewed while one is read. A worker that
# has not renewed its lease for so long is dead.
LEASE = timedelta(minutes=2)
NO_ROOM = "The disk of PostgreSQL is full. Make room there, then import the rest."


class _LeaseLost(Exception):
    """Somebody stopped the import, or another worker has it."""


def unclaimed(*, now: datetime) -> list[int]:
    """Return the imports that no worker has: their task was lost, or their worker died."""
    found = ImportJob.objects.filter(status__in=ImportJob.UNDER_WAY, leased_until__lt=now)
    return list(found.order_by("leased_until").values_list("pk", flat=True))


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


def reset_progress(job_id: int) -> None:
    """Delete what an earlier slice has counted."""
    ImportRefusal.objects.filter(job=job_id).delete()
    ImportJob.objects.filter(pk=job_id).update(**NO_PROGRESS)


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
