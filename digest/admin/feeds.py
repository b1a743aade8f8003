"""The feeds, how their last fetches went, and a button to fetch now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet, URLField
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.timezone import now
from unfold.decorators import display

from digest.admin import feed_words
from digest.admin.feed_lists import FeedListsAdmin
from digest.admin.feed_sieve import FeedSieve
from digest.admin.local_times import format_local
from digest.editions.draft.feed_yield import feed_yields
from digest.feeds.adding.add import NO_FEED, SeveralFeeds, find_feed
from digest.feeds.ingest import CannotAddFeed
from digest.models import Feed, HubSubscription
from digest.tasks import fetch_feed
from subscribers.admin.labels import HEALTH_COLOURS, Health, by_label, health
from subscribers.plumbing.queue import enqueue

SILENT = "silent"
SILENT_AFTER = timedelta(days=14)


class TroubleFilter(admin.SimpleListFilter):
    """Feeds whose last fetch failed, and those that bring nothing new."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        states = [(state.value, str(state.label)) for state in (Health.TROUBLE, Health.WELL)]
        return [*states, (SILENT, "silent for two weeks")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Feed]) -> QuerySet[Feed]:
        if self.value() == Health.TROUBLE:
            return queryset.filter(consecutive_failures__gt=0)
        if self.value() == Health.WELL:
            return queryset.filter(consecutive_failures=0, last_success_at__isnull=False)
        if self.value() == SILENT:
            long_ago = now() - SILENT_AFTER
            never = Q(last_story_at=None, observed_since__lt=long_ago)
            return queryset.filter(Q(last_story_at__lt=long_ago) | never)
        return queryset


