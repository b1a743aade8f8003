"""Write the lines that the owner of a page copies into it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self
from urllib.parse import urlencode

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from subscribers import embed
from subscribers.languages import first_of
from subscribers.models import Newsletter

# How tall an iframe is that holds the form, its wording and one line of complaint, on a phone.
FRAME_HEIGHT = 420


# What the owner of a page may say in an iframe, and only if the builder has signed it for them.
WORDS = ("title", "text", "button")
# What else a query may ask for.
SHAPES = {
    "lang": r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*",
    "theme": r"light|dark",
    "accent": r"#[0-9a-fA-F]{6}",
    "background": r"#[0-9a-fA-F]{6}",
    "font": r"serif|page",
    "radius": r"[0-9]{1,2}",
}


@dataclass(frozen=True)
class Look:
    """What the owner of a page may choose; empty is what the newsletter or the script has."""

    lang: str = ""
    theme: str = ""
    accent: str = ""
    background: str = ""
    font: str = ""
    radius: str = ""
    title: str = ""
    text: str = ""
    button: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str], *, newsletter: Newsletter) -> Self:
        """Return what a query asks for, as far as it is meant and the words are ours.

        Whoever writes a query would otherwise have a page on our host say what they like.
        """
        given = {field.name: query.get(field.name, "") for field in fields(cls)}
        look = cls(
            **{
                name: value
                for name, value in given.items()
                if name in WORDS or re.fullmatch(SHAPES[name], value)
            }
        )
        if _is_sealed(newsletter, look, query.get("seal", "")):
            return look
        return replace(look, **dict.fromkeys(WORDS, ""))

    def chosen(self) -> dict[str, str]:
        """Only what differs from the defaults, in the order of the fields."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True)
class Trigger:
    """When a pop-up is shown: the first that comes counts; neither means the script's own."""

    after_scroll: int | None = None
    after_seconds: int | None = None


def script(
    newsletter: Newsletter,
    *,
    look: Look,
    popup: bool = False,
    trigger: Trigger | None = None,
    preview: bool = False,
) -> SafeString:
    """The one line that draws the form where it stands, or opens a dialog.

    A preview opens at once, remembers nothing and sends nothing.
    """
    attributes = {"newsletter": newsletter.slug}
    if popup:
        attributes["mode"] = "popup"
        for name, value in asdict(trigger or Trigger()).items():
            if value is not None:
                attributes[name.replace("_", "-")] = str(value)
    if preview:
        attributes["preview"] = "1"
    return format_html(
        '<script async src="{}"{}></script>',
        settings.SITE_URL + reverse("embed-script"),
        _data(attributes | look.chosen()),
    )


def plain_form(newsletter: Newsletter, *, look: Look) -> SafeString:
    """A form for a page without any script; its words are there to be changed, but one sentence."""
    context = {
        "newsletter": newsletter,
        "action": settings.SITE_URL + reverse("embed", args=[newsletter.slug]),
        "form": _form(newsletter, look),
        "look": look,
    }
    return SafeString(render_to_string("embed/plain_form.html", context).strip())


def frame(newsletter: Newsletter, *, look: Look, preview: bool = False) -> SafeString:
    """The same form in an iframe, for an editor that lets no script in."""
    url = settings.SITE_URL + reverse("embed-frame", args=[newsletter.slug])
    asked = look.chosen() | ({"preview": "1"} if preview else {})
    if any(asked.get(word) for word in WORDS):
        asked["seal"] = _signer().signature(_said(newsletter, look))
    query = f"?{urlencode(asked)}" if asked else ""
    # No style attribute: a page's policy (or its editor) may drop it, and a border would appear.
    return format_html(
        '<iframe src="{}" title="{}" width="100%" height="{}" frameborder="0" '
        'loading="lazy"></iframe>',
        url + query,
        look.title or _form(newsletter, look)["texts"]["title"],
        FRAME_HEIGHT,
    )


def _signer() -> Signer:
    # Not made once for all: a build imports this before there is a key.
    return Signer(salt="subscribers.snippet.words")


def _said(newsletter: Newsletter, look: Look) -> str:
    return json.dumps([newsletter.slug, look.title, look.text, look.button])


def _is_sealed(newsletter: Newsletter, look: Look, seal: str) -> bool:
    try:
        _signer().unsign(f"{_said(newsletter, look)}:{seal}")
    except BadSignature:
        return False
    return True


def _form(newsletter: Newsletter, look: Look) -> dict[str, Any]:
    return embed.form(newsletter, language=first_of(look.lang, newsletter.language))


def _data(attributes: Mapping[str, str]) -> SafeString:
    return format_html_join("", ' data-{}="{}"', attributes.items())
