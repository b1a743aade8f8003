"""The editors' part of the admin: one module per model."""

from digest.admin import deliveries, feeds, schedules, stories
from digest.admin.edition import editions

__all__ = ["deliveries", "editions", "feeds", "schedules", "stories"]
