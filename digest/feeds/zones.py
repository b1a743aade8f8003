"""Know what the names of time zones mean, and which of them mean several."""

from __future__ import annotations

from datetime import timedelta

# Hours from UTC. RFC 822 defines the names of North America. Of the others, those are here that
# have one offset in all of IANA's zones of today, or none there and one in common use.
HOURS = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEZ": 0,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "CET": 1, "MEZ": 1, "MET": 1, "WEST": 1, "BST": 1, "WAT": 1,
    "CEST": 2, "MESZ": 2, "MEST": 2, "EET": 2, "OEZ": 2, "CAT": 2, "SAST": 2,
    "EEST": 3, "OESZ": 3, "MSK": 3, "\u041c\u0421\u041a": 3, "EAT": 3, "IDT": 3, "TRT": 3,
    "GST": 4, "MSD": 4, "IRST": 3.5, "PKT": 5, "IST": 5.5, "NPT": 5.75, "ICT": 7, "WIB": 7,
    "AWST": 8, "HKT": 8, "SGT": 8, "PHT": 8, "MYT": 8, "WITA": 8, "JST": 9, "KST": 9, "WIT": 9,
    "ACST": 9.5, "AEST": 10, "CHST": 10, "ACDT": 10.5, "AEDT": 11, "NZST": 12, "NZDT": 13,
    "NST": -3.5, "NDT": -2.5, "ADT": -3, "BRT": -3, "ART": -3, "UYT": -3, "CLT": -4, "CLST": -3,
    "AKST": -9, "AKDT": -8, "HST": -10, "HDT": -9, "PET": -5, "COT": -5, "VET": -4,
}  # fmt: skip
# Where a name means something else, by country. None: even there it may be one of two.
ELSEWHERE: dict[str, dict[str, float | None]] = {
    "IST": {"IL": 2, "IE": 1},  # Israel Standard Time, Irish Standard Time
    "BST": {"BD": 6},
    "CST": {"CN": 8, "TW": 8, "HK": 8, "MO": 8, "CU": -5, "AU": None},
    "CDT": {"CU": -4, "AU": None},
    "EST": {"AU": None},
    "EDT": {"AU": None},
    "MST": {"MY": 8},
    "PST": {"PH": 8},
}
# Names that are read in these countries alone.
ONLY_THERE: dict[str, dict[str, float]] = {
    "AST": {"CA": -4, "PR": -4, "BM": -4, "SA": 3, "KW": 3, "BH": 3, "QA": 3, "IQ": 3, "YE": 3},
    "SST": {"SG": 8, "AS": -11},
    "AMT": {"BR": -4, "AM": 4},
    "BDT": {"BD": 6, "BN": 8},
    "WST": {"AU": 8, "WS": 13},
    "ECT": {"EC": -5},
}
# The country of a language that is the language of news in one of the countries above.
_COUNTRIES = {
    "he": "IL", "iw": "IL", "ga": "IE", "bn": "BD", "zh": "CN", "ms": "MY", "fil": "PH", "tl": "PH",
}  # fmt: skip


def offset_named(name: str, *, language: str, country: str) -> tuple[bool, timedelta | None]:
    """Return whether it is the name of a zone, and its offset; None if that may be one of several.

    `country` and `language` are the publisher's, as far as they are known.
    """
    name, country = name.upper(), country or _COUNTRIES.get(language, "")
    if name in ONLY_THERE:
        hours: float | None = ONLY_THERE[name].get(country)
    elif name in HOURS:
        hours = ELSEWHERE.get(name, {}).get(country, HOURS[name])
    else:
        return False, None
    return True, None if hours is None else timedelta(hours=hours)
