"""Stop what `start` and other commands left running here (`make stop`)."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.devserver import local

WAIT_SECONDS = 40


class Command(BaseCommand):
    help = "Stop a running `make run` of this folder, and its PostgreSQL and Redis."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if local.is_running():
            with suppress(KeyError, ProcessLookupError):
                os.kill(local.last_run()["pid"], signal.SIGTERM)
            deadline = time.monotonic() + WAIT_SECONDS
            while local.is_running():
                if time.monotonic() > deadline:
                    raise CommandError(f"Daybreak is still running after {WAIT_SECONDS} s")
                time.sleep(0.1)
        local.stop_services()
        self.stdout.write("Stopped.")
