"""Tell where a reader's request came from: the page and the client."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from subscribers.consent.record import Origin


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
    """Return the client's address. X-Forwarded-For is trusted only behind a proxy of ours.

    Our proxy wrote its last entry; the client may have made up the entries before that.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER:
        forwarded = request.headers.get("X-Forwarded-For", "")
        address = forwarded.rpartition(",")[2].strip() or address
    try:
        ip_address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None  # a Unix socket has none
    # A server that listens on [::] reports 192.0.2.7 as ::ffff:192.0.2.7.
    return str(getattr(ip_address, "ipv4_mapped", None) or ip_address)
