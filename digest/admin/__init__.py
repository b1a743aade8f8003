"""The editors' desk: one module per surface."""

from digest.admin import deliveries, editions, feeds, schedules, stories

__all__ = ["deliveries", "editions", "feeds", "schedules", "stories"]
