"""Tell a feed's entries apart, and give each an identity that is the same at the next fetch."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import unquote, urlsplit

from digest.feeds import urls

# Sites whose links and ids for an article are new at each fetch.
_AGGREGATORS = {"news.google.com"}
# Fragments that name an entry of a page, such as `#post-12` and `#block-65a1f0`.
_NAMES_ENTRY = re.compile(
    r"(?:(?:post|entry|item|block|update|message|msg|story|article|news|note|liveblog)[\w.:=-]{0,80}?)?"
    r"\d[\w.:=-]{0,80}",
    re.IGNORECASE,
)
# Fragments that lead to a part of any page.
_PARTS_OF_PAGE = frozenset({
    "top", "main", "content", "comments", "comment", "respond", "disqus_thread", "article", "start",
    "reply", "more", "rss", "player", "gallery", "video",
})  # fmt: skip
# The names of pages on which many entries stand, in the languages of newsletters.
_LISTING_NAMES = """
    home homepage news newsroom latest headlines live liveblog ticker blog blogs feed
    feeds rss archive archives bulletin bulletins alert alerts status update updates notice notices
    announcements press releases events calendar changelog weather traffic today daily
    nachrichten aktuell aktuelles meldungen startseite presse termine wetter neuigkeiten
    actualites actualite accueil infos communiques direct agenda meteo
    noticias actualidad inicio avisos prensa eventos tiempo notas ultimas imprensa tempo
    notizie ultime comunicati nieuws aktuality wiadomosci novosti akhbar
