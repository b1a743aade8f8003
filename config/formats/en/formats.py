"""British dates on a newsroom's 24-hour clock: Django's own say “noon” and “12:15 p.m.”."""

from django.conf.locale.en_GB.formats import *  # type: ignore[import-untyped] # noqa: F403

TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i"
SHORT_DATETIME_FORMAT = "d/m/Y H:i"
FULL_DATE_FORMAT = "l j F Y"
FULL_DAY_FORMAT = "l j F"
LONG_DATE_FORMAT = "j F Y"
