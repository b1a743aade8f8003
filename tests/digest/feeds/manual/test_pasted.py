"""The text of a copied web page is separated from the page's menus."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.manual.pasted import NoArticle, read_pasted
from tests.support.steps import growth

TITLE = "Islands Agree on Shared Ferry Timetable, Leave Fares for Another Day"
ONE = (
    "The lighthouse on the northern cape went dark on Sunday for the first time in ninety years, "
    "and nobody on the island noticed until the milk boat failed to come round the point."
)
TWO = (
    "A keeper will be hired in spring, the council said, and the lamp mended by a firm at Eastport."
)


@pytest.fixture
def menus(sample):
    return sample("pasted/menus.txt").decode()


def test_the_headline_is_found_once(menus):
    article = read_pasted(menus)
    assert article.title == TITLE
    assert TITLE not in article.text


def test_the_photo_credit_is_not_part_of_the_text(menus):
    article = read_pasted(menus)
    assert article.image_credit == "Port.example, CC BY 4.0, via Wikimedia Commons"
    assert article.image_alt == ""
    assert "Wikimedia" not in article.text + article.title


@pytest.mark.parametrize("joined", ["\n\n", "\n"])
def test_menus_and_requests_to_sign_up_are_not_part_of_the_text(menus, joined):
    text = read_pasted(re.sub(r"\n\s*\n", joined, menus)).text
    for junk in ("Menu", "Search", "Tide Tables", "Close", "Welcome", "Sign up", "unfolding"):
        assert junk not in text
    assert text.startswith("The councils of the four outer islands")
    assert text.endswith("before the new year.")


def test_every_paragraph_of_the_text_is_kept(menus):
    paragraphs = read_pasted(menus).paragraphs
    assert len(paragraphs) == 6
    assert paragraphs[2] == "What comes next"
    assert (
        paragraphs[4].startswith("Copyright was not on the agenda") or "Mainland" in paragraphs[3]
    )


def test_the_summary_is_whole_sentences_from_the_beginning(menus):
    summary = read_pasted(menus).summary
    assert summary.startswith("The councils")
    assert summary.endswith("since the talks began in winter.")


def test_hard_wrapped_lines_are_one_paragraph():
    wrapped = "\n".join(re.findall(r".{1,60}(?:\s|$)", ONE))
    article = read_pasted(f"Lighthouse dark\n\n{wrapped}\n\n{TWO}")
    assert article.paragraphs == [ONE, TWO]


def test_pasted_html_is_read():
    article = read_pasted(
        f"<nav><li>Menu</li></nav><h1>Lighthouse dark</h1><p>{ONE}</p><p>{TWO}</p>"
    )
    assert (article.title, article.paragraphs) == ("Lighthouse dark", [ONE, TWO])


def test_a_byline_gives_the_author_and_a_date_line_is_dropped():
    article = read_pasted(
        f"News\nLighthouse goes dark after ninety years\nBy Ada Quay\n10 March 2026\n{ONE}\n{TWO}"
    )
    assert (article.title, article.author) == (
        "Lighthouse goes dark after ninety years",
        "Ada Quay",
    )
    assert article.paragraphs == [ONE, TWO]


def test_a_caption_with_an_agency_is_a_credit():
    article = read_pasted(
        f"Lighthouse goes dark\n\nThe cape at dusk. Photo: Sam Pier/Getty Images\n\n{ONE}\n\n{TWO}"
    )
    assert (article.image_credit, article.image_alt) == (
        "Sam Pier/Getty Images",
        "The cape at dusk",
    )


def test_a_headline_may_end_with_a_full_stop():
    article = read_pasted(
        f"The lighthouse on the northern cape has gone dark for good.\n\n{ONE}\n\n{TWO}"
    )
    assert article.title == "The lighthouse on the northern cape has gone dark for good."


def test_advertisements_and_links_between_paragraphs_are_dropped():
    article = read_pasted(
        f"Lighthouse goes dark\n\n{ONE}\n\nADVERTISEMENT\n\nRead more: Ten old lamps\n\n{TWO}\n\n"
        "Most read\n\nTen old lamps\n\nThe best fish soup\n\n© 2026 Harbour Post. No copies."
    )
    assert article.paragraphs == [ONE, TWO]


def test_a_short_quotation_next_to_prose_is_kept():
    article = read_pasted(f"Lighthouse goes dark\n\n{ONE}\n\n“It was so dark,” she said.\n\n{TWO}")
    assert article.paragraphs == [ONE, "“It was so dark,” she said.", TWO]


def test_a_text_in_a_script_without_spaces_is_read():
    title, text = (
        "岬の灯台が九十年ぶりに消える",
        "北の岬の灯台が日曜日に消えた。牛乳を運ぶ船が来るまで島の誰も気づかなかったという。",
    )
    article = read_pasted(f"メニュー\n\n{title}\n\n{text}")
    assert (article.title, article.paragraphs) == (title, [text])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no text"),
        ("  \n\n ", "no text"),
        ("Menu\n\nSearch\n\nLog in", "only short lines"),
        ("A headline and nothing else", "only short lines"),
        (ONE, "no headline"),
    ],
)
def test_a_paste_without_an_article_is_refused_with_the_reason(text, message):
    with pytest.raises(NoArticle, match=message):
        read_pasted(text)


@given(st.text(st.sampled_from("aB .\n•|:é漢\u202e\x00<>&"), max_size=400))
def test_any_text_gives_an_article_or_raises_no_article(text):
    with contextlib.suppress(NoArticle):
        article = read_pasted(text)
        assert article.title
        assert article.paragraphs


@pytest.mark.parametrize(
    "line",
    [
        "A menu line number {}\n",
        "A headline that is repeated\n",
        "This paragraph has the number {} and is long enough to be one of the article's own.\n\n",
        "<p>{}</p>", "• {}\n", "By Ann\n", "Photo: {}\n", "\n \n", "a\n", "{}. ",
    ],
)  # fmt: skip
def test_twice_the_text_takes_at_most_two_and_a_half_times_the_steps(line):
    def read(size):
        with contextlib.suppress(NoArticle):
            read_pasted("".join(line.format(n) for n in range(size)))

    assert growth(read, 300) < 2.5