class FeedForm(forms.ModelForm):  # type: ignore[type-arg]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if url := self.fields.get("url"):
            url.label = "URL"
        stated, field = self.instance.stated_language, self.fields.get("language")
        if stated and field:  # somebody who may only look has no field
            field.help_text = f"Such as en or pt-BR. Empty: what the feed says, {stated}."

    def clean_url(self) -> str:
        """Take any page of a site for a new feed, and look for the feed there.

        What cannot be fetched now is taken as it is: its page says what goes wrong.
        """
        url: str = self.cleaned_data["url"]
        if self.instance.pk:
            return url
        try:
            return find_feed(url)
        except SeveralFeeds as error:
            raise forms.ValidationError(self._offer(error)) from error
        except CannotAddFeed as error:
            if NO_FEED in str(error):
                raise forms.ValidationError(NO_FEED) from error
            return url

    def _offer(self, several: SeveralFeeds) -> str:
        """Return a list of links, each to this form with one of the feeds filled in."""
        typed = {name: self.data.get(name, "") for name in ("newsletter", "section", "weight")}
        return render_to_string(
            "admin/digest/feed/several.html",
            {
                "message": str(several),
                "offers": [
                    (f"?{urlencode({**typed, 'url': found.url})}", found.in_words, found.url)
                    for found in several.found
                ],
            },
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        section, newsletter = cleaned.get("section"), cleaned.get("newsletter")
        if section and newsletter and section.newsletter_id != newsletter.pk:
            self.add_error("section", f"{section} is not a section of {newsletter}.")
        return cleaned


@admin.register(Feed)
class FeedAdmin(FeedSieve, FeedListsAdmin):
    form = FeedForm
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    list_display = [
        "name", "where", "state", "trouble", "a_day", "last_story", "printed", "no_news",
        "interval",
    ]  # fmt: skip
    list_filter = [TroubleFilter, "newsletter", "is_active"]
    list_select_related = ["newsletter", "section"]
    search_fields = ["title", "url", "source_name"]
    autocomplete_fields = ["newsletter"]
    actions = ["fetch_selected"]
    change_form_outer_before_template = "admin/digest/feed/state.html"
    fieldsets = (
        (None, {"fields": ("newsletter", "section", "url", "title", "source_name", "language")}),
        (
            "Ranking and fetching",
            {"fields": ("weight", "takes_all", "interval_minutes", "is_active")},
        ),
    )

    list_per_page = 50

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Look up for all feeds of the page at once what they yield."""
        changelist: Any = super().get_changelist_instance(request)
        listed = list(changelist.result_list)
        found = feed_yields([feed.pk for feed in listed], now=now())
        for feed in listed:
            feed.found = found[feed.pk]
        changelist.result_list = listed
        return changelist

    @display(description="Feed", ordering="title")
    def name(self, feed: Feed) -> str:
        return str(feed)

    @display(description="Newsletter", ordering="newsletter")
    def where(self, feed: Feed) -> str:
        return f"{feed.newsletter} · {feed.section.name}" if feed.section else str(feed.newsletter)

    @display(description="State", label=by_label(HEALTH_COLOURS))
    def state(self, feed: Feed) -> str:
        return feed_health(feed).label

    @display(description="Last error", ordering="failing_since", empty_value="")
    def trouble(self, feed: Feed) -> str | None:
        return feed_words.trouble(feed) or None

    @display(description="Stories a day", empty_value="not known yet")
    def a_day(self, feed: Feed) -> str | None:
        return feed_words.a_day(feed, now=now()) or None

    @display(description="Newest", ordering="last_story_at", empty_value="none seen")
    def last_story(self, feed: Feed) -> str | None:
        return format_local(feed.last_story_at, feed.newsletter.zone) or None

    @display(description="Printed")
    def printed(self, feed: Any) -> str:
        return f"{feed.found.printed:,}"

    @display(description="Kept back", empty_value="")
    def no_news(self, feed: Any) -> str | None:
        return feed_words.no_news(feed.found) or None

    @display(description="Fetched", ordering=Coalesce("interval_minutes", "current_minutes"))
    def interval(self, feed: Feed) -> str:
        if not feed.is_active:
            return "never: it is off"
        return feed_words.every(feed.interval_minutes or feed.current_minutes)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        feed = self.get_object(request, object_id) if object_id else None
        if feed:
            zone = feed.newsletter.zone
            hub = HubSubscription.objects.filter(feed=feed).first()
            extra_context = {
                "feed": feed,
                "feed_state": feed_health(feed).label,
                "feed_colour": HEALTH_COLOURS[feed_health(feed)],
                "last_success": format_local(feed.last_success_at, zone, year=True),
                "last_fetch": format_local(feed.last_fetched_at, zone, year=True),
                "next_fetch": format_local(feed.next_fetch_at, zone, year=True),
                "failing_since": format_local(feed.failing_since, zone, year=True),
                "last_story": format_local(feed.last_story_at, zone, year=True),
                "moved_at": format_local(feed.moved_at, zone, year=True),
                "moving_since": format_local(feed.moving_since, zone, year=True),
                "pace": feed_words.pace(feed),
                "hub": hub,
                "told_at": format_local(hub.told_at if hub else None, zone, year=True),
                "a_day": feed_words.a_day(feed, now=now()),
                "story_count": feed.stories.count(),
                "found": feed_yields([feed.pk], now=now())[feed.pk],
                **(extra_context or {}),
            }
        return super().changeform_view(request, object_id, form_url, extra_context)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "section":
            # Two newsletters may each have a section “World”.
            field.queryset = field.queryset.select_related("newsletter").order_by(
                "newsletter__name", "position"
            )
            field.label_from_instance = lambda section: f"{section.newsletter} · {section.name}"
            feed_id = request.resolver_match and request.resolver_match.kwargs.get("object_id")
            if feed_id:
                field.queryset = field.queryset.filter(newsletter__feeds=feed_id)
        return field

    def save_model(self, request: HttpRequest, obj: Feed, form: Any, change: bool) -> None:
        if change:
            # Save only what the editor changed: a worker may be writing the feed's state now.
            obj.save(update_fields=form.changed_data)
        else:
            super().save_model(request, obj, form, change)
        if change and {"url", "is_active"} & set(form.changed_data):
            obj.reset_fetch_state(now=now())
        if obj.is_active and (not change or "url" in form.changed_data):
            enqueue(fetch_feed, feed_id=obj.pk)
            messages.info(request, "Its first stories are being fetched.")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.fetch_now)
        return [path("<int:pk>/fetch/", view, name="digest_feed_fetch"), *super().get_urls()]

    def fetch_now(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have a worker fetch this feed now (POST)."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        self._fetch(Feed.objects.filter(pk=pk))
        messages.success(request, "It is being fetched. Open this page again in a moment.")
        return HttpResponseRedirect(reverse("admin:digest_feed_change", args=[pk]))

    @admin.action(description="Fetch now", permissions=["change"])
    def fetch_selected(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        count = self._fetch(queryset)
        messages.success(request, f"{count} feed{'' if count == 1 else 's'} will be fetched now.")

    def _fetch(self, feeds: QuerySet[Feed]) -> int:
        pks = list(feeds.values_list("pk", flat=True))
        # They become due now, so that a beat tick finds them if the broker does not answer.
        Feed.objects.filter(pk__in=pks).update(next_fetch_at=now() - timedelta(seconds=1))
        for pk in pks:
            enqueue(fetch_feed, feed_id=pk)
        return len(pks)


def feed_health(feed: Feed) -> Health:
    return health(
        is_active=feed.is_active,
        is_failing=bool(feed.consecutive_failures),
        has_worked=feed.last_success_at is not None,
    )
