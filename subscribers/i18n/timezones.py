"""Name the world's time zones in a reader's language."""

from __future__ import annotations

import zoneinfo
from contextlib import suppress
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

# The continents and oceans of the IANA database. Its other names belong to no place.
REGIONS = {
    "Africa": _("Africa"),
    "America": _("America"),
    "Antarctica": _("Antarctica"),
    "Arctic": _("Arctic"),
    "Asia": _("Asia"),
    "Atlantic": _("Atlantic Ocean"),
    "Australia": _("Australia"),
    "Europe": _("Europe"),
    "Indian": _("Indian Ocean"),
    "Pacific": _("Pacific Ocean"),
}


@lru_cache(maxsize=16)
def grouped(language: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return [(region, [(zone, city)])] for a list to choose from, with the cities in order.

    If a zone has several names (Asia/Calcutta), only the one in use is listed.
    """
    aliases = get_global("zone_aliases")
    groups: dict[str, list[tuple[str, str]]] = {region: [] for region in REGIONS}
    for zone in zoneinfo.available_timezones():
        region = zone.partition("/")[0]
        if region in groups and zone not in aliases:
            groups[region].append((zone, city(zone, language)))
    with override(language):
        return [
            (str(REGIONS[region]), sorted(zones, key=lambda zone: zone[1].casefold()))
            for region, zones in groups.items()
            if zones
        ]


def is_zone(name: str) -> bool:
    """Tell whether there is a time zone of this name."""
    return name in zoneinfo.available_timezones()


def first_valid(*names: str) -> zoneinfo.ZoneInfo:
    """Return the first of the zones that exists, or UTC."""
    for name in names:
        if name:
            with suppress(zoneinfo.ZoneInfoNotFoundError, ValueError):
                return zoneinfo.ZoneInfo(name)
    return zoneinfo.ZoneInfo("UTC")


def city(zone: str, language: str) -> str:
    """Return the zone's city in the language, or else the city's name in the database."""
    try:
        known = Locale.parse(language, sep="-").time_zones
    except (UnknownLocaleError, ValueError):
        known = Locale("en").time_zones
    for name in (zone, *_earlier_names().get(zone, [])):
        if found := known.get(name, {}).get("city"):
            return str(found)
    return zone.rpartition("/")[2].replace("_", " ")


@lru_cache(maxsize=1)
def _earlier_names() -> dict[str, list[str]]:
    """Return the earlier names of zones: Unicode's lists of cities keep the first (Europe/Kiev)."""
    earlier: dict[str, list[str]] = {}
    for name, now_called in get_global("zone_aliases").items():
        earlier.setdefault(now_called, []).append(name)
    return earlier
