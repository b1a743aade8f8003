"""Adjust a newsletter's colour until text in it is readable, in light and in dark mode."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT = "#0b57d0"
# The least contrasting surfaces that site.css puts the accent on (--sunk, in light and dark mode).
LIGHT_SURFACE = "#f1ede3"
DARK_SURFACE = "#26231e"
# WCAG 2.2, success criterion 1.4.3, text of any size.
AA = 4.5

# The colours of text and lines on a bright and on a dark surface that is not ours.
_ON_BRIGHT = {"ink": "#1a1a1a", "soft": "#565656", "edge": "#767676", "bad": "#a4161a"}
_ON_DARK = {"ink": "#f1f0ee", "soft": "#b9b7b3", "edge": "#8f8d89", "bad": "#ff9a94"}
# WCAG 2.2, success criterion 1.4.11: the edge of a field.
AA_EDGE = 3.0

_Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Palette:
    """The accent in light and in dark mode, as `#rrggbb`.

    Text in the page's own colour is readable on each.
    """

    light: str
    dark: str


def accent_palette(accent: str) -> Palette:
    """Return the shades of `accent` that meet AA; anything but `#rrggbb` means the default."""
    colour = accent if is_colour(accent) else DEFAULT
    return Palette(light=readable(colour, on=LIGHT_SURFACE), dark=readable(colour, on=DARK_SURFACE))


def colours_on(background: str, *, accent: str) -> dict[str, str]:
    """Return the colours of a form on somebody else's page, each readable on `background`.

    The keys are `paper` (the background), `accent`, `ink` (text), `soft` (secondary text), `edge`
    (a field's border) and `bad` (an error). Text on the accent has the colour of the paper.
    """
    base = _ON_BRIGHT if _is_bright(background) else _ON_DARK
    colours = {
        name: readable(colour, on=background, ratio=AA_EDGE if name == "edge" else AA)
        for name, colour in base.items()
    }
    return {"paper": background, "accent": readable(accent, on=background), **colours}


def is_colour(value: str) -> bool:
    """Tell whether this is a colour as we write them, `#rrggbb`."""
    return re.fullmatch(r"#[0-9a-fA-F]{6}", value) is not None


def readable(colour: str, *, on: str, ratio: float = AA) -> str:
    """Return `colour`, mixed with as little black or white as `ratio` needs."""
    pole = (0.0, 0.0, 0.0) if _is_bright(on) else (255.0, 255.0, 255.0)
    start = _rgb(colour)
    for step in range(101):
        share = step / 100
        mixed = _hex(tuple(c + (p - c) * share for c, p in zip(start, pole, strict=True)))
        if contrast_ratio(mixed, on) >= ratio:
            return mixed
    return _hex(pole)


def contrast_ratio(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2, 1 to 21."""
    lighter, darker = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _is_bright(colour: str) -> bool:
    return _luminance(_rgb(colour)) > 0.18


def _rgb(colour: str) -> _Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(rgb: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(channel):02x}" for channel in rgb)


def _luminance(rgb: _Rgb) -> float:
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in rgb)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
