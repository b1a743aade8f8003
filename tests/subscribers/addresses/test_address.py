"""Valid addresses are normalised and others refused; the case of letters does not count."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.addresses.address import BadAddress, compare_key, domain, normalise


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("ann@example.com", "ann@example.com"),
        ("  Ann.Lee@EXAMPLE.com\n", "Ann.Lee@example.com"),
        ("ann+news@example.com", "ann+news@example.com"),
        ("\u200bann@example.com\ufeff", "ann@example.com"),
        ("o'neill@example.ie", "o'neill@example.ie"),
        ("ann@bücher.example.com", "ann@xn--bcher-kva.example.com"),
        ("ann@xn--bcher-kva.example.com", "ann@xn--bcher-kva.example.com"),
    ],
)
def test_an_address_is_normalised_to_what_a_mail_server_takes(raw, address):
    assert normalise(raw) == address


@pytest.mark.parametrize(
    "pasted",
    [
        "mailto:Bob@example.org",
        "MAILTO:Bob@example.org?subject=Hello%2C%20you&cc=eve@example.org",
        "mailto:Bob%40example.org",
        "mailto://Bob@example.org",
        "Bob <mailto://Bob@example.org?subject=Hello>",
        "Bob <Bob@example.org>",
        '"Lee, Bob" <Bob@example.org>;',
        "Bob@example.org <Bob@example.org>",
        "Bob@example.org<mailto:Bob@example.org>",
        "<Bob@example.org>",
        "<Bob@example.org",
        "Bob@example.org>,",
        "Bob@example.org,",
        " Bob@example.org ; ",
        "Bob@example.org.",
        "(Bob@example.org).",
        "'Bob@example.org'",
        "\u201cBob@example.org\u201d",
        "\u201eBob@example.org\u201c,",
        "\u00abBob@example.org\u00bb",
        "Bob @ example.org",
        "Bob@ example.org",
        "Bob\uff20example.org",
        "\uff22\uff4f\uff42\uff20\uff45xample\uff0eorg",
        "Bob\ufe6bexample\u3002org",
        "\u3000Bob@example.org\u3000",
        "\u202aBob@example.org\u202c",
        "\u200eBob@exam\u00adple.org\u00a0",
    ],
)
def test_a_pasted_address_is_mended(pasted):
    assert normalise(pasted) == "Bob@example.org"


@pytest.mark.parametrize(
    "text",
    [
        "bob@example.org, eve@example.org",
        "bob@example.org eve@example.org",
        "bob@example.org; eve@example.org;",
        "Bob <bob@example.org>, Eve <eve@example.org>",
        "bob@example.org <eve@example.org>",
        "<bob@example.org> eve@example.org",
        "mailto:bob@example.org,eve@example.org",
        "<<bob@example.org>> <eve@example.org>",
    ],
)
def test_two_addresses_in_one_field_stay_refused(text):
    with pytest.raises(BadAddress):
        normalise(text)


@given(st.text(alphabet="aB@.<>,;:?\"'()[] mailto\uff20\u201c\u200b%40", max_size=40))
def test_mending_changes_no_address_that_is_right_already(text):
    with contextlib.suppress(BadAddress):
        address = normalise(text)
        assert normalise(address) == address
        assert address.count("@") == 1


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "   ",
        "ann",
        "ann@",
        "@example.com",
        "ann@example",
        "ann@localhost",
        "ann@@example.com",
        "ann lee@example.com",
        "ann@example..com",
        ".ann@example.com",
        "ann@[127.0.0.1]",
        '"ann lee"@example.com',
        "ann@example.com,bob@example.com",
        "ann@example.com\r\nBcc: bob@example.com",
        "ann@exam\x00ple.com",
        "änn@example.com",
        "a" * 65 + "@example.com",
        "ann@" + "a" * 250 + ".com",
        "a" * 1_000_000,
    ],
)
def test_an_invalid_address_is_refused_with_a_sentence(raw):
    with pytest.raises(BadAddress) as refusal:
        normalise(raw)
    assert str(refusal.value).endswith((".", "!", "?"))
    assert len(str(refusal.value)) < 300


def test_spellings_that_differ_in_case_are_one_address():
    assert compare_key("Ann@example.com") == compare_key("aNN@example.com")


def test_a_tag_or_a_dot_makes_another_address():
    spellings = {"ann.lee@example.com", "annlee@example.com", "annlee+a@example.com"}
    assert len({compare_key(address) for address in spellings}) == 3


def test_the_domain_is_behind_the_last_at_sign():
    assert domain("ann@News.Example.com") == "news.example.com"


@given(st.text(max_size=400))
def test_any_text_is_either_an_address_or_refused(raw):
    try:
        address = normalise(raw)
    except BadAddress:
        return
    assert address.isascii()
    assert len(address) <= 254
    assert not set(address) & set(" \r\n\t<>\x00,")


@given(st.emails())
def test_normalising_twice_changes_nothing_more(raw):
    try:
        once = normalise(raw)
    except BadAddress:
        return
    assert normalise(once) == once
    assert compare_key(normalise(once.upper())) == compare_key(once)
