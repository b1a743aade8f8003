"""The facts at the top of an edition's page: where it stands, and what stands in its way."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from digest.admin.clock import local
from digest.delivery.report import tally
from digest.editions import curate
from digest.editions.preflight import problems
from digest.models import Delivery, Edition

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
    """The template's context for one edition's status panel."""
    zone = edition.newsletter.zone
    editable = curate.is_editable(edition)
    return {
        "edition": edition,
        "editable": editable,
        "colour": COLOURS[Status(edition.status)],
        "headline": headline(edition, now=now),
        "zone": zone.key,
        "sends_at": local(edition.sends_at, zone),
        "deadline_at": local(edition.deadline_at, zone),
        "deadline_passed": editable and edition.deadline_at <= now,
        "problems": problems(edition) if editable else [],
        "can_resume": edition.status == Status.HELD and not editable,
        "can_reopen": edition.status == Status.SKIPPED and edition.deadline_at > now,
        "seen": curate.seal(edition),
        **progress(edition, now=now),
    }


def progress(edition: Edition, *, now: datetime) -> dict[str, Any]:
    """How far the sending is; without a tally before it began."""
    starting = edition.status == Status.APPROVED and edition.sends_at <= now
    under_way = starting or edition.status == Status.SENDING
    if edition.sending_at is None:
        return {"tally": None, "under_way": under_way}
    count = tally(edition.pk)
    return {
        "tally": count,
        "reasons": [(Delivery.Reason(code).label, n) for code, n in count.reasons.items()],
        "percent": 100 * count.settled // count.total if count.total else 100,
        "under_way": under_way,
    }


def headline(edition: Edition, *, now: datetime) -> str:
    """One sentence that tells an editor what will happen next."""
    when = local(edition.sends_at, edition.newsletter.zone)
    if edition.status == Status.SENT:
        return f"Sent {local(edition.sent_at, edition.newsletter.zone)}."
    if edition.status == Status.SENDING:
        return "On its way to the readers."
    if edition.status == Status.SKIPPED:
        return "Skipped: this edition does not go out."
    if edition.status == Status.HELD and edition.sending_at:
        return "Sending was stopped part of the way."
    if edition.status == Status.HELD:
        return "Held: it waits for an editor."
    if edition.status == Status.APPROVED:
        return (
            f"Approved. Goes out {when}." if edition.sends_at > now else "Approved. Goes out now."
        )
    if edition.sends_at <= now:
        return "A draft whose send time has come."
    if edition.schedule and edition.schedule.unapproved == "send":
        return f"A draft. Goes out {when} as it stands, unless an editor changes it."
    return f"A draft. To go out {when} it needs approval."
