"""Wire the parts of the project together; the apps never import from here."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
