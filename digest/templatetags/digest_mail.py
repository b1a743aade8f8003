"""Template tags and filters for the digest's mail templates."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

# Fills the inbox's preview after the preheader; otherwise the mail's first words would follow it
# there. It repeats a combining grapheme joiner, a zero-width non-joiner and a no-break space.
_PADDING = "\u034f\u200c\u00a0" * 60


@register.simple_tag
def preheader_padding() -> SafeString:
    return mark_safe(_PADDING)  # noqa: S308 (a constant)


@register.filter
def indent(text: str, width: int) -> str:
    """Indent every line except the first, which the template indents itself."""
    return text.replace("\n", "\n" + " " * width)
