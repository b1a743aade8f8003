"""The ledger of what readers agreed to."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from subscribers.models import Consent
from subscribers.records import RecordAdmin


@admin.register(Consent)
class ConsentAdmin(RecordAdmin):
    list_display = ["created_at", "reader", "newsletter", "kind", "wording", "ip_address"]
    list_filter = ["kind", "subscription__newsletter", "wording_version"]
    list_select_related = ["subscription__subscriber", "subscription__newsletter"]
    search_fields = ["subscription__subscriber__email", "ip_address"]
    date_hierarchy = "created_at"

    @display(description="Reader", ordering="subscription__subscriber__email")
    def reader(self, consent: Consent) -> str:
        return consent.subscription.subscriber.email

    @display(description="Newsletter", ordering="subscription__newsletter")
    def newsletter(self, consent: Consent) -> str:
        return consent.subscription.newsletter.name
