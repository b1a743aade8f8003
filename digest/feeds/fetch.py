"""Get one URL over HTTP, however badly the other side behaves."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus

import httpcore
import httpx

from digest.feeds.packing import CannotUnpack, unpack
from digest.feeds.urls import web_url
from subscribers.web.guard import Deadline, GuardedBackend, PastDeadline, RefusedAddress
from subscribers.web.transport import GuardedTransport

USER_AGENT = "Daybreak (newsletter digest)"
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json;q=0.9, application/xml;q=0.9,"
    " text/html;q=0.8, */*;q=0.5"
)
# RFC 9110, sections 15.4.2 and 15.4.9.
_PERMANENT = (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT)


class FetchError(Exception):
    """The fetch failed; the message says why in plain words.

    `permanent`: another try will not help. `retry_after`: the server's Retry-After, as it sent it.
    """

    def __init__(self, message: str, *, permanent: bool = False, retry_after: str = "") -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


@dataclass(frozen=True)
class Limits:
    """Seconds, bytes and hops that one fetch may take."""

    connect: float = 10
    read: float = 15
    total: float = 45
    max_bytes: int = 10_000_000
    redirects: int = 5


@dataclass(frozen=True)
class Fetched:
    """A response: 200 with a body, or 304 (unchanged) without; `url` is the one after redirects.

    `moved_to` is the URL to ask for from now on, as far as redirects say so (301 and 308); empty if
    they do not. `cache_control` and `link` are the headers of these names.
    """

    status: int
    body: bytes
    etag: str
    last_modified: str
    url: str
    content_type: str = ""
    # Content-Language, as the server sends it.
    language: str = ""
    moved_to: str = ""
    cache_control: str = ""
    link: str = ""


def get(
    url: str,
    *,
    etag: str = "",
    last_modified: str = "",
    allow_hosts: Collection[str] = (),
    limits: Limits = Limits(),
) -> Fetched:
    """Fetch, conditionally if validators of an earlier response are given (RFC 9110, section 13).

    Connects to public addresses only, unless the host is one of `allow_hosts`. Raises FetchError
    for a refused address, and if there is no usable response for any other reason.
    """
    validators = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    # A validator that a header cannot hold is left out; then the server sends the whole feed.
    usable = {k: v for k, v in validators.items() if v and v.isascii() and v.isprintable()}
    with _responding(url, usable, allow_hosts=allow_hosts, limits=limits) as (response, moved_to):
        fetched = _read(response, limits=limits, is_conditional=bool(etag or last_modified))
        return replace(fetched, moved_to=moved_to)


def status_of(
    url: str, *, allow_hosts: Collection[str] = (), limits: Limits = Limits(total=20)
) -> int:
    """Return the status of the response after all redirects, whatever it is; no body is read.

    Connects as `get` does. Raises FetchError if there is no response.
    """
    with _responding(url, {}, allow_hosts=allow_hosts, limits=limits) as (response, _):
        return response.status_code


@contextmanager
def _responding(
    url: str, validators: dict[str, str], *, allow_hosts: Collection[str], limits: Limits
) -> Iterator[tuple[httpx.Response, str]]:
    """Yield what `_follow` yields; errors are FetchErrors."""
    headers = {"User-Agent": USER_AGENT, "Accept": ACCEPT, "Accept-Encoding": "gzip", **validators}
    backend = GuardedBackend(allow_hosts=allow_hosts, deadline=Deadline(limits.total))
    timeout = httpx.Timeout(limits.read, connect=limits.connect)
    # trust_env=False: a proxy from the environment would connect where the guard cannot look.
    with (
        _as_fetch_errors(url, limits=limits),
        httpx.Client(
            transport=GuardedTransport(backend), headers=headers, timeout=timeout, trust_env=False
        ) as client,
        _follow(client, url, limits=limits) as (response, moved_to),
    ):
        yield response, moved_to


@contextmanager
def _as_fetch_errors(url: str, *, limits: Limits) -> Iterator[None]:
    try:
        yield
    except RefusedAddress as error:
        raise FetchError(str(error)) from error
    except PastDeadline as error:
        raise FetchError(f"It took longer than {limits.total:g} seconds.") from error
    except (httpx.InvalidURL, UnicodeError) as error:
        raise FetchError(f"“{url}”, or a URL it redirects to, cannot be fetched.") from error
    except (httpcore.TimeoutException, httpx.TimeoutException) as error:
        raise FetchError("The server did not answer in time.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpx.TransportError) as error:
        raise FetchError(f"The connection failed: {error or type(error).__name__}.") from error


@contextmanager
def _follow(
    client: httpx.Client, url: str, *, limits: Limits
) -> Iterator[tuple[httpx.Response, str]]:
    """Yield the open response after all redirects, and where the first permanent ones lead to.

    The bodies of redirects are never read.
    """
    if not web_url(url):
        raise FetchError(f"“{url}” is not an http or https URL.", permanent=True)
    request = client.build_request("GET", url.strip())
    moved_to, is_permanent = "", True
    for _ in range(limits.redirects + 1):
        if not web_url(str(request.url)):
            raise FetchError(f"It redirects to “{request.url}”, which is not on the web.")
        response = client.send(request, stream=True, follow_redirects=False)
        if response.next_request is None:
            with closing(response):
                yield response, moved_to
            return
        response.close()
        request = response.next_request
        # What comes after a temporary redirect is not where the feed has moved to.
        is_permanent = is_permanent and response.status_code in _PERMANENT
        moved_to = str(request.url) if is_permanent else moved_to
    raise FetchError(f"It redirects more than {limits.redirects} times.")


def _read(response: httpx.Response, *, limits: Limits, is_conditional: bool) -> Fetched:
    status, host = response.status_code, response.url.host
    if not (response.is_success or (status == HTTPStatus.NOT_MODIFIED and is_conditional)):
        raise FetchError(
            f"{host} answered {status} {response.reason_phrase}.",
            permanent=status == HTTPStatus.GONE,
            retry_after=response.headers.get("retry-after", ""),
        )
    not_modified = status == HTTPStatus.NOT_MODIFIED
    return Fetched(
        status=HTTPStatus.NOT_MODIFIED if not_modified else HTTPStatus.OK,
        body=b"" if not_modified else _body(response, max_bytes=limits.max_bytes),
        etag=response.headers.get("etag", ""),
        last_modified=response.headers.get("last-modified", ""),
        url=str(response.url),
        content_type=response.headers.get("content-type", ""),
        language=response.headers.get("content-language", ""),
        cache_control=response.headers.get("cache-control", ""),
        link=response.headers.get("link", ""),
    )


def _body(response: httpx.Response, *, max_bytes: int) -> bytes:
    """Return the body, unpacked here because httpx would unpack a compression bomb in one go."""
    packed = bytearray()
    for piece in response.iter_raw():
        packed += piece
        if len(packed) > max_bytes:
            raise FetchError(f"It is larger than {max_bytes / 1e6:g} MB.")
    encoding = response.headers.get("content-encoding", "")
    try:
        return unpack(bytes(packed), content_encoding=encoding, max_bytes=max_bytes)
    except CannotUnpack as error:
        raise FetchError(str(error)) from error
