"""Put a newsletter's colour on a page so that it can be read in light and in dark mode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from subscribers.embed.contrast import DEFAULT, accent_palette, is_colour
from subscribers.models import Newsletter
from subscribers.plumbing import content_security

register = template.Library()


@register.simple_tag(takes_context=True)
def accent_rules(
    context: Mapping[str, Any], newsletters: Newsletter | Iterable[Newsletter]
) -> SafeString:
    """Return a style element with the accents that `data-accent` names on this page.

    From the two variables of each rule site.css takes `--accent`. The page's policy then allows
    this element.
    """
    found = [newsletters] if isinstance(newsletters, Newsletter) else newsletters
    rules = "".join(sorted({_rule(accent_name(newsletter)) for newsletter in found}))
    content_security.allow_style(context["request"], rules)
    return mark_safe(f"<style>{rules}</style>")  # noqa: S308 (only digits come from outside)


@register.filter
def accent_name(newsletter: Newsletter) -> str:
    """Return the value of `data-accent` for an element that has the newsletter's accent."""
    colour = newsletter.accent_color
    return (colour if is_colour(colour) else DEFAULT).removeprefix("#")


@lru_cache(maxsize=256)
def _rule(name: str) -> str:
    shades = accent_palette(f"#{name}")
    return f'[data-accent="{name}"]{{--accent-light:{shades.light};--accent-dark:{shades.dark}}}'


@register.filter
def accent_light(newsletter: Newsletter) -> str:
    """Return the accent for a mail's inlined styles."""
    return accent_palette(newsletter.accent_color).light


@register.filter
def accent_dark(newsletter: Newsletter) -> str:
    """Return the accent for a mail's dark mode."""
    return accent_palette(newsletter.accent_color).dark
