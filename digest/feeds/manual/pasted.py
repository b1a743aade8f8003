"""Find the article in a text that was copied from a web page, menus and all."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from digest.feeds import sanitise
from digest.shorten import truncate, truncate_at_sentence

# A longer line is a paragraph of its own; shorter lines may be one hard-wrapped paragraph.
LONG_LINE = 130
# A paragraph has at least this many characters, or stands beside one that has.
MIN_PARAGRAPH_LENGTH = 60

_BLOCK_TAG = re.compile(
    r"</?(?:p|div|h[1-6]|[uo]l|li|br|article|section|nav|header|footer|figure|figcaption)\b[^<>]*>",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?…:؟][\"'”’»)\]]*$|[。！？][」』”]*$")  # noqa: RUF001
_BULLET = re.compile(r"^\s*[•·*|>»›▸■◦\-\u2013\u2014]\s*")  # noqa: RUF001
_BYLINE = re.compile(r"^(?:By|Von|Par|Por|Di|Door)[:\s]+(?P<name>[^\W\d_][^.!?]{2,80})$")
_DATE_LINE = re.compile(
    r"^(?:(?:first\s+)?(?:published|updated|posted|last\s+(?:modified|updated))\b.*"
    r"|(?:\w+day,?\s+)?(?:\d{1,2}\.?\s+\w+|\w+\s+\d{1,2}),?\s+\d{4}\b.*"
    r"|\d{4}-\d\d-\d\d.*|\d+\s+(?:min(?:ute)?s?|hours?|days?)\s+(?:read|ago))$",
    re.IGNORECASE,
)
_CREDIT = re.compile(
    r"(?:^|[.!?)\s|(\[])\(?(?:(?:photo(?:graph)?|image|picture|foto|bild|illustration)"
    r"(?:\s+(?:credit|courtesy(?:\s+of)?|source|by|via))?|source|credits?|quelle)"
    r"\s*:\s*(?P<credit>[^)\]]{2,200})",
    re.IGNORECASE,
)
_AGENCY = re.compile(
    r"(?P<credit>(?:(?<![\w.\- ])[\w.\- ]{2,40}/\s?)?"
    r"(?:Getty Images|AP Photo|Reuters|AFP|EPA|Shutterstock|Wikimedia Commons|Unsplash)"
    r"(?:/[\w.\- ]{2,40})?)\)?\.?$"
)
# Requests of a site to its reader, at the start of a line …
_CALL_TO_ACTION = re.compile(
    r"^[^\w\n]*+(?:sign (?:up|in)\b|log ?in\b|subscribe\b|register (?:now|for)|follow us"
    r"|share (?:this|on)|click here|tap here|read (?:more|also|next)|also read"
    r"|related (?:articles?|stories|topics)"
    r"|welcome to|download (?:the|our) app|skip to|back to top|leave a (?:comment|reply)"
    r"|advertisement|sponsored|copyright\b.{0,3}\d|©|get (?:the|our) .*newsletter"
    r"|support (?:us|our)|enter your e-?mail|we use cookies|this (?:site|website) uses)",
    re.IGNORECASE | re.MULTILINE,
)
# … and boilerplate that may stand anywhere in a line that is no sentence.
_BOILERPLATE = re.compile(
    r"\b(?:newsletters?|subscrib\w*|sign (?:up|in)|log ?in|cookies?|privacy policy|terms of"
    r"|all rights reserved|most (?:read|popular)|you may (?:also )?like|more (?:from|stories)"
    r"|recommended|trending|advertisement|enable javascript|your inbox|comments?$)",
    re.IGNORECASE,
)
_MAX_BOILERPLATE_LENGTH = 240
# Chinese, Japanese or Korean characters.
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class NoArticle(Exception):
    """No headline or no text was found; the message says which, and what to do."""


@dataclass(frozen=True)
class PastedArticle:
    """The article that was found: one-line texts, and the paragraphs of its text."""

    title: str
    paragraphs: list[str]
    author: str
    image_credit: str
    image_alt: str

    @property
    def text(self) -> str:
        return "\n\n".join(self.paragraphs)

    @property
    def summary(self) -> str:
        return truncate_at_sentence(" ".join(self.paragraphs[:3]), sanitise.BODY_SUMMARY_LENGTH)


def read_pasted(text: str) -> PastedArticle:
    """Return headline, text, author and photo credit of a pasted article; raise NoArticle.

    The text begins with the first paragraph of prose. The headline is the line before it that is
    repeated most often, then the longest. Menu lines, dates, bylines and captions are recognised
    by their form. After the text begins, short lines count as cross-heads if prose follows them.
    """
    blocks = _blocks(text)
    if not blocks:
        raise NoArticle("There is no text in it.")
    start = next((n for n, block in enumerate(blocks) if _is_prose(block)), len(blocks))
    head, body = blocks[:start], blocks[start:]
    title = _title(head)
    if not title and len(body) > 1 and len(body[0]) <= 200 and _is_title_like(body[0]):
        # A headline that ends with a full stop.
        title, body = body[0], body[1:]
    if not body:
        raise NoArticle(
            "There is no article in it, only short lines such as those of a page's menu."
        )
    if not title:
        raise NoArticle("It has no headline. Put the headline on the first line, above the text.")
    credit, alt = _credit(head, title=title)
    return PastedArticle(
        title=sanitise.title(title),
        paragraphs=_paragraphs(body, title=title),
        author=_author(head),
        image_credit=credit,
        image_alt=alt,
    )


def _blocks(text: str) -> list[str]:
    """Return cleaned paragraphs and single lines, without the site's boilerplate."""
    text = _BLOCK_TAG.sub("\n\n", text)
    has_long_lines = any(len(line) > LONG_LINE for line in text.splitlines())
    blocks: list[str] = []
    for group in re.split(r"\n\s*\n", "\n".join(text.splitlines())):
        # The lines of a menu or of a sign-up form belong together, so they are judged together.
        if not _is_boilerplate(group):
            blocks += _lines_or_paragraph(group, has_long_lines=has_long_lines)
    kept: list[str] = []
    cut_short = False
    for block in filter(None, map(sanitise.plain_text, blocks)):
        # The second line of a removed sentence is removed with its first.
        is_rest = cut_short and block[0].islower()
        if is_rest or _is_boilerplate(block):
            cut_short = not _SENTENCE_END.search(block)
        else:
            kept.append(block)
            cut_short = False
    return kept


