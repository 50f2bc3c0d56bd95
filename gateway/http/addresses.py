"""Which network addresses a backend may have: the private-address rule.

A capability file reaches public addresses only, unless its `base_url` itself names a private one
or the operator allows them. The rule is for the address that is actually dialled, so that a name
which changes its mind between look-up and connection gains nothing. Pure.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

NOT_PUBLIC: tuple[IPv4Network | IPv6Network, ...] = (  # what not every Python knows to be private
    IPv4Network("100.64.0.0/10"),  # carrier-grade NAT, and Alibaba's metadata service
    IPv4Network("168.63.129.16/32"),  # Azure's wire server: a public address with a private meaning
    IPv4Network("192.0.0.0/24"),  # protocol assignments, and Oracle's metadata service
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv6Network("64:ff9b:1::/48"),  # NAT64 for local use
    IPv6Network("100::/64"),  # discard
    IPv6Network("2001::/32"),  # Teredo
    IPv6Network("3fff::/20"),  # documentation
    IPv6Network("5f00::/16"),  # segment routing
    IPv6Network("fec0::/10"),  # site-local
)
NAT64 = IPv6Network("64:ff9b::/96")
THIS_MACHINE = ("localhost", "localhost.localdomain")


def is_public(text: str) -> bool:
    """Whether anyone on the internet means the same host by this address (canonical text).

    An IPv6 address that stands for an IPv4 one is as public as that one. Raises ValueError for
    what is no address.
    """
    address = ip_address(text)
    inner = _embedded(address)
    if inner is not None:
        address = inner
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    if special or not address.is_global:
        return False
    return not any(address in net for net in NOT_PUBLIC if net.version == address.version)


def names_private(host: str) -> bool:
    """Whether a `base_url`'s host is, plainly written, a private address or this very machine.

    Only canonical notation counts: `0x7f.1` or `2130706433` is no explicit choice. Nor is a name
    that merely resolves to a private address.
    """
    name = host.strip("[]").rstrip(".").lower()
    if name in THIS_MACHINE or name.endswith(".localhost"):
        return True
    try:
        return not is_public(name)
    except ValueError:
        return False


def _embedded(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped, NAT64 or 6to4."""
    if isinstance(address, IPv4Address):
        return None
    if address in NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour
