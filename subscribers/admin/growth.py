"""Growth at a glance: who signed up, confirmed and left, by day and by page."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.timezone import now

from subscribers.admin.read_only import ReadOnlyAdmin
from subscribers.models import GrowthDay, Newsletter, Subscription
from subscribers.plumbing.shared_cache import stale_while_revalidate
from subscribers.reports import growth
from subscribers.reports.growth import GrowthCounts, GrowthReport

PERIODS = (30, 90, 365)
# This many pages are listed one by one; the others are summed up.
PAGES = 25

# This colour is legible in the admin's light and dark theme.
_TEXT_COLOUR = "#7c8596"
_SERIES: tuple[tuple[str, str, str, str, list[int]], ...] = (
    ("Sign-ups", "signups", "#d97706", "line", []),
    ("Confirmed", "confirmations", "#3b82f6", "bar", []),
    ("Left", "leavers", "#e11d48", "line", [4, 3]),
)


@admin.register(GrowthDay)
class GrowthAdmin(ReadOnlyAdmin):
    """Show one page of figures in place of a list of rows."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        query = _Query(request)
        # This takes some tenths of a second, and some seconds in the hour after an import of a
        # million readers.
        key = f"growth:2:{sha256(query.link().encode()).hexdigest()}"
        found, active = stale_while_revalidate(
            key, lambda: (_report(query), _active(query.chosen)), min_ttl=1
        )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": "Growth",
            "query": query,
            "growth": found,
            "total": found.total,
            "active": active,
            "chart": chart(found),
            "days": sorted(found.days.items(), reverse=True),
            **_pages(found, query),
        }
        return TemplateResponse(request, "admin/subscribers/growth.html", context)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


class _Query:
    """The parameters in the page's URL; an invalid one counts as left out."""

    def __init__(self, request: HttpRequest) -> None:
        self.newsletters = list(Newsletter.objects.all())
        one = request.GET.get("newsletter", "")
        self.newsletter = next((n for n in self.newsletters if str(n.pk) == one), None)
        self.chosen = [self.newsletter] if self.newsletter else self.newsletters
        days = request.GET.get("days", "")
        self.days = int(days) if days in map(str, PERIODS) else PERIODS[0]
        self.source = request.GET.get("source")

    def link(self, **changes: Any) -> str:
        """Return the URL of the same page with other parameters."""
        newsletter = self.newsletter.pk if self.newsletter else None
        parameters = {"newsletter": newsletter, "days": self.days, "source": self.source} | changes
        given = {name: value for name, value in parameters.items() if value is not None}
        return "?" + urlencode(given)

    def periods(self) -> list[dict[str, Any]]:
        return [
            {"days": days, "link": self.link(days=days), "is_shown": days == self.days}
            for days in PERIODS
        ]

    def without_source(self) -> str:
        return self.link(source=None)


def overview() -> dict[str, Any]:
    """Return the last 30 days of all newsletters, for the dashboard's card."""
    found = growth.report(newsletters=Newsletter.objects.all(), days=PERIODS[0], now=now())
    return {"total": found.total, "chart": chart(found, small=True)}


def chart(found: GrowthReport, *, small: bool = False) -> dict[str, str]:
    """Return Chart.js's data and options as unfold's script takes them; `small` is for a card."""
    counts_by_day = list(found.days.values())
    datasets = [
        {
            "type": kind,
            "label": label,
            "data": [getattr(counts, name) for counts in counts_by_day],
            "backgroundColor": colour,
            "borderColor": colour,
            "borderWidth": 0 if kind == "bar" else 2,
            "borderDash": dash,
            "pointRadius": 0,
            "pointHitRadius": 8,
            "cubicInterpolationMode": "monotone",
            "order": 1 if kind == "bar" else 0,
        }
        for label, name, colour, kind, dash in _SERIES
    ]
    labels = [f"{day:%-d %b}" for day in found.days]
    return {
        "data": json.dumps({"labels": labels, "datasets": datasets}),
        "options": json.dumps(_options(small)),
    }


def _options(small: bool) -> dict[str, Any]:
    ticks = {"color": _TEXT_COLOUR, "precision": 0, "maxRotation": 0, "autoSkipPadding": 24}
    if small:
        ticks["maxTicksLimit"] = 4
    return {
        "responsive": True,
        "maintainAspectRatio": False,
        "animation": False,
        "interaction": {"mode": "index", "intersect": False},
        "datasets": {"bar": {"categoryPercentage": 0.9, "barPercentage": 0.9}},
        "plugins": {
            "legend": {
                "display": not small,
                "position": "bottom",
                "labels": {"color": _TEXT_COLOUR, "boxWidth": 14, "boxHeight": 2},
            }
        },
        "scales": {
            "x": {"grid": {"display": False}, "ticks": ticks},
            "y": {"beginAtZero": True, "grid": {}, "ticks": ticks, "border": {"display": False}},
        },
    }


def _pages(found: GrowthReport, query: _Query) -> dict[str, Any]:
    """Return the pages with most sign-ups, each with a bar, and the sum of all others."""
    ranked = sorted(
        found.sources.items(), key=lambda page: (-page[1].signups, -page[1].gain, page[0])
    )
    most = max((counts.signups for _, counts in ranked), default=0)
    rest = GrowthCounts()
    for _, counts in ranked[PAGES:]:
        rest.add(counts)
    pages = [
        {
            "source": source,
            "tally": counts,
            "percent": round(100 * counts.signups / most) if most else 0,
            "link": query.link(source=source),
            "is_shown": source == query.source,
        }
        for source, counts in ranked[:PAGES]
    ]
    return {"pages": pages, "rest": rest, "rest_count": len(ranked[PAGES:])}


def _report(query: _Query) -> GrowthReport:
    return growth.report(newsletters=query.chosen, days=query.days, source=query.source, now=now())


def _active(newsletters: list[Newsletter]) -> int:
    active = Subscription.objects.filter(status=Subscription.Status.ACTIVE)
    return active.filter(newsletter__in=newsletters).count()
