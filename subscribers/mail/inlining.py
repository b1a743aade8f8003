"""Move the styles of a mail onto its elements, for clients that drop style sheets."""

from __future__ import annotations

import logging

# The attributes that premailer adds, for old Outlook.
_ATTRIBUTES = ["align", "valign", "bgcolor", "width", "height"]


def inline_styles(html: str, *, adds_attributes: bool = True) -> str:
    """Inline the first `<style>`; a `<style data-premailer="ignore">` is left as it is.

    premailer adds attributes such as `width` and `bgcolor` that follow from a style. Without
    `adds_attributes` it adds none: the template has all that it wants.
    """
    # It takes 0.16 s to import, with cssutils and requests, and most processes make no mails.
    from premailer import Premailer

    inliner = Premailer(
        strip_important=False,  # only their !important makes kept media queries win
        remove_classes=False,
        disable_validation=True,
        disable_basic_attributes=None if adds_attributes else _ATTRIBUTES,
        allow_network=False,
        cssutils_logging_level=logging.CRITICAL,
    )
    return str(inliner.transform(html, pretty_print=False))
