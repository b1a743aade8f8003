"""What is no news is told from news, and news is not."""

import pytest

from digest.ranking.sieve import no_news

NO_NEWS = {
    "a promotion of the outlet's own": [
        "Download the Ledger app for the day's stories", "Get our free news app", "Abonnez-vous",
        "Sign up for our weekly economics newsletter", "Newsletter abonnieren: Alles zur Wahl",
        "How to follow us on every platform",
    ],
    "a briefing that lists other stories": [
        "Thursday Briefing", "Your Monday Briefing: A storm and its price", "Morning Briefing",
        "Top five stories from day 13", "The Papers: Strike looms", "Das Wichtigste am Morgen",
        "Les titres du jour", "Five things to know this Tuesday", "Rassegna stampa del 3 marzo",
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
        "Ten stories high: the tower that leans", "Best actor award goes to a beginner", "",
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


def test_only_the_beginning_of_a_title_of_any_length_is_looked_at():
    assert no_news("x " * 200_000 + "horoscope") == ""
