"""Only addresses on the public internet are public, whatever the version of Python says."""

import ipaddress

import pytest

from subscribers.web.public_addresses import is_public
from subscribers.web.receiver_url import BadReceiverUrl, check_receiver_url

# IANA's special-purpose blocks that are not globally reachable, and what else no host is at.
BLOCKS = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
    "::/128", "::1/128", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64",
    "2001::/32", "2001:2::/48", "2001:10::/28", "2001:20::/28", "2001:db8::/32", "2002::/16",
    "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.0", "169.253.255.255", "172.15.255.255", "172.32.0.0",
    "191.255.255.255", "192.0.1.0", "192.31.196.1", "192.167.255.255", "192.169.0.0",
    "198.17.255.255", "198.20.0.0", "223.255.255.255", "2001:200::1", "2001:4860:4860::8888",
    "2001:db7:ffff::1", "2001:db9::1", "2003::1", "2606:4700::1111", "2a00::1", "3ffe::1",
]  # fmt: skip


@pytest.mark.parametrize("block", BLOCKS)
def test_both_ends_of_a_special_block_are_not_public(block):
    network = ipaddress.ip_network(block)

    assert not is_public(network[0])
    assert not is_public(network[-1])


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_beside_a_special_block_is_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "192.0.0.192", "192.0.0.9", "fec0::1", "::10.0.0.1", "::8.8.8.8", "2002:808:808::1",
        "2002:7f00:1::", "2001:0:808:808::f7f7:f7f7", "64:ff9b:1::a00:1", "fe80::1%eth0",
    ],
)  # fmt: skip
def test_an_address_that_some_pythons_take_for_a_public_one_is_not_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("wrapping", ["::ffff:{}", "64:ff9b::{}"])
@pytest.mark.parametrize(
    ("inner", "expected"),
    [("8.8.8.8", True), ("10.0.0.1", False), ("127.0.0.1", False), ("192.0.0.192", False)],
)
def test_a_wrapped_address_is_what_the_inner_one_is(wrapping, inner, expected):
    assert is_public(ipaddress.ip_address(wrapping.format(inner))) is expected


@pytest.mark.parametrize("host", ["192.0.0.192", "[fec0::1]", "[::ffff:10.0.0.1]"])
def test_a_webhook_to_an_address_that_is_not_public_is_refused(host):
    with pytest.raises(BadReceiverUrl, match="WEBHOOK_ALLOW_HOSTS"):
        check_receiver_url(f"https://{host}/hook", allow_hosts=[], allow_http=False)
