"""Check what the readers' links need of the settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

# <SITE_URL/u/TOKEN> may be 74 characters long (see subscribers.tokens): two brackets, "/u/", the
# signature's 22 and an id's 6, which are enough for 56 thousand million subscriptions.
LONGEST_SITE_URL = 74 - 2 - 3 - 22 - 6


@register
def site_url_fits_into_a_header(**kwargs: Any) -> list[CheckMessage]:
    if len(settings.SITE_URL) <= LONGEST_SITE_URL:
        return []
    return [
        Error(
            f"SITE_URL is {len(settings.SITE_URL)} characters long; the List-Unsubscribe header "
            f"breaks beyond {LONGEST_SITE_URL}.",
            hint="Give the newsletters a shorter host, such as https://news.example.com.",
            id="subscribers.E001",
        )
    ]
