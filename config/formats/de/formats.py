"""German: “Sonntag, 22. November 2026”."""

FULL_DATE_FORMAT = "l, j. F Y"
FULL_DAY_FORMAT = "l, j. F"
LONG_DATE_FORMAT = "j. F Y"
DATETIME_FORMAT = "j. F Y, H:i"
