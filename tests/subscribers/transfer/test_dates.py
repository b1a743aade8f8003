"""A date of a list is read as a whole or not at all."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscribers.transfer.dates import DateOrder, is_date, order_of, read_date
from tests.support.steps import assert_steps_are_bounded

DMY, MDY = (dict.fromkeys("/-", order) for order in DateOrder)
HOSTILE = st.text(alphabet="0123456789-:+/., TZamp年月日h時()ma٣\n", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("6/19/2017 14:41", (2017, 6, 19, 14, 41)),
        ("19.06.2017 14:41", (2017, 6, 19, 14, 41)),
        ("25/12/20", (2020, 12, 25)),
        ("12/25/2020 12:05 AM", (2020, 12, 25, 0, 5)),
        ("2/13/2023 2:05:07 PM", (2023, 2, 13, 14, 5, 7)),
        ("2021/03/05 10:00", (2021, 3, 5, 10)),
        ("43891.5", (2020, 3, 1, 12)),
        ("1617000000", (2021, 3, 29, 6, 40)),
        ("1617000000000", (2021, 3, 29, 6, 40)),
        ("20210305", (2021, 3, 5)),
        ("Feb 3, 2023", (2023, 2, 3)),
        ("Mar 14, 2021 at 3:04 pm", (2021, 3, 14, 15, 4)),
        ("3-Feb-23", (2023, 2, 3)),
        ("Fri, 03 Feb 2023 10:00:00 +0200", (2023, 2, 3, 8)),
        ("Tue Mar 02 2021 10:00:00 GMT+0100 (CET)", (2021, 3, 2, 9)),
        ("3. März 2021, 14:05 Uhr", (2021, 3, 3, 14, 5)),
        ("1er févr. 2021 à 14h05", (2021, 2, 1, 14, 5)),
        ("3 de febrero de 2023 2:05 p. m.", (2023, 2, 3, 14, 5)),
        ("5 de março de 2021", (2021, 3, 5)),
        ("٣ فبراير ٢٠٢٣", (2023, 2, 3)),
        ("2023年2月3日(金) 午後2:05", (2023, 2, 3, 14, 5)),
        ("\ufeff2021-03-04 10:00 UTC", (2021, 3, 4, 10)),
    ],
)
def test_a_date_is_read_in_every_form_that_services_and_spreadsheets_write(text, meant):
    assert read_date(text, {}).astimezone(UTC) == datetime(*meant, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["yes", "yesterday", "31/02/2021", "1.2", "45", "12345678901234567890", "2 March", "3/4/2021",
     "2021-03-04 25:00", "13/13/2021", "4 Brumaire 2021", "2021-03-04 10:00 XYZ", "Feb 3 Mar 2021",
     "1900-01-01", "3 February", "9" * 70],
)  # fmt: skip
def test_what_is_no_date_or_could_be_two_is_unknown(text):
    assert read_date(text, {}) is None


def test_the_order_of_the_column_decides_a_date_that_could_be_two():
    assert read_date("3/4/2021", DMY) == datetime(2021, 4, 3, tzinfo=UTC)
    assert read_date("3/4/2021", MDY) == datetime(2021, 3, 4, tzinfo=UTC)
    assert read_date("25/4/2021", MDY) == datetime(2021, 4, 25, tzinfo=UTC)
    assert order_of("3/4/2021") == ("/", None)
    assert order_of("25-4-2021") == ("-", DateOrder.DMY)
    assert order_of("4/25/21 10:00") == ("/", DateOrder.MDY)
    assert order_of("3.4.2021") is order_of("2021-03-04") is order_of("4/4/2021") is None


@settings(max_examples=60, derandomize=True, database=None)
@given(HOSTILE, HOSTILE)
def test_no_text_makes_a_date_fail_or_work_out_of_proportion(unit, rest):
    for function in (is_date, order_of):
        assert_steps_are_bounded(function, unit)
        function(unit + rest)
