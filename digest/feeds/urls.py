"""Bring a publisher's URLs into one form, in which they are safe to print and can be compared."""

from __future__ import annotations

import re
from collections.abc import Collection
from hashlib import sha256
from urllib.parse import SplitResult, parse_qs, quote, urljoin, urlsplit, urlunsplit

from digest.feeds.sanitise import plain_text
from digest.feeds.tracking import is_tracking

URL_LENGTH = 2000

# Pages that only lead on, and the parameters in which they name the page that is meant.
_REDIRECTORS = {
    ("www.google.com", "/url"): ("url", "q"),
    ("www.bing.com", "/news/apiclick.aspx"): ("url",),
}
_SESSION = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")
# A whole link where only its URL belongs.
_ANCHOR = re.compile(r"""<a\b[^<>]*?\bhref\s*+=\s*+["']?([^"'<>\s]++)""", re.IGNORECASE)
# What feeds write where they have no link, and where a template has left a value out.
_NO_LINK = re.compile(
    r"(?:n/?a|none|null|nil|undefined|false|tbd|-|#.*|about:blank|(?:javascript|mailto|tel|data):.*"
    r"|(?:\{[{%]|<%|\$\{|\[%|%[a-z_]+%).*|h?t{1,3}ps?:/*)?",
    re.IGNORECASE,
)
_SCHEMES = re.compile(r"(?:h?t{1,3}+p(?:s)?+(?:[:;]/*+|//++))++", re.IGNORECASE)
_TWO_URLS = re.compile(
    r"https?://(?:www\.)?([^/?#:]{1,250}?)(/?)(?P<second>https?://(?:www\.)?([^/?#:]{1,250}+))",
    re.IGNORECASE,
)
_NO_HOSTS = frozenset({
    "n", "na", "none", "null", "undefined", "http", "https", "www", "localhost", "127.0.0.1",
})  # fmt: skip
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
    url = re.sub(r"[\r\n\t]++ *+", "", url.strip()).replace("&amp;", "&")
    if anchor := _ANCHOR.search(url):
        url = anchor[1]
    url = url.strip("<>\"'“”„«» ")
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
    named = (urlsplit(absolute).hostname or "").removeprefix("www.")
    if not absolute or (named in _NO_HOSTS and named != host):
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


def fragment(url: str) -> str:
    """Return what follows the URL's `#`, quoted as `web_url` quotes; empty if it is tracking."""
    found = quote(url.strip().partition("#")[2], safe="/%:@!$&'()*+,;=~?")
    return "" if is_tracking(found.partition("=")[0]) else found


def canonical_url(url: str, *, base: str = "", keep: Collection[str] = ()) -> str:
    """Return the URL that identifies the page: `web_url` without its tracking parameters.

    `keep` has the names, in lower case, of those that the publisher uses for something else. A
    route of a page of JavaScript, such as `#!/story/7`, is part of the URL.
    """
    found = _destination(web_url(url, base=base))
    parts = urlsplit(found)
    kept = [
        pair
        for pair in parts.query.split("&")
        if not is_tracking(name := pair.partition("=")[0]) or name.lower() in keep
    ]
    route = fragment(url) if found else ""
    result = urlunsplit(
        parts._replace(
            path=_SESSION.sub("", parts.path),
            query="&".join(kept),
            fragment=route if route.startswith(("/", "!")) else "",
        )
    )
    return result if len(result) <= URL_LENGTH else ""


def _destination(url: str) -> str:
    """Return the page that a redirecting page leads to, if its own URL names it."""
    parts = urlsplit(url)
    if not (names := _REDIRECTORS.get((parts.netloc, parts.path))):
        return url
    values = parse_qs(parts.query, errors="replace")
    found = (web_url(value) for name in names for value in values.get(name, ()))
    return next(filter(None, found), url)


def tracking_parameters(url: str) -> dict[str, str]:
    """Return the values of the URL's tracking parameters, by their names in lower case."""
    pairs = (pair.partition("=") for pair in urlsplit(web_url(url)).query.split("&"))
    return {name.lower(): value for name, _, value in pairs if is_tracking(name)}


def identity(url: str) -> str:
    """Return the identity of the page at the URL."""
    return identity_of(canonical_url(url))


def identity_of(canonical: str) -> str:
    """Return the SHA-256 of a canonical URL without its scheme, `www.` and final slash."""
    return sha256(bare(canonical).encode()).hexdigest()


def bare(canonical: str) -> str:
    return re.sub(r"^https?://(?:www\.)?", "", canonical).rstrip("/")


def guid_key(guid: str, *, feed_url: str) -> str:
    """Return the SHA-256 of the feed's own id for an entry; empty if it has none.

    An id that is no URI, such as 4711, is unique only on the feed's host, so that is hashed too.
    """
    guid = plain_text(guid)
    if not guid:
        return ""
    scope = "" if re.match(r"(?:https?|tag|urn):", guid) else urlsplit(feed_url).netloc
    return sha256(f"{scope} {guid}".encode()).hexdigest()
