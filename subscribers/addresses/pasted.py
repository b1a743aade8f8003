"""Mend an address that was pasted with what stood around it, or typed in other characters."""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote

# Copying an address may add these: a byte order mark, zero-width characters, soft hyphens, and the
# marks that set the direction of a text.
_INVISIBLE = dict.fromkeys(
    map(
        ord,
        "\ufeff\u200b\u200c\u200d\u2060\u00ad\u200e\u200f\u061c"
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    )
)
# Keyboards for Chinese and Japanese write these for @ and for a full stop.
_OTHER_FORMS = str.maketrans({"\ufe6b": "@", "\u3002": ".", "\uff61": ".", "\ufe52": "."})
_AROUND = {
    '"': '"', "'": "'", "<": ">", "(": ")", "[": "]",
    "\u201c": "\u201d", "\u201e": "\u201c", "\u2018": "\u2019", "\u201a": "\u2018",
    "\u00ab": "\u00bb", "\u2039": "\u203a",
}  # fmt: skip
# Nobody puts more around an address. The limit keeps the work in proportion to the length.
_LAYERS = 4


def mend(raw: str) -> str:
    """Return the address in the text as it was meant, in time that grows with its length.

    What is mended: `mailto:ann@x.org?subject=…`, `Ann <ann@x.org>`, quotation marks and brackets
    around, a comma, semicolon or full stop behind, blanks beside the @-sign, fullwidth letters, and
    characters that are not seen. Everything else stays as it is, above all two addresses: which one
    is meant is not for us to say.
    """
    text = _without_scheme(_unwrapped(_in_common_characters(raw)))
    head, opening, rest = text.rpartition("<")
    if opening:
        inner, _, behind = rest.partition(">")
        inner, name = _without_scheme(_unwrapped(inner)), _unwrapped(head)
        # Outlook also writes the address itself for the name.
        if behind or "<" in name or ("@" in name and name.casefold() != inner.casefold()):
            return text
        text = inner
    elif text.endswith(">"):
        text = _unwrapped(text.rstrip(">"))
    return "@".join(part.strip() for part in text.split("@"))


def _in_common_characters(raw: str) -> str:
    if raw.isascii():
        return raw
    plain = raw.translate(_INVISIBLE).translate(_OTHER_FORMS)
    return "".join(
        unicodedata.normalize("NFKC", char) if unicodedata.east_asian_width(char) == "F" else char
        for char in plain
    )


def _unwrapped(text: str) -> str:
    """Return the text without what is in pairs around it, and what ends a list or a sentence."""
    for _ in range(_LAYERS):
        text = text.strip().lstrip(",;").rstrip(",;.").strip()
        if len(text) < 2 or _AROUND.get(text[0]) != text[-1]:
            break
        text = text[1:-1]
    return text


def _without_scheme(text: str) -> str:
    if text[:7].lower() != "mailto:":
        return text
    # Some write it as if it were a web address.
    return unquote(text[7:].removeprefix("//").partition("?")[0]).strip()
