"""Zones, hours and instants that the tests of waves have in common."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from digest.models import Delivery

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TUESDAY = date(2026, 3, 10)
AROUND_THE_WORLD = [
    "Pacific/Kiritimati", "Pacific/Chatham", "Australia/Sydney", "Asia/Tokyo", "Asia/Kathmandu",
    "Asia/Kolkata", "Europe/Berlin", "Europe/London", "UTC", "Atlantic/Cape_Verde",
    "America/St_Johns", "America/New_York", "America/Los_Angeles", "Pacific/Marquesas",
    "Pacific/Honolulu", "Pacific/Pago_Pago",
]  # fmt: skip
ZONES = st.sampled_from([*AROUND_THE_WORLD, "", "Australia/Lord_Howe", "Africa/Casablanca"])
# The database keeps an hour in whole seconds, and does not keep which of two equal hours it is
# after a clock is set back.
HOURS = st.none() | st.times().map(lambda at: at.replace(microsecond=0, fold=0))
# The dates of DST changes in London, New York, Sydney and Lord Howe, and one without a change.
DATES = st.sampled_from(
    [date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 10, 4), date(2026, 10, 25),
     date(2026, 11, 1), date(2026, 7, 1)]
)  # fmt: skip


def utc(*parts):
    return datetime(2026, 3, *parts, tzinfo=UTC)


def instant(zone, day, hour):
    return datetime.combine(day, hour, ZoneInfo(zone)).astimezone(UTC)


def sent_at():
    """Return when each address got its editions: {address: [instant, ...]}."""
    found: dict[str, list[datetime]] = {}
    rows = Delivery.objects.filter(status="sent").order_by("finished_at")
    for delivery in rows.select_related("subscription__subscriber"):
        address = delivery.subscription.subscriber.email
        found.setdefault(address, []).append(delivery.finished_at)
    return found


def every(step, *, start, end):
    at = start
    while at <= end:
        yield at
        at += step
