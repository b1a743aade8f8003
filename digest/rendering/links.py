"""Say where the links of a message lead, always as absolute URLs."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from digest.models import Edition
from subscribers import tokens
from subscribers.models import Newsletter

# Stands for a token where a URL is made for all of them; no path or host has so many zeros.
_TOKEN = "0" * tokens.SIGNATURE_LENGTH


def unsubscribe_url(subscription_id: int) -> str:
    return unsubscribe_urls()(subscription_id)


def preferences_url(subscription_id: int, email: str) -> str:
    return preferences_urls()(subscription_id, email)


def unsubscribe_urls() -> Callable[[int], str]:
    """Return what makes, from subscriptions' ids, the URLs of the page with one button.

    It also takes RFC 8058's one-click POST. Like `preferences_urls`, what is returned is bound to
    the settings of this moment.
    """
    before, after = _site("unsubscribe", _TOKEN).split(_TOKEN)
    token = tokens.unsubscribe_tokens()
    return lambda subscription_id: f"{before}{token(subscription_id)}{after}"


def preferences_urls() -> Callable[[int, str], str]:
    """Return what makes the URLs of the preferences from subscriptions' ids and addresses."""
    before, after = _site("preferences", _TOKEN).split(_TOKEN)
    token = tokens.preferences_tokens()
    return lambda subscription_id, email: f"{before}{token(subscription_id, email)}{after}"


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
    return f"{settings.SITE_URL}{reverse(name, settings.PAGES_URLCONF, args=[argument])}"
