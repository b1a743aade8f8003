"""British English on a newsroom's 24-hour clock: Django's own says “noon” and “12:15 p.m.”."""

TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i"
SHORT_DATETIME_FORMAT = "d/m/Y H:i"
