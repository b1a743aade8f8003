"""What the digest's mail templates need beyond Django's own tags."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

# Fills the inbox's preview after the preheader, or the mail's first words would follow it there:
# a combining grapheme joiner, a zero-width non-joiner and a space, over and over.
_PADDING = "\u034f\u200c\u00a0" * 60


@register.simple_tag
def preheader_padding() -> SafeString:
    return mark_safe(_PADDING)  # noqa: S308 (a constant)


@register.filter
def indent(text: str, width: int) -> str:
    """Indent every line but the first, which the template places itself."""
    return text.replace("\n", "\n" + " " * width)
