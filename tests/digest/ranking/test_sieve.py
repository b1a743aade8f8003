"""What is no news is told from news, and news is not."""

import pytest

from digest.ranking.sieve import IN_WORDS, Kind, kind_of, no_news

NO_NEWS = {
    "a promotion of the outlet's own": [
        "Download the Ledger app for the day's stories", "Get our free news app", "Abonnez-vous",
        "Sign up for our weekly economics newsletter", "Newsletter abonnieren: Alles zur Wahl",
        "How to follow us on every platform", "Download now", "Jetzt anmelden!",
    ],
    "a briefing that lists other stories": [
        "Thursday Briefing", "Your Monday Briefing: A storm and its price", "Morning Briefing",
        "Top five stories from day 13", "The Papers: Strike looms", "Das Wichtigste am Morgen",
        "Les titres du jour", "Five things to know this Tuesday", "Rassegna stampa del 3 marzo",
        "What's happening on day 9 and who are the favourites?",
    ],
    "shopping": [
        "The 10 best Amazon deals to shop this week", "Black Friday: all the early deals",
        "A gift guide for people who have it all", "Kortingscode voor de webwinkel", "Code promo",
        "50+ products to make your life easier", "The 7 best high-yield savings accounts of April",
    ],
    "a horoscope": ["Horoscope for Friday", "Ihr Horoskop für die Woche", "Гороскоп на завтра"],
    "a game or a draw": [
        "Wordle hints for today", "Powerball winning numbers", "Lottozahlen vom Mittwoch",
    ],
    "a live page that goes on changing": [
        "Live: storm reaches the coast", "Liveblog | Wahl", "Election night \u2013 live updates",
        "EN DIRECT, guerre : les dernières informations", "En vivo: debate presidencial",
    ],
    "a programme to watch or hear": ["Podcast: a singer on tour", "Der Hafen \u2013 der Podcast"],
    "advertising": ["Sponsored: the future of coffee", "Anzeige: Dämmen und sparen"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "title"), [(reason, title) for reason, titles in NO_NEWS.items() for title in titles]
)
def test_what_is_no_news_is_told_by_its_title(reason, title):
    assert no_news(title) == reason


@pytest.mark.parametrize(
    "title",
    [
        "Minister gives briefing on the flood", "White House briefing room closed for repairs",
        "Union and rail firm reach deal", "Trade deals with Asia stall", "Amazon to cut 3,000 jobs",
        "Live animals found in a container", "Lottery winner gives everything away",
        "Court bans app that tracked children", "Apple removes an app from its store",
        "Newspaper lays off half of its staff", "Newsletter publisher buys a radio station",
        "Astrologers lose tax case", "Crossroads of Europe: a port changes", "Olympic Games open",
        "Firms that live on credit", "Deadliest day in ten years", "The deal is off",
        "Subscriptions save a local paper", "Anzeigen gegen Polizisten", "Direct flights end",
        "Podcast host sues network", "Sign up now or pay, says court", "Download speeds fall",
        "What's happening in the harbour", "Ten stories high: the tower that leans",
        "Best actor award goes to a beginner", "",
    ],
)  # fmt: skip
def test_news_is_news(title):
    assert no_news(title) == ""


def test_a_folder_of_the_address_tells_it_too():
    assert (
        no_news("Bidets save you money", "https://a.example/cnn-underscored/home/bidets")
        == "shopping"
    )
    assert no_news("A storm", "https://a.example/2026/11/horoscope") == ""
    assert no_news("A storm", "https://a.example/de/horoskop/loewe.html") == "a horoscope"
    assert no_news("A storm", "https://[bad/horoscope/x") == ""
    assert no_news("A life", "https://a.example/iplayer/e/1") == "a programme to watch or hear"


def test_only_the_beginning_of_a_title_of_any_length_is_looked_at():
    assert no_news("x " * 200_000 + "horoscope") == ""


def test_a_kind_that_is_let_through_hides_no_other():
    title, url = "Wordle hints", "https://a.example/deals/x"

    assert kind_of(title, url) is Kind.GAME
    assert kind_of(title, url, let_through=["game"]) is Kind.SHOPPING
    assert kind_of(title, url, let_through=["game", "shopping"]) is None
    assert set(IN_WORDS) == set(Kind)
