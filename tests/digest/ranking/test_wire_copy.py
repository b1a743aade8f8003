"""Texts that several outlets print are found, whatever headline stands above them."""

from digest.ranking import Article, copies

AGENCY = (
    "The government of Norway said on Monday that it would close the port of Bergen for three days "
    "after a storm had torn two ferries from their moorings and flooded the fish market, while "
    "rescue workers searched the harbour for a missing crew of four and police asked people to "
    "stay at home until the wind had fallen below gale force."
)
OWN = (
    "In Bergen, four people from one boat are missing since the storm of Sunday night. Two ferries "
    "drifted through the harbour, and the fish market stands under water. The authorities have "
    "closed the port until Thursday; who can should not leave the house, the police said."
)


def article(text, source, title="Storm closes the port of Bergen"):
    return Article(title, summary=text, source=source)


def words(count):
    return " ".join(AGENCY.split()[:count])


def test_one_text_under_two_headlines_is_one_and_an_own_report_is_another():
    articles = [
        article(AGENCY, "Ledger"),
        article(OWN, "Post", AGENCY[:50]),
        article(AGENCY + " Schools stay closed.", "Courier", "Four missing after storm"),
    ]

    assert copies(articles) == [[0, 2], [1]]


def test_a_teaser_that_an_outlet_shortened_is_found():
    assert copies([article(AGENCY, "Ledger"), article(words(25), "Post")]) == [[0, 1]]


def test_letter_case_and_punctuation_do_not_hide_a_copy():
    shouted = AGENCY.upper().replace(",", " –")

    assert copies([article(AGENCY, "Ledger"), article(shouted, "Post")]) == [[0, 1]]


def test_a_text_of_a_few_words_is_nobodys_copy():
    short = "More to follow on this page soon."

    assert copies([article(short, "Ledger"), article(short, "Post")]) == [[0], [1]]


def test_an_outlets_standing_note_does_not_make_its_articles_one():
    note = " Read our newsletter for more on this and on other stories of the day from our desk."
    articles = [article(words(20) + note, "Ledger"), article(OWN[:120] + note, "Ledger")]

    assert copies(articles) == [[0], [1]]


def test_a_phrase_of_the_trade_under_a_hundred_articles_joins_none_of_them():
    note = " This report was produced with the help of an agency, and the desk has checked it."
    articles = [
        article(" ".join(f"word{n * step}" for step in range(3, 20)) + note, str(n))
        for n in range(1, 101)
    ]

    assert len(copies(articles)) == 100


def test_a_text_that_a_hundred_outlets_print_word_for_word_is_one_text():
    articles = [article(AGENCY, f"Paper {n}") for n in range(100)]

    assert [len(text) for text in copies([*articles, article(words(40), "Post")])] == [101]
