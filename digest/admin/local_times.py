"""Write an instant in the newsroom's time zone."""

from datetime import datetime, tzinfo


def format_local(when: datetime | None, zone: tzinfo, *, year: bool = False) -> str:
    """Format an instant in the newsroom's time zone, and name the zone: `Tue 10 Mar, 07:00 GMT`."""
    if when is None:
        return ""
    local = when.astimezone(zone)
    return f"{local:%a %-d %b}{local.strftime(' %Y') if year else ''}, {local:%H:%M %Z}"
