"""Read a mail relay from its URL."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit


class RelayError(ValueError):
    """A relay URL that cannot be understood."""


@dataclass(frozen=True)
class Relay:
    """Where mail is handed over: `smtp[+starttls|s]://user:password@host:port?connections=4`."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False
    connections: int = 1

    @property
    def name(self) -> str:
        """Host and port, without the credentials: fit for a log."""
        return f"{self.host}:{self.port}"


_SCHEMES = {
    # scheme: (starttls, tls, default port by RFC 8314 and RFC 6409)
    "smtp": (False, False, 25),
    "smtp+starttls": (True, False, 587),
    "smtps": (False, True, 465),
}


def parse_relay(url: str) -> Relay:
    """Return the relay that `url` names.

    Raises:
        RelayError: with a sentence for the operator; it never repeats the password.
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:  # whose words would show the password
        raise RelayError(
            "a relay is a URL; percent-encode special characters of its password"
        ) from None
    if parts.scheme not in _SCHEMES:
        raise RelayError(f"a relay begins with {', '.join(f'{s}://' for s in _SCHEMES)}")
    starttls, tls, default_port = _SCHEMES[parts.scheme]
    try:
        port = parts.port or default_port
        connections = int(parse_qs(parts.query).get("connections", ["1"])[0])
    except ValueError:
        raise RelayError("a relay's port and connections are whole numbers") from None
    if not parts.hostname:
        raise RelayError("a relay needs a host")
    if not 1 <= connections <= 100:
        raise RelayError("a relay's connections are between 1 and 100")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii():  # smtplib could not send them, and each lane would end
        raise RelayError("a relay's user and password have no letters beyond ASCII")
    return Relay(
        host=parts.hostname,
        port=port,
        user=user,
        password=password,
        starttls=starttls,
        tls=tls,
        connections=connections,
    )
