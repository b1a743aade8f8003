"""Readers and what they subscribed to."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.postgres.aggregates import StringAgg
from django.db.models import Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from unfold.decorators import display

from subscribers.admin.exports import ExportAdmin
from subscribers.admin.labels import by_label
from subscribers.admin.large_tables import LargeTableMixin, readers_by_address
from subscribers.admin.privacy import PrivacyAdmin
from subscribers.admin.read_only import ReadOnlyAdmin, ReadOnlyInline
from subscribers.admin.reader_requests import ReaderRequestsAdmin
from subscribers.models import Consent, Newsletter, Section, Subscriber, Subscription, Suppression

STATUS_COLOURS = {Subscription.Status.PENDING: "warning", Subscription.Status.ACTIVE: "success"}
REASON_COLOURS = {
    Suppression.Reason.BOUNCE: "warning",
    Suppression.Reason.COMPLAINT: "danger",
}


class SubscriptionInline(ReadOnlyInline):
    model = Subscription
    fields = ["newsletter", "status", "created_at", "confirmed_at", "ended_at"]
    readonly_fields = fields
    show_change_link = True
    hide_title = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        queryset: QuerySet[Subscription] = super().get_queryset(request)
        return queryset.select_related("newsletter", "subscriber")


class NewsletterFilter(admin.SimpleListFilter):
    """Filter without a join: a join would deduplicate all matching rows before it shows fifty."""

    title = "newsletter"
    parameter_name = "newsletter"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(slug, name) for slug, name in Newsletter.objects.values_list("slug", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return _with(queryset, newsletter__slug=self.value()) if self.value() else queryset


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return Subscription.Status.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return _with(queryset, status=self.value()) if self.value() else queryset


def _with(readers: QuerySet[Any], **conditions: Any) -> QuerySet[Any]:
    return readers.filter(
        Exists(Subscription.objects.filter(subscriber=OuterRef("pk"), **conditions))
    )


@admin.register(Subscriber)
class SubscriberAdmin(LargeTableMixin, ReaderRequestsAdmin, PrivacyAdmin, ExportAdmin):
    """A reader's address and subscriptions came from the reader, so they cannot be edited here."""

    list_display = ["email", "name", "newsletters", "suppressed", "created_at"]
    list_filter = [
        NewsletterFilter,
        StatusFilter,
        ("created_at", admin.DateFieldListFilter),
    ]
    search_fields = ["email", "name"]
    search_help_text = "An address or its beginning, or part of a name."
    fields = ["email", "name", "language", "timezone", "created_at"]
    readonly_fields = ["email", "created_at"]
    inlines = [SubscriptionInline]
    actions = None
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscriber]:
        # An erased reader leaves a row for the figures; it has nothing to look at.
        queryset: QuerySet[Subscriber] = super().get_queryset(request).filter(erased_at=None)
        active = (
            Subscription.objects.filter(subscriber=OuterRef("pk"), status="active")
            .order_by()
            .values("subscriber")
            .annotate(names=StringAgg("newsletter__name", ", ", order_by="newsletter__name"))
        )
        suppressed = Suppression.objects.filter(email_key=OuterRef("email_key"))
        return queryset.annotate(
            active_newsletters=Subquery(active.values("names")),
            suppressed_for=Coalesce(Subquery(suppressed.values("reason")[:1]), Value("")),
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.replace("\0", "").strip()
        if not term:
            return queryset, False
        by_address = readers_by_address(term)
        # No index covers parts of names, so names are read only if the term matches no address.
        if "@" in term or by_address.exists():
            return queryset.filter(pk__in=by_address.values("pk")), False
        return queryset.filter(name__icontains=term), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # nobody gets mail they did not confirm: readers sign up, or are imported

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a reader is erased (PrivacyAdmin), which leaves what the figures need

    @display(description="Receives")
    def newsletters(self, subscriber: Any) -> str:
        return subscriber.active_newsletters or "nothing"

    @display(description="Suppressed", label=by_label(REASON_COLOURS))
    def suppressed(self, subscriber: Any) -> str:
        reason = subscriber.suppressed_for
        return Suppression.Reason(reason).label if reason else ""


class ConsentInline(ReadOnlyInline):
    model = Consent
    fields = ["kind", "wording", "wording_version", "page", "ip_address", "created_at"]
    readonly_fields = fields
    hide_title = True


@admin.register(Subscription)
class SubscriptionAdmin(LargeTableMixin, ReadOnlyAdmin):
    list_display = ["subscriber", "newsletter", "state", "created_at", "confirmed_at", "ended_at"]
    list_filter = ["newsletter", "status"]
    list_select_related = ["subscriber", "newsletter"]
    search_fields = ["subscriber__email"]
    search_help_text = "An address or its beginning."
    inlines = [ConsentInline]
    fields = [
        "subscriber",
        "newsletter",
        "status",
        "muted",
        "wants_extras",
        "created_at",
        "confirmed_at",
        "ended_at",
        "mail_due_at",
        "mail_due_since",
        "mail_sent_at",
    ]
    readonly_fields = ["muted"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found = (
            queryset.filter(subscriber__in=readers_by_address(search_term))
            if search_term
            else queryset
        )
        return found, False

    @display(description="Status", ordering="status", label=by_label(STATUS_COLOURS))
    def state(self, subscription: Subscription) -> str:
        return subscription.get_status_display()

    @display(description="Muted sections")
    def muted(self, subscription: Subscription) -> str:
        names = Section.objects.filter(pk__in=subscription.muted_sections)
        return ", ".join(section.name for section in names) or "none"
