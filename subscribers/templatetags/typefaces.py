"""Name the typefaces for the writing script of a mail's language."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

# Typefaces that phones and desktops have. If a mail names none, a mail program takes a typeface
# without serifs for one of these scripts, and one from 1995 for the other.
_SERIF = {
    "ja": "'Hiragino Mincho ProN', 'Yu Mincho', 'Noto Serif CJK JP', 'Noto Serif JP', ",
    "ar": "'Geeza Pro', 'Noto Naskh Arabic', 'Sakkal Majalla', 'Arabic Typesetting', ",
}
_SANS = {
    "ja": "'Hiragino Sans', 'Yu Gothic', Meiryo, 'Noto Sans CJK JP', 'Noto Sans JP', ",
    "ar": "'Geeza Pro', 'Noto Sans Arabic', 'Segoe UI', Tahoma, ",
}


@register.filter
def serif_faces(language: str) -> SafeString:
    """Return what stands before `serif` in a font-family for this language."""
    return mark_safe(_SERIF.get(language[:2].lower(), ""))  # noqa: S308 (constants)


@register.filter
def sans_faces(language: str) -> SafeString:
    """Return what stands before `sans-serif` in a font-family for this language."""
    return mark_safe(_SANS.get(language[:2].lower(), ""))  # noqa: S308 (constants)
