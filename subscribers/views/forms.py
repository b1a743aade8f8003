"""Check what readers write into the forms of their preferences."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.utils.formats import time_format
from django.utils.text import capfirst
from django.utils.translation import get_language, get_language_info, gettext
from django.utils.translation import gettext_lazy as _

from subscribers.i18n import timezones
from subscribers.models import Subscriber, Subscription
from subscribers.preferences.choices import LONGEST_PAUSE, Choices
from subscribers.preferences.rhythm import Rhythm

Frequency, EndReason = Subscription.Frequency, Subscription.EndReason

# The labels of the models' choices are for the newsroom. These are for readers.
FREQUENCIES = {
    Frequency.DAILY: _("Every edition"),
    Frequency.WEEKDAYS: _("Monday to Friday"),
    Frequency.WEEKLY: _("Once a week: the best of the week"),
}
EXTRAS = {"yes": _("As it happens, at any hour"), "no": _("Only in the usual editions")}
REASONS = {
    EndReason.TOO_MANY: _("Too many mails"),
    EndReason.NOT_FOR_ME: _("It was not what I expected"),
    EndReason.NEVER_ASKED: _("I never signed up"),
    EndReason.ELSEWHERE: _("I read the news elsewhere"),
    EndReason.OTHER: _("Something else"),
}


class ChoicesForm(forms.Form):
    """A reader's choices for one newsletter; it has only fields that make a difference.

    The sections are read from the newsletter, so a page with many of these forms can prefetch them
    with one query.
    """

    frequency = forms.ChoiceField(label=_("How often"), widget=forms.RadioSelect)
    hour = forms.ChoiceField(label=_("At what time"), required=False)
    extras = forms.ChoiceField(
        label=_("Breaking news"),
        required=False,
        choices=list(EXTRAS.items()),
        widget=forms.RadioSelect,
    )
    wanted = forms.TypedMultipleChoiceField(
        label=_("Sections you want"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one section. To get no mail at all, unsubscribe below.")
        },
    )

    def __init__(self, *args: Any, subscription: Subscription, rhythm: Rhythm, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.auto_id = f"id_{subscription.pk}_%s"
        self.current = Choices.of(subscription)
        self.sections = {one.pk: one.name for one in subscription.newsletter.sections.all()}
        self._offer_frequencies(rhythm)
        self._offer_hours(rhythm)
        self._offer_extras()
        self._offer_sections()

    def choices(self) -> Choices:
        """Return what was chosen; a field that was left out keeps its present value."""
        found = self.cleaned_data
        muted = self.current.muted
        if "wanted" in found:
            muted = [pk for pk in self.sections if pk not in found["wanted"]]
        time = self.current.preferred_time
        if "hour" in found:
            time = datetime.time.fromisoformat(found["hour"]) if found["hour"] else None
        return Choices(
            muted=muted,
            frequency=found.get("frequency", self.current.frequency),
            preferred_time=time,
            # A page that was loaded before there was this choice sends nothing.
            wants_extras=found["extras"] == "yes"
            if found.get("extras")
            else self.current.wants_extras,
        )

    def _offer_frequencies(self, rhythm: Rhythm) -> None:
        offered = [one for one in Frequency if one in rhythm.frequencies]
        if self.current.frequency not in offered:
            offered.append(Frequency(self.current.frequency))
        if len(offered) == 1:
            del self.fields["frequency"]
            return
        self._set("frequency", [(one, FREQUENCIES[one]) for one in offered], self.current.frequency)

    def _offer_hours(self, rhythm: Rhythm) -> None:
        if rhythm.readers_time is None:
            del self.fields["hour"]
            return
        preferred = self.current.preferred_time
        times = {datetime.time(hour) for hour in range(24)} | ({preferred} if preferred else set())
        usual = gettext("As usual, at %(time)s") % {"time": _formatted(rhythm.readers_time)}
        offered = [(f"{time:%H:%M}", _formatted(time)) for time in sorted(times)]
        self._set("hour", [("", usual), *offered], f"{preferred:%H:%M}" if preferred else "")

    def _offer_extras(self) -> None:
        # Weekly readers get none, whatever they have chosen.
        if self.current.frequency == Frequency.WEEKLY or not settings.EXTRA_EDITIONS_PER_DAY:
            del self.fields["extras"]
            return
        self.fields["extras"].initial = "yes" if self.current.wants_extras else "no"

    def _offer_sections(self) -> None:
        if len(self.sections) < 2:
            del self.fields["wanted"]
            return
        wanted = [pk for pk in self.sections if pk not in set(self.current.muted)]
        self._set("wanted", list(self.sections.items()), wanted)

    def _set(self, name: str, choices: list[Any], initial: Any) -> None:
        # This changes the form's own field, not the class's: Form copies its declared fields.
        self.fields[name].choices = choices  # type: ignore[attr-defined]
        self.fields[name].initial = initial


class PersonForm(forms.Form):
    """A reader's language and time zone."""

    language = forms.ChoiceField(label=_("Language of pages and mails"), required=False)
    timezone = forms.ChoiceField(label=_("Time zone"), required=False)

    def __init__(self, *args: Any, reader: Subscriber, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auto_id = "id_you_%s"
        own = [
            (code, capfirst(get_language_info(code)["name_local"]))
            for code, _ in settings.LANGUAGES
        ]
        self._set("language", [("", gettext("As the newsletter"))], own, reader.language)
        zones_by_region = timezones.grouped(get_language() or settings.LANGUAGE_CODE)
        known = {zone for _, group in zones_by_region for zone, _ in group}
        # A device or an import may use an earlier name of its time zone.
        posted = self.data.get("timezone", "") if self.is_bound else ""
        unlisted = {
            zone for zone in (reader.timezone, posted)
            if zone and zone not in known and timezones.is_zone(zone)
        }  # fmt: skip
        first = [
            ("", gettext("As the newsroom")),
            *((zone, timezones.city(zone, "en")) for zone in unlisted),
        ]
        self._set("timezone", first, zones_by_region, reader.timezone)

    def _set(self, name: str, first: list[Any], others: list[Any], initial: str) -> None:
        self.fields[name].choices = [*first, *others]  # type: ignore[attr-defined]
        self.fields[name].initial = initial


class PauseForm(forms.Form):
    """A pause of some weeks, or until a day. Mails begin again at midnight in the reader's zone."""

    weeks = forms.TypedChoiceField(
        choices=[("1", "1"), ("2", "2"), ("4", "4")], coerce=int, required=False
    )
    until = forms.DateField(
        label=_("Until a day of your choice"),
        required=False,
        # <input type="date"> sends this format in every language.
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": _("Write a day such as 2030-01-31.")},
    )

    def __init__(self, *args: Any, today: datetime.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.first = today + datetime.timedelta(days=1)
        self.last = today + LONGEST_PAUSE - datetime.timedelta(days=1)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        until = found.get("until")
        if found.get("weeks"):
            until = self.first + datetime.timedelta(days=7 * found["weeks"] - 1)
        if not self.errors and (until is None or not self.first <= until <= self.last):
            self.add_error("until", _("Choose a day from tomorrow on, within a year."))
        return {**found, "until": until}

    def midnight(self, zone: zoneinfo.ZoneInfo) -> datetime.datetime:
        """Return the moment at which the chosen day begins."""
        return datetime.datetime.combine(self.cleaned_data["until"], datetime.time(), tzinfo=zone)


class LeavingReasonForm(forms.Form):
    """One question to a reader who left."""

    why = forms.ChoiceField(
        label=_("Would you tell us why?"),
        choices=list(REASONS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the answers, or just close the page.")},
    )


def _formatted(time: datetime.time) -> str:
    return time_format(time, "TIME_FORMAT")
