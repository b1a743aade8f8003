"""One report of something, as the ranking sees it: plain words, an outlet and a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Article:
    """What is compared of a report.

    `published` has a time zone, or is None if nobody knows when that was. `lang` is a language's
    code ("en", "pt-BR"; only its first part counts) and is empty if unknown,
    or names the script alone ("und-Cyrl"). `source` is the
    outlet's name.
    """

    title: str
    summary: str = ""
    source: str = ""
    url: str = ""
    published: datetime | None = None
    lang: str = ""
