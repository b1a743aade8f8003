"""Tell what comes in a feed and is no news: promotions, briefings, deals, horoscopes and the like.

A pattern has to be sure of its kind, since what it catches is not proposed. An editor sees the
reason beside the story and can have it proposed all the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum
from urllib.parse import urlsplit


class Kind(StrEnum):
    """What is no news. A feed stores the kinds that it is allowed to have proposed."""

    PROMOTION = "promotion"
    BRIEFING = "briefing"
    SHOPPING = "shopping"
    HOROSCOPE = "horoscope"
    GAME = "game"
    LIVE = "live"
    PROGRAMME = "programme"
    ADVERTISING = "advertising"
    # The same headline again and again: digest.ranking.standing knows it.
    STANDING = "standing"


IN_WORDS = {
    Kind.PROMOTION: "a promotion of the outlet's own",
    Kind.BRIEFING: "a briefing that lists other stories",
    Kind.SHOPPING: "shopping",
    Kind.HOROSCOPE: "a horoscope",
    Kind.GAME: "a game or a draw",
    Kind.LIVE: "a live page that goes on changing",
    Kind.PROGRAMME: "a programme to watch or hear",
    Kind.ADVERTISING: "advertising",
    Kind.STANDING: "a standing item",
}

# Each pattern is matched anywhere in a title, without regard to case. Languages: English, German,
# French, Spanish, Italian, Portuguese, Dutch, Russian, Turkish, Arabic.
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_TITLES = (
    (
        Kind.PROMOTION,
        r"\b(?:download|get|try|install) (?:the|our) [\w .']{0,30}\bapp\b"
        r"|\b(?:news|sport|our) app\b.{0,20}\bdownload\b"
        r"|\bsign up (?:for|to) (?:our|the|your) [\w .']{0,40}\bnewsletters?\b"
        r"|\bsubscribe to (?:our|the) |\b(?:jetzt|kostenlos) abonnieren\b"
        r"|\bnewsletter (?:abonnieren|anmelden)\b|\bapp (?:herunterladen|laden)\b"
        r"|\babonnez-vous\b|\btéléchargez (?:notre|l.)|\bsuscríbete\b"
        r"|\bdescarga (?:la|nuestra) app\b"
        r"|\bassine (?:a|nossa|o) |\bbaixe o app\b|\biscriviti alla\b|\bscarica l.app\b"
        r"|\bhow to (?:contact|follow|listen to|watch) (?:bbc|us|our)\b"
        r"|^\W*(?:download|subscribe|sign up|register|join) (?:now|today|here)\W*$"
        r"|^\W*jetzt (?:herunterladen|anmelden|registrieren)\W*$"
        r"|^\W*télécharger maintenant\W*$|^\W*descargar? ahora\W*$",
    ),
    (
        Kind.BRIEFING,
        rf"^\W*(?:(?:your|the|today.s) )?(?:{_DAY}|morning|evening|daily|weekend) "
        r"(?:(?:morning|evening|news) )?briefing\b"
        r"|^\W*(?:morning|evening|daily|news) (?:briefing|roundup|round-up|digest|newsletter)\b"
        r"|\b(?:top|the) (?:five|ten|\d{1,2}) (?:news )?stories\b"
        r"|\b(?:five|ten|\d{1,2}) things to know\b"
        r"|^\W*what(?: we know (?:on|about)|.s (?:happening|on) on) day \d"
        r"|\bthe papers: |\bnewspaper headlines: |\bweek in pictures\b|\bnews quiz\b"
        r"|^\W*(?:der tag|die nacht|das wichtigste) (?:im überblick|vom |am |in kürze)"
        r"|\bnachrichten (?:des tages|am morgen|am abend)\b|\bmorgenlage\b"
        r"|\bl.essentiel de l.actualité\b|\bles titres du jour\b|\bla revue de presse\b"
        r"|\blas noticias del día\b|\blo más leído\b|\bas notícias do dia\b|\brassegna stampa\b",
    ),
    (
        Kind.SHOPPING,
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
        Kind.HOROSCOPE,
        r"\bhoroscopes?\b|\bhoroskope?\b|\bhoróscopos?\b|\boroscopo\b|\bhoroscoop\b|гороскоп"
        r"|\bburç yorum|\bأبراج اليوم|حظك اليوم",  # noqa: RUF001
    ),
    (
        Kind.GAME,
        r"\bwordle\b|\bcrosswords?\b|\bsudoku\b|\bnyt connections\b|\bkreuzworträtsel\b"
        r"|\bmots croisés\b|\bcrucigrama\b|\b(?:lottery|lotto|powerball|mega millions) "
        r"(?:results|numbers|winning numbers|drawing)\b|\blottozahlen\b|\bresultados? (?:da|de la) "
        r"(?:lotería|loteria|mega-sena)\b|\bwinning numbers\b",
    ),
    (
        Kind.LIVE,
        r"^\W*live(?:\s?blog|\s?ticker| updates| coverage)?\s?[:|\u2013\u2014-]"
        r"|^\W*(?:live updates|liveblog|liveticker|newsblog|newsticker)\b"
        r"|[:|\u2013\u2014-]\s?(?:live updates|liveblog|liveticker|live)\W*$"
        r"|^\W*en direct\b"
        r"|^\W*(?:en vivo|última hora|ao vivo|(?:in )?diretta)\s?[:|\u2013\u2014-]",
    ),
    (
        Kind.PROGRAMME,
        r"^\W*podcast\s?[:|\u2013\u2014-]|[:|\u2013\u2014-]\s?(?:der )?podcast\W*$",
    ),
    (
        Kind.ADVERTISING,
        r"^\W*(?:sponsored|advertorial|anzeige|publicité|publirreportaje|paid post)\b",
    ),
)
_PATTERNS = tuple((kind, re.compile(title, re.IGNORECASE)) for kind, title in _TITLES)
# The same by a folder in the story's address.
_FOLDERS = {
    folder: kind
    for kind, folders in {
        Kind.SHOPPING: "deals coupons shopping cnn-underscored gutscheine bons-plans wirecutter",
        Kind.HOROSCOPE: "horoscope horoscopes horoskop horoscopo oroscopo",
        Kind.GAME: "crosswords crossword puzzles sudoku lottery",
        Kind.LIVE: "liveblog live-blog liveticker",
        Kind.PROGRAMME: "iplayer sounds podcast podcasts",
        Kind.ADVERTISING: "sponsored advertorial brandcontent branded-content partner-content",
    }.items()
    for folder in folders.split()
}
_TITLE_CHARACTERS = 300


def no_news(title: str, url: str = "") -> str:
    """Return what a story is if it is no news ("a horoscope"); empty for everything else."""
    kind = kind_of(title, url)
    return IN_WORDS[kind] if kind else ""


def kind_of(title: str, url: str = "", *, let_through: Collection[str] = ()) -> Kind | None:
    """Return the kind of what is no news; None for news and for kinds that are let through."""
    for kind, pattern in _PATTERNS:
        if kind not in let_through and pattern.search(title[:_TITLE_CHARACTERS]):
            return kind
    try:
        folders = urlsplit(url).path.lower().split("/")[:-1]
    except ValueError:
        return None
    kinds = (_FOLDERS.get(folder) for folder in folders)
    return next((kind for kind in kinds if kind and kind not in let_through), None)
