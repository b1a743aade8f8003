"""The WSGI entry point."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config import checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
checks.refuse_unsafe_start()
# Import the URLs now; otherwise the first request would wait for the admin and the API to load.
import_module(settings.ROOT_URLCONF)
