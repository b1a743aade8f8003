"""Count who came and who left, by day and by page, so that the figures outlive the people.

The ledger of consent holds all of this, but it is long, and an erased reader leaves no record in
it. So its entries are counted into GrowthDay once they are settled (SETTLED_AFTER). A report adds
what has happened since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Min

from subscribers.models import Consent, GrowthMark, Newsletter

KINDS = ("signups", "confirmations", "imports", "leavers")
# Entries are counted into GrowthDay only at this age: an import stamps its rows with the time at
# which it began, so it may still add some.
SETTLED_AFTER = timedelta(hours=1)
# Days counted in one transaction when there is a ledger and nothing has been counted yet.
DAYS_PER_TRANSACTION = timedelta(days=31)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

# What counts:
# - Signing up again within a day is the same sign-up.
# - Leaving counts only for a subscription that had been confirmed.
# - A reader who comes back within the hour (preferences.leaving) neither left nor confirmed. That
#   hour is over by the time that a leaving is counted into GrowthDay (SETTLED_AFTER).
#
# `zones` and `marks` give each newsletter's time zone, and up to when it is in GrowthDay already.
# `since` is the earliest of the marks, for the index consent_by_time.
#
# OFFSET 0 makes PostgreSQL read and join the events once. Without it, PostgreSQL did so for each
# time zone, and took three times as long over an import of a million.
_COUNTED = """
    SELECT n.id AS newsletter_id, (e.created_at AT TIME ZONE n.zone)::date AS day, e.source,
           count(*) FILTER (WHERE e.kind = 'signup') AS signups,
           count(*) FILTER (WHERE e.kind = 'confirmation'
                              AND e.came_from IS DISTINCT FROM 'unsubscribed') AS confirmations,
           count(*) FILTER (WHERE e.kind = 'import') AS imports,
           count(*) FILTER (WHERE e.kind = 'withdrawal' AND e.confirmed_at IS NOT NULL
               AND NOT EXISTS (
               SELECT 1 FROM subscribers_consent c
                WHERE c.subscription_id = e.subscription_id AND c.kind = 'confirmation'
                  AND c.details #>> '{{status,from}}' = 'unsubscribed'
                  AND c.created_at >= e.created_at
                  AND c.created_at <= e.created_at + interval '1 hour')) AS leavers
      FROM (SELECT e.*, s.newsletter_id, s.source, s.confirmed_at
              FROM ({events}) e JOIN subscribers_subscription s ON s.id = e.subscription_id
            OFFSET 0) e
      JOIN unnest(%(ids)s::bigint[], %(zones)s::text[], %(marks)s::timestamptz[])
           AS n(id, zone, mark) ON n.id = e.newsletter_id AND e.created_at >= n.mark
     WHERE e.kind <> 'change'
       AND (e.kind <> 'signup' OR NOT EXISTS (
               SELECT 1 FROM subscribers_consent c
                WHERE c.subscription_id = e.subscription_id AND c.kind = 'signup'
                  AND c.created_at < e.created_at
                  AND c.created_at > e.created_at - interval '1 day'))
     GROUP BY 1, 2, 3
"""
_EVENTS_OF_PERIOD = """
    SELECT subscription_id, kind, created_at,
           CASE kind WHEN 'confirmation' THEN details #>> '{status,from}' END AS came_from
      FROM subscribers_consent
     WHERE created_at >= %(since)s AND created_at < %(until)s
"""
_EVENTS_OF_SUBSCRIPTIONS = """
    SELECT subscription_id, kind, created_at,
           CASE kind WHEN 'confirmation' THEN details #>> '{status,from}' END AS came_from
      FROM subscribers_consent
     WHERE subscription_id = ANY(%(subscriptions)s)
     UNION ALL
    SELECT id, 'withdrawal', %(now)s, NULL FROM unnest(%(leaving)s::bigint[]) AS leaving(id)
"""
_ADD = """
INSERT INTO subscribers_growthday
       (newsletter_id, day, source, signups, confirmations, imports, leavers)
{counted}
    ON CONFLICT (newsletter_id, day, source) DO UPDATE
   SET signups = subscribers_growthday.signups + EXCLUDED.signups,
       confirmations = subscribers_growthday.confirmations + EXCLUDED.confirmations,
       imports = subscribers_growthday.imports + EXCLUDED.imports,
       leavers = subscribers_growthday.leavers + EXCLUDED.leavers
"""
_ADD_PERIOD = _ADD.format(counted=_COUNTED.format(events=_EVENTS_OF_PERIOD))
_ADD_SUBSCRIPTIONS = _ADD.format(counted=_COUNTED.format(events=_EVENTS_OF_SUBSCRIPTIONS))
_STORED = """
    SELECT newsletter_id, day, source, signups, confirmations, imports, leavers
      FROM subscribers_growthday WHERE newsletter_id = ANY(%(ids)s) AND day >= %(first)s
"""
# One pass counts both: by page, and by day for the chosen page or for all pages.
_REPORT = f"""
SELECT GROUPING(day) = 1, day, source,
       sum(signups), sum(confirmations), sum(imports), sum(leavers)
  FROM (SELECT *, %(chosen)s::text IS NULL OR source = %(chosen)s AS is_chosen
          FROM ({_STORED} UNION ALL {_COUNTED.format(events=_EVENTS_OF_PERIOD)}) both_parts
         WHERE day >= %(first)s) g
 GROUP BY GROUPING SETS ((source), (day, is_chosen))
