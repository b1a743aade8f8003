"""Put a newsletter's colour on a page so that it can be read in light and in dark mode."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from subscribers.embed.contrast import accent_palette
from subscribers.models import Newsletter

register = template.Library()


@register.filter
def accent_style(newsletter: Newsletter) -> SafeString:
    """Return the value of a style attribute: site.css takes `--accent` from these two."""
    shades = accent_palette(newsletter.accent_color)
    return format_html("--accent-light:{};--accent-dark:{}", shades.light, shades.dark)


@register.filter
def accent_light(newsletter: Newsletter) -> str:
    """Return the accent for a mail's inlined styles."""
    return accent_palette(newsletter.accent_color).light


@register.filter
def accent_dark(newsletter: Newsletter) -> str:
    """Return the accent for a mail's dark mode."""
    return accent_palette(newsletter.accent_color).dark