"""
_LISTINGS = frozenset(_LISTING_NAMES.split())
# Pages that show any entry, and do so by an id; without one they say nothing.
_SCRIPTS = frozenset({
    "story", "stories", "article", "articles", "page", "item", "view", "read", "go", "link",
    "click", "post", "show", "detail",
})  # fmt: skip
# Parameters that choose a language or a part of the site, and no entry.
_LISTING_PARAMETERS = frozenset({
    "lang", "language", "locale", "hl", "section", "cat", "category", "rubrik", "topic", "tag",
    "type", "view", "sort", "order", "format", "region", "edition",
})  # fmt: skip
_MOST_LISTING_WORDS = 2
_INDEX = re.compile(r"(?:/|^)(?:index|default)\.\w{2,5}$")
_WORD = re.compile(r"[^\W\d_]++")
_LONG_WORD = re.compile(r"[a-z]{4,}+")
Text = tuple[str, datetime | None]


@dataclass(frozen=True)
class Entry:
    """What identifies an entry; `title` and `outlet` are plain texts, `link` is as it was written.

    `source_url` is a URL of the outlet that the entry comes from, if the feed collects several.
    """

    title: str
    link: str
    guid: str
    published_at: datetime | None
    outlet: str = ""
    source_url: str = ""

    @property
    def text(self) -> Text:
        """What makes two entries two stories, if it differs."""
        return self.title.casefold(), self.published_at


@dataclass(frozen=True)
class Identified:
    """Where an entry leads, and by what it is known.

    `identity` is the story's. `own_identity` is the one that it gets instead if another story of
    the feed turns out to have its URL. `guid` is the key of the feed's id for the entry, empty if
    the feed's ids identify nothing.
    """

    url: str
    identity: str
    own_identity: str
    guid: str
    # The id is more than another spelling of the URL.
    has_own_id: bool


def identify(
    entries: Sequence[Entry], *, feed_url: str, site_url: str = ""
) -> list[Identified | None]:
    """Return what each entry is known by; None for an entry without a usable link.

    A page has one identity, in whichever feed its URL comes. If several entries of this feed have
    one URL, they are told apart by what their publisher uses for it: a parameter that mostly is for
    tracking, the fragment, the id, or at last the title. The same counts for an entry alone, if its
    URL is a page of many entries by its name: the entries beside it may have left the feed.
    `site_url` is the page of the feed itself.
    """
    keep = _meaningful_parameters(entries, base=feed_url)
    pages = [
        urls.canonical_url(each.link, base=feed_url, keep=keep[_page(each, feed_url)])
        for each in entries
    ]
    own_pages = [urls.bare(urls.canonical_url(url)) for url in (site_url, feed_url)]
    leads = _with_fragments(entries, pages, own_pages)
    texts = _texts(entries, leads)
    shared = {url for url, found in texts.items() if len(set().union(*found.values())) > 1}
    by_id = {url for url in shared if _tells_apart(texts[url])}
    scope = urls.bare(feed_url)

    def known_by(entry: Entry, url: str, guid: str) -> Identified:
        has_own_id = bool(guid) and urls.identity(entry.guid) != urls.identity(url)
        by_title = _hash(scope, urls.bare(url), entry.title.casefold())
        own = _hash(scope, guid) if has_own_id else by_title
        if _is_aggregated(entry, url, feed_url=feed_url):
            when = entry.published_at.isoformat() if entry.published_at else ""
            identity = _hash(
                urlsplit(url).netloc, entry.outlet.casefold(), entry.title.casefold(), when
            )
        elif url in shared:
            identity = own if url in by_id else by_title
        elif _is_listing(entry, url, own_pages=own_pages):
            identity = own
        else:
            identity = urls.identity_of(url)
        return Identified(url, identity, own, guid, has_own_id)

    guids = _guids(entries, leads, feed_url=feed_url)
    return [
        known_by(entry, url, guid) if url else None
        for entry, url, guid in zip(entries, leads, guids, strict=True)
    ]


def _hash(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()


def _is_listing(entry: Entry, url: str, *, own_pages: Sequence[str]) -> bool:
    """Tell whether the URL is that of a page with many entries, as far as one entry shows it.

    `own_pages` are the feed's page and the feed, of which the pages above have all entries, too.
    """
    page = urls.bare(url)
    if "#" in url or (entry.guid.startswith("http") and page not in entry.guid):
        return False
    if any(one == page or one.startswith(f"{page}/") for one in own_pages):
        return True
    path, _, query = page.partition("/")[2].partition("?")
    # `/storm/index.html` is the page of `/storm/`.
    last = _INDEX.sub("", path).rpartition("/")[2]
    words = _WORD.findall(last.partition(".")[0].casefold())
    parameters = {pair.partition("=")[0].casefold() for pair in query.split("&") if pair}
    if not _LISTING_PARAMETERS.issuperset(parameters):
        return False
    if any(map(str.isdigit, path + query)) or not 0 < len(words) <= _MOST_LISTING_WORDS:
        return False
    if set(words) & set(_LONG_WORD.findall(_ascii(entry.title))) - _LISTINGS - _SCRIPTS:
        return False
    # An address such as `/wire/` says little, so that the feed's own id must say the rest.
    is_folder = len(words) == 1 < len(last) // 2 and url.partition("?")[0].endswith("/")
    has_own_id = bool(entry.guid) and urls.bare(entry.guid) != page
    is_named = not _LISTINGS.isdisjoint(words) or _SCRIPTS.issuperset(words)
    return is_named or (is_folder and has_own_id)


def _ascii(text: str) -> str:
    """Return the text in small letters and without their accents, as URLs have it."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()


def _meaningful_parameters(entries: Sequence[Entry], *, base: str) -> dict[str, set[str]]:
    """Return the tracking parameters without which two different entries would be one page.

    They are the names for each page: those of one page say nothing of the feed's other pages.
    """
    values: dict[tuple[str, str], dict[str, set[Text]]] = defaultdict(lambda: defaultdict(set))
    for entry in entries:
        if found := urls.tracking_parameters(urls.web_url(entry.link, base=base)):
            page = _page(entry, base)
            for name, value in found.items():
                values[page, name][value].add(entry.text)
    names: dict[str, set[str]] = defaultdict(set)
    for (page, name), texts in values.items():
        if _tells_apart(texts):
            names[page].add(name)
    return names


