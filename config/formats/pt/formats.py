"""Portuguese: “domingo, 22 de novembro de 2026”."""

FULL_DATE_FORMAT = r"l, j \d\e F \d\e Y"
FULL_DAY_FORMAT = r"l, j \d\e F"
LONG_DATE_FORMAT = r"j \d\e F \d\e Y"
