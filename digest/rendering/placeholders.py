"""Define a page's placeholders for a reader's own values, and the markers it is cut at."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

# Placeholders of a reader's own values; every page has each of them. VIEW is not among them: it is
# the same for all readers, and is filled in when the page is frozen.
PER_READER = ("UNSUBSCRIBE", "PREFERENCES", "READER")

# `__SECTION_3__` … `__END_SECTION__`. A marker has its own line in the text; in the HTML it is a
# comment.
MARKER = (
    r"(?:<!--)?__(?:(?P<open>SECTION|STORY)_(?P<id>\d+)|END_(?P<close>SECTION|STORY))__(?:-->)?\n?"
)
_PLACEHOLDER = re.compile(r"__[A-Z][A-Z0-9_]*?__")


class BrokenPage(Exception):
    """A placeholder is missing or unknown: the template is wrong, and nothing may be sent."""


def count_placeholders(page: str) -> Counter[str]:
    """Count the placeholders and markers in a page."""
    return Counter(_PLACEHOLDER.findall(page))


def fill(page: str, values: Mapping[str, str]) -> str:
    """Return the whole page with these values and without markers, for viewing, not for sending."""
    for name, value in values.items():
        page = page.replace(f"__{name}__", value)
    return re.sub(MARKER, "", page)
