"""Free text is made safe before it goes into a page that is cut at placeholders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rendering.placeholders import count_placeholders
from digest.rendering.safe_text import escape_placeholders, paragraphs, single_line

awkward = st.lists(
    st.sampled_from(["__", "_", "READER", "SECTION_3", "\n", "\x00", "\u202e", "\u2028", "ع", "🗞️"])
    | st.text(max_size=20)
).map("".join)


@given(awkward)
def test_no_text_can_be_taken_for_a_placeholder(text):
    assert not count_placeholders(single_line(text))
    assert not count_placeholders(escape_placeholders(text))


@given(awkward)
def test_a_single_line_has_no_line_break_and_can_be_encoded(text):
    assert single_line(text) == single_line(single_line(text))
    assert len(single_line(text).splitlines()) <= 1
    single_line(text).encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("One\nline\n\nTwo", ["One line", "Two"]),
        ("One\r\n\r\nTwo", ["One", "Two"]),
        ("One\nTwo", ["One", "Two"]),
        ("\n \n One \n\n\n Two\n", ["One", "Two"]),
    ],
)
def test_paragraphs_are_separated_by_blank_lines_or_else_by_line_breaks(text, expected):
    assert paragraphs(text) == expected


@pytest.mark.parametrize("control", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_no_text_turns_the_writing_direction_of_what_follows_it(control):
    assert single_line(f"Ferries{control} return.") == "Ferries return."


@pytest.mark.parametrize("mark", "\u200c\u200d\u200e\u200f\u061c")
def test_the_marks_of_arabic_hebrew_and_persian_stay(mark):
    assert single_line(f"می{mark}خواهم!") == f"می{mark}خواهم!"
