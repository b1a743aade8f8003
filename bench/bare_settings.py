"""The product's settings, with nothing around the view of bench.bare."""

from config.settings import *  # noqa: F403 (settings are made to be inherited)

ROOT_URLCONF = "bench.bare"
MIDDLEWARE: list[str] = []
