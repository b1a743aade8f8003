"""A list's readers are checked by the same rules as a sign-up, only faster."""

import pytest
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES
from hypothesis import example, given
from hypothesis import strategies as st

from subscribers.addresses.address import BadAddress, normalise
from subscribers.transfer import checking
from subscribers.transfer.checking import Batch, Checker
from subscribers.transfer.presets import RowKind
from subscribers.transfer.rows import Row, unescape_formula
from subscribers.transfer.spreadsheet import Refusal
from tests.factories import NOW

locals_ = st.one_of(
    st.text(alphabet="abcXYZ019._+-!'\"() @é", max_size=70),
    st.sampled_from([name.upper() for name in CASE_INSENSITIVE_MAILBOX_NAMES]),
    st.integers(60, 68).map(lambda n: "a" * n),
)
domains = st.one_of(
    st.text(alphabet="abXY09.-_é", max_size=30),
    st.sampled_from(
        ["example.com", "Example.COM", "münchen.example", "xn--mnchen-3ya.example", "localhost",
         "a.test", "example.123", "[127.0.0.1]", "a" * 64 + ".com", "example.com.", "ﬁ.example"]
    ),
    st.integers(180, 260).map(lambda n: "a." * (n // 2) + "com"),
)  # fmt: skip


def result_of(check, raw):
    try:
        return check(raw)
    except BadAddress as error:
        return str(error)


@given(st.builds("{}@{}".format, locals_, domains))
@example("Postmaster@example.com")
@example("\ufeffann@example.com")
@example("ann@gmial.com")
def test_each_address_gets_the_same_result_as_in_a_sign_up(raw):
    assert result_of(checking.fast_normalise, raw) == result_of(normalise, raw)


@given(st.text(max_size=40))
def test_any_other_text_gets_the_same_result_as_in_a_sign_up(raw):
    assert result_of(checking.fast_normalise, raw) == result_of(normalise, raw)


def check(row, **rules):
    return Checker(**{"confirmed": True, "now": NOW} | rules).check(row)


def test_an_unknown_time_zone_or_language_of_a_service_is_left_out():
    row = Row(2, "ann@example.com", timezone="Mars/Olympus", language="English")

    assert isinstance(check(row), Refusal)
    assert (check(row, lenient=True).timezone, check(row, lenient=True).language) == ("", "")


@pytest.mark.parametrize(
    ("date", "confirmed"),
    [
        ("2019-05-02 08:17:03", True),
        ("2019-05-02", True),
        ("", False),
        ("0000-00-00 00:00:00", False),
        ("yesterday", False),
        ("2031-01-01 00:00:00", False),
        ("9999-12-31T23:59:59-23:59", False),
    ],
)
def test_a_reader_without_a_date_is_asked_if_the_list_has_confirmation_dates(date, confirmed):
    row = Row(2, "ann@example.com", confirmed_at=date)

    assert check(row, requires_confirmed_at=True).is_confirmed is confirmed
    assert check(row, requires_confirmed_at=False).is_confirmed is True
    assert check(row, requires_confirmed_at=True, confirmed=False).is_confirmed is False


@pytest.mark.parametrize(
    ("dates", "reason"),
    [
        (("", "June"), "the confirmation date 'June' cannot be read, so the reader is asked by "
                       "mail to confirm"),
        (("", "2031-01-01"), "the confirmation date '2031-01-01' lies in the future, so the reader "
                             "is asked by mail to confirm"),
        (("3/4/2021", "3.4.2021"), "the sign-up date '3/4/2021' cannot be read and is left out"),
        (("", ""), None),
        (("NULL", "0000-00-00 00:00:00"), None),
        (("00.00.0000", "00/00/0000 00:00"), None),
        (("2021-01-01", "19.06.2017 14:41"), None),
    ],
)  # fmt: skip
def test_a_date_that_is_left_out_is_reported_with_its_line(dates, reason):
    row = Row(7, "ann@example.com", signed_up_at=dates[0], confirmed_at=dates[1])

    batch = Checker(confirmed=True, requires_confirmed_at=True, now=NOW).fill(Batch(), [row])

    assert len(batch.rows) == 1
    assert batch.unread == ([Refusal(7, "ann@example.com", reason)] if reason else [])


def test_a_reader_unconfirmed_at_the_service_is_asked_whatever_the_operator_says():
    assert check(Row(2, "ann@example.com", kind=RowKind.UNCONFIRMED)).is_confirmed is False


@pytest.mark.parametrize("address", ["203.0.113.9", "2001:db8::1"])
def test_the_ip_address_of_the_confirmation_is_kept(address):
    row = Row(2, "ann@example.com", confirmed_ip=address, signed_up_ip="198.51.100.1")

    assert check(row).ip_address == address


@pytest.mark.parametrize("address", ["unknown", "1.2.3", "fe80::1%eth0"])
def test_an_odd_ip_address_is_no_reason_to_refuse_a_reader(address):
    assert check(Row(2, "ann@example.com", signed_up_ip=address)).ip_address in {None, "fe80::1"}


def test_the_first_of_two_spellings_of_one_address_counts():
    rows = [Row(2, "Ann@Example.com"), Row(3, "ann@example.com"), Row(4, "bo@example.com")]

    batch = Checker(confirmed=True, now=NOW).fill(Batch(), rows)

    assert [row.line for row in batch.rows] == [2, 4]
    assert (batch.duplicates, batch.rows_read) == (1, 3)


def test_a_reader_listed_as_active_and_as_unsubscribed_counts_as_both():
    rows = [Row(2, "ann@example.com"), Row(3, "ann@example.com", kind=RowKind.UNSUBSCRIBED)]

    assert len(Checker(confirmed=True, now=NOW).fill(Batch(), rows).rows) == 2


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("'=cmd()", "=cmd()"),
        ("'+1@example.com", "+1@example.com"),
        ("'tis@example.com", "'tis@example.com"),
        ("'", "'"),
        ("", ""),
    ],
)
def test_a_formula_that_an_export_escaped_is_read_as_the_original(written, meant):
    assert unescape_formula(written) == meant
