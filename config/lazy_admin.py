"""Load the admin only if its pages are shown or checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class LazyAdminConfig(SimpleAdminConfig):
    """Django's admin app, except that workers and most commands start without the admin.

    Such a start takes 0.6 instead of 0.85 s of processor time. config.urls loads the admin, and so
    does the check below.
    """

    default_site = "config.login.site.StaffSite"

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_registered, checks.Tags.admin)


def check_registered(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> Sequence[checks.CheckMessage]:
    """Load the admin, then run Django's check of everything that is registered with it."""
    admin.autodiscover()
    return check_admin_app(app_configs, **kwargs)
