"""How a newsletter's stories are ranked: its weights, and what others would have chosen."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import construct_change_message
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.timezone import now
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from digest.admin.local_times import format_local
from digest.editions.draft.backtest import MOST_EDITIONS, Comparison, compare_last_days
from digest.editions.draft.features import as_weights
from digest.models import RankingWeights
from digest.models.ranking_weights import WEIGHT_NAMES
from subscribers.models import Newsletter


class WeightsForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = RankingWeights
        fields = WEIGHT_NAMES
        widgets = {
            name: UnfoldAdminDecimalFieldWidget({"step": "0.05", "inputmode": "decimal"})
            for name in WEIGHT_NAMES
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in _usual().items():
            field = self.fields[name]
            field.help_text = f"{field.help_text} Usually {value:g}."

    def tried(self) -> RankingWeights:
        """Return the typed weights if all can be read, else those that the form began with."""
        return self.instance if self.is_valid() else RankingWeights(**self.initial)


@admin.register(RankingWeights)
class RankingWeightsAdmin(ModelAdmin):
    """One page for each newsletter, whether it has weights of its own or not."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.newsletter_page)
        own = path("<int:newsletter_id>/", view, name="digest_rankingweights_newsletter")
        return [own, *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a newsletter has its row once one of its weights is changed

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see editions may see by what their stories were chosen."""
        own = bool(super().has_view_permission(request, obj))
        return own or request.user.has_perm("digest.view_edition")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """List the newsletters: those without weights of their own have a page as well."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        newsletters = Newsletter.objects.select_related("ranking_weights")
        rows = [(each, hasattr(each, "ranking_weights")) for each in newsletters]
        return self._render(request, "list", {"title": "Ranking", "rows": rows})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404("There are no such weights.")
        return HttpResponseRedirect(newsletter_url(row.newsletter_id))

    def newsletter_page(self, request: HttpRequest, newsletter_id: int) -> HttpResponse:
        """Show the weights and what they would have chosen; save them if a POST says so.

        The button "Try" posts as well, and saves nothing.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        newsletter = Newsletter.objects.filter(pk=newsletter_id).first()
        if newsletter is None:
            raise Http404("There is no such newsletter.")
        if request.method == "POST" and not self.has_change_permission(request):
            raise PermissionDenied
        row = RankingWeights.objects.filter(newsletter=newsletter).first()
        form = _form(request, row or RankingWeights(newsletter=newsletter))
        if request.method == "POST" and "_save" in request.POST and form.is_valid():
            self._save(request, newsletter, form)
            return HttpResponseRedirect(newsletter_url(newsletter.pk))
        return self._page(request, newsletter, row, form)

    @transaction.atomic
    def _save(self, request: HttpRequest, newsletter: Newsletter, form: Any) -> None:
        if not form.has_changed():
            messages.info(request, "Nothing was changed.")
            return
        row, _ = RankingWeights.objects.get_or_create(newsletter=newsletter)
        for name in form.changed_data:
            setattr(row, name, form.cleaned_data[name])
        # Save only what this editor changed: another one may be saving another weight.
        row.save(update_fields=form.changed_data)
        self.log_change(request, row, construct_change_message(form, [], False))
        messages.success(request, f"Saved. The next draft of {newsletter} goes by these weights.")

    def _page(
        self,
        request: HttpRequest,
        newsletter: Newsletter,
        row: RankingWeights | None,
        form: WeightsForm,
    ) -> HttpResponse:
        comparisons = compare_last_days(newsletter, weights=as_weights(form.tried()), now=now())
        context = {
            "title": f"Ranking of {newsletter}",
            "original": row,
            "newsletter": newsletter,
            "form": form,
            "may_change": self.has_change_permission(request),
            "is_trial": request.method == "POST" and form.is_valid() and form.has_changed(),
            "days": [_day(comparison) for comparison in comparisons],
            "most": MOST_EDITIONS if len(comparisons) == MOST_EDITIONS else 0,
            "comes_in": sum(comparison.comes_in for comparison in comparisons),
            "goes_out": sum(comparison.goes_out for comparison in comparisons),
        }
        return self._render(request, "page", context)

    def _render(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        common = {**self.admin_site.each_context(request), "opts": self.model._meta}
        return TemplateResponse(
            request, f"admin/digest/rankingweights/{name}.html", common | context
        )


def newsletter_url(newsletter_id: int) -> str:
    """Return the URL of the page of a newsletter's weights."""
    return reverse("admin:digest_rankingweights_newsletter", args=[newsletter_id])


def _form(request: HttpRequest, row: RankingWeights) -> WeightsForm:
    if request.method != "POST":
        return WeightsForm(instance=row)
    if "_usual" in request.POST:
        return WeightsForm(_usual(), instance=row)
    return WeightsForm(request.POST, instance=row)


def _usual() -> dict[str, float]:
    """Return the weights of a newsletter without its own."""
    row = RankingWeights()
    return {name: getattr(row, name) for name in WEIGHT_NAMES}


def _day(comparison: Comparison) -> dict[str, Any]:
    edition = comparison.edition
    return {
        "comparison": comparison,
        "edition": edition,
        "drafted_at": format_local(edition.drafted_at, edition.newsletter.zone),
    }
