"""The catalogue and its readers, as the desk sees them."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.aggregates import StringAgg
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import now
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminColorInputWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from subscribers.addresses import BadAddress, normalise
from subscribers.models import (
    Consent,
    Newsletter,
    Section,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.records import RecordAdmin, RecordInline
from subscribers.suppression import suppress

STATUS_COLOURS = {"waiting for confirmation": "warning", "active": "success"}
REASON_COLOURS = {"hard bounce": "warning", "complaint": "danger"}


class SectionInline(TabularInline):
    model = Section
    fields = ["name", "slug", "max_stories", "position"]
    prepopulated_fields: ClassVar[dict[str, tuple[str, ...]]] = {"slug": ("name",)}
    ordering_field = "position"
    hide_ordering_field = True
    hide_title = True
    extra = 0

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field:
            field.widget.attrs["aria-label"] = field.label  # a table's cells have no labels
        return field


@admin.register(Newsletter)
class NewsletterAdmin(ModelAdmin):
    formfield_overrides = {TextField: {"widget": UnfoldAdminTextareaWidget({"rows": 4})}}
    list_display = ["name", "promise", "active", "pending", "timezone", "is_listed"]
    list_filter = ["is_listed", "language"]
    search_fields = ["name", "slug", "promise"]
    prepopulated_fields: ClassVar[dict[str, tuple[str, ...]]] = {"slug": ("name",)}
    inlines = [SectionInline]
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("name", "slug", "promise", "description", "is_listed")}),
        ("Sender", {"fields": ("sender_name", "sender_email", "reply_to", "postal_address")}),
        ("Language and look", {"fields": ("language", "timezone", "accent_color")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Newsletter]:
        status = Subscription.Status
        queryset: QuerySet[Newsletter] = super().get_queryset(request)
        return queryset.annotate(
            active_readers=Count("subscriptions", filter=Q(subscriptions__status=status.ACTIVE)),
            pending_readers=Count("subscriptions", filter=Q(subscriptions__status=status.PENDING)),
        )

    @display(description="Active readers", ordering="active_readers")
    def active(self, newsletter: Any) -> str:
        return f"{newsletter.active_readers:,}"

    @display(description="Waiting to confirm", ordering="pending_readers")
    def pending(self, newsletter: Any) -> str:
        return f"{newsletter.pending_readers:,}"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # The slug stands in links and List-Ids that readers already have.
        return ("slug",) if obj else ()

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Any = None
    ) -> dict[str, tuple[str, ...]]:
        return {} if obj else self.prepopulated_fields

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "accent_color":
            kwargs["widget"] = UnfoldAdminColorInputWidget()
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class SubscriptionInline(RecordInline):
    model = Subscription
    fields = ["newsletter", "status", "created_at", "confirmed_at", "ended_at"]
    readonly_fields = fields
    show_change_link = True
    hide_title = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        queryset: QuerySet[Subscription] = super().get_queryset(request)
        return queryset.select_related("newsletter", "subscriber")


@admin.register(Subscriber)
class SubscriberAdmin(ModelAdmin):
    """A reader's address and subscriptions came from the reader: only the name can be mended."""

    list_display = ["email", "name", "newsletters", "suppressed", "created_at"]
    list_filter = ["subscriptions__newsletter", "subscriptions__status"]
    search_fields = ["email", "name"]
    date_hierarchy = "created_at"
    fields = ["email", "name", "language", "timezone", "created_at"]
    readonly_fields = ["email", "created_at"]
    inlines = [SubscriptionInline]
    actions = None
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscriber]:
        queryset: QuerySet[Subscriber] = super().get_queryset(request)
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

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # nobody gets mail they did not confirm: readers sign up, or are imported

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the record of consent hangs on it

    @display(description="Receives")
    def newsletters(self, subscriber: Any) -> str:
        return subscriber.active_newsletters or "nothing"

    @display(description="Suppressed", label=REASON_COLOURS)
    def suppressed(self, subscriber: Any) -> str:
        reason = subscriber.suppressed_for
        return Suppression.Reason(reason).label if reason else ""


class ConsentInline(RecordInline):
    model = Consent
    fields = ["kind", "wording", "wording_version", "page", "ip_address", "created_at"]
    readonly_fields = fields
    hide_title = True


@admin.register(Subscription)
class SubscriptionAdmin(RecordAdmin):
    list_display = ["subscriber", "newsletter", "state", "created_at", "confirmed_at", "ended_at"]
    list_filter = ["newsletter", "status"]
    list_select_related = ["subscriber", "newsletter"]
    search_fields = ["subscriber__email", "subscriber__name"]
    date_hierarchy = "created_at"
    inlines = [ConsentInline]
    fields = [
        "subscriber",
        "newsletter",
        "status",
        "muted",
        "created_at",
        "confirmed_at",
        "ended_at",
        "mail_due_at",
        "mail_sent_at",
    ]
    readonly_fields = ["muted"]

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def state(self, subscription: Subscription) -> str:
        return subscription.get_status_display()

    @display(description="Muted sections")
    def muted(self, subscription: Subscription) -> str:
        names = Section.objects.filter(pk__in=subscription.muted_sections)
        return ", ".join(section.name for section in names) or "none"


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


class SuppressionForm(forms.Form):
    """An address whose owner asked by telephone or letter to get nothing at all."""

    email = forms.CharField(label="Address", widget=UnfoldAdminEmailInputWidget)
    detail = forms.CharField(
        label="Why", max_length=300, required=False, widget=UnfoldAdminTextInputWidget
    )

    def clean_email(self) -> str:
        try:
            return normalise(self.cleaned_data["email"])
        except BadAddress as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(Suppression)
class SuppressionAdmin(RecordAdmin):
    list_display = ["email_key", "why", "detail", "created_at"]
    list_filter = ["reason"]
    search_fields = ["email_key", "detail"]
    date_hierarchy = "created_at"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("subscribers.add_suppression")

    @display(description="Reason", ordering="reason", label=REASON_COLOURS)
    def why(self, suppression: Suppression) -> str:
        return suppression.get_reason_display()

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = SuppressionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            suppress(**form.cleaned_data, reason=Suppression.Reason.MANUAL, now=now())
            messages.success(request, f"{form.cleaned_data['email']} gets no more mail.")
            return HttpResponseRedirect(reverse("admin:subscribers_suppression_changelist"))
        context = self.admin_site.each_context(request)
        context |= {"form": form, "title": "Suppress an address", "opts": self.model._meta}
        return TemplateResponse(request, "admin/subscribers/suppression/new.html", context)