HAVING GROUPING(day) = 1 OR is_chosen
"""  # noqa: S608 (joined from the constants above)


@dataclass
class GrowthCounts:
    """How many of each kind: on one day, from one page, or in total."""

    signups: int = 0
    confirmations: int = 0
    imports: int = 0
    leavers: int = 0

    def add(self, other: GrowthCounts) -> None:
        for kind in KINDS:
            setattr(self, kind, getattr(self, kind) + getattr(other, kind))

    @property
    def gain(self) -> int:
        return self.confirmations + self.imports - self.leavers

    @property
    def confirmed_percent(self) -> int | None:
        """Return the confirmations per hundred sign-ups, at most 100; None without sign-ups.

        There may be more confirmations: a reader who signs up at midnight confirms on the next day.
        """
        return min(100, round(100 * self.confirmations / self.signups)) if self.signups else None


@dataclass
class GrowthReport:
    """What `report` found: each day from the first to the last, and each page."""

    first: date
    last: date
    days: dict[date, GrowthCounts]
    sources: dict[str, GrowthCounts] = field(default_factory=dict)

    @property
    def total(self) -> GrowthCounts:
        total = GrowthCounts()
        for counts in self.days.values():
            total.add(counts)
        return total


# --- Reporting ------------------------------------------------------------------------------------


def report(
    *,
    newsletters: Iterable[Newsletter],
    days: int,
    source: str | None = None,
    now: datetime,
) -> GrowthReport:
    """Return what happened on the last `days` days, including today.

    Args:
        source: count the days for this page's readers alone. All pages are reported in either case.
    """
    newsletters = list(newsletters)
    # With several time zones, the last day is the latest of the newsrooms' dates.
    last = max((now.astimezone(n.zone).date() for n in newsletters), default=now.date())
    first = last - timedelta(days=days - 1)
    growth = GrowthReport(
        first, last, {first + timedelta(days=n): GrowthCounts() for n in range(days)}
    )
    # Entries that are not counted yet, mostly of the last hour, are read from the ledger itself.
    earliest = datetime.combine(first, time.min, tzinfo=UTC) - timedelta(days=1)
    marks = dict(GrowthMark.objects.values_list("newsletter", "counted_to"))
    marks_by_newsletter = {n: max(marks.get(n.pk, LONG_AGO), earliest) for n in newsletters}
    rows = _run(_REPORT, marks_by_newsletter, until=now + SETTLED_AFTER, first=first, chosen=source)
    for is_page, day, page, *numbers in rows:
        growth_counts = (
            growth.sources.setdefault(page, GrowthCounts()) if is_page else growth.days.get(day)
        )
        if growth_counts:
            growth_counts.add(GrowthCounts(*map(int, numbers)))
    return growth


# --- Counting -------------------------------------------------------------------------------------


def count_settled(*, now: datetime) -> bool:
    """Count the settled entries of the ledger into GrowthDay; True while there are more."""
    more = [_count_one(newsletter, now=now) for newsletter in Newsletter.objects.order_by("pk")]
    return any(more)


def count_before_deletion(
    *, newsletter: Newsletter, ids: Sequence[int], leaving: Sequence[int], now: datetime
) -> None:
    """Count these subscriptions' entries that are not counted yet, before they are deleted.

    `leaving` are the subscriptions that end by the deletion. The caller is in the transaction that
    deletes the entries.
    """
    mark = _locked_mark(newsletter)
    _run(
        _ADD_SUBSCRIPTIONS,
        {newsletter: mark.counted_to},
        subscriptions=list(ids),
        leaving=list(leaving),
        now=now,
    )


def _count_one(newsletter: Newsletter, *, now: datetime) -> bool:
    with transaction.atomic():
        mark = _locked_mark(newsletter)
        until = now - SETTLED_AFTER
        if mark.counted_to >= until:
            return False
        oldest = Consent.objects.filter(created_at__gte=mark.counted_to).aggregate(
            at=Min("created_at")
        )["at"]
        # There is nothing to count before the oldest entry that is left.
        count_to = (
            min(until, max(mark.counted_to, oldest) + DAYS_PER_TRANSACTION) if oldest else until
        )
        _run(_ADD_PERIOD, {newsletter: mark.counted_to}, until=count_to)
        mark.counted_to = count_to
        mark.save(update_fields=["counted_to"])
    return count_to < until


def _locked_mark(newsletter: Newsletter) -> GrowthMark:
    GrowthMark.objects.bulk_create(
        [GrowthMark(newsletter=newsletter, counted_to=LONG_AGO)], ignore_conflicts=True
    )
    return GrowthMark.objects.select_for_update().get(newsletter=newsletter)


def _run(
    statement: str, counted: Mapping[Newsletter, datetime], **values: Any
) -> list[tuple[Any, ...]]:
    """Run a statement for these newsletters, each of which is counted up to its time."""
    params: dict[str, Any] = {
        "ids": [newsletter.pk for newsletter in counted],
        "zones": [newsletter.timezone for newsletter in counted],
        "marks": list(counted.values()),
        "since": min(counted.values(), default=LONG_AGO),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, params | values)
        return cursor.fetchall() if cursor.description else []
