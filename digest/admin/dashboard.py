"""The admin's first page: what goes out next, and what needs an editor."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.timezone import now as current_time

from digest.admin.edition.panel import COLOURS
from digest.admin.edition.rights import may_stop
from digest.admin.local_times import format_local
from digest.admin.send_times import format_send_time, sending_status
from digest.delivery.progress.watch import snapshot
from digest.editions.draft.slots import active_schedules, next_open_slots, slot_plan
from digest.models import Cadence, Delivery, Edition, Feed, Schedule
from subscribers.admin import growth
from subscribers.models import Consent, Newsletter, Subscription
from subscribers.plumbing.shared_cache import stale_while_revalidate

# A card shows as many rows as fit on a screen; the changelists show the rest.
ROWS_PER_CARD = 6
# The reasons for which an edition is held until somebody has put something right.
MENDABLE = {Edition.Reason.NOT_SENDABLE, Edition.Reason.AUDIENCE}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the cards that this user may see (unfold's DASHBOARD_CALLBACK)."""
    now = current_time()
    may = request.user.has_perm
    cards: dict[str, Any] = {}
    if may("digest.view_edition"):
        cards |= {"upcoming": upcoming(now), "attention": attention(now)}
        cards["without_weekly_edition"] = stale_while_revalidate(
            "without_weekly_edition", without_weekly_edition, min_ttl=30
        )
        cards |= {"sending": sending(now), "may_stop": may_stop(request.user)}
    if may("digest.view_feed"):
        cards |= {"failing_feeds": failing_feeds(), "has_feeds": Feed.objects.exists()}
    if may("digest.view_delivery"):
        # Counting a million readers takes a second.
        cards["last_24_hours"] = stale_while_revalidate(
            "dashboard", lambda: last_24_hours(now), min_ttl=1
        )
    if may("subscribers.view_growthday"):
        cards["growth"] = stale_while_revalidate("growth-overview:2", growth.overview, min_ttl=1)
    return context | cards | {"title": "Overview", "has_newsletters": Newsletter.objects.exists()}


def upcoming(now: datetime) -> list[dict[str, Any]]:
    """Return the next editions, and the schedules' next slots without one, by send time."""
    editions = (
        Edition.objects.filter(status__in=Edition.EDITABLE, sends_at__gte=now)
        .select_related("newsletter")
        .annotate(story_count=Count("items"))
        .order_by("sends_at")[:ROWS_PER_CARD]
    )
    rows: list[dict[str, Any]] = [
        {
            "edition": edition,
            "colour": COLOURS[Edition.Status(edition.status)],
            "at": edition.sends_at,
            "when": format_send_time(edition, edition.newsletter.zone),
        }
        for edition in editions
    ]
    schedules = list(Schedule.objects.filter(is_active=True).select_related("newsletter"))
    next_slots = next_open_slots(schedules, now=now)
    # An edition by the readers' clocks begins, or is held, before the newsroom's own time comes.
    existing = Edition.objects.filter(
        schedule__in=next_slots, slot_date__in={slot.date for slot in next_slots.values()}
    )
    drafted = set(existing.values_list("schedule_id", "slot_date"))
    for schedule in schedules:
        slot = next_slots.get(schedule.pk)
        if slot and (schedule.pk, slot.date) not in drafted:
            plan = slot_plan(schedule, slot)
            draft_at = plan.sends_at - timedelta(minutes=schedule.draft_lead_minutes)
            rows.append(
                {
                    "schedule": schedule,
                    "at": plan.sends_at,
                    "when": format_send_time(plan, schedule.zone),
                    "draft_when": format_local(draft_at, schedule.zone),
                    "awaited": stale_while_revalidate(
                        f"awaited-{schedule.pk}", schedule.is_awaited, min_ttl=1
                    ),
                }
            )
    return sorted(rows, key=lambda row: row["at"])[:ROWS_PER_CARD]


def sending(now: datetime) -> list[dict[str, Any]]:
    """Return the editions that are being sent, and how far each is: it can be stopped here."""
    being_sent = Q(status=Edition.Status.SENDING)
    about_to_begin = Q(status=Edition.Status.APPROVED, sends_at__lte=now)
    editions = Edition.objects.filter(being_sent | about_to_begin)
    shown = editions.select_related("newsletter").order_by("-sends_at")[:ROWS_PER_CARD]
    return [
        {
            "edition": edition,
            "snapshot": snapshot(edition, now=now) if edition.sending_at else None,
            "waves": edition.local_time
            and sending_status(edition, edition.newsletter.zone, now=now),
        }
        for edition in shown
    ]


def attention(now: datetime) -> list[dict[str, Any]]:
    """Return the editions that need an editor: held, overdue, or skipped in the last three days."""
    editions = (
        Edition.objects.filter(
            Q(status=Edition.Status.HELD)
            | Q(status=Edition.Status.DRAFT, sends_at__lt=now)
            | Q(status=Edition.Status.SKIPPED, sends_at__gte=now - timedelta(days=3))
        )
        .exclude(reason=Edition.Reason.BY_EDITOR)
        .select_related("newsletter")
        .order_by("-sends_at")[:ROWS_PER_CARD]
    )
    return [
        {
            "edition": edition,
            "colour": COLOURS[Edition.Status(edition.status)],
            "when": format_local(edition.sends_at, edition.newsletter.zone),
            # The detail of a held one may be mended since; its page has what is found now.
            "detail": "" if edition.reason in MENDABLE else edition.reason_detail,
        }
        for edition in editions
    ]


def without_weekly_edition() -> list[dict[str, Any]]:
    """Return newsletters without a weekly schedule; their weekly readers get every edition."""
    weekly = active_schedules(Schedule.objects.filter(cadence=Cadence.WEEKLY))
    waiting = (
        Subscription.objects.filter(
            status=Subscription.Status.ACTIVE, frequency=Subscription.Frequency.WEEKLY
        )
        .exclude(newsletter__in=weekly.values("newsletter"))
        .order_by()
        .values("newsletter", "newsletter__name")
        .annotate(readers=Count("pk"))
    )
    return [dict(row) for row in waiting[:ROWS_PER_CARD]]


def failing_feeds() -> list[Feed]:
    """Return the feeds that fail, and those that Daybreak switched off: both bring nothing."""
    switched_off = Q(is_active=False) & ~Q(last_error="")
    return list(
        Feed.objects.filter(Q(is_active=True, consecutive_failures__gt=0) | switched_off)
        .select_related("newsletter")
        .order_by("is_active", "-consecutive_failures")[:ROWS_PER_CARD]
    )


def last_24_hours(now: datetime) -> dict[str, int]:
    """Count the last 24 hours from the rows themselves."""
    since = now - timedelta(days=1)
    status = Delivery.Status
    # The filter by edition lets PostgreSQL use an index of the ledger instead of reading all rows.
    recent = Edition.objects.filter(sending_at__gte=since - timedelta(days=1))
    counts = Delivery.objects.filter(edition__in=recent, finished_at__gte=since).aggregate(
        sent=Count("pk", filter=Q(status=status.SENT)),
        failed=Count("pk", filter=Q(status=status.FAILED)),
        skipped=Count("pk", filter=Q(status=status.SKIPPED)),
    )
    return counts | {
        # The consent ledger is counted, not `confirmed_at`: an imported reader has that date too,
        # and has confirmed nothing.
        "confirmed": Consent.objects.filter(
            kind=Consent.Kind.CONFIRMATION, created_at__gte=since
        ).count(),
        "left": Subscription.objects.filter(
            status=Subscription.Status.UNSUBSCRIBED, ended_at__gte=since
        ).count(),
    }
