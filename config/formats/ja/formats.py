"""Japanese: “2026年11月22日日曜日”."""

FULL_DATE_FORMAT = "Y年n月j日l"
FULL_DAY_FORMAT = "n月j日l"
LONG_DATE_FORMAT = "Y年n月j日"
DATETIME_FORMAT = "Y年n月j日 G:i"
