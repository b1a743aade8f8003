"""Post a few bytes to a URL that somebody typed in, however badly the other side behaves."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpcore
import httpx

from subscribers.web.guard import Deadline, GuardedBackend, PastDeadline, RefusedAddress
from subscribers.web.transport import GuardedTransport

# Seconds for the whole exchange, and bytes of the answer that are read.
SECONDS = 15.0
ANSWER_BYTES = 500


class PostFailed(Exception):
    """There was no answer; the message says why in plain words."""


@dataclass(frozen=True)
class DestinationPolicy:
    """The private hosts that the guard lets through, and the setting that lists them."""

    allow_hosts: Collection[str] = ()
    setting: str = "WEBHOOK_ALLOW_HOSTS"


@dataclass(frozen=True)
class PostResponse:
    """The answer: `text` is how the body begins, `milliseconds` how long the exchange took."""

    status: int
    text: str
    retry_after: str
    milliseconds: int


def post(
    url: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    policy: DestinationPolicy,
    seconds: float = SECONDS,
) -> PostResponse:
    """Post and read the answer; a redirect is an answer, and is not followed.

    Raises:
        PostFailed: no answer came within `seconds`, or the address is not public.
    """
    backend = GuardedBackend(
        allow_hosts=policy.allow_hosts, deadline=Deadline(seconds), setting=policy.setting
    )
    started = time.monotonic()
    # trust_env=False: a proxy from the environment would connect to where the guard cannot check.
    with (
        _as_failures(seconds),
        httpx.Client(
            transport=GuardedTransport(backend), timeout=seconds, trust_env=False
        ) as client,
        client.stream("POST", url, content=body, headers=dict(headers)) as response,
    ):
        text = _beginning(response)
        return PostResponse(
            status=response.status_code,
            text=text,
            retry_after=response.headers.get("retry-after", ""),
            milliseconds=round((time.monotonic() - started) * 1000),
        )


def _beginning(response: httpx.Response) -> str:
    """Return the first bytes of the raw body; the rest, however long, is not read."""
    read = bytearray()
    for chunk in response.iter_raw():
        read += chunk
        if len(read) >= ANSWER_BYTES:
            break
    text = bytes(read[:ANSWER_BYTES]).decode(errors="replace")
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


@contextmanager
def _as_failures(seconds: float) -> Iterator[None]:
    try:
        yield
    except RefusedAddress as error:
        raise PostFailed(str(error)) from error
    except (PastDeadline, httpcore.TimeoutException, httpx.TimeoutException) as error:
        raise PostFailed(f"It did not answer within {seconds:g} seconds.") from error
    except (httpx.InvalidURL, UnicodeError) as error:
        raise PostFailed("That is not a URL that can be posted to.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpx.TransportError) as error:
        raise PostFailed(f"The connection failed: {error or type(error).__name__}.") from error
