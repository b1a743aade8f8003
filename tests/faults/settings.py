"""The product's settings with a clock that ticks every second, for the processes of these tests."""

from config.settings import *  # noqa: F403
from config.settings import CELERY_BEAT_SCHEDULE

for entry in CELERY_BEAT_SCHEDULE.values():
    entry["schedule"] = 1
# Shortens the waits that FAULT_SHORT_WAITS names.
CELERY_IMPORTS = ["tests.faults.short_waits"]
