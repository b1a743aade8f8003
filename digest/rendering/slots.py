"""Name the places in a page where a reader's own values go, and the markers it is cut at."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

# The reader's own; every page has each of them. VIEW is filled when the page is frozen, because
# it is the same for all readers.
OWN = ("UNSUBSCRIBE", "PREFERENCES", "READER")

# `__SECTION_3__` … `__END_SECTION__`, a line of its own in the text and a comment in the HTML.
MARKER = (
    r"(?:<!--)?__(?:(?P<open>SECTION|STORY)_(?P<id>\d+)|END_(?P<close>SECTION|STORY))__(?:-->)?\n?"
)
_TOKEN = re.compile(r"__[A-Z][A-Z0-9_]*?__")


class BrokenPage(Exception):
    """A page that lost or invented tokens: a fault of the template, nothing may be sent."""


def tokens(page: str) -> Counter[str]:
    """Count the tokens and markers in a page."""
    return Counter(_TOKEN.findall(page))


def fill(page: str, values: Mapping[str, str]) -> str:
    """Return the whole page with these values, without its markers: for looking at, not to send."""
    for name, value in values.items():
        page = page.replace(f"__{name}__", value)
    return re.sub(MARKER, "", page)
