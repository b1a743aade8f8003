"""Tell a feed's entries apart, and give each an identity that is the same at the next fetch."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlsplit

from digest.feeds import urls

# Sites whose links and ids for an article are new at each fetch.
_AGGREGATORS = {"news.google.com"}
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
    tracking, the fragment, the id, or at last the title. `site_url` is the page of the feed itself.
    """
    keep = _meaningful_parameters(entries, base=feed_url)
    pages = [urls.canonical_url(each.link, base=feed_url, keep=keep) for each in entries]
    leads = _with_fragments(entries, pages)
    texts = _texts(entries, leads)
    shared = {url for url, found in texts.items() if len(set().union(*found.values())) > 1}
    by_id = {url for url in shared if _tells_apart(texts[url])}
    home = {urls.bare(urls.canonical_url(url)) for url in (site_url, _root(feed_url))} - {""}
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
        elif url in shared or (has_own_id and urls.bare(url) in home):
            identity = own if url not in shared or url in by_id else by_title
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


def _root(url: str) -> str:
    parts = urlsplit(urls.web_url(url))
    return f"{parts.scheme}://{parts.netloc}/"


def _meaningful_parameters(entries: Sequence[Entry], *, base: str) -> set[str]:
    """Return the tracking parameters without which two different entries would be one page."""
    values: dict[tuple[str, str], dict[str, set[Text]]] = defaultdict(lambda: defaultdict(set))
    for entry in entries:
        if found := urls.tracking_parameters(urls.web_url(entry.link, base=base)):
            page = urls.canonical_url(entry.link, base=base)
            for name, value in found.items():
                values[page, name][value].add(entry.text)
    return {name for (_, name), found in values.items() if _tells_apart(found)}


def _with_fragments(entries: Sequence[Entry], pages: Sequence[str]) -> list[str]:
    """Return each entry's URL, with its fragment if that tells the entries of a page apart."""
    fragments = [urls.fragment(entry.link) for entry in entries]
    texts: dict[str, dict[str, set[Text]]] = defaultdict(lambda: defaultdict(set))
    for entry, page, fragment in zip(entries, pages, fragments, strict=True):
        texts[page][fragment].add(entry.text)
    named = {page for page, found in texts.items() if _tells_apart(found)}
    return [
        f"{page.partition('#')[0]}#{fragment}" if page in named and page and fragment else page
        for page, fragment in zip(pages, fragments, strict=True)
    ]


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
    return bool(source) and source != site and site == _site(feed_url)


def _site(url: str) -> str:
    return ".".join((urlsplit(url).hostname or "").split(".")[-2:])
