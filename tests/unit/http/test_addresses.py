"""The private-address rule, I48."""

import pytest

from gateway.http.addresses import is_public, names_private


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",  # noqa: S104  an address to be refused, not bound to
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "198.18.0.1",
        "203.0.113.7",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "100::1",
        "64:ff9b:1::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
    ],
)
def test_an_address_that_is_not_everyones_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "172.15.0.1",
        "172.32.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
    ],
)
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("text", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_other_notations_are_no_addresses(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        is_public(text)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.0.0.7",
        "[::1]",
        "::1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
    ],
)
def test_a_base_url_names_a_private_address_by_writing_it_plainly(host: str) -> None:
    assert names_private(host)


@pytest.mark.parametrize(
    "host",
    ["api.example.com", "8.8.8.8", "2130706433", "0x7f.1", "127.1", "localhost.evil.example", ""],
)
def test_anything_else_names_none(host: str) -> None:
    assert not names_private(host)
