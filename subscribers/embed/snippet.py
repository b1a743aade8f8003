"""Write the HTML that the owner of a page copies into it."""

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

from subscribers.embed.form import embedded_form
from subscribers.i18n import languages
from subscribers.models import Newsletter

# The height of an iframe that holds the form, its wording and one line of error, on a phone.
FRAME_HEIGHT = 420

# What keeps the form's place free until the script has come, in a page that may allow no style
# attribute: boxes that stand beside each other in a wide column, and below each other in a narrow
# one, where the form is higher, too. Where no script runs, or ours never comes, they close after
# ten seconds: SMIL needs no script, and no policy forbids it.
_ROOM = format_html(
    '<span aria-hidden="true">{}</span>',
    format_html_join(
        "",
        '<svg width="{}" height="{}"><set attributeName="height" to="0" begin="10s"/></svg>',
        ((200, 252), (170, 130), (130, 64)),
    ),
)

# The texts that the owner of a page may set in an iframe, but only signed by the admin's builder.
SIGNED_TEXTS = ("title", "text", "button")
# The other options of a query, and the form of their values.
PATTERNS = {
    "lang": r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*",
    "theme": r"auto|light|dark",
    "accent": r"#[0-9a-fA-F]{6}",
    "background": r"#[0-9a-fA-F]{6}",
    "font": r"serif|page",
    "radius": r"[0-9]{1,2}",
}


@dataclass(frozen=True)
class EmbedOptions:
    """What the owner of a page may choose; "" means the newsletter's or the script's own value."""

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
        """Return the valid options of a query; its texts count only if we signed them.

        Otherwise anybody could write a query with which a page on our host says what they like.
        """
        given = {field.name: query.get(field.name, "") for field in fields(cls)}
        options = cls(
            **{
                name: value
                for name, value in given.items()
                if name in SIGNED_TEXTS or re.fullmatch(PATTERNS[name], value)
            }
        )
        if _is_signed(newsletter, options, query.get("seal", "")):
            return options
        return replace(options, **dict.fromkeys(SIGNED_TEXTS, ""))

    def chosen(self) -> dict[str, str]:
        """Return only what differs from the defaults, in the order of the fields."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True)
class PopupTrigger:
    """When a pop-up is shown: whatever happens first. Neither means the script's own default."""

    after_scroll: int | None = None
    after_seconds: int | None = None


def script(
    newsletter: Newsletter,
    *,
    options: EmbedOptions,
    popup: bool = False,
    trigger: PopupTrigger | None = None,
    preview: bool = False,
) -> SafeString:
    """Return the one line that draws the form in its place, or opens it as a dialog.

    Around the script that draws a form stands what is shown without it: a link to our page, and the
    room that the form will need. A preview opens immediately, stores nothing and sends nothing.
    """
    attributes = {"newsletter": newsletter.slug}
    if popup:
        attributes["mode"] = "popup"
        for name, value in asdict(trigger or PopupTrigger()).items():
            if value is not None:
                attributes[name.replace("_", "-")] = str(value)
    if preview:
        attributes["preview"] = "1"
    line = format_html(
        '<script async src="{}"{}></script>',
        settings.SITE_URL + reverse("embed-script"),
        _data_attributes(attributes | options.chosen()),
    )
    if popup:
        return line
    return format_html(
        '<daybreak-form><a href="{}">{}</a><br>{}{}</daybreak-form>',
        settings.SITE_URL + newsletter.get_absolute_url(),
        options.title or _form(newsletter, options)["texts"]["title"],
        _ROOM,
        line,
    )


def plain_form(newsletter: Newsletter, *, options: EmbedOptions) -> SafeString:
    """Return a form for a page without any script.

    The owner of the page may change its texts, but not the sentence about consent.
    """
    context = {
        "newsletter": newsletter,
        "action": settings.SITE_URL + reverse("embed", args=[newsletter.slug]),
        "form": _form(newsletter, options),
        "options": options,
    }
    return SafeString(render_to_string("embed/plain_form.html", context).strip())


def frame(newsletter: Newsletter, *, options: EmbedOptions, preview: bool = False) -> SafeString:
    """Return the same form in an iframe, for a page whose editor allows no scripts."""
    url = settings.SITE_URL + reverse("embed-frame", args=[newsletter.slug])
    chosen = options.chosen() | ({"preview": "1"} if preview else {})
    if any(chosen.get(name) for name in SIGNED_TEXTS):
        chosen["seal"] = _signer().signature(_signed_value(newsletter, options))
    query = f"?{urlencode(chosen)}" if chosen else ""
    # No style attribute: a page's policy (or its editor) may drop it, and a border would appear.
    return format_html(
        '<iframe src="{}" title="{}" width="100%" height="{}" frameborder="0" '
        'loading="lazy"></iframe>',
        url + query,
        options.title or _form(newsletter, options)["texts"]["title"],
        FRAME_HEIGHT,
    )


def _signer() -> Signer:
    # This is not a constant, because a build imports this module before there is a key. The salt is
    # no module's name and must not change: the snippets in others' pages depend on it.
    return Signer(salt="subscribers.snippet.words")


def _signed_value(newsletter: Newsletter, options: EmbedOptions) -> str:
    return json.dumps([newsletter.slug, options.title, options.text, options.button])


def _is_signed(newsletter: Newsletter, options: EmbedOptions, seal: str) -> bool:
    try:
        _signer().unsign(f"{_signed_value(newsletter, options)}:{seal}")
    except BadSignature:
        return False
    return True


def _form(newsletter: Newsletter, options: EmbedOptions) -> dict[str, Any]:
    return embedded_form(
        newsletter, language=languages.first_supported(options.lang, newsletter.language)
    )


def _data_attributes(attributes: Mapping[str, str]) -> SafeString:
    return format_html_join("", ' data-{}="{}"', attributes.items())
