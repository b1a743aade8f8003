"""Read the admin in where its pages are shown or checked, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class LazyAdminConfig(SimpleAdminConfig):
    """Django's own, but a worker and most commands start without the admin.

    That takes 0.6 instead of 0.85 s of the processor. config.urls reads the admin in, and so does
    the check below.
    """

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_registered, checks.Tags.admin)


def check_registered(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> Sequence[checks.CheckMessage]:
    """Django's check of all that is registered with the admin, once it is."""
    admin.autodiscover()
    return check_admin_app(app_configs, **kwargs)
