#!/usr/bin/env python
"""Run Daybreak's management commands."""

import os
import sys

from django.core.management import execute_from_command_line

from config import checks
from config.devserver import local
from config.plain_errors import plain_errors


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("DEBUG", str(not local.is_configured()))
    with plain_errors(sys.argv):
        checks.refuse_unsafe_command(sys.argv)
        if local.is_development() and local.command_needs_services(sys.argv):
            local.ensure_services()
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
