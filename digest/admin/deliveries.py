"""The ledger, to be read: who got which edition, and why somebody did not."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from digest.models import Delivery
from subscribers.records import RecordAdmin

STATUS_COLOURS = {
    "sent": "success",
    "on the wire": "info",
    "failed": "danger",
    "skipped": "warning",
    "uncertain": "warning",
}


@admin.register(Delivery)
class DeliveryAdmin(RecordAdmin):
    list_display = ["reader", "edition", "state", "reason", "attempts", "finished_at", "reply"]
    list_filter = ["status", "reason", "edition__newsletter"]
    list_select_related = ["subscription__subscriber", "edition__newsletter"]
    search_fields = ["subscription__subscriber__email", "reply"]
    # A ledger of millions: counting it for every page would cost more than the page.
    show_full_result_count = False

    @display(description="Reader", ordering="subscription__subscriber__email")
    def reader(self, delivery: Delivery) -> str:
        return delivery.subscription.subscriber.email

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def state(self, delivery: Delivery) -> str:
        return delivery.get_status_display()
