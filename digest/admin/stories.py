"""The stories that newsletters could print: find, edit and hide them, or add one by hand."""

from __future__ import annotations

from collections.abc import Collection
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery, URLField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timezone import now
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminURLInputWidget,
)

from digest.admin.breaking_news import SendsBreakingNews
from digest.admin.edition import rights
from digest.admin.event_page import EventPage, event_url
from digest.admin.local_times import format_local
from digest.admin.section_rules import offer_always
from digest.admin.story_actions import StoryActions
from digest.editions.decide.approve import void_if_changed
from digest.editions.draft.passed_over import Sieve, why_not_proposed
from digest.feeds.manual import by_hand
from digest.models import Edition, EditionItem, Story
from subscribers.models import Newsletter, Section
from subscribers.plumbing import kept_edits

# The fields that the pages of sent editions and stories show, and the API.
PUBLIC_FIELDS = (
    "title", "summary", "url", "source_name", "author", "published_at",
    "image_url", "image_alt", "image_credit", "text",
)  # fmt: skip
# The first fields of the form.
EDITORIAL_FIELDS = (
    "title", "summary", "section", "boost", "is_hidden", "is_wanted", "printed_in",
)  # fmt: skip
FIXED_NOTE = (
    "Readers have this story. Only somebody who may approve editions can change what they see of "
    "it."
)


def section_choices(newsletter: Newsletter | None) -> list[Any]:
    """Return the sections of a newsletter or, before one is chosen, of each under its name."""
    sections = Section.objects.select_related("newsletter").order_by("newsletter__name", "position")
    empty = ("", "No section")
    if newsletter:
        return [empty, *((s.pk, s.name) for s in sections.filter(newsletter=newsletter))]
    groups = groupby(sections, key=lambda section: section.newsletter)
    return [empty, *((str(one), [(s.pk, s.name) for s in group]) for one, group in groups)]


class NewStoryForm(forms.Form):
    """Two ways to bring a story in: its address, or its text."""

    newsletter = forms.ModelChoiceField(
        Newsletter.objects.all(), widget=UnfoldAdminSelectWidget, empty_label="Choose one"
    )
    section = forms.ModelChoiceField(
        Section.objects.select_related("newsletter"),
        required=False,
        widget=UnfoldAdminSelectWidget({"data-sections-of": "newsletter"}),
    )
    url = forms.URLField(
        label="Address of the article",
        required=False,
        max_length=2000,
        assume_scheme="https",
        widget=UnfoldAdminURLInputWidget(
            {"placeholder": "https://news.example.com/politics/a-story"}
        ),
        help_text="Headline, summary, image and author are read from the page.",
    )
    text = forms.CharField(
        label="Or its text",
        required=False,
        widget=UnfoldAdminTextareaWidget({"rows": 14}),
        help_text="Paste the whole article, its headline first. Menu lines and photo credits may "
        "be in it; they are left out. With an address above, the headline links there.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = str(self["newsletter"].value() or "")
        found = Newsletter.objects.filter(pk=chosen).first() if chosen.isdecimal() else None
        field: Any = self.fields["section"]
        field.choices = section_choices(found)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and not cleaned["url"] and not cleaned["text"].strip():
            self.add_error("url", "Give the article's address, or paste its text below.")
        section, newsletter = cleaned.get("section"), cleaned.get("newsletter")
        if section and newsletter and section.newsletter_id != newsletter.pk:
            self.add_error("section", f"{section} is not a section of {newsletter}.")
        return cleaned

    def add(self) -> Story | None:
        """Return the story, or None with an error at the field that caused it."""
        data = self.cleaned_data
        common = {"newsletter": data["newsletter"], "section": data["section"], "now": now()}
        try:
            if data["text"].strip():
                return by_hand.add_from_text(text=data["text"], url=data["url"], **common)
            return by_hand.add_from_url(url=data["url"], **common)
        except by_hand.CannotAddStory as error:
            self.add_error("text" if data["text"].strip() else "url", str(error))
            return None


class OfOneEvent(admin.SimpleListFilter):
    """Shows the reports of one event; nothing until its page's link asks for it."""

    title = "event"
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        value = request.GET.get(self.parameter_name, "")
        return [(value, "the reports of one event")] if value else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Story]) -> QuerySet[Story]:
        value = self.value() or ""
        if not value:
            return queryset
        return queryset.filter(event=value) if _is_id(value) else queryset.none()


def _is_id(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) <= 18


def _is_fixed(story: Story | None, request: HttpRequest) -> bool:
    """Whether this user may no longer change what readers see: it shows as soon as it is saved."""
    return story is not None and story.is_out() and not request.user.has_perm(rights.APPROVE)


def _note(story: Story, changed: Collection[str]) -> list[str]:
    """Note what an editor's change says besides; return the fields that hold it."""
    if "section" in changed:
        # Where an editor has filed it, no rule files it elsewhere.
        story.section_is_pinned = True
    if "is_wanted" in changed:
        story.wanted_at = now() if story.is_wanted else None
        if story.is_wanted:
            story.link_died_at = None
    noted = {"section": ["section_is_pinned"], "is_wanted": ["wanted_at", "link_died_at"]}
    return [field for name, fields in noted.items() if name in changed for field in fields]


