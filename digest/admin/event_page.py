"""The page of one news event: its reports and its course, and an editor's word on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.timezone import now
from django.utils.translation import get_language_info
from unfold.admin import ModelAdmin

from digest.admin.local_times import format_local
from digest.events import correct
from digest.events.overview import Overview, other_events, overview_of
from digest.models import Story

# The curve's picture, in the units of its SVG.
_WIDTH, _HEIGHT = 720, 96


class EventPage(ModelAdmin):
    """The page, for whoever may see stories; its buttons are for whoever may change them."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.event_page)
        return [path("event/<int:number>/", view, name="digest_story_event"), *super().get_urls()]

    def event_page(self, request: HttpRequest, number: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        event = overview_of(number) if number < 2**63 else None
        if event is None:
            return _where_it_went(number)
        if request.method == "POST":
            if not self.has_change_permission(request):
                raise PermissionDenied
            return _act(request, event)
        words = request.GET.get("q", "")[:200]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": "A news event",
            "event": event,
            "may_change": self.has_change_permission(request),
            "words": words,
            "found": other_events(event, words),
            **_in_words(event),
        }
        return TemplateResponse(request, "admin/digest/story/event.html", context)


def event_url(number: int) -> str:
    return reverse("admin:digest_story_event", args=[number])


def _where_it_went(number: int) -> HttpResponse:
    """Lead to the event of the story whose id this was; a joined event has another number."""
    story = Story.objects.filter(pk=number, event__isnull=False).first() if number < 2**63 else None
    if story is None or story.event is None:
        raise Http404("There is no such event.")
    return HttpResponseRedirect(event_url(story.event))


def _act(request: HttpRequest, event: Overview) -> HttpResponse:
    """Do what the pressed button says, and show the event as it is now."""
    here = {story.pk: story for story in event.reports}
    if "join" in request.POST:
        stays = event.headline.pk
        _join(request, stays, request.POST["join"])
    else:
        chosen = [here[pk] for pk in _ids(request.POST.getlist("report")) if pk in here]
        others = [story for story in event.reports if story not in chosen]
        stays = (others or event.reports)[0].pk
        _separate(request, chosen, others)
    number = Story.objects.filter(pk=stays).values_list("event", flat=True).first()
    return HttpResponseRedirect(event_url(number or event.number))


def _join(request: HttpRequest, ours: int, other: str) -> None:
    [theirs] = _ids([other]) or [0]
    if not Story.objects.filter(pk=theirs).exists():
        messages.error(request, "That story is not there any more.")
        return
    try:
        count = correct.join([ours, theirs])
    except correct.NotOneNewsletter as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"One event, with {count} reports.")


def _separate(request: HttpRequest, chosen: list[Story], others: list[Story]) -> None:
    if not chosen:
        messages.error(request, "Choose the reports that belong elsewhere.")
    elif not others:
        messages.error(request, "All reports are chosen: one has to stay.")
    else:
        left = correct.separate([story.pk for story in chosen])
        one, count = len(chosen) == 1, len(chosen)
        went = "1 report is an event of its own" if one else f"{count} reports are one of their own"
        stay = "1 report stays" if left == 1 else f"{left} reports stay"
        messages.success(request, f"{went}; {stay} here.")


def _ids(values: Iterable[str]) -> list[int]:
    return [int(v) for v in values if v.isascii() and v.isdecimal() and len(v) <= 18]


def _in_words(event: Overview) -> dict[str, Any]:
    zone = event.headline.newsletter.zone
    most = max(step.reports for step in event.curve)
    busiest = next(step for step in event.curve if step.reports == most)
    step = "an hour" if event.hours_per_step == 1 else f"{event.hours_per_step} hours"
    return {
        "summary": event.summary.in_words(now()),
        "first_seen": format_local(event.summary.first_at, zone),
        "last_news": format_local(event.last_at, zone),
        "outlets": [
            (name, [(s, format_local(s.dated_at, zone), _name(s.lang)) for s in stories])
            for name, stories in event.outlets
        ],
        "languages": _by_language(event).most_common(),
        "step": step,
        "curve_in_words": f"Reports in each {'hour' if step == 'an hour' else step}; most were "
        f"{most}, from {format_local(busiest.start, zone)}. The table below has all.",
        "steps": [(format_local(each.start, zone), each.reports) for each in event.curve],
        "bars": _bars(event, most),
        "width": _WIDTH,
        "height": _HEIGHT,
    }


def _by_language(event: Overview) -> Counter[str]:
    """Count the reports by language: for an editor, British and other English are one."""
    counts: Counter[str] = Counter()
    for tag, count in event.languages.items():
        counts[_name(tag)] += count
    return counts


def _bars(event: Overview, most: int) -> list[dict[str, str]]:
    """Return the place of each bar in the picture, as SVG writes numbers."""
    step = _WIDTH / max(len(event.curve), 12)
    return [
        {
            "x": f"{at * step + 1:.1f}",
            "y": f"{_HEIGHT * (1 - each.reports / most):.1f}",
            "width": f"{step - 2:.1f}",
            "height": f"{_HEIGHT * each.reports / most:.1f}",
        }
        for at, each in enumerate(event.curve)
        if each.reports
    ]


def _name(tag: str) -> str:
    """Return the English name of a language that Django knows, without its region, else its tag."""
    if not tag or tag.startswith("und-"):
        return "unknown language"
    # Django has no plain Chinese, only its two scripts.
    for known in (tag.lower().partition("-")[0], tag.lower()):
        try:
            return str(get_language_info(known)["name"])
        except KeyError:
            continue
    return tag
