"""Check the URL of a webhook receiver when it is typed in, before anything is sent there."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from subscribers.web.public_addresses import is_public


class BadReceiverUrl(ValueError):
    """A URL that we do not post to; the message is a sentence for the operator."""


def check_receiver_url(url: str, *, allow_hosts: Collection[str], allow_http: bool) -> None:
    """Check the URL alone; what its host name resolves to is checked each time it is used.

    Raises:
        BadReceiverUrl
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme not in {"http", "https"} or not host:
        raise BadReceiverUrl("Write an address that begins with https://.")
    if parts.username or parts.password:
        raise BadReceiverUrl(
            "An address with a password in it would be shown in logs. Leave it out."
        )
    if host in {allowed.strip("[]").lower() for allowed in allow_hosts}:
        return
    if parts.scheme == "http" and not allow_http:
        raise BadReceiverUrl(
            "Events speak of readers: their receiver must be at an https:// address."
        )
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    if not is_public(address):
        raise BadReceiverUrl(
            f"{host} is not a public address. To use it anyway, add it to WEBHOOK_ALLOW_HOSTS."
        )
