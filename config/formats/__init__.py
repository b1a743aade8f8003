"""Define how each language writes a day; Django's own formats have no day of the week.

FULL_DATE_FORMAT: with weekday and year. FULL_DAY_FORMAT: with weekday, without year.
LONG_DATE_FORMAT: without weekday, the month as a word. In templates: `date:"FULL_DATE_FORMAT"`.
"""
