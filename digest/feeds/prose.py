"""Take the sentences of an article out of its markup, and leave what stands around them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from digest.feeds.xml_faults import with_fewer_attributes

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*+)([^<>]*+)>")
_EMPTY_TAGS = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
})  # fmt: skip
_OTHER_TAGS = frozenset({
    "a", "abbr", "acronym", "address", "article", "aside", "audio", "b", "bdi", "bdo", "big",
    "blockquote", "body", "button", "canvas", "caption", "center", "cite", "code", "dd", "del",
    "details", "dfn", "dir", "div", "dl", "dt", "em", "fieldset", "figcaption", "figure", "font",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "html", "i", "iframe",
    "ins", "kbd", "label", "li", "main", "map", "mark", "nav", "noscript", "object", "ol",
    "optgroup", "option", "p", "picture", "pre", "q", "rp", "rt", "ruby", "s", "samp", "script",
    "section", "select", "small", "span", "strike", "strong", "style", "sub", "summary", "sup",
    "svg", "table", "tbody", "td", "template", "textarea", "tfoot", "th", "thead", "time", "title",
    "tr", "tt", "u", "ul", "var", "video",
})  # fmt: skip
_BLOCKS = frozenset({
    "address", "article", "blockquote", "body", "br", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "header", "hr", "html", "li", "main", "ol", "p", "pre", "section", "summary",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
})  # fmt: skip
_LISTED = frozenset({"li", "dd", "dt"})
_CELLS = frozenset({"td", "th"})
# Elements that hold no sentence of the article: pictures with their captions, code, forms, menus,
# and cross-heads.
_NO_PROSE = frozenset({
    "aside", "audio", "button", "canvas", "caption", "embed", "figcaption", "figure", "footer",
    "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "iframe", "map", "nav", "noscript",
    "object", "picture", "script", "select", "style", "svg", "template", "textarea", "title",
    "video",
})  # fmt: skip
# Words of class names and ids by which templates call the same.
_NO_PROSE_CLASSES = re.compile(
    r"(?:^|[\s_-])(?:captions?|credits?|byline|author|share|sharing|sharedaddy|social|addtoany|related"
    r"|jp-relatedposts|feedflare|newsletter|subscribe|subscription|promo|advert|advertisement|ads?"
    r"|sponsor|sponsored|read-?more|more-link|tags|screen-reader-text|sr-only|copyright|breadcrumbs?)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)
# These never hold the article itself, however little there is beside them.
_CALLED_CAPTION = re.compile(
    r"(?:^|\s)(?:field-{1,2}name-(?:title|uid|created|author)|wp-caption-text|tr-caption|caption|figure-caption|(?:image-|photo-)?credits?|feedflare"
    r"|sharedaddy|screen-reader-text|sr-only)(?:$|\s)",
    re.IGNORECASE,
)
_LONGEST_ASIDE = 200
_LONGEST_CELL = 30  # of a table of figures and names
_SENTENCE_END = re.compile(r"[.!?…؟][\"'”’»)\]]*$|[。！？][」』”]*$")  # noqa: RUF001
_CREDIT = re.compile(
    r"[^\w\n©]*+(?:(?:(?:featured |cover |lead |header )?image|(?:file |archive )?photo(?:graph|s)?"
    r"|images|pictures?|fotos?|bild(?:er)?|illustration|imagen|imagem|créditos?"
    r"|crédits?(?: photos?)?|video|写真|画像|صورة)"
    r"(?: ?(?:credits?|courtesy(?: of)?|source|by|via|von|de|par|por))?"
    r"|source|credits?|quelle|copyright) ?[:：|/©]|[^\w\n©]*+©",  # noqa: RUF001
    re.IGNORECASE,
)
# What is left when the first sentence of a credit is gone, and is none of the article's.
_RIGHTS = re.compile(
    r"all rights reserved|alle rechte vorbehalten|tous droits réservés"
    r"|(?:todos|tutti) (?:[loi]s? )?(?:derechos|direitos|diritti)|handout|courtesy"
    r"|used with permission|(?:file|stock|archive?|symbol)[ -]?(?:photo|image|bild|foto)",
    re.IGNORECASE,
)
# An initial, or the short form of a title, ends no sentence.
_CREDIT_END = re.compile(
    r"(?<![ ./-][^\W\d_])(?<!\b(?:Dr|Mr|St|Jr))(?<!\b(?:Mrs|Inc|Ltd))[.!?] (?=[^a-z\s])"
    r"| [|\u2013\u2014-] "
)
_LONGEST_CREDIT = 150
_BRACKETS = {"(": ")", "[": "]"}
_FEWEST_WORDS = 6  # of an article's first sentence that is cut
_MOST_NAME_WORDS = 5
_SMALL_IN_NAMES = frozenset({
    "by", "on", "courtesy", "of", "via", "von", "de", "par", "and", "for", "the", "van", "und",
    "et", "y", "e", "da", "/", "&",
})  # fmt: skip
_PHOTO_BY = re.compile(
    r"[(\[]?(?:photo(?:graph)?s?|images?|pictures?|illustrations?|foto|bild)"
    r" (?:by|courtesy of|via|von|de|par) [^.!?]{2,150}$",
    re.IGNORECASE,
)
_AGENCY = re.compile(
    r"(?:Getty Images|AP Photo|Shutterstock|Wikimedia Commons|Unsplash"
    r"|[/(\[](?:Reuters|AFP|EPA|AP|dpa))"
    r"(?:/[\w.\- ]{2,40})?[)\]]?$"
)
_BYLINE = re.compile(r"(?:By|Von|Par|Por|Di|Door|Written by|Posted by)[: ] ?[^\W\d_][^.!?]{2,80}$")
_DATE_LINE = re.compile(
    r"(?:(?:[^\W\d_]{2,12}\.?,? )?"
    r"(?:\d{1,2}(?:st|nd|rd|th|er|\.)? (?:de )?[^\W\d_]{3,12}\.?,? (?:de )?"
    r"|[^\W\d_]{3,12}\.? \d{1,2}, )\d{4}(?:[^\w]{1,3}(?:at |um |à )?\d{1,2}[:.h]\d\d.{0,12})?"
    r"|(?:\d{4}(?:年\d{1,2}月\d{1,2}日|년 ?\d{1,2}월 ?\d{1,2}일|[./-]\d{1,2}[./-]\d{1,2})"
    r"|\d{1,2}[./-]\d{1,2}[./-]\d{4})(?:\W{0,3}\d{1,2}[:.時时시h].{0,14})?"
    r"|(?:first )?(?:published|updated|posted|last (?:modified|updated))\b[^.!?]{0,60}"
    r"|\d{1,3} ?min(?:ute)?s? read)$",
    re.IGNORECASE,
)
_CALL_TO_ACTION = re.compile(
    r"[^\w\n]*+(?:sign up (?:for|to|here|now)|subscribe (?:to|now|here|today|for)|follow us"
    r"|share (?:this|on|via)|click here|tap here|also read|see also|leave a (?:comment|reply)"
    r"|submitted by|filed under|posted in|download (?:the|our) app|skip to|lesen sie auch"
    r"|mehr zum thema|lire aussi|à lire aussi|lea también|leia também|関連記事|اقرأ أيضا)",
    re.IGNORECASE,
)
# A paragraph that begins with these may be a sentence of the article.
_WEAK_CALL_TO_ACTION = re.compile(
    r"[^\w\n]*+(?:read (?:more|also|next)|related\b|more (?:from|on|stories)|you (?:may|might) also"
    r"|listen to this|watch:|advertisement|sponsored|comments?$|tags?:|categories:"
    r"|support (?:us|our)|full changelog|leia mais|log ?in\b|sign in\b|subscribe$)",
    re.IGNORECASE,
)
_PUBLISHED_IN = re.compile(
    r" was originally published in [^.!?]{1,150} on Medium, where people are continuing"
)
# What stands below the description of a video or a post: hashtags, chapters, and links.
_APPENDIX = re.compile(
    r"(?:#\w++ ?+)++$|\(?\d{1,2}(?::\d\d){1,2}\b|(?!Comments URL)(?=[^\n]*\bhttps?://\S)"
    r"|[\w-]++(?:\.[\w-]++)++/\S*+$",
    re.IGNORECASE,
)
_DATE_AT_END = re.compile(r"\b\d{4}(?: ?[-–—,] ?\d{1,2}[:.]\d\d)?$")  # noqa: RUF001
_LONGEST_HEAD = 60
_LETTERS_AND_DIGITS = re.compile(r"[\W_]+")


@dataclass
class _Block:
    """The text of one block, how many of its characters are linked, and where it stands.

    A table may be one of figures, or what holds a whole article in place.
    """

    pieces: list[str] = field(default_factory=list)
    linked: int = 0
    links: int = 0
    is_listed: bool = False
    is_cell: bool = False

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())


def has_markup(text: str) -> bool:
    """Tell whether tags in the text are markup, and not what it is about (`How to use <div>`).

    A tag is markup if it is closed, has attributes, never has an end tag, touches the word after
    it, or begins the text's first paragraph.
    """
    if "<" not in text:
        return False
    if "<!--" in text or "<![CDATA[" in text or text.lstrip()[:3].lower() == "<p>":
        return True
    opened: set[str] = set()
    for tag in _TAG.finditer(text):
        name = tag[2].lower()
        # Elements of a library's own have a hyphen, such as `<amp-img src="…">`.
        if "-" in name and "=" in tag[3]:
            return True
        if name in _EMPTY_TAGS or (name in _OTHER_TAGS and _is_used(tag, opened)):
            return True
        if not tag[1]:
            opened.add(name)
    return False


def _is_used(tag: re.Match[str], opened: set[str]) -> bool:
    text, rest = tag.string, tag[3].rstrip()
    if tag[1]:
        return tag[2].lower() in opened or not text[tag.end() : tag.end() + 50].strip()
    before, after = text[max(0, tag.start() - 1) : tag.start()], text[tag.end() : tag.end() + 1]
    return "=" in rest or rest == "/" or (after.isalnum() and not before.isalnum())


def article_blocks(markup: str, *, title: str = "", length: int = 5000) -> list[str]:
    """Return the text of each paragraph that belongs to the article, until `length` is reached.

    A text without markup is taken as it is; blank lines part its paragraphs.

    Left out are captions, credits, bylines, cross-heads, lists of links, requests to share or to
    read on, and a paragraph that only repeats the title.
    """
    if has_markup(markup):
        blocks = _blocks(markup)
    else:
        paragraphs = re.split(r"\n[ \t\r]*+\n", markup)
        blocks = (_Block(pieces=[text]) for text in paragraphs)
    bare_title = _bare(title)
    found: list[str] = []
    for block in blocks:
        text = _without_credit(_without_credit(block.text))
        is_appendix = found and _APPENDIX.match(text) and not _SENTENCE_END.search(text)
        if not is_appendix and not _is_aside(block, text, bare_title):
            found.append(text)
            length -= len(text)
        if length < 0:
            break
    return found


def _blocks(markup: str) -> Iterator[_Block]:
    """Yield the blocks in their order; the walk goes through each element once."""
    parser = etree.HTMLParser(recover=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(f"<div>{with_fewer_attributes(markup)}</div>", parser)
    except (etree.XMLSyntaxError, ValueError):
        return
    if root is None:
        return
    length = sum(map(len, root.itertext()))
    block, linking, listed, cells, skipped = _Block(), 0, 0, 0, None
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        tag = str(element.tag)
        step = 1 if event == "start" else -1
        if event == "start" and (tag in _NO_PROSE or _is_called_aside(element, length)):
            walk.skip_subtree()
            skipped = element
        if element is not skipped:
            linking += step * (tag == "a")
            listed += step * (tag in _LISTED)
            cells += step * (tag in _CELLS)
            if tag in _BLOCKS:
                yield block
                block = _Block(is_listed=listed > 0, is_cell=cells > 0)
        if event == "end":
            _append(block, element.tail, is_linked=linking > 0)
        elif element is not skipped:
            block.links += tag == "a"
            _append(block, element.text, is_linked=linking > 0)
    yield block


def _append(block: _Block, text: str | None, *, is_linked: bool) -> None:
    if text:
        block.pieces.append(text)
        block.linked += len(text) if is_linked else 0


def _is_called_aside(element: etree._Element, length: int) -> bool:
    """Tell whether its class or id says so; what holds half of the text is the article."""
    names = f"{element.get('class') or ''} {element.get('id') or ''}"[:300]
    if _CALLED_CAPTION.search(names) or not _NO_PROSE_CLASSES.search(names):
        return bool(_CALLED_CAPTION.search(names))
    return 2 * sum(len(text) for text in element.itertext()) < length


def _is_aside(block: _Block, text: str, bare_title: str) -> bool:
    bare = _bare(text)
    if not bare or (bare_title and bare == bare_title):
        return True
    is_sentence = bool(_SENTENCE_END.search(text))
    if block.is_cell and not is_sentence and len(text) < _LONGEST_CELL:
        return True
    # Drupal writes the title, the author and the date before a text.
    is_begun = bare_title and bare.startswith(bare_title) and _DATE_AT_END.search(text)
    if is_begun and len(bare) - len(bare_title) < _LONGEST_HEAD:
        return True
    if block.linked >= 0.8 * len(text) and (
        block.is_listed or (not is_sentence and (block.links > 1 or len(text.split()) < 6))
    ):
        return True
    if _PUBLISHED_IN.search(text, 0, 2 * _LONGEST_ASIDE):
        return True
    if len(text) > _LONGEST_ASIDE:
        return False
    if _CREDIT.match(text) or _PHOTO_BY.match(text) or _CALL_TO_ACTION.match(text):
        return True
    return not is_sentence and bool(
        _BYLINE.match(text)
        or _DATE_LINE.match(text)
        or _WEAK_CALL_TO_ACTION.match(text)
        or _AGENCY.search(text)
    )


def _without_credit(text: str) -> str:
    """Return the text without the credit that is its first sentence; all of it if no more is left.

    What is left has to be a sentence, so that a longer credit stays one.
    """
    start = text[:_LONGEST_CREDIT]
    if closing := _BRACKETS.get(text[:1]):
        end = start.find(closing) + 1
        credit, rest = start[1 : max(0, end - 1)], text[end:].lstrip(" .:-\u2013\u2014")
        is_agency = bool(_AGENCY.fullmatch(start[:end]))
    elif found := _CREDIT_END.search(start):
        credit, rest, is_agency = start[: found.start()], text[found.end() :], False
    else:
        return text
    is_left = len(rest.split()) >= (3 if _SENTENCE_END.search(rest) else _FEWEST_WORDS)
    is_credit = is_agency or _CREDIT.match(credit) or _is_of_names(credit)
    return rest if is_credit and is_left and not _RIGHTS.match(rest) else text


def _is_of_names(credit: str) -> bool:
    """Tell it from a sentence such as “Photos by Ada Quay show the flood”, by the small letters."""
    words = [word.strip(",") for word in credit.split()]
    if any(word[:1].islower() and word not in _SMALL_IN_NAMES for word in words[1:]):
        return False
    bare = credit.replace(".", "")
    is_name_alone = len(words) <= _MOST_NAME_WORDS and (
        _AGENCY.search(bare) or (len(words) > 2 and _BYLINE.match(bare))
    )
    return bool(_PHOTO_BY.match(bare) or is_name_alone)


def _bare(text: str) -> str:
    """Return the letters and digits alone, to compare a paragraph with the title."""
    return _LETTERS_AND_DIGITS.sub("", text).casefold()
