"""Propose the two lines that an inbox shows, subject and preheader, from the headlines.

A headline is cut only where a sentence or a clause ends, and only if what stays says the news. A
whole headline that is too long for some inboxes is better than one that lost its point.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from unicodedata import east_asian_width

# A phone shows 35 to 45 characters of a subject and a desktop 60 to 70; the preheader fills the
# rest of the line, or the second one. Chinese or Japanese characters are twice as wide.
SUBJECT_WIDTH = 70
PREHEADER_WIDTH = 110
# What the fields hold (Edition.subject, Edition.preheader), in characters.
LONGEST_SUBJECT = 150
LONGEST_PREHEADER = 200
# So many subjects of earlier editions a new one should not resemble.
REMEMBERED = 7
PROPOSALS = 3
_BETWEEN = " · "
# Characters of a headline that are looked at; the model's field has no more.
_LOOKED_AT = 300
# Of the words of the shorter line, so many are in the other one as well: it says the same.
_SAME_WORDS = 0.7

_BOUNDARY = re.compile(
    r"(?P<sentence>[.!?؟][\"'”’»)]?(?=\s)|[。！？])"  # noqa: RUF001
    r"|(?P<semicolon>[;؛](?=\s)|；)"  # noqa: RUF001
    r"|(?P<colon>[:](?=\s)|：)"  # noqa: RUF001
    r"|(?P<dash>\s[\u2013\u2014-](?=\s)|——)"
    r"|(?P<pipe>\s[|｜](?=\s))"  # noqa: RUF001
    r"|(?P<bracket>\s[(\[]|（)"  # noqa: RUF001
    r"|(?P<comma>[,،](?=\s)|，)"  # noqa: RUF001
)
# After one of these, a comma opens a clause that adds to the news. Those that limit it ("if",
# "unless", "but", "dass") are not here, nor those that may stand in the middle of a sentence.
_ADDS = re.compile(
    r"(?:as|after|while|because|although|though|amid|following|despite|even as|hours after"
    r"|days after|weeks after|marking|raising|prompting|sparking|leaving"
    r"|weil|nachdem|während|obwohl|da|als|wobei|wodurch|woraufhin|trotz|wie"
    r"|alors que|après|tandis que|car|parce que|puisque|lorsque|bien que|malgré|pendant que"
    r"|mientras|porque|ya que|aunque|tras|después de|pese a|dejando|lo que"
    r"|mentre|perché|poiché|dopo|nonostante|enquanto|após|embora|apesar|terwijl|nadat|omdat"
    r"|فيما|بينما|بعد|وسط|رغم|عقب|حيث)\s",
    re.IGNORECASE,
)
# An explainer after a colon or a dash is not the news itself.
_EXPLAINS = re.compile(
    r"(?:and |und |et |y )?(?:what|who|why|how|where|here.s|all you need|everything"
    r"|was|wer|warum|wieso|wie|wo|ce que|ce qu.on|qui|pourquoi|comment|où"
    r"|qué|que se sabe|lo que|quién|por qué|cómo|dónde|ماذا|ما الذي|كيف|لماذا|من هو)\b",
    re.IGNORECASE,
)
# Who says it is part of the news: without it, a claim would be told as a fact.
_SAYS = re.compile(
    r"\b(?:says?|said|reports?|reported|claims?|claimed|according|officials|police|sources|sagen"
    r"|sagt|sagte|laut|zufolge|meldet|berichtet|dit|disent|selon|affirme|annonce|d.après|dice"
    r"|dicen|según|afirma|asegura|segundo|diz|secondo|volgens|zegt)\b"
    r"|قال|قالت|وفق|بحسب|مصادر|表示|称|报道",
    re.IGNORECASE,
)
_ABBREVIATED = re.compile(
    r"(?:^|[\s(])(?:[A-Za-z]|\w\.\w|\d{1,4}|Mr|Mrs|Ms|Dr|Prof|St|No|Nr|vs|ca|bzw|Gen|Sen|Gov|Rep"
    r"|Lt|Col|Jr|Sr|Inc|Co|Ltd|Mme|Sra?|Dra?)$"
)
_PAIRS = ("()", "[]", "“”", "„“", "«»", "‹›", "（）", "「」", "《》")  # noqa: RUF001
_CLOSES = {pair[0]: pair[1] for pair in _PAIRS}
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_WORD = re.compile(r"\w+")


def width(text: str) -> int:
    """Return how wide the text is in an inbox, in Latin characters."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def propose_subjects(
    headlines: Sequence[str], *, fallback: str, earlier: Sequence[str] = ()
) -> list[str]:
    """Return up to three subjects, the best first, from the headlines in their order.

    The first is the lead's headline: whole if it fits SUBJECT_WIDTH, else its main clause, and
    whole again if it has none. Each fits LONGEST_SUBJECT. One that says what a subject of
    `earlier` said is not proposed, unless there is no other. Without headlines, or if no headline
    fits whole, it is `fallback`.
    """
    found = _unique(_subjects([_one_line(headline) for headline in headlines]))
    unlike = [text for text in found if not any(says_the_same(text, old) for old in earlier)]
    return (unlike or found or [_one_line(fallback)[:LONGEST_SUBJECT]])[:PROPOSALS]


