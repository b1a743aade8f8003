"""The editors' part of the admin: one module per model."""

from digest.admin import deliveries, editions, feeds, schedules, stories

__all__ = ["deliveries", "editions", "feeds", "schedules", "stories"]
