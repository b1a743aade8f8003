"""A language is what a publisher declares, if that can be read and the script allows it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest import language
from digest.language import MAX_LENGTH, of_text, tag
from tests.support.steps import count_steps


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("en", "en"),
        (" EN-us ", "en-US"),
        ("pt_BR", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("zh-cmn-Hans", "zh-Hans"),
        ("de-CH-1996", "de-CH"),
        ("de-Latn", "de-Latn"),
        ("es-419", "es-419"),
        ("iw", "he"),
        ("ger", "de"),
        ("haw", "haw"),
        ("en-GB-x-private", "en-GB"),
    ],
)
def test_a_tag_is_read_in_whatever_way_it_is_written(declared, expected):
    assert tag(declared) == expected
    assert tag(expected) == expected


@pytest.mark.parametrize(
    "declared",
    [
        "",
        "English",
        "en, de",
        "jp",
        "und",
        "mul",
        "x-klingon",
        "e",
        "en--us",
        "en-",
        "de" * 40,
        "日本",
    ],
)
def test_what_is_no_tag_is_unknown(declared):
    assert tag(declared) == ""


RUSSIAN = "Землетрясение на севере Чили унесло одиннадцать жизней"
GERMAN = "Elf Tote bei Erdbeben im Norden Chiles"
JAPANESE = "チリ北部で強い地震、11人死亡"


@pytest.mark.parametrize(
    ("text", "declared", "expected"),
    [
        (GERMAN, "de-AT", "de-AT"),
        (GERMAN, "", ""),
        (RUSSIAN, "uk", "uk"),
        (RUSSIAN, "en-US", "und-Cyrl"),
        (GERMAN, "ru", ""),
        ("MacBook Pro", "ru", "ru"),
        ("Курс BTC к USD", "ru", "ru"),
        (GERMAN, "sr", "sr"),
        (JAPANESE, "en-US", "ja"),
        (JAPANESE, "ja-JP", "ja-JP"),
        (JAPANESE, "zh-CN", "ja"),
        ("智利北部发生强烈地震十一人死亡", "en-US", "zh"),
        ("日経平均株価反落", "ja", "ja"),
        ("日経平均", "", "und-Hani"),
        ("苹果发布 iPhone 17 Pro Max", "zh-CN", "zh-CN"),
        ("칠레 북부 지진으로 11명 사망", "en", "ko"),
        ("Ένδεκα νεκροί από τον σεισμό στη Χιλή", "en-US", "el"),
        ("แผ่นดินไหวในชิลีคร่าชีวิต 11 ราย", "", "th"),
        ("أحد عشر قتيلا في زلزال شمال تشيلي", "fr", "und-Arab"),
        ("أحد عشر قتيلا في زلزال شمال تشيلي", "ar", "ar"),
        ("אחד עשר הרוגים ברעידת אדמה", "he", "he"),
        ("What the word Ελλάδα means to those who left", "en", "en"),
        ("11:0", "de", "de"),
    ],
)
def test_a_declaration_counts_unless_the_script_rules_it_out(text, declared, expected):
    assert of_text(text, declared=declared) == expected


@given(st.text(alphabet="aZ9-_ é日", max_size=60))
def test_a_tag_fits_its_column_and_is_the_tag_of_itself(declared):
    found = tag(declared)

    assert len(found) <= MAX_LENGTH
    assert tag(found) == found


@given(st.text(max_size=40), st.sampled_from(["", "en", "ja", "ru-RU"]))
def test_a_text_has_the_declared_language_or_another_tag_or_none(text, declared):
    found = of_text(text, declared=declared)

    assert found in (declared, "") or tag(found) == found or found.startswith("und-")
    assert len(found) <= MAX_LENGTH


def test_a_long_text_takes_no_more_steps_than_its_first_characters():
    def steps(text):
        return count_steps(lambda: of_text(text, declared="en"))

    assert steps(RUSSIAN * 1000) == steps(RUSSIAN * 10)


def test_each_script_of_several_languages_has_a_code_and_each_other_one_language():
    for script, langs in language._LANGUAGES.items():
        assert (script in language._CODES) == (len(langs) > 1), script
        assert all(tag(lang) == lang for lang in langs), script
