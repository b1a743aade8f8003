"""The Celery app: the clock that looks, and the hands that do."""

import os

from celery import Celery, signals

from config import checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("daybreak")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Without DEBUG neither hands nor clock start on unsafe defaults.
signals.worker_init.connect(checks.refuse_unsafe_start)
signals.beat_init.connect(checks.refuse_unsafe_start)
