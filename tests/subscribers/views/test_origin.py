"""The client's address is read as its server or our proxy wrote it, or it is unknown."""

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from subscribers.models import Consent, Subscriber
from subscribers.signup.abuse.limits import UNKNOWN_NETWORK, network
from subscribers.views.origin import _read_ip_address, ip_address_of
from tests import factories

FORWARDED = [
    ("192.0.2.7", "192.0.2.7"),
    ("1.2.3.4:5000", "1.2.3.4"),
    ("203.0.113.9, 192.0.2.7:443", "192.0.2.7"),
    ("2001:db8::1", "2001:db8::1"),
    ("[2001:db8::1]", "2001:db8::1"),
    ("[2001:db8::1]:443", "2001:db8::1"),
    ('"[2001:db8::1]:443"', "2001:db8::1"),
    ('"192.0.2.7"', "192.0.2.7"),
    ("::ffff:192.0.2.7", "192.0.2.7"),
    ("[::ffff:192.0.2.7]:8080", "192.0.2.7"),
    ("fe80::1%eth0", "fe80::1"),
    (" \t192.0.2.7 ", "192.0.2.7"),
    # An address of the client's own making is not taken instead of the one that cannot be read.
    ("192.0.2.7, unknown", None),
    ("192.0.2.7,", None),
    ("192.0.2.7, _hidden", None),
    ("192.0.2.7 203.0.113.9", None),
    ("192.0.2.7:http", None),
    ("192.0.2.7:500000", None),
    ("192.0.2.007", None),
    ("192.0.2.7%eth0", None),
    ("[2001:db8::1", None),
    ("[2001:db8::1]443", None),
    ("for=192.0.2.7", None),
    ("unix:/run/web.sock", None),
    ("\u0661.2.3.4", None),
    ("localhost", None),
    ('"', None),
    ("", None),
]


def forwarded(value, **meta):
    return RequestFactory().get("/", headers={"X-Forwarded-For": value}, **meta)


@pytest.mark.parametrize(("value", "ip_address"), FORWARDED)
def test_the_proxys_entry_is_read_with_or_without_a_port_or_is_unknown(settings, value, ip_address):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    assert ip_address_of(forwarded(value, REMOTE_ADDR="127.0.0.1")) == ip_address


@pytest.mark.parametrize("behind_proxy", [None, ("HTTP_X_FORWARDED_PROTO", "https")])
@pytest.mark.parametrize(
    ("peer", "ip_address"), [("192.0.2.9", "192.0.2.9"), ("", None), ("b''", None)]
)
def test_without_the_header_the_peers_address_counts_and_a_unix_socket_has_none(
    settings, behind_proxy, peer, ip_address
):
    settings.SECURE_PROXY_SSL_HEADER = behind_proxy

    assert ip_address_of(RequestFactory().get("/", REMOTE_ADDR=peer)) == ip_address


@given(st.one_of(st.text(max_size=60), st.text(alphabet='[]:".,%0129af ', max_size=60)))
def test_any_text_is_an_address_with_a_network_or_unknown(text):
    ip_address = _read_ip_address(text)

    assert ip_address is None or network(ip_address).partition("/")[2] in ("24", "56")
    assert network(None) == UNKNOWN_NETWORK


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("entries", "stored"),
    [
        (["1.2.3.4:5000"], "1.2.3.4"),
        (['"[2001:db8::1]:443"'], "2001:db8::1"),
        # What cannot be read has one limit, however it is varied.
        (["unknown", "_a{n}", "1.2.3.{n}:http", "[::{n}", "1.2.3.{n},", ""], None),
    ],
)
def test_a_network_is_limited_however_the_proxy_writes_its_address(
    client, settings, entries, stored
):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Nothing else is in the way of a form that a program sends 70 times.
    settings.SIGNUP_LIMIT = 10_000
    url = factories.newsletter().get_absolute_url()
    for n in range(70):
        header = entries[n % len(entries)].format(n=n)
        client.post(url, {"email": f"ann{n}@example.com"}, headers={"X-Forwarded-For": header})

    assert Subscriber.objects.count() == settings.SIGNUP_LIMIT_NETWORK == 60
    assert set(Consent.objects.values_list("ip_address", flat=True)) == {stored}
