"""Know the characters that act on more than the text they stand in."""

from __future__ import annotations

import re

# Embeddings, overrides and isolates of the writing direction (UAX #9) act on what stands around the
# text: with U+202E in it a sender's name reads backwards. The marks of Arabic, Hebrew and Persian
# (U+200C-200F, U+061C) act on their own text alone, and are no controls.
BIDI_CONTROLS = r"\u202a-\u202e\u2066-\u2069"
# What may not stand in a line, as a part of a regular expression's class. A name goes into mail
# headers. With a line break in it, its writer could add any header.
NOT_IN_A_LINE = rf"\x00-\x1f\x7f-\x9f\u2028\u2029{BIDI_CONTROLS}"

_BIDI = re.compile(f"[{BIDI_CONTROLS}]")


def is_bidi_control(character: str) -> bool:
    return bool(_BIDI.fullmatch(character))


def without_bidi_controls(text: str) -> str:
    return text if text.isprintable() else _BIDI.sub("", text)
