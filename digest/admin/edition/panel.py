"""The facts at the top of an edition's page: its status, and what keeps it from going out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from digest.admin.local_times import format_local
from digest.admin.send_times import (
    format_send_time,
    reader_hour,
    send_deadline,
    send_time_for_audience,
    sending_status,
)
from digest.delivery.planning.resend import undelivered
from digest.delivery.progress.report import DeliveryTally, Report
from digest.delivery.progress.watch import Snapshot, snapshot
from digest.delivery.progress.wording import approximate
from digest.editions.decide import approve, audience
from digest.editions.decide.approve import next_revision
from digest.editions.decide.audience import AudienceEstimate
from digest.editions.decide.preflight import EditionProblem, find_problems, min_stories
from digest.editions.decide.release import Release, what_if_left
from digest.editions.draft.passed_over import DRAFTED_SHORT
from digest.editions.draft.refresh import LEFT_ALONE_FOR, is_refreshed
from digest.editions.edit import correct, curate
from digest.models import Delivery, Edition
from digest.rendering.content_hash import content_hash
from subscribers.plumbing.shared_cache import stale_while_revalidate

Status = Edition.Status
COLOURS = {
    Status.DRAFT: "info",
    Status.HELD: "danger",
    Status.APPROVED: "success",
    Status.SENDING: "info",
    Status.SENT: "success",
    Status.SKIPPED: "warning",
}


def panel(edition: Edition, *, now: datetime) -> dict[str, Any]:
    """Return the template's context for one edition's status panel."""
    zone = edition.newsletter.zone
    editable = curate.is_editable(edition)
    sending = progress(edition, now=now, domains=False)
    problems = find_problems(edition) if editable else []
    readers = _readers_of(edition, sending.get("snapshot"), now)
    return {
        "edition": edition,
        "editable": editable,
        "colour": COLOURS[Status(edition.status)],
        "headline": headline(edition, now=now),
        # Some reasons are whole sentences; the template adds a full stop to each.
        "detail": edition.reason_detail.rstrip("."),
        "zone": zone.key,
        "sends_at": send_time_for_audience(edition, zone, now=now),
        "reader_hour": reader_hour(edition),
        "last_wave_at": format_local(edition.last_wave_at, zone),
        "is_due": edition.sends_at <= now,
        "began_at": format_local(edition.sending_at, zone),
        "deadline_at": format_local(edition.deadline_at, zone),
        "send_deadline": send_deadline(edition, zone),
        "deadline_passed": editable and edition.deadline_at <= now,
        "problems": problems,
        "too_few_because": _too_few_because(edition) if editable else "",
        "fresher_until": _fresher_until(edition, now),
        "has_blocking": any(problem.blocking for problem in problems),
        "cause_is_gone": _cause_is_gone(edition, problems, readers.get("estimate")),
        "is_stopped": editable and edition.sending_at is not None,
        "can_reopen": edition.status == Status.SKIPPED and edition.deadline_at > now,
        "seen": approve.fingerprint(edition),
        "can_resend": bool(sending["tally"]) and _can_resend(edition, sending["tally"]),
        **readers,
        **sending,
    }


def _too_few_because(edition: Edition) -> str:
    """Return what the draft said of having too few stories, as long as it has too few."""
    if edition.items.count() >= min_stories(edition):
        return ""
    drafted = edition.log.filter(words__startswith=DRAFTED_SHORT, words__contains=" of at least ")
    return drafted.values_list("words", flat=True).last() or ""


def _fresher_until(edition: Edition, now: datetime) -> str:
    """Return until when the autopilot takes fresher stories by itself; empty if it does not."""
    if not is_refreshed(edition, now=now):
        return ""
    return format_local(edition.sends_at - LEFT_ALONE_FOR, edition.newsletter.zone)


def _cause_is_gone(
    edition: Edition, problems: list[EditionProblem], estimate: AudienceEstimate | None
) -> bool:
    """Whether what the edition was held for is no longer found."""
    if edition.status != Status.HELD:
        return False
    if edition.reason == Edition.Reason.AUDIENCE:
        return estimate is not None and not estimate.warning
    if edition.reason != Edition.Reason.NOT_SENDABLE:
        return False
    # The stored detail has the messages of that time, and is cut at its end.
    return not any(
        problem.message[:80] in edition.reason_detail for problem in problems if problem.blocking
    )


def _can_resend(edition: Edition, tally: DeliveryTally) -> bool:
    """Whether it can be sent again to anybody: not if all who failed are suppressed."""
    if edition.status not in {Status.SENDING, Status.SENT} or not tally.failed + tally.uncertain:
        return False
    found = stale_while_revalidate(
        f"undelivered:{edition.pk}", lambda: undelivered(edition.pk), min_ttl=1
    )
    return bool(found.failed or found.uncertain)


def _readers_of(edition: Edition, found: Snapshot | None, now: datetime) -> dict[str, Any]:
    """Return who has which version, and how many readers a correction or a held edition is for."""
    context: dict[str, Any] = {
        "corrections": list(edition.corrections.order_by("pk")) if edition.sending_at else []
    }
    if edition.corrects and not edition.sending_at:
        # There may be a million readers; the page that sends counts them again.
        context["correction_for"] = stale_while_revalidate(
            f"correction:{edition.pk}", lambda: audience.readers(edition).count(), min_ttl=1
        )
    if edition.is_extra and edition.status in Edition.EDITABLE and not edition.sending_at:
        # As above: what an editor approves, and not the last word.
        context["extra_for"] = stale_while_revalidate(
            f"extra:{edition.pk}", lambda: audience.estimate(edition, now=now), min_ttl=1
        )
        context["extra_cap"] = settings.EXTRA_EDITIONS_PER_DAY
    if edition.reason == Edition.Reason.AUDIENCE:
        context["estimate"] = audience.estimate(edition, now=now)
    return context | (_revisions(edition, found) if found else {})


def _revisions(edition: Edition, found: Snapshot) -> dict[str, Any]:
    """Return how many readers have which version; count anew only if an editor decides by it."""
    if edition.status in Edition.EDITABLE:
        return {
            "revision_counts": correct.revision_counts(edition),
            "next_version": next_revision(edition, content_hash(edition)),
        }
    may_correct = not correct.blocking_reason(edition)
    if edition.revision == 1:
        return {"correction_recipients": may_correct and found.tally.sent + found.tally.uncertain}
    readers = {group.name: group.sent + group.uncertain for group in found.report.revisions}
    numbers = range(1, edition.revision + 1)
    counts = [correct.RevisionCount(number, readers.get(str(number), 0)) for number in numbers]
    through = correct.correctable_revisions(edition)[-1] if may_correct else 0
    return {
        "revision_counts": counts,
        "correction_recipients": sum(count.readers for count in counts[:through]),
    }


def progress(edition: Edition, *, now: datetime, domains: bool = True) -> dict[str, Any]:
    """Return how far the sending is; before it began there is no `snapshot`.

    Counting by domain is slow, so the page is shown without `domains` and then requests them.
    """
    starting = edition.status == Status.APPROVED and edition.sends_at <= now
    under_way = starting or edition.status == Status.SENDING
    if edition.sending_at is None:
        return {"tally": None, "under_way": under_way, "refresh_seconds": 2 if under_way else 0}
    found = snapshot(edition, now=now, domains=domains)
    refreshes = under_way or found.tally.sending
    return {
        "snapshot": found,
        "tally": found.tally,
        "under_way": under_way,
        "refresh_seconds": _seconds_to_next_snapshot(found) if refreshes else 0,
        "reasons": _reasons(found.tally),
        "waiting": _waiting(found.report),
        # A screen reader announces it. It moves in steps of ten, or it would never be quiet.
        "announced_percent": found.percent // 10 * 10,
        "failed_percent": 100 * found.tally.failed / found.total if found.total else 0,
        "age": int((now - found.report.counted_at).total_seconds()),
        "next_try": format_local(found.report.next_try, edition.newsletter.zone),
        "took": approximate(edition.sent_at - edition.sending_at) if edition.sent_at else "",
    }


def _seconds_to_next_snapshot(found: Snapshot) -> int:
    if found.is_moving or found.is_planning:
        return 2
    # Between two waves there is nothing to see for hours.
    return 15 if found.report.to_come and not found.report.ready else 5


def _reasons(tally: DeliveryTally) -> list[tuple[str, int]]:
    """Return why readers were skipped or failed, the most frequent reason first."""
    return [
        (Delivery.Reason(code).label, count)
        for code, count in sorted(tally.reasons.items(), key=lambda item: -item[1])
    ]


def _waiting(report: Report) -> list[tuple[str, int]]:
    """Return what the waiting readers are waiting for."""
    tally = report.tally
    not_tried = tally.pending - tally.throttled - tally.deferred
    to_come = min(report.to_come, not_tried)
    groups = [
        ("for their turn", not_tried - to_come),
        ("for their own hour", to_come),
        ("for their domain's rate", tally.throttled),
        ("deferred by the server, to be tried again", tally.deferred),
        ("on the wire", tally.sending),
    ]
    return [(label, count) for label, count in groups if count]


def headline(edition: Edition, *, now: datetime) -> str:
    """Return one sentence that tells an editor what will happen next."""
    zone = edition.newsletter.zone
    when = format_send_time(edition, zone)
    if edition.status == Status.SENT:
        return f"Sent {format_local(edition.sent_at, zone)}."
    if edition.status == Status.SENDING:
        return sending_status(edition, zone, now=now)
    if edition.status == Status.SKIPPED:
        return "Skipped: this edition does not go out."
    if edition.status == Status.HELD and edition.sending_at:
        return "Sending was stopped before every reader had it."
    if edition.status == Status.DRAFT and edition.goes_out_on_approval:
        kind = "breaking news" if edition.is_extra else "a correction"
        return f"The draft of {kind}. It goes out as soon as it is approved."
    if edition.status == Status.HELD:
        return "Held: it waits for an editor."
    if edition.status == Status.APPROVED:
        return (
            f"Approved. Goes out {when}." if edition.sends_at > now else "Approved. Goes out now."
        )
    if edition.sends_at <= now:
        return "A draft whose send time has come."
    becomes = what_if_left(edition)
    if becomes is Release.SKIPPED:
        return f"A draft with too few stories. It is skipped {when}, unless an editor adds some."
    if becomes is Release.SEND:
        return f"A draft. Goes out {when} as it is, unless an editor changes it."
    return f"A draft. To go out {when} it needs approval."
