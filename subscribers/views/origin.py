"""Tell where a reader's request came from: the page and the client."""

from __future__ import annotations

import ipaddress
import re

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from subscribers.consent.record import Origin

# [2001:db8::1], [2001:db8::1]:443 or 192.0.2.7:443. A bare IPv6 address has two colons at least.
_IN_BRACKETS_OR_WITH_PORT = re.compile(r"(?:\[([^]]+)\]|([^:]+))(?::[0-9]{1,5})?")


def origin_of(request: HttpRequest, token: str = "") -> Origin:
    """Return where the request came from; a link's token is secret, so the ledger leaves it out."""
    page = request.build_absolute_uri(request.path)
    return Origin(
        page=page.replace(token, "…") if token else page,
        language=get_language() or settings.LANGUAGE_CODE,
        ip_address=ip_address_of(request),
        user_agent=request.headers.get("User-Agent", ""),
    )


def ip_address_of(request: HttpRequest) -> str | None:
    """Return the client's address, or None if it is unknown: a Unix socket has none.

    X-Forwarded-For is trusted only behind a proxy of ours. Our proxy wrote its last entry; the
    client may have made up the entries before that. So if the last entry cannot be read, nobody's
    address is taken for the client's: neither an earlier entry, nor the proxy's own.
    """
    if settings.SECURE_PROXY_SSL_HEADER and "X-Forwarded-For" in request.headers:
        return _read_ip_address(request.headers["X-Forwarded-For"].rpartition(",")[2])
    return _read_ip_address(request.META.get("REMOTE_ADDR", ""))


def _read_ip_address(text: str) -> str | None:
    """Read an address: bare, in brackets, with a port, in quotes. "unknown" and "_hidden" are none.

    RFC 7239, section 6, has these forms. Some load balancers write the port into X-Forwarded-For.
    """
    text = text.strip()
    if text[:1] == text[-1:] == '"':
        text = text[1:-1]
    found = _IN_BRACKETS_OR_WITH_PORT.fullmatch(text)
    try:
        ip_address = ipaddress.ip_address((found[1] or found[2]) if found else text)
    except ValueError:
        return None
    # A server that listens on [::] reports 192.0.2.7 as ::ffff:192.0.2.7. A zone id (fe80::1%eth0)
    # has a meaning on that machine alone, and PostgreSQL cannot store it.
    ip_address = getattr(ip_address, "ipv4_mapped", None) or ip_address
    return str(ip_address).partition("%")[0]
