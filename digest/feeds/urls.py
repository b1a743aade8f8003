"""Bring a publisher's URLs into one form, in which they are safe to print and can be compared."""

from __future__ import annotations

import re
from hashlib import sha256
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from digest.feeds.sanitise import plain_text

URL_LENGTH = 2000

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
# What feeds write where they have no link, and where a template has left a value out.
_NO_LINK = re.compile(
    r"(?:n/?a|none|null|nil|undefined|false|tbd|-|#.*|about:blank|(?:javascript|mailto|tel|data):.*)?",
    re.IGNORECASE,
)
_SCHEMES = re.compile(r"(?:h?t{1,3}+p(?:s)?+(?:[:;]/*+|//++))++", re.IGNORECASE)
_TWO_URLS = re.compile(
    r"https?://(?:www\.)?([^/?#:]{1,250}?)(/?)(?P<second>https?://(?:www\.)?([^/?#:]{1,250}+))",
    re.IGNORECASE,
)
_NO_HOSTS = frozenset({"n", "na", "none", "null", "undefined", "http", "https", "www"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


def web_url(url: str, *, base: str = "") -> str:
    """Return the absolute http(s) URL in its normal form, or an empty string if it is none.

    The host is in lower case and ASCII. The URL has no user, default port or fragment, and at most
    URL_LENGTH characters.
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


def mended_url(url: str, *, base: str = "") -> str:
    """Return the absolute URL that a careless link means, with its fragment; empty if none.

    A scheme may be missing (`www.example.com/a`), doubled (`http://https://…`) or misspelt, and
    what stands there instead of a link (`N/A`, `#`) is none.
    """
    url = re.sub(r"[\r\n\t]", "", url.strip()).replace("&amp;", "&")
    if _NO_LINK.fullmatch(url):
        return ""
    host = (urlsplit(web_url(base)).hostname or "").removeprefix("www.")
    if scheme := _SCHEMES.match(url):
        # The last of several is the one that the publisher's own system has written.
        last = "https" if re.search(r"https[:;/]*+$", scheme[0], re.IGNORECASE) else "http"
        url = f"{last}://{url[scheme.end() :]}"
    elif url.lower().startswith("www.") or (host and url.lower().startswith(f"{host}/")):
        url = f"https://{url}"
    absolute = web_url(_without_first_of_two(url), base=base)
    if not absolute or urlsplit(absolute).hostname in _NO_HOSTS:
        return ""
    fragment = url.partition("#")[2]
    return f"{absolute}#{fragment}" if fragment else absolute


def _without_first_of_two(url: str) -> str:
    """Return the second URL where a template has put the site's own URL before a whole one."""
    found = _TWO_URLS.match(url)
    same_site = found and (not found[2] or found[4].lower() == found[1].lower())
    return url[found.start("second") :] if found and same_site else url


def _netloc(parts: SplitResult) -> str:
    """Return host and port in their normal form; empty if there is no usable host."""
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
    """Return the URL that identifies the page: `web_url` without its tracking parameters."""
    parts = urlsplit(web_url(url, base=base))
    kept = [pair for pair in parts.query.split("&") if not _is_tracking(pair)]
    return urlunsplit(parts._replace(query="&".join(kept)))


def _is_tracking(pair: str) -> bool:
    return bool(_TRACKING.fullmatch(pair.partition("=")[0]))


def identity(url: str) -> str:
    """Return the SHA-256 of the canonical URL without its scheme, `www.` and final slash."""
    bare = re.sub(r"^https?://(?:www\.)?", "", canonical_url(url)).rstrip("/")
    return sha256(bare.encode()).hexdigest()


def guid_key(guid: str, *, feed_url: str) -> str:
    """Return the SHA-256 of the feed's own id for an entry; empty if it has none.

    An id that is no URI, such as 4711, is unique only on the feed's host, so that is hashed too.
    """
    guid = plain_text(guid)
    if not guid:
        return ""
    scope = "" if re.match(r"(?:https?|tag|urn):", guid) else urlsplit(feed_url).netloc
    return sha256(f"{scope} {guid}".encode()).hexdigest()
