"""Read the Retry-After header: when a server wants the next request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_RETRY_AFTER = timedelta(days=2)


def retry_after(value: str, *, now: datetime) -> datetime | None:
    """Return the time that the header names (RFC 9110, section 10.2.3), at most two days ahead."""
    value = value.strip()
    latest = now + LONGEST_RETRY_AFTER
    if value.isascii() and value.isdigit():
        return min(now + timedelta(seconds=min(int(value[:9]), 10**8)), latest)
    try:
        requested = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return min(requested if requested.tzinfo else requested.replace(tzinfo=UTC), latest)
