"""Make free text safe for a page that is cut at placeholders."""

from __future__ import annotations

import re

from subscribers.plumbing.characters import without_bidi_controls

# Control characters mean nothing in a mail. Controls of the writing direction go as well: they
# affect the text after their own story, and Arabic and Hebrew are displayed correctly without them.
_UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufff9-\ufffc\ud800-\udfff]")
_PLACEHOLDER_LIKE = re.compile(r"__(?=[A-Z])")
# Letters and digits with single spaces between: most names of readers, in any script.
_WORDS = re.compile(r"[^\W_]++(?: [^\W_]++)*+")
_WORD_JOINER = "\u2060"


def single_line(text: str) -> str:
    """Return `text` on one line, without controls or anything that looks like a placeholder."""
    if _WORDS.fullmatch(text):
        return text
    text = _UNWANTED.sub(" ", without_bidi_controls(text))
    return " ".join(_PLACEHOLDER_LIKE.sub(f"_{_WORD_JOINER}_", text).split())


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of `text`, each on a line of its own (`single_line`).

    Blank lines separate paragraphs; in a text without blank lines each line is a paragraph.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    blocks = re.split(r"\n\s*\n", text) if re.search(r"\n\s*\n", text) else text.split("\n")
    return [line for block in blocks if (line := single_line(block))]


def escape_placeholders(url: str) -> str:
    """Return the same URL with nothing in it that looks like a placeholder."""
    return _PLACEHOLDER_LIKE.sub("%5F%5F", url)
