"""An editor's words are found whole, in any script, and folders by their whole names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.filing.phrases import begins_with, has_folders, has_words
from tests.support.steps import assert_steps_are_bounded, growth

FOUND = [
    ("Fed raises interest rate again", "interest rate"),
    ("INTEREST-RATE fears", "interest rate"),
    ("It’s the economy", "it's the economy"),
    ("Straßenbahn steht still", "STRASSENBAHN"),
    ("Die Börse, der Handel", "börse"),
    ("日銀が金利を引き上げ", "金利"),
    ("央行加息", "加息"),
    ("رفع أسعار الفائدة في مصر", "اسعار الفائدة"),
    ("هبوط حادّ في البورصة", "حاد"),
    ("हिन्दी फिल्म", "हिन्दी"),
    ("ราคาทองคำวันนี้", "ทองคำ"),
    ("Live: storm", "Live:"),
    ("Ｆｕｌｌ ｗｉｄｔｈ", "full width"),
]
NOT_FOUND = [
    ("Interested in rates", "interest"),
    ("Sportive weekend", "sport"),
    ("Olive: a history", "live"),
    ("Die Börsen schließen", "börse"),
    ("Schon wieder", "schön"),
    ("البورصة اليوم", "بورص"),
    ("हिन्दी फिल्म", "हिन"),
    ("rate of interest", "interest rate"),
    ("Anything", "  "),
    ("Anything", "-"),
    ("a.b", "a*b"),
]


@pytest.mark.parametrize(("title", "words"), FOUND)
def test_whole_words_are_found(title, words):
    assert has_words(title, words)


@pytest.mark.parametrize(("title", "words"), NOT_FOUND)
def test_parts_of_words_and_other_words_are_not_found(title, words):
    assert not has_words(title, words)


def test_a_path_begins_with_whole_folders():
    url = "https://news.example.com/Sport/caf%C3%A9/2026/a"

    assert begins_with(url, "/sport/")
    assert begins_with(url, "sport/café")
    assert has_folders(url, "/café/2026/")
    assert not begins_with(url, "/spor")
    assert not begins_with(url, "/café/")
    assert not begins_with(url, "/")
    assert not has_folders(url, "/")
    assert not begins_with("https://[bad/sport/", "/sport/")


@given(st.text("a b\u0640ア-لa\u0301", max_size=40))
def test_each_text_has_itself_unless_nothing_of_it_is_compared(text):
    assert has_words(text, text) or not text.replace("-", " ").replace("\u0640", " ").strip()


@pytest.mark.parametrize("words", ["a a a b", "ab" * 50, "a b"])
@pytest.mark.parametrize("unit", ["a ", "ab", "a", "-"])
def test_steps_grow_with_the_length_alone(words, unit):
    assert growth(lambda size: has_words(unit * size, words), 400) < 2.5
    assert_steps_are_bounded(lambda text: has_folders(text, words), "/a", length=1000)
