"""Screening finds valid addresses that are probably wrong, and asks about them or refuses them."""

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.addresses import typos
from subscribers.addresses.address import BadAddress, compare_key, normalise
from subscribers.addresses.homoglyphs import impersonated
from subscribers.addresses.screening import ScreeningPolicy, is_disposable, screen
from subscribers.addresses.typos import COMMON_DOMAINS


def screened(typed, *, confirmed=False, **policy):
    """Return the error about an address as it was typed; None if the address is accepted."""
    try:
        screen(normalise(typed), policy=ScreeningPolicy(**policy), confirmed=confirmed)
    except BadAddress as error:
        return error
    return None


# --- Typos --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gamil.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmial.con", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("hotmai.fr", "hotmail.fr"),
        ("outllok.com", "outlook.com"),
        ("yahooo.co.uk", "yahoo.co.uk"),
        ("t-onlin.de", "t-online.de"),
        ("wanado.fr", "wanadoo.fr"),
        ("yaho.co.jp", "yahoo.co.jp"),
        ("newsroom.con", "newsroom.com"),
    ],
)
def test_a_typo_is_offered_a_correction(typed, meant):
    error = screened(f"Ann.Lee+news@{typed}")

    assert error.suggestion == f"Ann.Lee+news@{meant}"
    assert error.may_insist
    assert screened(f"Ann.Lee+news@{typed}", confirmed=True) is None
    assert screened(error.suggestion) is None


@pytest.mark.parametrize("host", sorted(COMMON_DOMAINS))
def test_an_address_at_a_common_provider_is_accepted(host):
    assert screened(f"ann@{host}") is None


@pytest.mark.parametrize(
    "host",
    ["mall.com", "lime.com", "example.org", "web.com", "news.example.co", "con", ".con", "gmail"],
)
def test_a_domain_that_is_merely_short_or_unknown_is_not_a_typo(host):
    assert typos.suggest(host) == ""


@given(st.from_regex(r"[a-z0-9-]{1,20}(\.[a-z]{2,6}){1,2}", fullmatch=True))
def test_a_suggested_domain_is_never_a_typo_itself(host):
    meant = typos.suggest(host)

    assert meant != host
    assert not meant or typos.suggest(meant) == ""


# --- Homoglyphs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "looks_like"),
    [
        ("gm\u0430il.com", "gmail.com"),  # a Cyrillic a
        ("\u0440\u0430ypal.com", "paypal.com"),
        ("\u0455\u0441\u043e\u0440\u0435.com", "scope.com"),  # Cyrillic throughout
        ("\u03bfutlook.com", "outlook.com"),  # a Greek omicron
    ],
)
def test_a_homoglyph_domain_is_detected(written, looks_like):
    assert impersonated(idna.encode(written).decode()) == looks_like


@pytest.mark.parametrize(
    "written",
    [
        "example.com",
        "bücher.de",
        "straße.de",
        "\u044f\u043d\u0434\u0435\u043a\u0441.\u0440\u0444",
        "\u044f\u043d\u0434\u0435\u043a\u0441.com",
        "\u4f8b\u3048.jp",
        "\u30d6\u30ed\u30b0abc.jp",
        "\u0645\u062b\u0627\u0644.com",
        "xn--nothing-at-all-.com",
    ],
)
def test_a_domain_in_one_script_imitates_no_other(written):
    host = written if written.isascii() else idna.encode(written, uts46=True).decode()

    assert impersonated(host) == ""


def test_a_homoglyph_domain_is_refused_with_the_domain_that_it_imitates():
    error = screened("ann@gm\u0430il.com")

    assert error.suggestion == "ann@gmail.com"
    assert not error.may_insist
    assert screened("ann@gm\u0430il.com", confirmed=True)
    assert screened("ann@gm\u0430il.com", confirmed=True, mixed_scripts="warn") is None
    assert screened("ann@gm\u0430il.com", mixed_scripts="allow") is None


# --- Disposable addresses and role accounts ------------------------------------------------------


@pytest.mark.parametrize(("level", "confirmed", "is_accepted"), [
    ("allow", False, True), ("warn", False, False), ("warn", True, True),
    ("refuse", False, False), ("refuse", True, False),
])  # fmt: skip
def test_settings_decide_about_disposable_addresses_and_role_accounts(
    level, confirmed, is_accepted
):
    assert (
        screened("ann@mailinator.com", confirmed=confirmed, disposable=level) is None
    ) is is_accepted
    assert (screened("info@example.com", confirmed=confirmed, roles=level) is None) is is_accepted


@pytest.mark.parametrize(
    ("host", "expected"),
    [("mailinator.com", True), ("my.mailinator.com", True), ("example.com", False), ("com", False)],
)
def test_a_subdomain_of_a_disposable_domain_is_disposable(host, expected):
    assert is_disposable(host) is expected


@pytest.mark.parametrize("local", ["noreply", "No-Reply", "mailer-daemon", "devnull+news"])
def test_a_mailbox_that_nobody_reads_is_refused_even_if_the_reader_keeps_it(local):
    error = screened(f"{local}@example.com", confirmed=True)

    assert not error.may_insist
    assert screened(f"{local}@example.com", roles="allow") is None


@pytest.mark.parametrize("local", ["ann", "information", "sales.lee", "infoann"])
def test_a_personal_address_is_not_a_role_account(local):
    assert screened(f"{local}@example.com") is None


# --- Spellings of one address -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann@Example.com", "ann@example.COM"),
        ("ann@bücher.example.org", "ann@xn--bcher-kva.example.org"),
        ("ann@BÜCHER.example.org", "ann@bücher.example.org"),
    ],
)
def test_two_spellings_have_one_key(one, other):
    assert compare_key(one) == compare_key(other)
    assert compare_key(normalise(one)) == compare_key(normalise(other))
