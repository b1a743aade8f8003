"""Find domains whose letters imitate another alphabet, such as paypal with a Cyrillic a."""

from __future__ import annotations

import idna
from confusable_homoglyphs import categories, confusables

# The scripts that one label may mix: Unicode Technical Standard 39, "highly restrictive".
_ALLOWED_MIXES = (
    {"LATIN", "HAN", "HIRAGANA", "KATAKANA"},
    {"LATIN", "HAN", "BOPOMOFO"},
    {"LATIN", "HAN", "HANGUL"},
)
_IN_EVERY_SCRIPT = {"COMMON", "INHERITED"}


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
    has_latin_tld = labels[-1].isascii()
    if not any(_is_imitation(label, has_latin_tld) for label in labels):
        return ""
    return ".".join(
        "".join(_latin_lookalike(character) or character for character in label) for label in labels
    )


def _is_imitation(label: str, has_latin_tld: bool) -> bool:
    if label.isascii():
        return False
    scripts = {categories.alias(character) for character in label} - _IN_EVERY_SCRIPT
    if len(scripts) > 1:
        return not any(scripts <= mix for mix in _ALLOWED_MIXES)
    if scripts <= {"LATIN"} or not has_latin_tld:
        return False
    return all(character.isascii() or _latin_lookalike(character) for character in label)


def _latin_lookalike(character: str) -> str:
    """Return the Latin letter that the character looks like, or ""."""
    if character.isascii():
        return character
    found = confusables.is_confusable(character, preferred_aliases=[])
    lookalikes = (homoglyph["c"] for homoglyph in found[0]["homoglyphs"]) if found else ()
    return next((c for c in lookalikes if c.isascii() and c.isalpha()), "")
