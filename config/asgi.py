"""The ASGI entry point."""

import os
from importlib import import_module

from django.conf import settings
from django.core.asgi import get_asgi_application

from config import checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_asgi_application()
checks.refuse_unsafe_start()
# Now, or the first request would wait until the admin and the API are read in.
import_module(settings.ROOT_URLCONF)
