"""The code writes headers without a library, so Python's parser reads them back here."""

from email import message_from_string, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rendering.headers import UnsafeHeader, address_line, ascii_line, text_line

# Text that the one_line validator of a model accepts.
printable = st.text(
    alphabet=st.characters(
        exclude_categories=["Cc", "Cs", "Zl", "Zp"],
        exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    ),
    min_size=1,
    max_size=150,
)


def parse(header: str):
    return message_from_string(header + "\r\n\r\n", policy=policy.strict)


@given(printable)
def test_any_subject_decodes_to_itself_and_is_folded_at_76(subject):
    header = text_line("Subject", subject)

    assert header.isascii()
    assert all(len(row) <= 76 for row in header.split("\r\n"))
    assert parse(header)["Subject"].split() == subject.split()


@given(printable.map(lambda name: name[:80]))
def test_any_display_name_decodes_to_itself_next_to_its_address(name):
    header = address_line("From", display=name, address="daily@news.example.com")
    parsed = parse(header)["From"].addresses

    assert all(len(row) <= 76 for row in header.split("\r\n"))
    assert [address.addr_spec for address in parsed] == ["daily@news.example.com"]
    # Some Pythons put a space between two encoded-words of a phrase; RFC 2047, 6.2, has none.
    assert "".join(parsed[0].display_name.split()) == "".join(name.split())


@pytest.mark.parametrize(
    "breaker", ["\r", "\n", "\r\n", "\x00", "\x85", "\u2028", "\x0b", "\u202e", "\u202a", "\u2067"]
)
def test_a_line_break_in_any_value_is_refused(breaker):
    evil = f"News{breaker}Bcc: everybody@example.com"
    with pytest.raises(UnsafeHeader, match="Subject"):
        text_line("Subject", evil)
    with pytest.raises(UnsafeHeader, match="From"):
        address_line("From", display=evil, address="daily@example.com")
    with pytest.raises(UnsafeHeader, match="To"):
        address_line("To", display="", address=f"a{breaker}b@example.com")
    with pytest.raises(UnsafeHeader, match="List-Id"):
        ascii_line("List-Id", evil)


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b@example.com", "a b@example.com", "a,b@example.com", "<a@b.c>"]
)
def test_a_value_that_is_not_one_address_is_refused(address):
    with pytest.raises(UnsafeHeader, match="one e-mail address"):
        address_line("To", display="", address=address)


def test_an_international_domain_goes_out_in_ascii():
    assert address_line("To", display="", address="a@bücher.example") == (
        "To: a@xn--bcher-kva.example"
    )


def test_a_local_part_that_needs_smtputf8_is_refused():
    with pytest.raises(UnsafeHeader, match="ASCII"):
        address_line("To", display="", address="jürgen@example.com")


def test_ascii_text_is_not_encoded():
    assert text_line("Subject", "Ferries return") == "Subject: Ferries return"
    assert address_line("From", display="The Daily", address="d@example.com") == (
        "From: The Daily <d@example.com>"
    )
    assert address_line("From", display='Fox, "J." & Co', address="d@example.com") == (
        'From: "Fox, \\"J.\\" & Co" <d@example.com>'
    )


def test_text_that_only_looks_encoded_is_encoded():
    subject = "=?utf-8?q?Bcc=3A?="
    assert parse(text_line("Subject", subject))["Subject"] == subject
