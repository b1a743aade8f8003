"""Compose a mail of our own: HTML and text from templates, ready for any relay."""

from __future__ import annotations

from email.charset import QP, Charset
from email.utils import formataddr, make_msgid
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.text import wrap

from subscribers.mail.inlining import inline_styles
from subscribers.plumbing.characters import without_bidi_controls

# Quoted-printable keeps lines at 76 characters, and the text readable in the source. Django's own
# utf-8 leaves both parts as 8-bit text, which old relays may change, breaking signatures.
UTF8_QP = Charset("utf-8")
UTF8_QP.body_encoding = QP
# Mail programs show lines of this length without wrapping them. Web addresses stay whole, and so
# does text in languages without spaces: the mail program knows better where such a line may end.
TEXT_WIDTH = 72


def compose(
    *,
    template: str,
    context: dict[str, Any],
    to: str,
    from_name: str,
    from_email: str,
    reply_to: str = "",
    headers: dict[str, str] | None = None,
    language: str = settings.LANGUAGE_CODE,
) -> EmailMultiAlternatives:
    """Render templates/email/<template>/{subject.txt,body.txt,body.html} into one message.

    A reader's mail is in the language of `languages.mail_language`. The newsroom's mails are in
    English.

    body.html may have a `<style>` (inlined) and a `<style data-premailer="ignore">` (kept, for
    media queries). The text template has no markup, so it begins with `{% autoescape off %}` and is
    rendered without escaping. Its lines are wrapped here, since their length depends on the
    language.
    """
    folder = f"email/{template}"
    with translation.override(language):
        # A line break in a subject would let its writer begin another header.
        subject = " ".join(render_to_string(f"{folder}/subject.txt", context).split())
        subject = without_bidi_controls(subject)
        text = wrap(render_to_string(f"{folder}/body.txt", context).strip(), TEXT_WIDTH)
        html = render_to_string(f"{folder}/body.html", {**context, "subject": subject})
    message = EmailMultiAlternatives(
        subject=subject,
        body=f"{text}\n",
        from_email=formataddr((without_bidi_controls(from_name), from_email)),
        to=[to],
        reply_to=[reply_to] if reply_to else None,
        headers={
            "Message-ID": make_msgid(domain=settings.MAIL_DOMAIN),
            # RFC 3834: stops vacation replies.
            "Auto-Submitted": "auto-generated",
            **(headers or {}),
        },
    )
    message.encoding = UTF8_QP
    message.attach_alternative(inline_styles(html), "text/html")
    return message


def one_click_headers(url: str) -> dict[str, str]:
    """Return the headers with which a mail client offers to unsubscribe (RFC 8058)."""
    return {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
