"""The delivery ledger, read-only: who got which edition, and why a reader did not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from unfold.decorators import display

from digest.models import Delivery, Edition
from subscribers.admin.labels import by_label
from subscribers.admin.large_tables import LargeTableMixin, readers_by_address
from subscribers.admin.read_only import ReadOnlyAdmin
from subscribers.models import Subscription

STATUS_COLOURS = {
    Delivery.Status.SENT: "success",
    Delivery.Status.SENDING: "info",
    Delivery.Status.FAILED: "danger",
    Delivery.Status.SKIPPED: "warning",
    Delivery.Status.UNCERTAIN: "warning",
}
EDITIONS_OFFERED = 30
REPLY_CHARS = 60


class EditionFilter(admin.SimpleListFilter):
    """Offer the latest editions; the page of an older edition links to its own rows."""

    title = "edition"
    parameter_name = "edition__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        sent = Edition.objects.filter(sending_at__isnull=False).select_related("newsletter")
        return [(str(edition.pk), str(edition)) for edition in sent[:EDITIONS_OFFERED]]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        edition_id = _edition_id(request)
        return queryset.filter(edition=edition_id) if edition_id else queryset


class RelayFilter(admin.SimpleListFilter):
    """Offer the configured relays: collecting their names from the ledger would read all of it."""

    title = "relay"
    parameter_name = "relay"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(relay.name, relay.name) for relay in settings.EMAIL_RELAYS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(relay=self.value()) if self.value() else queryset


def _edition_id(request: HttpRequest) -> int | None:
    """Return the id of the edition that the list is filtered by."""
    text = request.GET.get("edition__id__exact", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


@admin.register(Delivery)
class DeliveryAdmin(LargeTableMixin, ReadOnlyAdmin):
    list_display = [
        "reader",
        "shown_edition",
        "state",
        "why",
        "reply_excerpt",
        "relay",
        "version",
        "attempts",
        "sent_at",
        "next_try",
    ]
    list_filter = ["status", "reason", EditionFilter, "edition__newsletter", RelayFilter]
    search_fields = ["reply"]
    search_help_text = (
        "An address or its beginning; within one edition also part of a server's reply."
    )
    list_before_template = "admin/digest/delivery/edition.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        # There are no joins: given four tables, PostgreSQL's planner reads them whole for 50 rows.
        return rows.prefetch_related("subscription__subscriber", "edition__newsletter")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Put the edition's name into the title if the list is of one edition."""
        editions = Edition.objects.select_related("newsletter")
        edition = editions.filter(pk=_edition_id(request) or 0).first()
        context = {"edition": edition, "title": f"Deliveries of {edition}"} if edition else {}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Leave out the edition's column if all rows are of one edition."""
        is_filtered = _edition_id(request) is not None
        return [name for name in self.list_display if name != "shown_edition" or not is_filtered]

    def get_ordering(self, request: HttpRequest) -> list[str]:
        """Sort by the newest; within one edition by reader, which is the order of its index."""
        return ["-edition_id", "-subscription_id"] if _edition_id(request) else ["-id"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.replace("\0", "").strip()
        if not term:
            return queryset, False
        found = Q(
            subscription__in=Subscription.objects.filter(subscriber__in=readers_by_address(term))
        )
        if _edition_id(request):
            found |= Q(reply__icontains=term)
        return queryset.filter(found), False

    @display(description="Reader")
    def reader(self, delivery: Delivery) -> str:
        return delivery.subscription.subscriber.email

    # A foreign key in `list_display` would make Django join every table that can be reached.
    @display(description="Edition")
    def shown_edition(self, delivery: Delivery) -> str:
        return str(delivery.edition)

    @display(description="Status", label=by_label(STATUS_COLOURS))
    def state(self, delivery: Delivery) -> str:
        return delivery.get_status_display()

    @display(description="Why", empty_value="")
    def why(self, delivery: Delivery) -> str:
        return delivery.get_reason_display()

    @display(description="Server's last reply", empty_value="")
    def reply_excerpt(self, delivery: Delivery) -> str:
        """Return enough to tell one refusal from another; the row's page has the whole reply."""
        return Truncator(delivery.reply).chars(REPLY_CHARS)

    @display(description="Version", empty_value="")
    def version(self, delivery: Delivery) -> int | None:
        return delivery.revision or None

    @display(description="Sent")
    def sent_at(self, delivery: Delivery) -> datetime | None:
        return delivery.finished_at if delivery.status == Delivery.Status.SENT else None

    @display(description="Next try")
    def next_try(self, delivery: Delivery) -> datetime | None:
        """Return when a delivery is tried again, or when the reader's own hour comes.

        The others have no such time: they are sent in their turn.
        """
        waits = delivery.status in {Delivery.Status.PENDING, Delivery.Status.UNCERTAIN}
        has_time = delivery.attempts or delivery.reason or delivery.due_at
        is_postponed = waits and delivery.finished_at is None and has_time
        return delivery.next_attempt_at if is_postponed else None
