"""Take the outlet's name off its headlines and summaries, since it is printed beside them."""

from __future__ import annotations

import re

_SEPARATORS = "-\u2010\u2011\u2012\u2013\u2014\u2015|\u00b7\u2022\u00ab\u00bb>"
_DOMAIN = re.compile(r"\.[A-Za-z]{2,4}$")
_WORD = re.compile(r"\w+")


def without_outlet(headline: str, outlet: str) -> str:
    """Return `Storm closes ports` for `Storm closes ports - Eastern Gazette`, of that outlet."""
    name, text = outlet.casefold(), headline.casefold()
    if not name:
        return headline
    if text.endswith((f" ({name})", f" [{name}]")):
        return headline[: -len(outlet) - 2].rstrip() or headline
    # The name may be that of the site, as in “… - Gazette.fr”, and have its article before it.
    domain = _DOMAIN.search(headline)
    forms = (headline, headline[: domain.start()] if domain else "")
    named = next((form for form in forms if form.casefold().endswith(name)), "")
    rest = named[: -len(outlet)].rstrip()
    if rest.casefold().endswith(" the"):
        rest = rest[: -len(" the")].rstrip()
    bare = rest.removesuffix("::").rstrip(_SEPARATORS).rstrip()
    # A name without a mark before it belongs to the sentence, as in “A visit to the Gazette”.
    return _without_site_name(bare, outlet) if bare and bare != rest else headline


def _without_site_name(headline: str, outlet: str) -> str:
    """Return the headline without `- The Gazette` if the outlet is only named by `gazette.com`."""
    site, dot, _ = outlet.casefold().removeprefix("www.").partition(".")
    before, mark, last = headline.rpartition(" - ")
    letters = "".join(_WORD.findall(last.casefold()))
    is_named = bool(dot) and letters.removeprefix("the") == site.removeprefix("the")
    return before if mark and is_named else headline


def outlet_named_by(headline: str, summary: str) -> str:
    """Return the outlet that stands after the headline, and again after it in the summary.

    Google News writes both. A headline may have a dash of its own, so it alone shows nothing.
    """
    title, _, outlet = headline.rpartition(" - ")
    words = _WORD.findall(summary[:1000].casefold())
    expected = _WORD.findall(f"{title} {outlet}".casefold())
    is_named = bool(title) and words == expected and not summary.strip().endswith(f"- {outlet}")
    return outlet if is_named else ""


def is_only_headline(summary: str, *, headline: str, outlet: str) -> bool:
    """Tell whether a summary begins with the headline and the outlet: it is a list of links.

    Google News sends these, with nothing else or with other outlets' headlines after them.
    """
    beginning = _WORD.findall(f"{headline} {outlet}".casefold())
    words = _WORD.findall(summary[:1000].casefold())
    return bool(outlet) and words[: len(beginning)] == beginning