def propose_preheaders(headlines: Sequence[str], *, subject: str, fallback: str) -> list[str]:
    """Return up to three preheaders, the best first; none repeats what the subject says.

    Each has as many whole headlines as fit PREHEADER_WIDTH. Without any, it is `fallback` or its
    first sentence, and there is none if neither fits LONGEST_PREHEADER.
    """
    lines = [_one_line(headline) for headline in headlines]
    new = [line for line in lines if not _is_part_of(line, subject)]
    short = [text for line in new if (text := _shortened(line, PREHEADER_WIDTH, LONGEST_PREHEADER))]
    short = short[:5]
    found = _unique([_joined(short), *short[:1], _joined(short[1:]), *short[1:]])
    if found:
        return found[:PROPOSALS]
    promise = _shortened(_one_line(fallback), PREHEADER_WIDTH, LONGEST_PREHEADER)
    return [promise] if promise else []


def says_the_same(one: str, other: str) -> bool:
    """Whether most words of the shorter line are in the other one."""
    mine, theirs = _words(one), _words(other)
    shorter = min(len(mine), len(theirs))
    if shorter < 3:
        return mine == theirs
    return len(mine & theirs) >= _SAME_WORDS * shorter


def _subjects(headlines: Sequence[str]) -> Iterator[str]:
    short = [_shortened(line, SUBJECT_WIDTH, LONGEST_SUBJECT) for line in headlines[:4]]
    yield from short[:2]
    for other in short[1:]:
        both = f"{short[0]}{_BETWEEN}{other}"
        if short[0] and other and width(both) <= SUBJECT_WIDTH:
            yield both
            break
    yield from (line for line in headlines[:1] if len(line) <= LONGEST_SUBJECT)
    yield from short[2:]


def _joined(lines: Sequence[str]) -> str:
    """Return the first line, with the next one that fits beside it."""
    both = (f"{lines[0]}{_BETWEEN}{line}" for line in lines[1:])
    alone = lines[0] if lines else ""
    return next((text for text in both if width(text) <= PREHEADER_WIDTH), alone)


def _shortened(line: str, ideal: int, most: int) -> str:
    """Return the line if it fits, else what says its news and fits, else the whole line.

    Empty if even its clauses have more than `most` characters, or it ends in an ellipsis.
    """
    if line.endswith(("…", "...")):
        return ""
    if width(line) <= ideal and len(line) <= most:
        return line
    clauses = list(_main_clauses(line, most))
    fitting = [text for text in clauses if width(text) <= ideal]
    if fitting:
        return max(fitting, key=len)
    if len(line) <= most:
        return line
    return max((text for text in clauses if len(text) <= most), key=len, default="")


def _main_clauses(line: str, most: int) -> Iterator[str]:
    """Yield beginnings of the line, up to `most` characters, that are whole and say the news."""
    found = list(_BOUNDARY.finditer(line, 0, most + 2))
    dashes = sum(match.lastgroup == "dash" for match in found)
    for match in found:
        kind = match.lastgroup or ""
        end = match.end() if kind == "sentence" else match.start()
        left, right = line[:end].strip(), line[match.end() : _LOOKED_AT].strip()
        if kind == "dash" and dashes > 1:
            continue
        if right and _is_closed(left) and _says_the_news(kind, left, right):
            # A headline has no full stop.
            yield left.rstrip(".。")


def _says_the_news(kind: str, left: str, right: str) -> bool:
    if kind == "sentence":
        is_statement = not set("?؟？") & set(left)  # noqa: RUF001
        ends = left[-1] in "。！" or not right[:1].islower()  # noqa: RUF001
        is_short = _ABBREVIATED.search(left[:-1][-12:])
        return is_statement and ends and not is_short and _size(left) >= 5
    if kind in {"semicolon", "pipe"}:
        return _size(left) >= 4
    if kind == "bracket":
        return _size(left) >= 4 and right[-1] in ")]）"  # noqa: RUF001
    if _size(left) < 5:
        return False
    if _EXPLAINS.match(right) and kind != "comma":
        return True
    if kind == "colon" or _SAYS.search(right):
        return False
    if kind == "dash":
        return _size(right) >= 5
    return bool(_CJK.search(left) or (_ADDS.match(right) and not _ADDS.match(left)))


def _is_closed(text: str) -> bool:
    """Whether each quote and bracket that the text opens is closed in it."""
    if text.count('"') % 2 or len(re.findall(r"(?<!\w)['‘]", text)) > len(  # noqa: RUF001
        re.findall(r"['’](?!\w)", text)  # noqa: RUF001
    ):
        return False
    waiting: list[str] = []
    for character in text:
        if waiting and character == waiting[-1]:
            waiting.pop()
        elif character in _CLOSES:
            waiting.append(_CLOSES[character])
    return not waiting


def _size(text: str) -> int:
    """Return how many words the text has; two Chinese or Japanese characters count as one."""
    return max(len(text.split()), len(_CJK.findall(text)) // 2)


def _words(text: str) -> frozenset[str]:
    """Return what the text is compared by: words, and pairs of Chinese or Japanese characters."""
    found: set[str] = set()
    for word in _WORD.findall(text.casefold()):
        if _CJK.search(word):
            found |= {word[index : index + 2] for index in range(max(len(word) - 1, 1))}
        elif len(word) > 2 or word.isdigit():
            found.add(word)
    return frozenset(found)


def _is_part_of(line: str, subject: str) -> bool:
    words = _words(line)
    if not words:
        return line == subject
    return says_the_same(line, subject) or len(words & _words(subject)) >= _SAME_WORDS * len(words)


def _unique(lines: Sequence[str] | Iterator[str]) -> list[str]:
    return list(dict.fromkeys(line for line in lines if line))


def _one_line(text: str) -> str:
    return " ".join(text.split())
