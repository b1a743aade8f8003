"""Cache newsletters in the process: they are few, and sign-ups are many."""

from __future__ import annotations

import time
from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from subscribers.models import Newsletter

# Seconds for which a newsletter is used without reading it again. Another process may have changed
# it in that time. A change by this process takes effect immediately.
MAX_AGE = 2.0

_cached: dict[str, tuple[float, Newsletter]] = {}


@receiver([post_save, post_delete], sender=Newsletter)
def _clear(**_: Any) -> None:
    _cached.clear()


def get(slug: str) -> Newsletter:
    """Return the newsletter as it was some moments ago; it must not be saved.

    Raises:
        Newsletter.DoesNotExist
    """
    until, found = _cached.get(slug, (0.0, None))
    if found is None or time.monotonic() > until:
        found = Newsletter.objects.get(slug=slug)
        _cached[slug] = (time.monotonic() + MAX_AGE, found)
    return found
