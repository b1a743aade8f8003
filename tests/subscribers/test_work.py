"""What a stranger writes makes no parser of ours fail, or work out of proportion to its length."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscribers.addresses.address import BadAddress, compare_key, masked, normalise
from subscribers.addresses.mentions import addresses_in
from subscribers.transfer import presets
from subscribers.transfer.checking import Checker
from subscribers.transfer.rows import Row
from subscribers.web.retry_after import retry_after
from tests.factories import NOW
from tests.support.steps import assert_steps_are_bounded

ADDRESSES = st.text(alphabet='aA@.+-_ "()<>,:;\\é＠例\u00ad\n\x00ß%4“”。', min_size=1, max_size=6)
DATES = st.text(alphabet="0123456789-:+ TZ/.,MonJa\n", min_size=1, max_size=8) | st.sampled_from(
    ["Mon, 01 Jan 9999", "2020-09-06 13:16:07 +0200 CEST", "9" * 30, " +0000 A"]
)
CHECKER = Checker(confirmed=True, now=NOW)


def address(text: str) -> None:
    with contextlib.suppress(BadAddress):
        masked(compare_key(normalise(text)))


def columns(text: str) -> None:
    header = text.split(",")
    presets.columns(header, presets.detect(header))


@pytest.mark.parametrize(
    "function",
    [
        address,
        addresses_in,
        columns,
        lambda text: CHECKER.check(Row(2, text)),
        lambda text: CHECKER.check(Row(2, "ann@example.com", name=text)),
    ],
    ids=["address", "addresses in a text", "header", "row", "name"],
)
def test_an_address_takes_steps_for_its_length(function):
    @settings(max_examples=25, derandomize=True, database=None)
    @given(ADDRESSES)
    def check(unit):
        assert_steps_are_bounded(function, unit)
        function(unit)

    check()


@pytest.mark.parametrize(
    "function",
    [
        lambda text: retry_after(text, now=NOW),
        lambda text: CHECKER.check(Row(2, "ann@example.com", confirmed_at=text)),
        lambda text: CHECKER.check(Row(2, "ann@example.com", signed_up_ip=text)),
    ],
    ids=["Retry-After", "time", "network"],
)
def test_a_date_takes_steps_for_its_length(function):
    @settings(max_examples=40, derandomize=True, database=None)
    @given(DATES, DATES)
    def check(unit, rest):
        assert_steps_are_bounded(function, unit)
        function(unit + rest)

    check()


@pytest.mark.parametrize(
    "part", ["{} Jan 2026 00:00:00", "01 Jan {} 00:00:00", "01 Jan 2026 {}:00"]
)
def test_a_retry_after_of_an_impossible_day_is_none(part):
    assert retry_after(f"Mon, {part.format('9' * 30)} GMT", now=NOW) is None