def _lines_or_paragraph(group: str, *, has_long_lines: bool) -> list[str]:
    """Return the group's lines, or one paragraph if they were hard-wrapped."""
    lines = [line for line in group.splitlines() if line.strip()]
    apart = has_long_lines or any(_BULLET.match(line) for line in lines)
    is_wrapped = not apart and len(lines) > 1 and len(max(lines, key=len)) > 50
    return [group] if is_wrapped else lines


def _is_boilerplate(block: str) -> bool:
    """Tell whether the block is boilerplate, such as a menu or a request to sign up.

    Boilerplate is short, so a long block is always prose.
    """
    block = block.strip()
    if len(block) > _MAX_BOILERPLATE_LENGTH:
        return False
    is_sentence = bool(_SENTENCE_END.search(block))
    return bool(_CALL_TO_ACTION.search(block) or (not is_sentence and _BOILERPLATE.search(block)))


def _is_prose(block: str) -> bool:
    """Tell whether it is a paragraph: long enough, ending like a sentence, and no caption."""
    is_long = _weight(block) >= MIN_PARAGRAPH_LENGTH and bool(_SENTENCE_END.search(block))
    return (is_long or _weight(block) > 300) and not _is_caption(block)


def _weight(block: str) -> int:
    """Count the characters, each Chinese, Japanese or Korean one as three.

    It says as much as two or three Latin ones.
    """
    return len(block) + 2 * len(_WIDE.findall(block))


def _is_caption(block: str) -> bool:
    return len(block) <= 300 and bool(_CREDIT.search(block) or _AGENCY.search(block))


def _is_title_like(block: str) -> bool:
    return (
        not (_BULLET.match(block) or _BYLINE.match(block) or _DATE_LINE.match(block))
        and not _is_caption(block)
        and _weight(block) >= 12
    )


def _title(head: Sequence[str]) -> str:
    """Return the line above the text that is most likely the headline, or an empty string."""
    candidates = [block for block in head if _is_title_like(block)]
    if not candidates:
        return ""
    ordered = sorted(block.casefold() for block in head)
    # More than about eight words do not count: a line as long as that is a standfirst.
    return max(candidates, key=lambda c: min(_weight(c) // 6, 8) + 4 * _repeats(c, ordered))


def _repeats(line: str, ordered: Sequence[str]) -> int:
    """Count the ordered lines that begin with this one, without going through all of them."""
    first = line.casefold()
    return bisect_right(ordered, first, key=lambda other: other[: len(first)]) - bisect_left(
        ordered, first
    )


def _credit(head: Sequence[str], *, title: str) -> tuple[str, str]:
    """Return the photo's credit, and its caption unless it only repeats the headline."""
    for block in head:
        found = (_CREDIT.search(block) or _AGENCY.search(block)) if _is_caption(block) else None
        if found:
            caption = block[: found.start()].strip(" .|([-\u2013\u2014")
            is_headline = caption.casefold() == title.rstrip(" .").casefold()
            credit = sanitise.name(found["credit"].strip(" .)]"), 200)
            return credit, "" if is_headline else truncate(caption, 300)
    return "", ""


def _author(head: Sequence[str]) -> str:
    bylines = (match for block in head if (match := _BYLINE.match(block)))
    return next((sanitise.name(match["name"], 200) for match in bylines), "")


def _paragraphs(body: Sequence[str], *, title: str) -> list[str]:
    """Return prose, short sentences after it, and cross-heads with prose below, each once."""
    kept: dict[str, None] = {}
    last_kept = ""
    counts = Counter(block.casefold() for block in body)
    for n, block in enumerate(body):
        prose_follows = n + 1 < len(body) and _is_prose(body[n + 1])
        after_kept = bool(kept) and last_kept == body[n - 1]
        is_line = _is_title_like(block) and counts[block.casefold()] == 1
        is_sentence = bool(_SENTENCE_END.search(block)) and len(block.split()) > 2
        keep = _is_prose(block) or (is_line and after_kept and (is_sentence or prose_follows))
        if keep and block not in kept and block.casefold() != title.casefold():
            kept[block], last_kept = None, block
    return list(kept)
