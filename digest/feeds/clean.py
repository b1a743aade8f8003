"""Turn a publisher's markup and URLs into plain text and canonical URLs that are safe to print."""

from __future__ import annotations

import html
import re
import unicodedata
from hashlib import sha256
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

import nh3

TITLE_LENGTH = 300
SUMMARY_LENGTH = 500
NAME_LENGTH = 80
URL_LENGTH = 2000

# More markup than this is never needed for a text of the lengths above.
_MARKUP_LENGTH = 50_000
# Feeds that escape twice or three times are common; deeper nesting is somebody's joke.
_ROUNDS = 5
# Without a space in its place, the end of one paragraph would run into the next.
_BLOCK_TAG = re.compile(
    r"<(?=/?(?:p|div|br|hr|li|ul|ol|dl|dt|dd|h[1-6]|tr|td|th|table|blockquote|figure|figcaption"
    r"|section|article|header|footer|pre)\b)",
    re.IGNORECASE,
)
_ESCAPED_AMPERSAND = re.compile(r"&(?:amp;|#38;|#x26;)+", re.IGNORECASE)
# Invisible characters that reorder or hide text: soft hyphen, zero-width space, bidi embeddings,
# overrides and isolates, invisible operators, byte order mark, interlinear annotation. The
# joiners (200C, 200D) are part of Persian words and of emoji, and stay.
_INVISIBLE = re.compile(
    r"[\u00ad\u180e\u200b\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
# What blog software puts after a summary.
_TAIL = re.compile(
    r"(?:\s*(?:"
    r"The post .{1,300}? (?:first )?appeared (?:first )?on .{1,100}"
    r"|(?:Continue reading|Read (?:more|on)|Read the full (?:story|article)|Keep reading)"
    r"(?:\s*(?:…|\.\.\.|→|»|>+)|\s*$)"
    r"|\[?(?:…|\.\.\.)\]"
    r"))+\s*$",
    re.IGNORECASE,
)

# Followed by a capital or a script without capitals, so that "U.S. exports" is no end.
_SENTENCE_END = re.compile(r"(?:[.!?…؟][\"'”’»)]*(?=\s+[^a-z\s]|\s*$)|[。！？]+)")  # noqa: RUF001

# Parameters that say where a click came from, and never which page is meant.
_TRACKING = re.compile(
    r"fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|twclid|ttclid|igshid|"
    r"li_fat_id|mc_cid|mc_eid|mkt_tok|vero_id|oly_anon_id|oly_enc_id|rb_clickid|s_cid|"
    r"icid|cid_source|cmp|cmpid|cmp_id|smid|smtyp|smprod|partner|ftag|ftcamp|sref|"
    r"spref|taid|rss|ref_src|ref_url|referringsource|traffic_source|wt\.mc_id|xtor|"
    r"intcid|ncid|ocid|ito|campaign_id|ga_source|sr_share|guccounter|guce_referrer|"
    r"guce_referrer_sig|__twitter_impression|feature_source"
    r"|(?:utm|at|ns|mtm|pk|piwik|hsa|stm|itm)_.*|_hs.*",
    re.IGNORECASE,
)
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def plain_text(markup: str) -> str:
    """The text of the markup on one line: no tags, no entities, no control characters.

    Safe to print wherever it is escaped once; cleaning it again changes nothing.
    """
    text = markup[:_MARKUP_LENGTH]
    for _ in range(_ROUNDS):
        before, text = text, _one_round(text)
        if text == before:
            return text
    return _visible(re.sub(r"[<>&]", " ", text))


def _one_round(text: str) -> str:
    text = _ESCAPED_AMPERSAND.sub("&", _visible(text))
    if "<" in text:
        text = nh3.clean(_BLOCK_TAG.sub(" <", text), tags=set())
    return _visible(html.unescape(text))


def _visible(text: str) -> str:
    """Whitespace folded; controls, lone surrogates and invisible characters off; NFC."""
    text = _INVISIBLE.sub("", " ".join(text.split()))
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs"))
    return " ".join(unicodedata.normalize("NFC", text).split())


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, cut between words, with an ellipsis for what is missing."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    # A text without spaces (Chinese, Thai, a URL) is cut where it must be.
    if not text[limit - 1].isspace() and " " in cut[limit // 2 :]:
        cut = cut[: cut.rindex(" ")]
    return cut.rstrip(" ,;:\u2013\u2014-") + "…"


def title(markup: str) -> str:
    return shorten(plain_text(markup), TITLE_LENGTH)


def name(markup: str, limit: int = NAME_LENGTH) -> str:
    """The name of an author or an outlet."""
    return shorten(plain_text(markup), limit)


def summary(markup: str, *, title: str = "") -> str:
    """The summary without the tail that blog software adds; empty if it only repeats the title."""
    # What is longer loses its tail anyway.
    text = shorten(plain_text(markup), 4 * SUMMARY_LENGTH)
    bare = _TAIL.sub("", text).rstrip()
    if bare and bare != text and bare[-1] not in ".!?…。”\"'»":
        bare += "…"
    return "" if bare.casefold() == title.casefold() else shorten(bare, SUMMARY_LENGTH)


def lead(text: str, *, limit: int = 320) -> str:
    """The first whole sentences of the text that fit; a first one that is longer is cut."""
    end = 0
    for match in _SENTENCE_END.finditer(text):
        if match.end() > limit:
            break
        end = match.end()
    return text[:end] or shorten(text, limit)


def web_url(url: str, *, base: str = "") -> str:
    """The absolute http(s) URL in its normal form, or an empty string if it is none.

    Lower-case host in its ASCII form, no user, default port or fragment; at most URL_LENGTH long.
    """
    url = url.strip()
    try:
        parts = urlsplit(urljoin(base, url) if base and url else url)
        netloc = _netloc(parts)
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
        query = quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    except ValueError:
        return ""
    if not netloc:
        return ""
    result = urlunsplit((parts.scheme.lower(), netloc, path, query, ""))
    return result if len(result) <= URL_LENGTH else ""


def _netloc(parts: SplitResult) -> str:
    """Host and port in their normal form; empty if there is no usable host."""
    scheme = parts.scheme.lower()
    host = (parts.hostname or "").rstrip(".").lower()
    if scheme not in _DEFAULT_PORTS:
        return ""
    if ":" in host:
        host = f"[{host}]" if re.fullmatch(r"[0-9a-f:.]+", host) else ""
    else:
        host = host if host.isascii() else host.encode("idna").decode("ascii")
        host = host if _HOST.fullmatch(host) else ""
    port = parts.port
    return f"{host}:{port}" if host and port not in (None, _DEFAULT_PORTS[scheme]) else host


def canonical_url(url: str, *, base: str = "") -> str:
    """The URL that identifies the page: `web_url` without its tracking parameters."""
    parts = urlsplit(web_url(url, base=base))
    kept = [pair for pair in parts.query.split("&") if not _is_tracking(pair)]
    return urlunsplit(parts._replace(query="&".join(kept)))


def _is_tracking(pair: str) -> bool:
    return bool(_TRACKING.fullmatch(pair.partition("=")[0]))


def identity(url: str) -> str:
    """SHA-256 of the canonical URL; http or https, with `www.` or a final slash or without."""
    bare = re.sub(r"^https?://(?:www\.)?", "", canonical_url(url)).rstrip("/")
    return sha256(bare.encode()).hexdigest()


def guid_key(guid: str, *, feed_url: str) -> str:
    """SHA-256 of the feed's own id for an entry; empty if it has none.

    An id that is no URI, such as 4711, means something only beside the feed's host.
    """
    guid = plain_text(guid)
    if not guid:
        return ""
    scope = "" if re.match(r"(?:https?|tag|urn):", guid) else urlsplit(feed_url).netloc
    return sha256(f"{scope} {guid}".encode()).hexdigest()
