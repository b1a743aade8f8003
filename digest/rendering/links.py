"""Make the links of a message, always as absolute URLs."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from digest.models import Edition
from subscribers import signed_links
from subscribers.models import Newsletter

# Stands for the reader's token in a URL that is made once and split at it for all readers. No path
# or host has this many zeros.
_TOKEN = "0" * signed_links.SIGNATURE_LENGTH


def unsubscribe_url(subscription_id: int) -> str:
    return unsubscribe_url_factory()(subscription_id)


def preferences_url(subscription_id: int, email: str) -> str:
    return preferences_url_factory()(subscription_id, email)


def unsubscribe_url_factory() -> Callable[[int], str]:
    """Return a function from subscription id to the URL of the unsubscribe page.

    The page has one button, and accepts RFC 8058's one-click POST as well. The function is bound
    to the present settings, as is that of `preferences_url_factory`.
    """
    before, after = _site_url("unsubscribe", _TOKEN).split(_TOKEN)
    token = signed_links.unsubscribe_token_factory()
    return lambda subscription_id: f"{before}{token(subscription_id)}{after}"


def preferences_url_factory() -> Callable[[int, str], str]:
    """Return a function from subscription id and address to the URL of the preferences."""
    before, after = _site_url("preferences", _TOKEN).split(_TOKEN)
    token = signed_links.preferences_token_factory()
    return lambda subscription_id, email: f"{before}{token(subscription_id, email)}{after}"


def view_url(edition: Edition) -> str:
    """Return the URL of the edition's web version, the same for every reader."""
    return _site_url("edition", edition.public_id)


def newsletter_url(newsletter: Newsletter) -> str:
    """Return the URL of the newsletter's sign-up page."""
    return _site_url("newsletter", newsletter.slug)


def external_url(url: str) -> str:
    """Return a feed's URL in the form that goes into a message: absolute https, or empty.

    Plain http becomes https: mail clients' image proxies refuse http, and browsers try https
    anyway. http stays in a URL that names a port, and in one of this site if it has no https.
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


def _site_url(name: str, argument: object) -> str:
    return f"{settings.SITE_URL}{reverse(name, settings.READER_URLCONF, args=[argument])}"
