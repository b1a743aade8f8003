"""Find the addresses that a text holds, however they are written in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

from subscribers.addresses.address import compare_key

# What stands around an address: <ann@x>, "ann@x", ann@x; bob@x, mailto:ann@x?subject=.
_OUTSIDE = re.compile(r"""[\s<>()\[\]{},;:"“”„«»|\\]+""")
_AFTER_DOMAIN = re.compile(r"[@/?&=#*!]")
_EDGES = ".'`\u2018\u2019-"
_BLANKS = re.compile(r"\s+")
_BLANK_AROUND = re.compile(r" ?([@.]) ?")


def addresses_in(text: str) -> set[str]:
    """Return the compare keys of the addresses in the text, in time that grows with its length.

    An address is found with a name or mailto: before it, in angle brackets, with blanks or
    invisible characters around or within it, and in fullwidth letters. The mark � stands for a
    character that was not printable. Where it is not clear at which blank an address begins, the
    result has each reading, and so some that are nobody's.
    """
    if text.isascii() and "@" not in text and "%40" not in text:
        return set()
    plain = unicodedata.normalize("NFKC", unquote(text))
    visible = "".join(char if char.isprintable() and char != "�" else " " for char in plain)
    spaced = _BLANKS.sub(" ", visible)
    forms = {plain, spaced, _BLANK_AROUND.sub(r"\1", spaced), spaced.replace(" ", "")}
    return {compare_key(address) for form in forms for address in _addresses(form)}


def _addresses(text: str) -> Iterator[str]:
    for word in _OUTSIDE.split(text):
        local, _, rest = word.partition("@")
        domain = _AFTER_DOMAIN.split(rest.lstrip("@"), maxsplit=1)[0]
        # `mailto://ann@x` is split at its colon.
        local, domain = local.removeprefix("//").lstrip(_EDGES), domain.rstrip(_EDGES)
        if local and domain:
            yield f"{local}@{domain}"