def _page(entry: Entry, base: str) -> str:
    """Return the page that the entry has if its tracking parameters say nothing."""
    return urls.canonical_url(entry.link, base=base) + _entry_fragment(entry)


def _entry_fragment(entry: Entry) -> str:
    """Return the link's fragment if it names the entry, whatever other entries the feed has."""
    fragment = urls.fragment(entry.link)
    return fragment if fragment and _names(fragment, entry.title) else ""


def _names(fragment: str, title: str) -> bool:
    words = _LONG_WORD.findall(unquote(fragment).casefold())
    return bool(
        _NAMES_ENTRY.fullmatch(fragment)
        or (words and not set(words).isdisjoint(_LONG_WORD.findall(_ascii(title))))
    )


def _with_fragments(
    entries: Sequence[Entry], pages: Sequence[str], own_pages: Sequence[str]
) -> list[str]:
    """Return each entry's URL, with its fragment if that tells the entries of a page apart."""
    fragments = [urls.fragment(entry.link) for entry in entries]
    texts: dict[str, dict[str, set[Text]]] = defaultdict(lambda: defaultdict(set))
    for entry, page, fragment in zip(entries, pages, fragments, strict=True):
        texts[page][fragment].add(entry.text)
    named = {page for page, found in texts.items() if _tells_apart(found)}

    def lead(entry: Entry, page: str, fragment: str) -> str:
        if not page or not fragment:
            return page
        names = page in named or _names(fragment, entry.title)
        if not names and fragment.casefold() not in _PARTS_OF_PAGE:
            names = _is_listing(entry, page, own_pages=own_pages)
        return f"{page.partition('#')[0]}#{fragment}" if names else page

    return [lead(*one) for one in zip(entries, pages, fragments, strict=True)]


def _texts(entries: Sequence[Entry], leads: Sequence[str]) -> dict[str, dict[str, set[Text]]]:
    """Return which texts stand under each URL, by the feed's id for them."""
    texts: dict[str, dict[str, set[Text]]] = defaultdict(lambda: defaultdict(set))
    for entry, url in zip(entries, leads, strict=True):
        if not (_is_atom_id(entry.guid) and texts[url][entry.guid]):
            texts[url][entry.guid].add(entry.text)
    return texts


def _is_atom_id(guid: str) -> bool:
    """Tell whether entries of this id are versions of one (RFC 4287, section 4.1.1).

    An RSS feed may have any text for an id, such as the same URL for all entries.
    """
    return guid.startswith(("tag:", "urn:"))


def _tells_apart(texts_by_name: dict[str, set[Text]]) -> bool:
    """Tell whether there are several texts, and each name has one of them."""
    several = len(set().union(*texts_by_name.values())) > 1
    return several and all(len(texts) == 1 for texts in texts_by_name.values())


def _guids(entries: Sequence[Entry], leads: Sequence[str], *, feed_url: str) -> list[str]:
    """Return the keys of the entries' ids; empty for an id that several stories have."""
    keys = [urls.guid_key(entry.guid, feed_url=feed_url) for entry in entries]
    stories = {
        (key, url if _is_atom_id(entry.guid) else entry.text)
        for key, url, entry in zip(keys, leads, entries, strict=True)
    }
    count = Counter(key for key, _ in stories)
    return [key if count[key] == 1 else "" for key in keys]


def _is_aggregated(entry: Entry, url: str, *, feed_url: str) -> bool:
    """Tell whether the link is not the outlet's, but that of a site that collects from outlets."""
    site, source = _site(url), _site(urls.web_url(entry.source_url))
    if urlsplit(url).netloc in _AGGREGATORS:
        return True
    # A link that holds the collecting site's own id for the entry is not the outlet's either.
    is_its_own = site == _site(feed_url) or (len(entry.guid) > 4 and entry.guid in url)
    return bool(source) and source != site and is_its_own


def _site(url: str) -> str:
    return ".".join((urlsplit(url).hostname or "").split(".")[-2:])
