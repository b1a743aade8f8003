"""Send a digest as a plain Django project does: a template and a message object for each reader."""

from __future__ import annotations

import re
import time

from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend
from django.template import Context, Template

from digest.models import Edition
from digest.rendering import links, placeholders
from digest.rendering.assemble import assemble
from subscribers.models import Subscription

_SECTION = re.compile(r"(?:<!--)?__SECTION_(\d+)__(?:-->)?\n?")
_END_SECTION = re.compile(r"(?:<!--)?__END_SECTION__(?:-->)?\n?")


def rate(edition: Edition, *, port: int, messages: int) -> float:
    """Return messages per second over one open connection, with the same page and choices."""
    page = assemble(edition)
    view = links.view_url(edition)
    html, text = (_template(body, view) for body in (page.html, page.text))
    readers = Subscription.objects.filter(newsletter=edition.newsletter, status="active")
    sender = f"{edition.newsletter.from_name} <{edition.newsletter.from_email}>"
    with EmailBackend(host="127.0.0.1", port=port) as connection:
        began = time.perf_counter()
        for subscription in readers.select_related("subscriber").order_by("pk")[:messages]:
            unsubscribe = links.unsubscribe_url(subscription.pk)
            context = Context(
                {
                    "email": subscription.subscriber.email,
                    "unsubscribe": unsubscribe,
                    "preferences": links.preferences_url(
                        subscription.pk, subscription.subscriber.email
                    ),
                    "muted": subscription.muted_sections,
                }
            )
            message = EmailMultiAlternatives(
                page.subject,
                text.render(context),
                sender,
                [subscription.subscriber.email],
                headers={
                    "List-Unsubscribe": f"<{unsubscribe}>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                },
                connection=connection,
            )
            message.attach_alternative(html.render(context), "text/html")
            message.send()
        return messages / (time.perf_counter() - began)


def _template(body: str, view: str) -> Template:
    """Turn the assembled page, whose styles are inlined, into a template of a reader's values."""
    body = _SECTION.sub(r"{% if \1 not in muted %}", body)
    body = _END_SECTION.sub("{% endif %}", body)
    names = {"READER": "email", "UNSUBSCRIBE": "unsubscribe", "PREFERENCES": "preferences"}
    values = {placeholder: f"{{{{ {name} }}}}" for placeholder, name in names.items()}
    return Template(placeholders.fill(body, values | {"VIEW": view}))
