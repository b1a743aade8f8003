"""Turn a publisher's markup into plain text that is safe to print."""

from __future__ import annotations

import html
import re
import unicodedata
from html.entities import html5

import nh3

from digest.feeds import prose
from digest.shorten import first_sentence, truncate, truncate_at_sentence

TITLE_LENGTH = 300
SUMMARY_LENGTH = 500
BODY_SUMMARY_LENGTH = 320  # of a summary that is taken from the text of an article
NAME_LENGTH = 80
HEADLINE_LENGTH = 120  # of the first sentence that stands for a missing title

# A text of the lengths above never needs more markup than this.
_MARKUP_LENGTH = 50_000
# Feeds that escape their text two or three times are common; no serious feed nests more deeply.
_MAX_UNESCAPE_ROUNDS = 5
# Without a space before these tags, the end of one paragraph would run into the next.
_BLOCK_TAG = re.compile(
    r"<(?=/?(?:p|div|br|hr|li|ul|ol|dl|dt|dd|h[1-6]|tr|td|th|table|blockquote|figure|figcaption"
    r"|section|article|header|footer|pre)\b)",
    re.IGNORECASE,
)
_ESCAPED_AMPERSAND = re.compile(r"&(?:amp;|#38;|#x26;)+", re.IGNORECASE)
# A name without its semicolon. HTML still reads some of them, and even the start of a longer word.
_BARE_NAME = re.compile(r"&(?=([A-Za-z][A-Za-z0-9]{0,31}+)(?![A-Za-z0-9;])(=?+))")
# Invisible characters that reorder or hide text: soft hyphen, zero-width space, bidi embeddings,
# overrides and isolates, invisible operators, byte order mark, interlinear annotation. The
# joiners (200C, 200D) are part of Persian words and of emoji, and stay.
_INVISIBLE = re.compile(
    r"[\u00ad\u180e\u200b\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
# Control characters and lone surrogates, with which lxml refuses a text.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# What blog software puts after a summary: these words at the end, or a sentence such as
# “The post (title) appeared first on (outlet)”, whose parts have at most these lengths.
_MORE = re.compile(
    r"(?:(?:\b(?:Continue reading|Read (?:more|on)|Read the (?:full|whole) (?:story|article|post)"
    r"|Read the rest of this (?:entry|post|article)|Keep reading|Weiterlesen|Mehr lesen|Mehr dazu"
    r"|Lire la suite|En savoir plus|Seguir leyendo|Leer más|Ler mais|Leia mais|Continuar lendo"
    r"|Leggi tutto|Continua a leggere|Lees (?:verder|meer)|Läs mer|Les mer|Læs mere|Lue lisää"
    r"|Czytaj (?:więcej|dalej)|Číst (?:více|dál)|Devam\u0131n\u0131 oku"
    r"|Читать (?:далее|полностью)|Подробнее|Διαβάστε περισσότερα|קרא\u05d5? עוד)"
    r"|続きを読む|اقرأ المزيد|더 ?보기|阅读全文|阅读更多|繼續閱讀) ?(?:…|\.\.\.|→|»|>{0,9})"
    r"|[(\[](?:…|\.\.\.|&hellip;|(?:read )?more(?:…|\.\.\.)?"
    r"|feed generated (?:with|by) [^()\[\]]{1,30})[)\]])$",
    re.IGNORECASE,
)
_LONGEST_MORE = 60
# The same words with the title or the outlet after them, behind a sentence or a gap.
_MORE_OF = re.compile(
    r"[.!?…\])”»] (?:Continue reading|Read more|Read the (?:full|whole|rest)|Keep reading"
    r"|Click here to|Weiterlesen|Lire la suite|Leer más|Leia mais)\b[^.!?]*+[.!?]?+$",
    re.IGNORECASE,
)
_LONGEST_MORE_OF = 220
# A credit in brackets, anywhere in a text.
_CREDIT = re.compile(
    r" ?[(\[](?:(?:photo|image|picture|foto|bild|illustration|credit|source)\b|©)"
    r"[^()\[\]]{0,150}[)\]] ?",
    re.IGNORECASE,
)
# WordPress' words for it in the languages that translate them.
_POST = re.compile(
    r"(?:(?:The (?:post|article)|Der (?:Beitrag|Artikel)|Cet article|La entrada|El artículo"
    r"|[OA] (?:post(?:agem)?|artigo|conteúdo)|Il post|Het (?:bericht|artikel)|Inlägget|Artykuł|Wpis"
    r"|Запись|Сообщение|ظهرت المقالة|投稿) |L[\u2019']artic(?:le|olo) )"
)
_APPEARED_ON = re.compile(
    r" (?:(?:first )?appeared (?:first )?on|erschien zuerst auf|est apparu en premier sur"
    r"|(?:se publicó|aparece|apareció) primero en|apareceu primeiro em|proviene da"
    r"|sembra essere il primo su|verscheen eerst op|dök först upp på|pochodzi z serwisu"
    r"|впервые появил(?:ась|ось|ся)(?: на)?|появились сначала на|أولاً على"
    r"|は(?=[^。]{1,100}に最初に表示されました)) ",
    re.IGNORECASE,
)
_LONGEST_POST, _LONGEST_OUTLET = 320, 100
_NEXT_SENTENCE = re.compile(r"[.!?] ")
# What link sites write for a summary, at the end of a text or instead of one.
_LINK_SITE = re.compile(
    r"(?:^| )(?:"
    r"(?:Article URL: ?\S{1,500}+ )?+Comments URL: ?\S{1,500}+(?: Points: ?\d++)?+"
    r"(?: # Comments: ?\d++)?+"
    r"|(?:submitted by (?:/?u/)?[\w.-]{1,40}+ (?:to /?r/\w{1,40}+ )?+)?+\[link\]"
    r"(?: \[comments\])?+)$",
    re.IGNORECASE,
)
_LONGEST_LINK_SITE = 1200
# What the hosts of podcasts and newsletters put after each description.
_HOST_TAIL = re.compile(
    r"(?:^| )(?:Hosted on Acast\. See |Learn more about your ad choices\. Visit "
    r"|Hosted by Simplecast|See omnystudio\.com/listener |(?:See )?Privacy Policy at https://art19\.com/"
    r"|Thanks for reading\b[^.!?]{0,80}[.!] Subscribe |This is a public episode\. If you)"
)
_LONGEST_HOST_TAIL = 400
# Words at the end of a post that no mail makes a link of. `#12` is a number.
_LINK_WORD = re.compile(r"(?:https?://|www\.)\S+|#\d{0,4}[^\W\d_]\w*", re.IGNORECASE)
_MOST_LINK_WORDS = 30
# arXiv's words before an abstract.
_ARXIV = re.compile(r"arXiv:\S{1,40} Announce Type: [\w-]{1,20} Abstract: ")
_NO_SUMMARY = re.compile(
    r"(?:no (?:description|summary|excerpt|content|text|preview)"
    r"(?: (?:is )?(?:available|provided))?|n/?a|null|none|nil|nan|undefined|tbd"
    r"|description|summary|excerpt|(?:\d{1,6} )?comments?|points: ?\d{1,6})[.!]?"
    r"|(?:(?:[#@]|https?://|www\.)\S++ ?+)++",
    re.IGNORECASE,
)


def plain_text(markup: str) -> str:
    """Return the markup's text on one line, without tags, entities and control characters.

    The text is safe to print wherever it is escaped once. Cleaning it again changes nothing.
    """
    text = markup[:_MARKUP_LENGTH]
    for _ in range(_MAX_UNESCAPE_ROUNDS):
        before, text = text, _unescape_once(text)
        if text == before:
            return text
    return _visible(re.sub(r"[<>&]", " ", text))


def _unescape_once(text: str) -> str:
    text = _BARE_NAME.sub(_escape_bare, _ESCAPED_AMPERSAND.sub("&", _visible(text)))
    if prose.has_markup(text):
        text = nh3.clean(_BLOCK_TAG.sub(" <", text), tags=set())
    return _visible(html.unescape(text))


def _escape_bare(found: re.Match[str]) -> str:
    """Escape the `&` of what only begins like a reference, such as `&region` and `&copy=1`."""
    is_reference = found[1] in html5 and not found[2]
    return "&" if is_reference else "&amp;"


def _visible(text: str) -> str:
    """Fold whitespace, remove controls, lone surrogates and invisible characters; return NFC."""
    text = _INVISIBLE.sub("", " ".join(text.split()))
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs"))
    return " ".join(unicodedata.normalize("NFC", text).split())


def title(markup: str) -> str:
    return truncate(plain_text(markup), TITLE_LENGTH)


def name(markup: str, limit: int = NAME_LENGTH) -> str:
    """Return the name of an author or an outlet as plain text."""
    return truncate(plain_text(markup), limit)


def summary(markup: str, *, title: str = "") -> str:
    """Return the first sentences of the article's own text; empty if it has none but the title.

    Captions, credits, lists of links and blog software's tail are no part of it.
    """
    blocks = prose.article_blocks(_first_markup(markup), title=title)
    # A longer summary is cut further down, so its tail is lost anyway.
    text = truncate(plain_text(" ".join(blocks)), 4 * SUMMARY_LENGTH)
    text = _without_title(" ".join(_CREDIT.sub(" ", _ARXIV.sub("", text)).split()), title)
    text = _without_links(text)
    bare = _without_tail(text, title)
    if _NO_SUMMARY.fullmatch(bare):
        return ""
    if bare.endswith(("...", "…")):
        bare = _whole_sentences(bare.rstrip(". …"))
    elif bare and bare != text and bare[-1] not in ".!?…。؟”\"'»":
        bare = _whole_sentences(bare)
    return truncate_at_sentence(bare, SUMMARY_LENGTH)


def headline(markup: str) -> str:
    """Return the text's first sentence, for an entry that has no title; shortened if it is long."""
    return first_sentence(summary(markup), HEADLINE_LENGTH)


def _first_markup(markup: str) -> str:
    """Return the text unescaped until it has markup, since some feeds escape it again."""
    text = _NO_TEXT.sub("", markup[:_MARKUP_LENGTH])
    for _ in range(_MAX_UNESCAPE_ROUNDS):
        if prose.has_markup(text) or "&" not in text:
            break
        text = html.unescape(_BARE_NAME.sub(_escape_bare, _ESCAPED_AMPERSAND.sub("&", text)))
    return text


def _without_title(text: str, title: str) -> str:
    """Return the text without the title, if that is its first sentence or all there is."""
    if not title or text[: len(title)].casefold() != title.casefold():
        return text
    rest = text[len(title) :]
    ends = title[-1] in ".!?…。" or rest[:1] in (".", "!", "?", "")
    return rest.lstrip(" .!?") if ends else text


def _whole_sentences(text: str) -> str:
    """Return the sentences before a gap; all of it with an ellipsis if they are not half of it."""
    whole = truncate_at_sentence(f"{text} …", len(text))
    return f"{text}…" if whole.endswith("…") else whole


def _without_tail(text: str, title: str) -> str:
    """Return the text, which is on one line, without what blog software puts after it."""
    while True:
        cut = min(
            _start_of_more(text),
            _start_of_more_of(text),
            _start_of_post(text, title),
            _start_of_links(text),
            _start_of_host(text),
        )
        if cut == len(text):
            return text
        text = text[:cut].rstrip()


def _start_of_more(text: str) -> int:
    found = _MORE.search(text, max(0, len(text) - _LONGEST_MORE))
    return found.start() if found else len(text)


def _start_of_more_of(text: str) -> int:
    found = _MORE_OF.search(text, max(0, len(text) - _LONGEST_MORE_OF))
    return found.start() + 1 if found else len(text)


def _without_links(text: str) -> str:
    """Return the text without the URLs and hashtags at its end, and what only leads to them.

    One may belong to the sentence, as in “Read it at https://example.com/a”; then it stays.
    """
    bare, count = text, 0
    while count < _MOST_LINK_WORDS:
        rest, _, last = bare.rpartition(" ")
        if not rest or not _LINK_WORD.fullmatch(last):
            break
        bare, count = rest, count + 1
    if not count or bare[-1] in ".!?…。؟”\"'»":
        return bare
    ends = [found.end() - 1 for found in _NEXT_SENTENCE.finditer(bare)]
    if ends and len(bare) - ends[-1] < _LONGEST_MORE:
        return bare[: ends[-1]]
    is_led_to = len(bare.split()[-1]) < 4 or (count == 1 and "#" in text[len(bare) : len(bare) + 2])
    return text if is_led_to else bare.rstrip(" :-\u2013\u2014")


def _start_of_host(text: str) -> int:
    found = _HOST_TAIL.search(text, max(0, len(text) - _LONGEST_HOST_TAIL))
    return found.start() if found else len(text)


def _start_of_links(text: str) -> int:
    found = _LINK_SITE.search(text, max(0, len(text) - _LONGEST_LINK_SITE))
    return found.start() if found else len(text)


def _start_of_post(text: str, title: str) -> int:
    begin = max(0, len(text) - _LONGEST_POST - _LONGEST_OUTLET)
    for appeared in _APPEARED_ON.finditer(text, begin):
        if not 0 < len(text) - appeared.end() <= _LONGEST_OUTLET:
            continue
        start = max(0, appeared.start() - _LONGEST_POST)
        for post in _POST.finditer(text, start, appeared.start() + 1):
            # A sentence between them is part of the title, or is the story's own.
            named = text[post.end() : appeared.start()]
            if not _NEXT_SENTENCE.search(named) or (title and title[:20] in named):
                return post.start()
    return len(text)
