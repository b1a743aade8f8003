"""The Celery app: beat finds the work that is due, and workers do it."""

import gc
import os
from typing import Any

from celery import Celery, signals

from config import checks, semaphores
from config.health import heartbeats

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Django's system checks import every page and the API, which takes a fifth of a worker's memory.
# Workers only check the settings (below); each command of manage.py runs all checks.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

app = Celery("daybreak")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def exempt_from_gc(**_: Any) -> None:
    """Exempt the objects that importing the code has made from garbage collection.

    They live as long as the process; going through them again and again slowed the lanes down.
    """
    gc.collect()
    gc.freeze()


signals.worker_process_init.connect(exempt_from_gc)

# Without DEBUG neither workers nor beat start on unsafe defaults.
signals.worker_init.connect(checks.refuse_unsafe_start)
signals.beat_init.connect(checks.refuse_unsafe_start)
signals.worker_init.connect(semaphores.refuse_start_without_semaphores)
heartbeats.connect()
