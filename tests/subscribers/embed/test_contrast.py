"""A newsletter's colour is readable in light and in dark."""

from hypothesis import given
from hypothesis import strategies as st

from subscribers.embed.contrast import (
    AA,
    DARK_SURFACE,
    DEFAULT,
    LIGHT_SURFACE,
    accent_palette,
    contrast_ratio,
)
from tests.support.paths import ROOT

COLOURS = st.from_regex(r"#[0-9a-fA-F]{6}", fullmatch=True)


@given(COLOURS)
def test_every_colour_is_readable_in_light_and_in_dark(colour):
    shades = accent_palette(colour)

    assert contrast_ratio(shades.light, LIGHT_SURFACE) >= AA
    assert contrast_ratio(shades.dark, DARK_SURFACE) >= AA


def test_a_readable_colour_is_not_changed():
    assert accent_palette("#0b57d0").light == "#0b57d0"


def test_an_invalid_colour_counts_as_the_default():
    assert accent_palette("red;} body {display: none") == accent_palette(DEFAULT)


def test_contrast_is_calculated_as_in_wcag():
    assert contrast_ratio("#000000", "#ffffff") == 21
    assert round(contrast_ratio("#777777", "#ffffff"), 2) == 4.48


def test_the_surfaces_are_those_of_the_style_sheet():
    css = (ROOT / "static" / "site.css").read_text()

    assert f"--sunk: {LIGHT_SURFACE};" in css
    assert f"--sunk: {DARK_SURFACE};" in css
