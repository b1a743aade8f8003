"""Tell a text's language from what its publisher declares.

A declaration is often wrong: software has one, and nobody changes it. What a text's script rules
out does not count.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping

# The longest that `tag` returns: zh-Hant-TW, and a code of three letters instead of two.
MAX_LENGTH = 12
# RFC 5646, section 4.4.1: software need not take longer ones.
_MAX_DECLARED = 35
# RFC 5646, section 2.1, with the underline that many write for the hyphen. What follows language,
# script and region is left out.
_TAG = re.compile(
    r"([a-z]{2,3})(?:[-_][a-z]{3}(?![a-z0-9])){0,3}+(?:[-_]([a-z]{4})(?![a-z0-9]))?+"
    r"(?:[-_]([a-z]{2}|[0-9]{3})(?![a-z0-9]))?+(?:[-_][a-z0-9]{1,8}+)*+",
    re.IGNORECASE,
)
# ISO 639-1. Other codes of two letters are of countries ("jp"), or nobody's.
_ISO_639_1 = (
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da"
    " de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy"
    " hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg"
    " li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or"
    " os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv sw"
    " ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
_TWO_LETTERS = frozenset(_ISO_639_1.split())
# Former codes, and codes of three letters where there is one of two.
_LONGER = (
    "iw:he in:id ji:yi eng:en deu:de ger:de fra:fr fre:fr spa:es por:pt ita:it nld:nl dut:nl rus:ru"
    " ukr:uk pol:pl tur:tr ara:ar fas:fa per:fa heb:he hin:hi jpn:ja kor:ko zho:zh chi:zh"
)
_SHORTER = dict(pair.split(":") for pair in _LONGER.split())
# Undetermined, several, none, without a code.
_NO_LANGUAGE = {"und", "mul", "zxx", "mis"}

# The scripts besides the Latin one in which there is news: where their letters begin and end, and
# the languages that are written in them.
_SCRIPTS: Mapping[str, tuple[tuple[tuple[int, int], ...], str]] = {
    "Greek": (((0x370, 0x3FF), (0x1F00, 0x1FFF)), "el"),
    "Cyrillic": (
        ((0x400, 0x52F),),
        "ru uk be bg mk sr bs sh kk ky tg mn tt ba cv os ce ab av kv cu uz az tk rue sah",
    ),
    "Armenian": (((0x530, 0x58F),), "hy"),
    "Hebrew": (((0x590, 0x5FF),), "he yi"),
    "Arabic": (
        ((0x600, 0x6FF), (0x750, 0x77F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFE)),
        "ar fa ur ps ku ckb sd ug ks pa az ha prs pnb arz ary",
    ),
    "Devanagari": (((0x900, 0x97F),), "hi mr ne sa ks sd kok mai bho"),
    "Bengali": (((0x980, 0x9FF),), "bn as"),
    "Gurmukhi": (((0xA00, 0xA7F),), "pa"),
    "Gujarati": (((0xA80, 0xAFF),), "gu"),
    "Odia": (((0xB00, 0xB7F),), "or"),
    "Tamil": (((0xB80, 0xBFF),), "ta"),
    "Telugu": (((0xC00, 0xC7F),), "te"),
    "Kannada": (((0xC80, 0xCFF),), "kn"),
    "Malayalam": (((0xD00, 0xD7F),), "ml"),
    "Sinhala": (((0xD80, 0xDFF),), "si"),
    "Thai": (((0xE00, 0xE7F),), "th"),
    "Lao": (((0xE80, 0xEFF),), "lo"),
    "Tibetan": (((0xF00, 0xFFF),), "bo dz"),
    "Burmese": (((0x1000, 0x109F),), "my shn mnw"),
    "Georgian": (((0x10A0, 0x10FF),), "ka"),
    "Ethiopic": (((0x1200, 0x137F),), "am ti"),
    "Khmer": (((0x1780, 0x17FF),), "km"),
    "Hangul": (((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF)), "ko"),
    "Kana": (((0x3040, 0x30FF), (0x31F0, 0x31FF)), "ja"),
    # Also in Japanese, together with kana, and in old Korean.
    "Han": (((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)), "zh ja yue wuu"),
}
_LANGUAGES = {script: frozenset(langs.split()) for script, (_, langs) in _SCRIPTS.items()}
_RANGES = sorted(
    (low, high, name) for name, (ranges, _) in _SCRIPTS.items() for low, high in ranges
)
_STARTS = [low for low, _, _ in _RANGES]
# ISO 15924, for the scripts of several languages.
_CODES = {
    "Cyrillic": "Cyrl", "Hebrew": "Hebr", "Arabic": "Arab", "Devanagari": "Deva",
    "Bengali": "Beng", "Tibetan": "Tibt", "Burmese": "Mymr", "Ethiopic": "Ethi", "Han": "Hani",
}  # fmt: skip
# These are written in the Latin script, too. All languages that no script above has are.
_ALSO_LATIN = frozenset(("sr", "bs", "sh", "uz", "az", "kk", "tk", "tt", "ku", "ha"))
# A sign of these scripts stands for about so many letters.
_WEIGHTS = {"Han": 3, "Kana": 2, "Hangul": 2}
# A name in another script is no reason to doubt a declaration, and neither is a short title.
_SHARE = 1 / 3
_MANY_LETTERS = 12
# Japanese headlines without any kana are shorter than this.
_MANY_SIGNS = 8
_MAX_CHARACTERS = 300


def tag(declared: str) -> str:
    """Return a declared language as a BCP 47 tag of language, script and region, such as "pt-BR".

    It is empty for what names no language: "English", "jp", "und", "en, de".
    """
    declared = declared.strip()
    found = _TAG.fullmatch(declared) if len(declared) <= _MAX_DECLARED else None
    if found is None:
        return ""
    lang = found[1].lower()
    lang = _SHORTER.get(lang, lang)
    if lang in _NO_LANGUAGE or (len(lang) == 2 and lang not in _TWO_LETTERS):
        return ""
    parts = (lang, (found[2] or "").title(), (found[3] or "").upper())
    return "-".join(filter(None, parts))


def of_text(text: str, *, declared: str) -> str:
    """Return the declared tag, unless the text's script rules it out; empty if nobody knows.

    `text` is plain; its first 300 characters count. Where the script belongs to one language, that
    is the text's; where it belongs to several, the tag says no more than the script: "und-Cyrl".
    """
    letters = Counter(_script(ord(sign)) for sign in text[:_MAX_CHARACTERS] if sign.isalpha())
    weights = Counter({name: n * _WEIGHTS.get(name, 1) for name, n in letters.items()})
    latin = weights.pop("Latin", 0)
    others = sum(weights.values())
    lang = declared.partition("-")[0]
    if others and others >= _SHARE * (others + latin):
        return _of_script(letters, weights.most_common(1)[0][0], lang, declared)
    scripts = [name for name, langs in _LANGUAGES.items() if lang in langs]
    is_ruled_out = (
        scripts
        and lang not in _ALSO_LATIN
        and latin >= _MANY_LETTERS
        and not any(letters[name] for name in scripts)
    )
    return "" if is_ruled_out else declared


def _of_script(letters: Mapping[str, int], script: str, lang: str, declared: str) -> str:
    if script == "Han" and letters.get("Kana", 0) > 1:
        script = "Kana"
    if lang in _LANGUAGES[script]:
        return declared
    if len(_LANGUAGES[script]) == 1:
        return next(iter(_LANGUAGES[script]))
    if script == "Han" and letters["Han"] >= _MANY_SIGNS:
        return "zh"
    return f"und-{_CODES[script]}"


def _script(code: int) -> str:
    at = bisect_right(_STARTS, code) - 1
    return _RANGES[at][2] if at >= 0 and code <= _RANGES[at][1] else "Latin"
