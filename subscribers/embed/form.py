"""Describe the texts and colours of a sign-up form in somebody else's page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language_info, override
from django.utils.translation import gettext_lazy as _

from subscribers.consent.record import consent_wording
from subscribers.embed.contrast import DEFAULT, colours_on, is_colour
from subscribers.models import Consent, Newsletter

# The form's backgrounds in light and in dark mode, if the page's owner names none.
LIGHT_BACKGROUND = "#ffffff"
DARK_BACKGROUND = "#1c1c1e"

# static/embed.js uses these names.
TEXTS = {
    "title": _("Get %(newsletter)s by e-mail"),
    "welcome": _("Welcome to %(newsletter)s"),
    "label": _("E-mail address"),
    "button": _("Sign up"),
    "close": _("Close"),
    "trap": _("Leave this field empty"),
    "busy": _("Sending…"),
    "error": _("Error:"),
    "sentTitle": _("Check your inbox"),
    "sentText": _(
        "The next step is a mail from us. Open it, follow its link and press the button there: "
        "your subscription begins only then."
    ),
    "failed": _(
        "That did not work, and we do not know whether your address has reached us. Please try "
        "again: nobody is signed up twice."
    ),
    "again": _("Try again"),
    "hosted": _("Sign up on our own page"),
    "elsewhere": _("Please sign up on our own page; this one cannot finish it."),
    "elsewhereLink": _("Go on"),
}


def embedded_form(
    newsletter: Newsletter, *, language: str, accent: str = "", background: str = ""
) -> dict[str, Any]:
    """Return all that the script needs to draw the form.

    It is the same for everybody, so it can be cached.

    Args:
        language: one of our languages (languages.first_supported).
        accent: `#rrggbb` in place of the newsletter's own; it is adjusted until it is readable.
        background: `#rrggbb` in place of our two backgrounds, for light and for dark mode.
    """
    with override(language):
        texts = {name: str(text) % {"newsletter": newsletter.name} for name, text in TEXTS.items()}
        wording = consent_wording(Consent.Kind.SIGNUP, newsletter)
    backgrounds = (
        (background, background) if is_colour(background) else (LIGHT_BACKGROUND, DARK_BACKGROUND)
    )
    accent = next(filter(is_colour, (accent, newsletter.accent_color)), DEFAULT)
    light, dark = (colours_on(each, accent=accent) for each in backgrounds)
    return {
        "lang": language,
        "dir": "rtl" if get_language_info(language)["bidi"] else "ltr",
        "promise": {
            "text": newsletter.promise,
            "lang": newsletter.language,
            "dir": newsletter.direction,
        },
        "wording": wording,
        "texts": texts,
        "light": light,
        "dark": dark,
    }
