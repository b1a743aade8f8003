"""Text is shortened between words or after a sentence, and keeps its limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.shorten import truncate, truncate_at_sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Harbour reopens", "Harbour reopens"),
        ("Harbour reopens after the long winter", "Harbour reopens…"),
        ("Harbour reopen, after the long winter", "Harbour reopen…"),
        ("Harbour opens. A long winter is over", "Harbour opens. A…"),
        ("Harbour reopened. The winter is over", "Harbour reopened…"),
        ("港が長い冬のあとに再び開かれ多くの人が訪れた", "港が長い冬のあとに再び開かれ多くの…"),
        ("Harbour\n reopens", "Harbour reopens"),
    ],
)
def test_a_text_is_truncated_between_words(text, expected):
    assert truncate(text, 18) == expected


def test_a_long_text_without_spaces_is_truncated_at_the_limit():
    assert truncate("漢" * 400, 300) == "漢" * 299 + "…"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("Ferries are back. They came late, again.", 25, "Ferries are back."),
        ("Ferries are back. They came late, again.", 17, "Ferries are back."),
        ("Late again? “They came late.” Again and again.", 32, "Late again? “They came late.”"),
        # A first sentence of less than half of the limit says too little.
        ("Late. The ferries, which came back, left", 30, "Late. The ferries, which came…"),
        ("The ferries, which came late, return", 30, "The ferries, which came late…"),
        ("The U.S. exports more than it has in years", 20, "The U.S. exports…"),
        ("日本語" * 20, 10, "日本語日本語日本語…"),
        ("日本語です。" * 20, 10, "日本語です。"),
    ],
)  # fmt: skip
def test_a_text_is_cut_after_a_sentence_or_else_after_a_word(text, limit, expected):
    assert truncate_at_sentence(text, limit) == expected


@pytest.mark.parametrize("shorten", [truncate, truncate_at_sentence])
@given(text=st.text(max_size=60), limit=st.integers(2, 40))
def test_a_shortened_text_fits_is_one_line_and_is_not_shortened_again(shorten, text, limit):
    shortened = shorten(text, limit)

    assert len(shortened) <= limit
    assert len(shortened.splitlines()) <= 1
    assert shorten(shortened, limit) == shortened
