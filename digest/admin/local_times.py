"""Write an instant the way the newsroom reads it."""

from datetime import datetime, tzinfo


def format_local(when: datetime | None, zone: tzinfo, *, year: bool = False) -> str:
    """Format an instant in the newsroom's time zone, and name the zone: `Tue 10 Mar, 07:00 GMT`."""
    if when is None:
        return ""
    there = when.astimezone(zone)
    return f"{there:%a %-d %b}{there.strftime(' %Y') if year else ''}, {there:%H:%M %Z}"
