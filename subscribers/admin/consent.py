"""The consent ledger, read-only: what readers agreed to."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from subscribers.admin.large_tables import LargeTableMixin, readers_by_address
from subscribers.admin.read_only import ReadOnlyAdmin
from subscribers.models import Consent, Subscription


@admin.register(Consent)
class ConsentAdmin(LargeTableMixin, ReadOnlyAdmin):
    list_display = ["created_at", "reader", "newsletter", "kind", "wording", "ip_address"]
    list_filter = [
        "kind",
        "subscription__newsletter",
        ("created_at", admin.DateFieldListFilter),
    ]
    list_select_related = ["subscription__subscriber", "subscription__newsletter"]
    search_fields = ["subscription__subscriber__email", "ip_address"]
    search_help_text = "An e-mail address or its beginning, or a whole IP address."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if _is_network_address(term):
            return queryset.filter(ip_address=term), False
        theirs = Subscription.objects.filter(subscriber__in=readers_by_address(term))
        return queryset.filter(subscription__in=theirs), False

    @display(description="Reader")
    def reader(self, consent: Consent) -> str:
        return consent.subscription.subscriber.email

    @display(description="Newsletter")
    def newsletter(self, consent: Consent) -> str:
        return consent.subscription.newsletter.name


def _is_network_address(term: str) -> bool:
    with suppress(ValueError):
        return bool(ip_address(term))
    return False
