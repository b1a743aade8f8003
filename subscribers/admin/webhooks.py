"""Webhooks: their addresses and state, and the log of what was sent and what was not."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.timezone import now
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminURLInputWidget

from subscribers.admin.exports import EXPORT_PERMISSION
from subscribers.admin.labels import HEALTH_COLOURS, Health, by_label, health
from subscribers.admin.large_tables import LargeTableMixin
from subscribers.admin.read_only import ReadOnlyAdmin, ReadOnlyInline
from subscribers.models import Event, Webhook, WebhookAttempt, WebhookDelivery
from subscribers.models.webhooks import READER_EVENTS
from subscribers.web.receiver_url import BadReceiverUrl, check_receiver_url
from subscribers.webhooks import log

DELIVERY_COLOURS = {
    WebhookDelivery.State.WAITING: "info",
    WebhookDelivery.State.DELIVERED: "success",
    WebhookDelivery.State.FAILED: "danger",
}


class WebhookForm(forms.ModelForm):  # type: ignore[type-arg]
    events = forms.MultipleChoiceField(
        label="Events",
        choices=Event.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"required": "Choose at least one event."},
    )

    url = forms.URLField(
        label="Address",
        max_length=1000,
        assume_scheme="https",
        widget=UnfoldAdminURLInputWidget({"placeholder": "https://crm.example.com/daybreak"}),
        help_text="Gets a POST with JSON for each event.",
    )

    class Meta:
        model = Webhook
        fields = ["name", "url", "events", "newsletter", "is_active"]

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            check_receiver_url(
                url, allow_hosts=settings.WEBHOOK_ALLOW_HOSTS, allow_http=settings.DEBUG
            )
        except BadReceiverUrl as error:
            raise forms.ValidationError(str(error)) from error
        return url


@admin.register(Webhook)
class WebhookAdmin(ModelAdmin):
    form = WebhookForm
    list_display = ["name", "url", "event_names", "of", "state", "waiting", "last_success_at"]
    list_filter = ["is_active", "newsletter"]
    list_select_related = ["newsletter"]
    search_fields = ["name", "url"]
    warn_unsaved_form = True
    change_form_outer_before_template = "admin/subscribers/webhook/state.html"
    fieldsets = ((None, {"fields": ("name", "url", "events", "newsletter", "is_active")}),)

    def has_change_permission(self, request: HttpRequest, obj: Webhook | None = None) -> bool:
        """Require the export permission too for a webhook that gets events of readers.

        Whoever changes it can point it at an address of their own.
        """
        if not super().has_change_permission(request, obj):
            return False
        return (
            obj is None
            or not set(READER_EVENTS) & set(obj.events)
            or may_see_reader_events(request)
        )

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        if "events" in form.base_fields and not may_see_reader_events(request):
            # A copy, because all requests share the field.
            form.base_fields["events"] = events = deepcopy(form.base_fields["events"])
            events.choices = [choice for choice in Event.choices if choice[0] not in READER_EVENTS]
        return form

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        queryset: QuerySet[Webhook] = super().get_queryset(request)
        # Only waiting events are counted, for which there is an index, not the whole log.
        waiting = WebhookDelivery.objects.filter(
            webhook=OuterRef("pk"), state=WebhookDelivery.State.WAITING
        )
        counted = waiting.order_by().values("webhook").annotate(number=Count("pk")).values("number")
        return queryset.annotate(waiting_events=Coalesce(Subquery(counted), 0))

    @display(description="Events")
    def event_names(self, webhook: Webhook) -> str:
        return ", ".join(webhook.events)

    @display(description="Newsletter", ordering="newsletter")
    def of(self, webhook: Webhook) -> str:
        return webhook.newsletter.name if webhook.newsletter else "all newsletters"

    @display(description="State", label=by_label(HEALTH_COLOURS))
    def state(self, webhook: Webhook) -> str:
        return webhook_health(webhook).label

    @display(description="Waiting", ordering="waiting_events")
    def waiting(self, webhook: Any) -> str:
        return f"{webhook.waiting_events:,}"

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        fields = list(form.changed_data)
        if obj.is_active and {"is_active", "url"} & set(fields):
            # The days for which it may fail before it is switched off begin again.
            obj.failing_since, obj.failures, obj.off_because = None, 0, ""
            fields += ["failing_since", "failures", "off_because"]
        obj.save(update_fields=fields)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        webhook = self.get_object(request, object_id) if object_id else None
        if webhook:
            state = webhook_health(webhook)
            context = {
                "webhook": webhook,
                "webhook_state": state.label,
                "webhook_colour": HEALTH_COLOURS[state],
                "last_try": WebhookAttempt.objects.filter(delivery__webhook=webhook).last(),
                "old_secret_signs": webhook.old_secret_until and webhook.old_secret_until > now(),
            }
            extra_context = context | (extra_context or {})
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_urls(self) -> list[URLPattern]:
        views = {"test": self.send_test, "secret": self.change_secret}
        urls = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(view),
                name=f"subscribers_webhook_{name}",
            )
            for name, view in views.items()
        ]
        return [*urls, *super().get_urls()]

    def send_test(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refused := self._refuse(request, pk):
            return refused
        delivery = log.send_test_event(webhook_id=pk, now=now())
        messages.success(request, "A test event is on its way. Open this page again in a moment.")
        page = reverse("admin:subscribers_webhookdelivery_change", args=[delivery.pk])
        return HttpResponseRedirect(page)

    def change_secret(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refused := self._refuse(request, pk):
            return refused
        log.rotate_secret(webhook_id=pk, now=now())
        messages.success(
            request,
            "The secret has been changed. For 24 hours events are signed with the old one too.",
        )
        return HttpResponseRedirect(reverse("admin:subscribers_webhook_change", args=[pk]))

    def _refuse(self, request: HttpRequest, pk: int) -> HttpResponse | None:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request, get_object_or_404(Webhook, pk=pk)):
            raise PermissionDenied
        return None


class AttemptsInline(ReadOnlyInline):
    model = WebhookAttempt
    fields = ["at", "status", "milliseconds", "error", "answer"]
    readonly_fields = fields


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(LargeTableMixin, ReadOnlyAdmin):
    list_display = ["created_at", "webhook", "event", "outcome", "attempts", "last", "next_attempt"]
    list_filter = ["state", "event", "webhook", ("created_at", admin.DateFieldListFilter)]
    list_select_related = ["webhook"]
    search_fields = ["message_id", "payload"]
    actions = ["send_selected_again"]
    inlines = [AttemptsInline]
    change_form_outer_before_template = "admin/subscribers/webhookdelivery/state.html"
    fields = [
        "webhook",
        "event",
        "message_id",
        "outcome",
        "created_at",
        "settled_at",
        "payload_text",
    ]
    readonly_fields = ["outcome", "payload_text"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        queryset: QuerySet[WebhookDelivery] = super().get_queryset(request)
        if not may_see_reader_events(request):
            # No address may show: not in a payload, by a search in it, or in a receiver's answer.
            queryset = queryset.exclude(event__in=READER_EVENTS)
        last = WebhookAttempt.objects.filter(delivery=OuterRef("pk")).order_by("-pk")
        return queryset.annotate(
            last_status=Subquery(last.values("status")[:1]),
            last_error=Subquery(last.values("error")[:1]),
        )

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("subscribers.change_webhook")

    @display(description="State", ordering="state", label=by_label(DELIVERY_COLOURS))
    def outcome(self, delivery: WebhookDelivery) -> str:
        return delivery.get_state_display()

    @display(description="Last answer", empty_value="")
    def last(self, delivery: Any) -> str:
        return str(delivery.last_status or delivery.last_error or "")

    @display(description="Next try", ordering="next_attempt_at", empty_value="")
    def next_attempt(self, delivery: WebhookDelivery) -> Any:
        return delivery.next_attempt_at

    @display(description="Payload")
    def payload_text(self, delivery: WebhookDelivery) -> str:
        payload = json.dumps(json.loads(delivery.payload), indent=2, ensure_ascii=False)
        return format_html('<pre class="admin-payload">{}</pre>', payload)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        context = {"may_send_again": object_id and self.has_resend_permission(request)}
        return super().changeform_view(
            request,
            object_id,
            form_url,
            {**context, "delivery_id": object_id, **(extra_context or {})},
        )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.send_again)
        name = "subscribers_webhookdelivery_again"
        return [path("<int:pk>/again/", view, name=name), *super().get_urls()]

    def send_again(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_resend_permission(request):
            raise PermissionDenied
        self._resend(request, [get_object_or_404(self.get_queryset(request), pk=pk).pk])
        return HttpResponseRedirect(reverse("admin:subscribers_webhookdelivery_change", args=[pk]))

    @admin.action(description="Send again", permissions=["resend"])
    def send_selected_again(
        self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]
    ) -> None:
        self._resend(request, list(queryset.values_list("pk", flat=True)))

    def _resend(self, request: HttpRequest, ids: list[int]) -> None:
        count = log.resend(delivery_ids=ids, now=now())
        events = "1 event is" if count == 1 else f"{count} events are"
        messages.success(request, f"{events} on the way again, with the same message id as before.")


def may_see_reader_events(request: HttpRequest) -> bool:
    """Return whether the user may see events of readers: they hold addresses, as an export does."""
    return request.user.has_perm(EXPORT_PERMISSION)


def webhook_health(webhook: Webhook) -> Health:
    return health(
        is_active=webhook.is_active,
        is_failing=webhook.failing_since is not None,
        has_worked=webhook.last_success_at is not None,
    )
