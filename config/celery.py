"""The Celery app: the clock that looks, and the hands that do."""

import gc
import os
from typing import Any

from celery import Celery, signals

from config import checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Django's checks read in every page and the API, a fifth of a worker's memory. Our own of the
# settings are made below, and all of them by each command of manage.py.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

app = Celery("daybreak")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def leave_out_of_collections(**_: Any) -> None:
    """The code's own objects stay: going through them again and again slowed the lanes down."""
    gc.collect()
    gc.freeze()


signals.worker_process_init.connect(leave_out_of_collections)

# Without DEBUG neither hands nor clock start on unsafe defaults.
signals.worker_init.connect(checks.refuse_unsafe_start)
signals.beat_init.connect(checks.refuse_unsafe_start)
