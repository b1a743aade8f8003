"""Say where the links of a message lead, always as absolute URLs."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from digest.models import Edition
from subscribers import tokens
from subscribers.models import Newsletter


def unsubscribe_url(subscription_id: int) -> str:
    """The page with one button, which also takes RFC 8058's one-click POST."""
    return _site("unsubscribe", tokens.unsubscribe_token(subscription_id))


def preferences_url(subscription_id: int) -> str:
    return _site("preferences", tokens.preferences_token(subscription_id))


def view_url(edition: Edition) -> str:
    """The edition's web version, the same for every reader."""
    return _site("edition", edition.public_id)


def newsletter_url(newsletter: Newsletter) -> str:
    """The page to sign up on."""
    return _site("newsletter", newsletter.slug)


def outward(url: str) -> str:
    """Return a URL from a feed as it goes into a message: absolute https, or nothing.

    Plain http becomes https: mail clients' image proxies refuse the first, and browsers try the
    second anyway. Where a port is named, or on a site of ours without https, http stays what it is.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    if parts.scheme == "http" and port is None and not url.startswith(settings.SITE_URL):
        return parts._replace(scheme="https").geturl()
    return url


def _site(name: str, argument: object) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=[argument])}"
