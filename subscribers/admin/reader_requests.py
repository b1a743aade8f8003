"""What a reader requested by mail (a change of address, a link), and what became of it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from subscribers.models import AddressChange, RequestedMail, Subscriber

# Requests are deleted after a day or two weeks, and nobody makes more of them than this by hand.
SHOWN = 20
CHANGE_COLOURS: dict[str, str] = {
    AddressChange.Status.OPEN: "info",
    AddressChange.Status.DONE: "success",
    AddressChange.Status.DROPPED: "default",
}
# A mail without an outcome waits to be sent.
OUTCOME_COLOURS: dict[str, str] = {
    "": "info",
    RequestedMail.Outcome.SENT: "success",
    RequestedMail.Outcome.OVERTAKEN: "default",
}


class ReaderRequestsAdmin(ModelAdmin):
    """Two lists below a reader's page, for every user who may see the reader."""

    change_form_outer_after_template = "admin/subscribers/subscriber/requests.html"

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        reader = self.get_object(request, object_id) if object_id else None
        if reader and self.has_view_permission(request, reader):
            extra_context = requests_of(reader) | (extra_context or {})
        return super().changeform_view(request, object_id, form_url, extra_context)


def requests_of(reader: Subscriber) -> dict[str, Any]:
    changes = AddressChange.objects.filter(subscriber=reader)[:SHOWN]
    # A requested mail is stored by address, not by reader. One to a new address has the `change`.
    requested_mails = RequestedMail.objects.filter(
        Q(email_key=reader.email_key)
        | Q(change__in=AddressChange.objects.filter(subscriber=reader))
    )[:SHOWN]
    return {
        "address_changes": [
            {"row": row, "colour": CHANGE_COLOURS.get(row.status, "default")} for row in changes
        ],
        "requested_mails": [
            {"row": row, "colour": OUTCOME_COLOURS.get(row.outcome, "warning")}
            for row in requested_mails
        ],
    }
