"""The rules that file stories in sections: written, tried, applied, and learnt from an editor."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http import HttpResponseRedirect as Redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timezone import now
from unfold.decorators import display

from digest.admin.as_feeds import CHANGE, AsFeeds
from digest.filing import apply, offers, trial
from digest.models import SectionRule, Story
from subscribers.models import Newsletter, Section

_SHOWN = 50
_LAST_POSITION = 1_000_000


class SectionRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rule; its newsletter is its section's."""

    class Meta:
        model = SectionRule
        fields = ["kind", "value", "feed", "section", "position"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if position := self.fields.get("position"):
            position.required = False
            # Far from what the column holds: a rule that is put first moves all others.
            position.validators.append(MaxValueValidator(_LAST_POSITION))
            position.help_text = f"{position.help_text} Empty: last."
            if not self.instance.pk:
                self.initial["position"] = None

    def _get_validation_exclusions(self) -> set[str]:
        # The constraint that no condition stands there twice is about the newsletter, too.
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded - {"newsletter"}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if section := cleaned.get("section"):
            self.instance.newsletter = section.newsletter
            if cleaned.get("position") is None:
                last = SectionRule.objects.filter(newsletter=section.newsletter).last()
                cleaned["position"] = last.position + 1 if last else 0
        if "_try" in self.data and not self.errors:
            # So the page comes again with what was typed, and nothing is saved. An error without a
            # message is shown nowhere: what the trial found stands above the form.
            raise forms.ValidationError([])
        return cleaned


@admin.register(SectionRule)
class SectionRuleAdmin(AsFeeds):
    form = SectionRuleForm
    list_display = ["condition", "section", "newsletter", "position"]
    list_filter = ["newsletter", "section", "kind", "feed"]
    list_select_related = ["newsletter", "section", "feed"]
    search_fields = ["value", "section__name", "feed__title", "feed__url"]
    search_help_text = "Search in what the rules look for, their sections and feeds"
    list_before_template = "admin/digest/rule/list.html"
    change_form_outer_before_template = "admin/digest/rule/trial.html"
    change_form_after_template = "admin/digest/rule/try.html"
    warn_unsaved_form = True
    fieldsets = ((None, {"fields": ("kind", "value", "feed", "section", "position")}),)

    @display(description="If", ordering="value")
    def condition(self, rule: SectionRule) -> str:
        return rule.condition_in_words

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        # Two newsletters may each have a section “World”.
        field.queryset = field.queryset.select_related("newsletter").order_by(
            "newsletter__name", "position" if db_field.name == "section" else "title"
        )
        if Newsletter.objects.count() > 1:
            field.label_from_instance = lambda row: f"{row.newsletter} · {row}"
        return field

    # --- A trial ---

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        context = dict(extra_context or {})
        if "_try" in request.POST and self.has_change_permission(request):
            data = request.POST.copy()
            del data["_try"]
            rule = self.get_object(request, object_id) if object_id else None
            form = SectionRuleForm(data, instance=rule)
            if form.is_valid():
                context |= {"trial": trial.try_rule(form.instance, now=now()), "errors": []}
        return super().changeform_view(request, object_id, form_url, context)

    # --- What is there ---

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        context = {"waiting": self._waiting(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def _waiting(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return the newsletters whose rules would move stories, and how many."""
        found = []
        for newsletter in Newsletter.objects.filter(section_rules__isnull=False).distinct():
            if count := len(_moves(newsletter)):
                found.append({"newsletter": newsletter, "count": count})
        return found

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("apply/<int:pk>/", view(self.apply_view), name="digest_sectionrule_apply"),
            path("always/", view(self.always_view), name="digest_sectionrule_always"),
            *super().get_urls(),
        ]

    def apply_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show which of the last days' stories the rules would move (GET), or move them (POST)."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        newsletter = Newsletter.objects.filter(pk=pk).first()
        if newsletter is None:
            raise Http404("There is no such newsletter.")
        if request.method == "POST":
            count = apply.apply_rules(newsletter_id=pk, now=now())
            messages.success(request, f"{_stories(count)} moved to another section.")
            return Redirect(reverse("admin:digest_sectionrule_changelist"))
        moves = _moves(newsletter)
        context = self.admin_site.each_context(request) | {
            "opts": self.model._meta,
            "title": f"File the last days' stories of {newsletter}",
            "newsletter": newsletter,
            "count": len(moves),
            "moves": moves[:_SHOWN],
            "days": apply.APPLIES_BACK.days,
        }
        return TemplateResponse(request, "admin/digest/rule/apply.html", context)

    def always_view(self, request: HttpRequest) -> HttpResponse:
        """Make the rule that an editor was offered after a correction (POST)."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_add_permission(request):
            raise PermissionDenied
        story = Story.objects.select_related("feed").filter(pk=_id(request, "story")).first()
        section = Section.objects.filter(pk=_id(request, "section")).first()
        rule = (
            story
            and section
            and offers.is_offered(
                story=story,
                section=section,
                kind=request.POST.get("kind", ""),
                value=request.POST.get("value", ""),
                now=now(),
            )
        )
        if not rule or not offers.make_first(rule):
            messages.info(request, "There is such a rule already, or its stories are filed by now.")
        else:
            self.log_addition(request, rule, "From a correction.")
            count = len(_moves(rule.newsletter))
            made = {"rule": rule, "count": count, "days": apply.APPLIES_BACK.days}
            made["rule_in_words"] = offers.describe(rule)
            messages.success(request, render_to_string("admin/digest/rule/made.html", made))
        return Redirect(_way_back(request))


def offer_always(request: HttpRequest, *, story: Story, section: Section | None, back: str) -> None:
    """Ask whether stories such as this one always belong there, in a message with a button each.

    `back` is the page to which the answer leads. Only who may change feeds is asked.
    """
    if not request.user.has_perm(CHANGE):
        return
    found = offers.offers_for(story=story, section=section, now=now())
    if found:
        asked = [(offers.describe(offer.rule), offer) for offer in found]
        context = {"asked": asked, "story": story, "section": section, "back": back}
        context["days"] = apply.APPLIES_BACK.days
        messages.info(request, render_to_string("admin/digest/rule/always.html", context, request))


def _moves(newsletter: Newsletter) -> list[apply.Move]:
    rules = apply.rules_of(newsletter.pk)
    return apply.find_moves(apply.movable(newsletter.pk, now=now()), rules) if rules else []


def _id(request: HttpRequest, name: str) -> int:
    value = request.POST.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= 18 else 0


def _way_back(request: HttpRequest) -> str:
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return back if is_ours else reverse("admin:digest_sectionrule_changelist")


def _stories(count: int) -> str:
    return "1 story" if count == 1 else f"{count:,} stories"
