"""Find domains written in one alphabet to be read in another, such as paypal with a Cyrillic a."""

from __future__ import annotations

import idna
from confusable_homoglyphs import categories, confusables

# Which scripts may stand in one label: Unicode Technical Standard 39, "highly restrictive".
_TOGETHER = (
    {"LATIN", "HAN", "HIRAGANA", "KATAKANA"},
    {"LATIN", "HAN", "BOPOMOFO"},
    {"LATIN", "HAN", "HANGUL"},
)
_EVERYWHERE = {"COMMON", "INHERITED"}


def taken_for(host: str) -> str:
    """Return what readers take this domain (in IDNA form) for, "" where it is no disguise.

    A disguise is a label of scripts that do not stand together, or one of another script whose
    every letter looks like a Latin one, under an ending in Latin letters.
    """
    if "xn--" not in host:
        return ""
    try:
        labels = idna.decode(host).split(".")
    except idna.IDNAError:
        return ""
    is_latin_at_the_end = labels[-1].isascii()
    if not any(_is_disguise(label, is_latin_at_the_end) for label in labels):
        return ""
    return ".".join("".join(_twin(sign) or sign for sign in label) for label in labels)


def _is_disguise(label: str, is_latin_at_the_end: bool) -> bool:
    if label.isascii():
        return False
    scripts = {categories.alias(sign) for sign in label} - _EVERYWHERE
    if len(scripts) > 1:
        return not any(scripts <= together for together in _TOGETHER)
    if scripts <= {"LATIN"} or not is_latin_at_the_end:
        return False
    return all(sign.isascii() or _twin(sign) for sign in label)


def _twin(sign: str) -> str:
    """The Latin letter that the sign looks like, "" where there is none."""
    if sign.isascii():
        return sign
    found = confusables.is_confusable(sign, preferred_aliases=[])
    twins = found[0]["homoglyphs"] if found else ()
    return next((twin["c"] for twin in twins if twin["c"].isascii() and twin["c"].isalpha()), "")
