"""The edition page: put the stories in order, look at the mail, approve it, send it."""

from __future__ import annotations

from copy import copy
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from unfold.decorators import display

from digest.admin.edition.actions import EditionActions
from digest.admin.edition.form import RESTORED, EditionForm, ItemInline
from digest.admin.edition.history import steps_by_itself
from digest.admin.edition.panel import COLOURS, panel
from digest.admin.edition.rights import Step, allowed_steps, allows
from digest.admin.local_times import format_local
from digest.admin.section_rules import offer_always
from digest.admin.send_times import format_send_time
from digest.editions.decide.approve import void_if_changed
from digest.editions.decide.remind import plan_reminder
from digest.editions.draft.offers import Offers, offers
from digest.editions.edit import curate
from digest.models import Edition
from subscribers.admin.labels import by_label
from subscribers.plumbing import kept_edits


@admin.register(Edition)
class EditionAdmin(EditionActions):
    list_display = ["edition", "shown_subject", "state", "why", "goes_out", "stories"]
    list_filter = ["status", "newsletter", "cadence", "reason"]
    list_select_related = ["newsletter"]
    search_fields = ["subject", "preheader", "items__headline", "items__story__title"]
    date_hierarchy = "slot_date"
    ordering = ["-sends_at"]
    actions = None
    form = EditionForm
    inlines = [ItemInline]
    compressed_fields = False
    warn_unsaved_form = True
    copy_fieldset = ("What readers see first", {"fields": ("subject", "preheader", "note")})
    stories_fieldset = (
        "Add stories",
        {"fields": (("add_stories", "again"),), "classes": ("admin-add",)},
    )
    time_fieldset = ("When it goes out", {"fields": (("sends_at", "deadline_at"),)})

    # --- The list ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Edition]:
        queryset: QuerySet[Edition] = super().get_queryset(request).select_related("newsletter")
        return queryset

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        # Stories are counted for the rows of this page only.
        pks = [edition.pk for edition in changelist.result_list]
        counts = dict(
            Edition.objects.filter(pk__in=pks)
            .order_by()
            .values_list("pk")
            .annotate(count=Count("items"))
        )
        for edition in changelist.result_list:
            edition.item_count = counts.get(edition.pk, 0)
        return changelist

    @display(description="Edition", ordering="slot_date")
    def edition(self, edition: Edition) -> str:
        return str(edition)

    @display(description="Subject", ordering="subject", empty_value="no subject yet")
    def shown_subject(self, edition: Edition) -> str | None:
        return edition.subject or None

    @display(description="Status", ordering="status", label=by_label(COLOURS))
    def state(self, edition: Edition) -> str:
        return edition.get_status_display()

    @display(description="Why", ordering="reason", empty_value="")
    def why(self, edition: Edition) -> str:
        return edition.get_reason_display() if edition.reason else ""

    @display(description="Goes out", ordering="sends_at")
    def goes_out(self, edition: Edition) -> str:
        zone = edition.newsletter.zone
        return (
            format_local(edition.sent_at, zone)
            if edition.sent_at
            else format_send_time(edition, zone)
        )

    @display(description="Stories")
    def stories(self, edition: Any) -> int:
        count: int = edition.item_count
        return count

    # --- Permissions ---

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and not curate.is_editable(obj):
            return False  # on its way or in the archive: a record of fact
        return bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # an edition is skipped, with a reason, never deleted

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not allows(request.user, Step.TIMES, obj):
            return ["sends_at", "deadline_at"]
        return []

    # --- The page ---

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        if obj is None or obj.status not in {Edition.Status.SENDING, Edition.Status.SENT}:
            return None  # readers find an edition in the archive once it is sent
        url: str | None = super().get_view_on_site_url(obj)
        return url

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and self.has_change_permission(request, obj):
            return [self.copy_fieldset, self.stories_fieldset, self.time_fieldset]
        return [self.copy_fieldset, self.time_fieldset]

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        edition = super().get_object(request, object_id, from_field)
        saves = request.method == "POST" and transaction.get_connection().in_atomic_block
        if edition is None or not saves:
            return edition
        # Two editors who save at the same time take turns: the row is locked until the end of the
        # transaction that Django opened around the form's view. The history has none.
        Edition.objects.select_for_update().filter(pk=edition.pk).values("pk").first()
        return super().get_object(request, object_id, from_field)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if object_id is None:
            return self.new_edition(request)
        edition = super().get_object(request, object_id)
        if edition is None:
            response: HttpResponse = super().changeform_view(request, object_id)
            return response
        is_late = super().has_change_permission(request, edition) and not curate.is_editable(
            edition
        )
        if request.method == "POST" and is_late:
            raise PermissionDenied(f"Not saved. {curate.NotEditable(edition)}")
        request, restored = self._with_kept_edit(request, edition)
        with timezone.override(edition.newsletter.zone):
            response = super().changeform_view(
                request,
                object_id,
                form_url,
                {
                    "show_save_and_add_another": False,
                    "show_save": False,
                    "title": str(edition),
                    "may": allowed_steps(request.user, edition),
                    "restored": restored,
                    "owner_field": kept_edits.owner_field(request),
                    **panel(edition, now=timezone.now()),
                    "offers": self._offers(request, edition),
                    **(extra_context or {}),
                },
            )
            # Times in the form are in the newsroom's time zone, so it is rendered in the override.
            return response.render() if hasattr(response, "render") else response

    def _offers(self, request: HttpRequest, edition: Edition) -> Offers:
        may_add = self.has_change_permission(request, edition)
        return offers(edition, now=timezone.now()) if may_add else Offers()

    def _with_kept_edit(self, request: HttpRequest, edition: Edition) -> tuple[HttpRequest, bool]:
        """Return a request whose form has what the editor typed before they logged in again.

        The form does not accept it (form.RESTORED), so it is shown and not saved.
        """
        data = kept_edits.find(request)
        if data is None or not self.has_change_permission(request, edition):
            return request, False
        data[RESTORED] = "1"
        again: Any = copy(request)
        again.method, again._post, again._files = "POST", data, MultiValueDict()
        return again, True

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Ask for no correction where no field is wrong."""
        form = context["adminform"].form
        formsets = [inline.formset for inline in context["inline_admin_formsets"]]
        if form.conflict:
            context["conflict"] = form.conflict_with(formsets[0])
        is_wrong = form.non_field_errors() or len(form.errors) > 1
        if (
            (form.restored or form.conflict)
            and not is_wrong
            and all(f.is_valid() for f in formsets)
        ):
            context["errors"] = None
        elif set(form.errors) == {NON_FIELD_ERRORS}:
            context["errors"] = context["errors"][1:]
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        edition = super().get_object(request, object_id)
        context = {"by_itself": steps_by_itself(edition)} if edition else {}
        response: HttpResponse = super().history_view(
            request, object_id, context | (extra_context or {})
        )
        return response

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        # A preview and a test save the form, which mostly has no changes.
        return super().log_change(request, obj, message) if message else None

    # --- Saving ---

    def save_model(self, request: HttpRequest, obj: Edition, form: Any, change: bool) -> None:
        fields = [name for name in form.changed_data if name in form.EDITION_FIELDS]
        if fields:
            obj.save(update_fields=fields)
            void_if_changed(edition_id=obj.pk)
        if "sends_at" in fields:
            plan_reminder(obj, now=timezone.now())
        for story in form.cleaned_data["add_stories"]:
            curate.add_story(edition_id=obj.pk, story_id=story.pk, again=form.cleaned_data["again"])

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.curate()
        for item, changed in formset.changed_objects:
            if "section" in changed:
                back = reverse("admin:digest_edition_change", args=[form.instance.pk])
                offer_always(request, story=item.story, section=item.section, back=back)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        kept_edits.drop(request)
        edition = Edition.objects.get(pk=form.instance.pk)
        voided = form.was_approved and edition.status != Edition.Status.APPROVED
        if voided:
            self.log_change(request, edition, "The edit withdrew the approval.")
        if voided and "_approve" not in request.POST:
            messages.warning(
                request,
                "Your edit withdrew the approval, because the edition is no longer what was "
                "approved. Approve it again when you are done.",
            )
