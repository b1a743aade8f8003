"""Tell what comes in a feed and is no news: promotions, briefings, deals, horoscopes and the like.

A pattern has to be sure of its kind, since what it catches is not proposed. An editor sees the
reason beside the story and can have it proposed all the same.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# Each pattern is matched anywhere in a title, without regard to case. Languages: English, German,
# French, Spanish, Italian, Portuguese, Dutch, Russian, Turkish, Arabic.
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_TITLES = (
    (
        "a promotion of the outlet's own",
        r"\b(?:download|get|try|install) (?:the|our) [\w .']{0,30}\bapp\b"
        r"|\b(?:news|sport|our) app\b.{0,20}\bdownload\b"
        r"|\bsign up (?:for|to) (?:our|the|your) [\w .']{0,40}\bnewsletters?\b"
        r"|\bsubscribe to (?:our|the) |\b(?:jetzt|kostenlos) abonnieren\b"
        r"|\bnewsletter (?:abonnieren|anmelden)\b|\bapp (?:herunterladen|laden)\b"
        r"|\babonnez-vous\b|\btéléchargez (?:notre|l.)|\bsuscríbete\b"
        r"|\bdescarga (?:la|nuestra) app\b"
        r"|\bassine (?:a|nossa|o) |\bbaixe o app\b|\biscriviti alla\b|\bscarica l.app\b"
        r"|\bhow to (?:contact|follow|listen to|watch) (?:bbc|us|our)\b",
    ),
    (
        "a briefing that lists other stories",
        rf"^\W*(?:(?:your|the|today.s) )?(?:{_DAY}|morning|evening|daily|weekend) "
        r"(?:(?:morning|evening|news) )?briefing\b"
        r"|^\W*(?:morning|evening|daily|news) (?:briefing|roundup|round-up|digest|newsletter)\b"
        r"|\b(?:top|the) (?:five|ten|\d{1,2}) (?:news )?stories\b"
        r"|\b(?:five|ten|\d{1,2}) things to know\b"
        r"|^\W*what we know (?:on|about) day \d"
        r"|\bthe papers: |\bnewspaper headlines: |\bweek in pictures\b|\bnews quiz\b"
        r"|^\W*(?:der tag|die nacht|das wichtigste) (?:im überblick|vom |am |in kürze)"
        r"|\bnachrichten (?:des tages|am morgen|am abend)\b|\bmorgenlage\b"
        r"|\bl.essentiel de l.actualité\b|\bles titres du jour\b|\bla revue de presse\b"
        r"|\blas noticias del día\b|\blo más leído\b|\bas notícias do dia\b|\brassegna stampa\b",
    ),
    (
        "shopping",
        r"\b(?:best|top|all the|early|amazon|prime day|black friday|cyber monday)\b.{0,40}\bdeals\b"
        r"|\bdeals (?:to shop|we found|of the (?:day|week))\b|\bcoupon codes?\b|\bpromo codes?\b"
        r"|\bdiscount codes?\b|\b(?:buy|shop) (?:on|at|from) amazon\b|\bgift (?:guide|ideas)\b"
        r"|\bgifts (?:for|she|he|they)\b|\bwe tested the best\b|\bproducts (?:to|you can|that)\b"
        r"|\bbiggest sale of the year\b|\bbest [\w -]{0,30}\bsavings accounts\b"
        r"|\bgutschein(?:e|code)\b|\bschnäppchen\b|\bim angebot bei\b|\bbons plans\b"
        r"|\bcode promo\b|\bcódigo (?:promocional|de descuento)\b|\bcupo(?:m|ns) de desconto\b"
        r"|\blas mejores ofertas\b|\bcodice sconto\b|\bkortingscode\b",
    ),
    (
        "a horoscope",
        r"\bhoroscopes?\b|\bhoroskope?\b|\bhoróscopos?\b|\boroscopo\b|\bhoroscoop\b|гороскоп"
        r"|\bburç yorum|\bأبراج اليوم|حظك اليوم",  # noqa: RUF001
    ),
    (
        "a game or a draw",
        r"\bwordle\b|\bcrosswords?\b|\bsudoku\b|\bnyt connections\b|\bkreuzworträtsel\b"
        r"|\bmots croisés\b|\bcrucigrama\b|\b(?:lottery|lotto|powerball|mega millions) "
        r"(?:results|numbers|winning numbers|drawing)\b|\blottozahlen\b|\bresultados? (?:da|de la) "
        r"(?:lotería|loteria|mega-sena)\b|\bwinning numbers\b",
    ),
    (
        "a live page that goes on changing",
        r"^\W*live(?:\s?blog|\s?ticker| updates| coverage)?\s?[:|\u2013\u2014-]"
        r"|^\W*(?:live updates|liveblog|liveticker|newsblog|newsticker)\b"
        r"|[:|\u2013\u2014-]\s?(?:live updates|liveblog|liveticker|live)\W*$"
        r"|^\W*en direct\b"
        r"|^\W*(?:en vivo|última hora|ao vivo|(?:in )?diretta)\s?[:|\u2013\u2014-]",
    ),
    ("advertising", r"^\W*(?:sponsored|advertorial|anzeige|publicité|publirreportaje|paid post)\b"),
)
_PATTERNS = tuple((reason, re.compile(title, re.IGNORECASE)) for reason, title in _TITLES)
# The same by a folder in the story's address.
_FOLDERS = {
    folder: reason
    for reason, folders in {
        "shopping": "deals coupons shopping cnn-underscored gutscheine bons-plans wirecutter",
        "a horoscope": "horoscope horoscopes horoskop horoscopo oroscopo",
        "a game or a draw": "crosswords crossword puzzles sudoku lottery",
        "a live page that goes on changing": "liveblog live-blog liveticker",
        "advertising": "sponsored advertorial brandcontent branded-content partner-content",
    }.items()
    for folder in folders.split()
}
_TITLE_CHARACTERS = 300


def no_news(title: str, url: str = "") -> str:
    """Return what a story is if it is no news ("a horoscope"); empty for everything else."""
    for reason, pattern in _PATTERNS:
        if pattern.search(title[:_TITLE_CHARACTERS]):
            return reason
    try:
        folders = urlsplit(url).path.lower().split("/")[:-1]
    except ValueError:
        return ""
    return next((_FOLDERS[folder] for folder in folders if folder in _FOLDERS), "")
