"""Days, hours and numbers are written as each language writes them."""

from datetime import datetime

import pytest
from django.conf import settings
from django.utils import formats, translation
from django.utils.formats import date_format, number_format, time_format

CODES = [code for code, _ in settings.LANGUAGES]
SUNDAY = datetime(2026, 3, 22, 15, 5)  # noqa: DTZ001 (as a template has it, in its zone)


@pytest.mark.parametrize(
    ("code", "full", "time"),
    [
        ("en", "Sunday 22 March 2026", "15:05"),
        ("de", "Sonntag, 22. März 2026", "15:05"),
        ("fr", "dimanche 22 mars 2026", "15:05"),
        ("es", "domingo, 22 de marzo de 2026", "15:05"),
        ("pt", "domingo, 22 de março de 2026", "15:05"),
        ("ar", "الأحد، 22 مارس 2026", "3:05 م"),
        ("ja", "2026年3月22日日曜日", "15:05"),
    ],
)
def test_dates_and_times_have_the_format_of_their_language(code, full, time):
    with translation.override(code):
        assert date_format(SUNDAY, "FULL_DATE_FORMAT") == full
        assert time_format(SUNDAY, "TIME_FORMAT") == time
        # The day without its year is part of the day with it.
        assert date_format(SUNDAY, "FULL_DAY_FORMAT") in full.replace("2026年", "")
        assert date_format(SUNDAY, "LONG_DATE_FORMAT") in full


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    "name",
    ["DATE_FORMAT", "DATETIME_FORMAT", "SHORT_DATE_FORMAT", "SHORT_DATETIME_FORMAT", "TIME_FORMAT",
     "FULL_DATE_FORMAT", "FULL_DAY_FORMAT", "LONG_DATE_FORMAT", "MONTH_DAY_FORMAT"],
)  # fmt: skip
def test_no_format_falls_back_to_the_american_one(code, name):
    modules = list(formats.get_format_modules(code))

    assert any(hasattr(module, name) for module in modules)


@pytest.mark.parametrize(
    ("code", "number"),
    [("en", "1,234.5"), ("de", "1.234,5"), ("fr", "1\xa0234,5"), ("ja", "1,234.5")],
)
def test_numbers_have_the_format_of_their_language(code, number):
    with translation.override(code):
        assert number_format(1234.5, force_grouping=True) == number
