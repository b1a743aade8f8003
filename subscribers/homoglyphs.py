"""Find domains whose letters imitate another alphabet, such as paypal with a Cyrillic a."""

from __future__ import annotations

import idna
from confusable_homoglyphs import categories, confusables

# The scripts that one label may mix: Unicode Technical Standard 39, "highly restrictive".
_TOGETHER = (
    {"LATIN", "HAN", "HIRAGANA", "KATAKANA"},
    {"LATIN", "HAN", "BOPOMOFO"},
    {"LATIN", "HAN", "HANGUL"},
)
_EVERYWHERE = {"COMMON", "INHERITED"}


def impersonated(host: str) -> str:
    """Return the domain that this one (in IDNA form) imitates, or "".

    A label imitates another one if it mixes scripts that may not be mixed. A label in a single
    other script does so if each letter looks like a Latin one and the top-level domain is Latin.
    """
    if "xn--" not in host:
        return ""
    try:
        labels = idna.decode(host).split(".")
    except idna.IDNAError:
        return ""
    is_latin_at_the_end = labels[-1].isascii()
    if not any(_is_imitation(label, is_latin_at_the_end) for label in labels):
        return ""
    return ".".join("".join(_latin_lookalike(sign) or sign for sign in label) for label in labels)


def _is_imitation(label: str, is_latin_at_the_end: bool) -> bool:
    if label.isascii():
        return False
    scripts = {categories.alias(sign) for sign in label} - _EVERYWHERE
    if len(scripts) > 1:
        return not any(scripts <= together for together in _TOGETHER)
    if scripts <= {"LATIN"} or not is_latin_at_the_end:
        return False
    return all(sign.isascii() or _latin_lookalike(sign) for sign in label)


def _latin_lookalike(sign: str) -> str:
    """Return the Latin letter that the character looks like, or ""."""
    if sign.isascii():
        return sign
    found = confusables.is_confusable(sign, preferred_aliases=[])
    twins = found[0]["homoglyphs"] if found else ()
    return next((twin["c"] for twin in twins if twin["c"].isascii() and twin["c"].isalpha()), "")
