"""What an import's page shows: its status, and what would become of its first rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.utils.timesince import timesince

from subscribers.admin.import_questions import QuestionsForm
from subscribers.models import ImportJob
from subscribers.transfer import jobs
from subscribers.transfer.column_report import column_report, rows_sentence
from subscribers.transfer.importing import ImportPlan
from subscribers.transfer.presets import Field, RowKind
from subscribers.transfer.rows import Row
from subscribers.transfer.spreadsheet import Refusal
from subscribers.transfer.survey import Survey
from subscribers.transfer.unpacking import UnreadableFile

Status = ImportJob.Status

COLOURS = {
    Status.UPLOADED: "info",
    Status.TRYING: "info",
    Status.TRIED: "info",
    Status.RUNNING: "info",
    Status.DONE: "success",
    Status.STOPPED: "warning",
    Status.FAILED: "danger",
}
HEADLINES = {
    Status.UPLOADED: "Say what its columns hold, then start a dry run or import it.",
    Status.TRYING: "The dry run is under way. Nothing is changed.",
    Status.TRIED: "The dry run is finished. Nothing has been changed yet.",
    Status.RUNNING: "Being imported.",
    Status.DONE: "Imported.",
    Status.STOPPED: "Stopped before the end. Rows that were imported stay.",
    Status.FAILED: "It could not be read to its end.",
}
# A question is no failure, although the run that met it is over.
WAITS, WAITS_COLOUR = "waits for your answer", "warning"
WAITS_HEADLINE = "Nothing is imported yet: the list leaves something open."
REFUSALS, PREVIEWED = 20, 8


@dataclass(frozen=True)
class PreviewRow:
    """One of the first rows as it is parsed; `effect` says what becomes of it."""

    line: int
    email: str
    name: str = ""
    language: str = ""
    timezone: str = ""
    effect: str = ""
    is_refused: bool = False


def panel(job: ImportJob, *, now: datetime) -> dict[str, Any]:
    refusals = list(job.refusals.all()[:REFUSALS])
    stored = _stored(job)
    waits = jobs.waits_for_answer(stored, now=now)
    return {
        "job": job,
        "waits": waits,
        "state": state(stored, now=now),
        "colour": WAITS_COLOUR if waits else COLOURS[Status(job.status)],
        "headline": WAITS_HEADLINE if waits else HEADLINES[Status(job.status)],
        "refusals": refusals,
        "all_shown": len(refusals) == job.refused + job.unread_dates,
        "columns_read": _columns_read(stored, now=now),
        "can_resume": job.status == Status.STOPPED and job.line > 0 and bool(job.file),
        **progress(job, now=now),
    }


def _stored(job: ImportJob) -> ImportJob:
    """Return the job as it is stored: the forms of a page that is shown again change theirs."""
    return ImportJob.objects.select_related("newsletter", "created_by").get(pk=job.pk)


def state(job: ImportJob, *, now: datetime) -> str:
    """Return the status in words."""
    return WAITS if jobs.waits_for_answer(job, now=now) else job.get_status_display()


def _columns_read(job: ImportJob, *, now: datetime) -> dict[str, Any]:
    """Return what the last run has read rows and columns as; nothing before its first row."""
    if not (job.file and job.survey and job.line):
        return {}
    survey = Survey.from_json(job.survey)
    try:
        plan = jobs.plan_of(job, now=now).surveyed(survey)
        return _report(plan, survey)
    except UnreadableFile:
        return {}


def _report(plan: ImportPlan, survey: Survey) -> dict[str, Any]:
    """Return what rows and columns are read as, by a plan that knows the survey."""
    mapping = plan.mapping
    readings = column_report(
        plan.sheet.header(), mapping.columns, survey, plan.answers, is_fixed=mapping.is_fixed
    )
    return {
        "rows": rows_sentence(mapping.kind),
        "columns": [one for one in readings if one.reading],
        "unused": [one.column for one in readings if not one.reading],
    }


def progress(job: ImportJob, *, now: datetime) -> dict[str, Any]:
    """Return how far the import is; the page asks again after `refresh_seconds`; 0 means never."""
    is_dry_run = job.status in {Status.TRYING, Status.TRIED}
    return {
        "job": job,
        "refresh_seconds": 2 if job.is_under_way else 0,
        "is_dry_run": is_dry_run,
        # A screen reader announces it. It moves in steps of ten, or it would never be quiet.
        "announced_percent": job.percent // 10 * 10,
        "took": _took(job),
        "time_left": _time_left(job, now) if job.is_under_way else "",
    }


def _took(job: ImportJob) -> str:
    if not job.started_at or not job.ended_at:
        return ""
    is_short = job.ended_at - job.started_at < timedelta(minutes=1)
    return "less than a minute" if is_short else timesince(job.started_at, job.ended_at)


def _time_left(job: ImportJob, now: datetime) -> str:
    """Say how much longer it takes at its speed so far; empty for the first 2 % of the file."""
    if not job.started_at or job.position * 50 < job.size or not job.rows:
        return ""
    left = (now - job.started_at) * max(job.size - job.position, 0) / job.position
    return "a minute" if left < timedelta(minutes=1) else timesince(now, now + left, depth=1)


def preview(plan: ImportPlan, job: ImportJob) -> list[PreviewRow]:
    """Return the first rows as the plan reads them, without looking up known readers.

    Raises:
        UnreadableFile: the rows cannot be read.
    """
    # Only the columns are checked here: the form below them checks the evidence of consent.
    checker = replace(plan.checker, confirmed=job.treatment == ImportJob.Treatment.CONFIRMED)
    records = plan.sheet.records()
    rows = list(islice(plan.mapping.rows(records), PREVIEWED))
    records.close()
    found = []
    for row in rows:
        checked = row if isinstance(row, Refusal) else checker.check(row)
        if isinstance(checked, Refusal):
            effect = f"refused: {checked.reason}"
            found.append(
                PreviewRow(checked.line, checked.email, _name(row), effect=effect, is_refused=True)
            )
            continue
        found.append(
            PreviewRow(
                checked.line, checked.email, checked.name, checked.language, checked.timezone,
                _effect(checked.kind, is_confirmed=checked.is_confirmed),
            )
        )  # fmt: skip
    return found


def _name(row: Row | Refusal) -> str:
    return "" if isinstance(row, Refusal) else row.name[:120]


def _effect(kind: RowKind, *, is_confirmed: bool) -> str:
    if kind in {RowKind.READER, RowKind.UNCONFIRMED}:
        return "becomes an active reader" if is_confirmed else "is asked by mail to confirm"
    past_events = {
        RowKind.UNSUBSCRIBED: "left",
        RowKind.CLEANED: "bounced",
        RowKind.COMPLAINED: "complained",
    }
    return f"{past_events.get(kind, 'is blocked')}: gets no mail from here"


def questions_form(
    data: Mapping[str, Any] | None, job: ImportJob, *, now: datetime
) -> QuestionsForm:
    """Return the form for what the list leaves open, as the job's columns map it now.

    Raises:
        UnreadableFile: the list cannot be read.
    """
    questions = jobs.questions_of(job, now=now)[1] if Field.EMAIL in job.columns else []
    plan = jobs.plan_of(job, now=now)
    # The evidence may not be written yet.
    confirmed = job.treatment == ImportJob.Treatment.CONFIRMED
    plan = replace(plan, checker=replace(plan.checker, confirmed=confirmed))
    return QuestionsForm(
        data,
        job=job,
        questions=questions,
        is_open=lambda one, answers: replace(plan, answers=answers).is_open(one),
    )


def preview_context(job: ImportJob, *, now: datetime) -> dict[str, Any]:
    """Return the template's context: how columns and first rows are read now, or why not."""
    if Field.EMAIL not in job.columns:
        return {"rows": []}
    try:
        survey, _ = jobs.questions_of(job, now=now)
        plan = jobs.plan_of(job, now=now).surveyed(survey)
        return {"rows": preview(plan, job), "report": _report(plan, survey)}
    except UnreadableFile as error:
        return {"rows": [], "unreadable": str(error)}