@admin.register(Story)
class StoryAdmin(StoryActions, EventPage, SendsBreakingNews):
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    list_display = [
        "title", "source", "section", "published", "reports", "printed", "ranked",
        "not_proposed",
    ]  # fmt: skip
    list_filter = ["newsletter", "section", "origin", "is_hidden", "feed", OfOneEvent]
    list_select_related = ["newsletter", "section", "feed"]
    search_fields = ["title", "summary", "source_name", "author"]
    date_hierarchy = "published_at"
    actions = [
        "hide", "unhide", "want", "file_by_rules", "higher", "lower", "as_it_is", "one_event",
        "another_event", "breaking_news",
    ]  # fmt: skip
    list_per_page = 50
    warn_unsaved_form = True
    readonly_fields = [
        "newsletter", "feed", "origin", "named_categories", "filed", "printed_in", "added_at",
    ]  # fmt: skip
    fieldsets = (
        (None, {"fields": EDITORIAL_FIELDS}),
        ("Source", {"fields": ("url", "source_name", "author", "published_at")}),
        ("Image", {"fields": ("image_url", "image_alt", "image_credit")}),
        ("Text", {"fields": ("text",)}),
        (
            "Where it came from",
            {"fields": ("newsletter", "feed", "named_categories", "filed", "origin", "added_at")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Story]:
        queryset: QuerySet[Story] = super().get_queryset(request)
        items = EditionItem.objects.filter(released=False).select_related("edition")
        of_event = Story.objects.filter(event=OuterRef("event")).order_by().values("event")
        return queryset.annotate(
            report_count=Subquery(of_event.annotate(count=Count("*")).values("count"))
        ).prefetch_related(Prefetch("items", items, to_attr="places"))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        sieve = Sieve(changelist.result_list)
        for story in changelist.result_list:
            story.sieve = sieve
        return changelist

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # The feed would only bring it back, so a story is hidden instead.
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Story | None = None) -> list[str]:
        return [*self.readonly_fields, *(PUBLIC_FIELDS if _is_fixed(obj, request) else ())]

    def get_fieldsets(self, request: HttpRequest, obj: Story | None = None) -> Any:
        if not _is_fixed(obj, request):
            return self.fieldsets
        (name, options), *others = self.fieldsets
        return [(name, {**options, "description": FIXED_NOTE}), *others]

    def save_model(self, request: HttpRequest, obj: Story, form: Any, change: bool) -> None:
        # With these rows locked, no edition with the story is started before it is saved.
        list(Edition.objects.select_for_update(of=("self",)).filter(items__story=obj))
        if set(form.changed_data) & set(self.get_readonly_fields(request, obj)):
            raise PermissionDenied("The story has just gone out.")
        # Save only what the editor changed: a worker may be taking over the feed's correction now.
        fields = [*form.changed_data, *_note(obj, form.changed_data)]
        if "url" in form.changed_data:
            # What was said of the old link does not hold for the new one.
            obj.link_checked_at = obj.link_missing_at = obj.link_died_at = None
            fields += ["link_checked_at", "link_missing_at", "link_died_at"]
        obj.save(update_fields=fields)
        if "section" in form.changed_data:
            back = reverse("admin:digest_story_change", args=[obj.pk])
            offer_always(request, story=obj, section=obj.section, back=back)
        for item in obj.items.filter(edition__status=Edition.Status.APPROVED):
            if void_if_changed(edition_id=item.edition_id):
                self.log_change(request, item.edition, f"An edit of “{obj}” withdrew the approval.")
                messages.warning(
                    request,
                    f"{item.edition} prints this story and was approved; it needs approval again.",
                )

    @display(description="Outlet", ordering="source_name", empty_value="")
    def source(self, story: Story) -> str:
        return story.source_name

    @display(description="Published", ordering="published_at")
    def published(self, story: Story) -> str:
        return format_local(story.published_at, story.newsletter.zone)

    @display(description="Event")
    def reports(self, story: Any) -> str:
        if story.event is None:
            return "not grouped"
        if story.report_count == 1:
            return ""
        return format_html(
            '<a class="text-link" href="{}">{} reports</a>',
            event_url(story.event), story.report_count,
        )  # fmt: skip

    @display(description="In editions", empty_value="")
    def printed(self, story: Any) -> str:
        return ", ".join(f"{place.edition.slot_date:%-d %b}" for place in story.places)

    @display(description="Ranked", ordering="boost", empty_value="")
    def ranked(self, story: Story) -> str:
        return story.get_boost_display() if story.boost else ""

    @display(description="Not proposed", ordering="is_hidden", empty_value="")
    def not_proposed(self, story: Any) -> str:
        return why_not_proposed(story, story.sieve, now=now())

    @display(description="Filed")
    def filed(self, story: Story) -> str:
        if story.section_is_pinned:
            return "by hand: no rule moves it"
        return "by the section rules and its feed"

    @display(description="Categories", empty_value="none")
    def named_categories(self, story: Story) -> str:
        return ", ".join(story.categories)

    @display(description="In editions")
    def printed_in(self, story: Any) -> str:
        return render_to_string("admin/digest/story/places.html", {"places": story.places})

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "section" and (match := request.resolver_match):
            kwargs["queryset"] = Section.objects.filter(
                newsletter__stories=match.kwargs.get("object_id")
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        typed = request.POST or kept_edits.find(request)
        form = NewStoryForm(typed, initial=_only_newsletter())
        if request.method == "POST" and form.is_valid() and (story := form.add()):
            kept_edits.drop(request)
            messages.success(request, "Added. Check its text.")
            return HttpResponseRedirect(reverse("admin:digest_story_change", args=[story.pk]))
        context = self.admin_site.each_context(request) | {
            "form": form,
            "title": "Add a story",
            "opts": self.model._meta,
        }
        context |= kept_edits.context(request)
        return TemplateResponse(request, "admin/digest/story/new.html", context)


def _only_newsletter() -> dict[str, Any]:
    """Preselect the newsletter if there is only one."""
    first_two = Newsletter.objects.all()[:2]
    return {"newsletter": first_two[0].pk} if len(first_two) == 1 else {}
