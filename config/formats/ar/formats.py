"""Arabic: “الأحد، 22 نوفمبر 2026”."""

FULL_DATE_FORMAT = "l، j F Y"
FULL_DAY_FORMAT = "l، j F"
LONG_DATE_FORMAT = "j F Y"
DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y، g:i A"
SHORT_DATETIME_FORMAT = "d\u200f/m\u200f/Y g:i A"
