"""Read a mail relay from its URL."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

MAX_CONNECTIONS = 100
# The length of Delivery.relay.
MAX_NAME = 100
# Messages per second: the floor of a relay without a rate. Otherwise it is a tenth of the rate.
UNLIMITED_FLOOR = 20.0
# A warm-up that has grown beyond this is over.
WARM = 1_000_000_000


class RelayError(ValueError):
    """A relay URL that cannot be understood."""


@dataclass(frozen=True)
class Warmup:
    """How many messages a new relay takes: `cap` on the first day, then times `growth` each day."""

    start: date
    cap: int
    growth: float

    def cap_on(self, day: date) -> int:
        """Return the most messages that go out on `day` (UTC): none before the start."""
        days = (day - self.start).days
        if days < 0:
            return 0
        if math.log(self.cap) + days * math.log(self.growth) > math.log(WARM):
            return WARM
        return int(self.cap * self.growth**days)


@dataclass(frozen=True)
class Relay:
    """A server or an ESP that takes our mail; `parse_relay` describes its URL."""

    host: str
    port: int
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    starttls: bool = False
    tls: bool = False
    # How many lanes may hold a connection at the same time, over all editions and hosts.
    connections: int = 1
    # Its share of the lanes, relative to the other relays. 0: it stands by until the circuit
    # breakers of all other relays are open or half open.
    weight: int = 1
    # Messages per second over all hosts; None: no limit of ours.
    rate: float | None = None
    # The rate while Redis is unavailable, and the lowest rate to which deferrals reduce it.
    floor: float = UNLIMITED_FLOOR
    # After this many messages a connection is closed and a new one is opened.
    messages: int = 10_000
    warmup: Warmup | None = None
    # The dotted path of a Django e-mail backend, used instead of SMTP. `options` are its own keys
    # of the URL's query, and `user` and `password`.
    backend: str = ""
    options: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    # It has no credentials, so it can be logged. It is unique among the relays.
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", f"{self.host}:{self.port}")


_SCHEMES = {
    # scheme: (starttls, tls, default port by RFC 8314 and RFC 6409)
    "smtp": (False, False, 25),
    "smtp+starttls": (True, False, 587),
    "smtps": (False, True, 465),
}
_KEYS = ("connections", "weight", "rate", "floor", "messages", "warmup", "name")
_COUNTS = ("connections", "messages")
_ENCODE = "percent-encode special characters of its password"
_NAME = re.compile(rf"[\w.:@+\[\]-]{{1,{MAX_NAME}}}", re.ASCII)


def parse_relays(urls: Iterable[str]) -> list[Relay]:
    """Return the relays that `urls` name, each under a name of its own.

    Raises:
        RelayError: with a sentence for the operator; it never repeats a password.
    """
    relays = [parse_relay(url) for url in urls]
    seen: set[str] = set()
    for relay in relays:
        if relay.name in seen:
            raise RelayError(f"two relays are called {relay.name}; tell them apart with ?name=…")
        seen.add(relay.name)
    return relays


def parse_relay(url: str) -> Relay:
    """Return the relay that `url` names.

    The URL has one of these forms:
    - `smtp[+starttls|s]://user:password@host:port?key=value&…`, where the keys are connections,
      weight, rate, floor, messages, warmup=2026-11-22:1000:1.5 (start, first day's cap, growth)
      and name.
    - `anymail+postmark://token@?…`
    - `django+dotted.path.of.EmailBackend://…`, for any e-mail backend of Django's.
    In the last two, the query's other keys are the relay's `options`.

    Raises:
        RelayError: with a sentence for the operator; it never repeats the password.
    """
    # urlsplit would change the scheme, and the backend's path in it, to lower case.
    scheme, _, rest = url.strip().partition("://")
    backend = _backend(scheme)
    if not backend and scheme.lower() not in _SCHEMES:
        known = (*_SCHEMES, "anymail+<esp>", "django+<backend>")
        raise RelayError(f"a relay begins with {', '.join(f'{s}://' for s in known)}")
    parts, port = _split(rest)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii():  # smtplib could not send them, and each lane would end
        raise RelayError("a relay's user and password must be ASCII")
    query = _query(parts.query)
    found = _common({key: query.pop(key) for key in _KEYS if key in query})
    found |= {"host": parts.hostname or "", "user": user, "password": password}
    if backend:
        found.setdefault("name", scheme.partition("+")[2][:MAX_NAME])
        login = {key: found[key] for key in ("user", "password") if found[key]}
        return Relay(**found, port=port or 0, backend=backend, options=query | login)
    if query:  # not repeated: it may be the end of a password with a question mark
        raise RelayError(f"a relay's options are {', '.join(_KEYS)}; {_ENCODE}")
    return _smtp(scheme.lower(), port, found)


def _smtp(scheme: str, port: int | None, found: dict[str, Any]) -> Relay:
    if not found["host"]:
        raise RelayError("a relay needs a host")
    starttls, tls, default_port = _SCHEMES[scheme]
    relay = Relay(**found, port=port or default_port, starttls=starttls, tls=tls)
    if not _NAME.fullmatch(relay.name):
        raise RelayError("a relay's host cannot be its name; give it one with ?name=…")
    return relay


def parse_rates(pairs: Iterable[str]) -> dict[str, float]:
    """Return messages per second by domain, from pairs like `gmail.com=50`; `*`: any other domain.

    Raises:
        RelayError: with a sentence for the operator.
    """
    found: dict[str, float] = {}
    for pair in pairs:
        name, _, rate = pair.strip().lower().partition("=")
        if name != "*" and not re.fullmatch(r"[\w-]++(\.[\w-]++)+", name):
            raise RelayError("a rate is written domain=messages per second, such as gmail.com=50")
        if name in found:
            raise RelayError(f"{name} has two rates")
        found[name] = _number(f"rate of {name}", rate, float, 0.01, 100_000)
    return found


def _backend(scheme: str) -> str:
    """Return the dotted path of the e-mail backend that the scheme names, or ""."""
    kind, _, name = scheme.partition("+")
    if kind.lower() == "anymail" and re.fullmatch(r"[A-Za-z_-]+", name):
        return f"anymail.backends.{name.lower().replace('-', '_')}.EmailBackend"
    if kind.lower() == "django" and re.fullmatch(r"[A-Za-z_]\w*+(\.[A-Za-z_]\w*+)+", name):
        return name
    return ""


def _split(rest: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(f"//{rest}")
    except ValueError:  # its message would show the password
        raise RelayError(f"a relay is a URL; {_ENCODE}") from None
    try:
        port = parts.port
    except ValueError:
        raise RelayError(f"a relay's port is a whole number; {_ENCODE}") from None
    if parts.path not in ("", "/") or parts.fragment:
        raise RelayError(f"a relay's URL may have neither path nor fragment; {_ENCODE}")
    return parts, port


def _query(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise RelayError("a relay's options are written key=value&key=value") from None
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RelayError("each option of a relay may be given only once")
    return found


def _common(query: dict[str, str]) -> dict[str, Any]:
    """Return the options that every relay's URL may have, as Relay's fields."""
    found: dict[str, Any] = {}
    for key, kind, low, high in (
        ("connections", int, 1, MAX_CONNECTIONS),
        ("weight", int, 0, 1000),
        ("rate", float, 0.01, 100_000),
        ("floor", float, 0.01, 100_000),
        ("messages", int, 1, 10_000_000),
    ):
        if key in query:
            found[key] = _number(key, query[key], kind, low, high)
    rate = found.get("rate")
    if rate is not None:
        # A tenth still shows how much the relay takes, and is polite enough to recover at.
        found.setdefault("floor", min(rate, max(1.0, rate / 10)))
        if found["floor"] > rate:
            raise RelayError("a relay's floor must not be above its rate")
    if "warmup" in query:
        found["warmup"] = _warmup(query["warmup"])
    if "name" in query:
        if not _NAME.fullmatch(query["name"]):
            raise RelayError(
                f"a relay's name may have 1 to {MAX_NAME} letters, digits, dots, dashes or colons"
            )
        found["name"] = query["name"]
    return found


def _number(key: str, text: str, kind: Callable[[str], float], low: float, high: float) -> float:
    message = f"the {key} {'are' if key in _COUNTS else 'is'}"
    message += f" a {'whole ' if kind is int else ''}number between {low:g} and {high:,g}"
    try:
        number = kind(text)
    except ValueError:
        raise RelayError(message) from None
    if not low <= number <= high:  # also refuses NaN
        raise RelayError(message)
    return number


def _warmup(text: str) -> Warmup:
    try:
        start, cap, growth = text.split(":")
        found = Warmup(date.fromisoformat(start), int(cap), float(growth))
    except ValueError:
        raise RelayError(
            "a relay's warmup is written start:messages:growth, such as 2026-11-22:1000:1.5"
        ) from None
    if not (1 <= found.cap <= WARM and 1 <= found.growth <= 10):
        raise RelayError(
            "a relay's warmup begins with a message or more and grows by 1 to 10 a day"
        )
    return found
