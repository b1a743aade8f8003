"""What is kept back of a feed: shown kind by kind on its page, and changed there."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http import HttpResponseRedirect as Redirect
from django.urls import URLPattern, path, reverse
from django.utils.timezone import now
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from digest.admin.as_feeds import AsFeeds
from digest.editions.draft.sieved import PERIOD, sieve_report
from digest.models import Feed, SieveRule
from digest.ranking.sieve import IN_WORDS, Kind


class FeedSieve(ModelAdmin):
    """The part of a feed's page that says what is not proposed of it."""

    change_form_outer_after_template = "admin/digest/feed/sieve.html"

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        if obj is not None and obj.pk:
            context |= {
                "sieve": sieve_report(obj, now=now()),
                "sieve_days": PERIOD.days,
                "sieve_form": NewSieveRule(auto_id="sieve_%s"),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.sieve_view)
        return [path("<int:pk>/sieve/", view, name="digest_feed_sieve"), *super().get_urls()]

    def sieve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change which kinds are kept back of the feed, and add or remove words (POST)."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        feed = Feed.objects.filter(pk=pk).first()
        if feed is None:
            raise Http404("There is no such feed.")
        try:
            with transaction.atomic():
                changes = _change(feed, request.POST)
        except ValidationError as error:
            messages.error(request, f"Nothing was saved. {' '.join(error.messages)}")
        else:
            if changes:
                self.log_change(request, feed, f"Never proposed: {'; '.join(changes)}.")
                messages.success(request, f"Saved: {'; '.join(changes)}.")
            else:
                messages.info(request, "Nothing was changed.")
        return Redirect(f"{reverse('admin:digest_feed_change', args=[pk])}#sieve")


class NewSieveRule(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = SieveRule
        fields = ["kind", "value"]
        widgets = {"kind": UnfoldAdminSelectWidget, "value": UnfoldAdminTextInputWidget}


def _change(feed: Feed, posted: Any) -> list[str]:
    """Do what the panel's form asks; return in words what is different. Raises ValidationError."""
    changes = []
    if not feed.takes_all:
        kept = set(posted.getlist("keep"))
        let_through = [kind.value for kind in Kind if kind.value not in kept]
        for kind in Kind:
            if (kind in let_through) != (kind in feed.kinds_let_through):
                state = "proposed" if kind in let_through else "kept back"
                changes.append(f"{IN_WORDS[kind]} is {state}")
        if changes:
            feed.kinds_let_through = let_through
            feed.save(update_fields=["kinds_let_through"])
    removed = set(posted.getlist("remove"))
    for rule in [rule for rule in SieveRule.objects.filter(feed=feed) if str(rule.pk) in removed]:
        changes.append(f"removed “{rule.value}”")
        rule.delete()
    if posted.get("value", "").strip():
        rule = SieveRule(newsletter=feed.newsletter, feed=feed)
        rule.kind, rule.value = posted.get("kind", ""), posted["value"]
        rule.full_clean()
        rule.save()
        changes.append(f"added “{rule.value}”")
    return changes


class SieveRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = SieveRule
        fields = ["kind", "value", "newsletter", "feed"]


@admin.register(SieveRule)
class SieveRuleAdmin(AsFeeds):
    """What editors wrote, of all feeds in one list; a newsletter's own is added here."""

    form = SieveRuleForm
    list_display = ["condition", "holds_for", "newsletter"]
    list_filter = ["newsletter", "kind", "feed"]
    list_select_related = ["newsletter", "feed"]
    search_fields = ["value", "feed__title", "feed__url"]
    list_before_template = "admin/digest/rule/sieve.html"
    fieldsets = ((None, {"fields": ("kind", "value", "newsletter", "feed")}),)

    @display(description="Never propose if", ordering="value")
    def condition(self, rule: SieveRule) -> str:
        return rule.reason

    @display(description="Of", ordering="feed")
    def holds_for(self, rule: SieveRule) -> str:
        return str(rule.feed) if rule.feed else "all feeds"
