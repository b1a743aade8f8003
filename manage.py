#!/usr/bin/env python
"""Run Daybreak's management commands."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from config import checks
from config.devserver import local
from config.devserver.sockets import ServiceError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("DEBUG", str(not local.is_configured()))
    try:
        checks.refuse_unsafe_command(sys.argv)
        if local.is_development() and local.command_needs_services(sys.argv):
            local.ensure_services()
        execute_from_command_line(sys.argv)
    except (ServiceError, ImproperlyConfigured) as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
