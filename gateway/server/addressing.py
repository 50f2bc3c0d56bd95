"""Who may address us: the Host and Origin rules against DNS rebinding. Pure.

A page of a hostile site can make a browser call a loopback port, but not choose the Host it sends
nor hide its Origin. Every route is behind this, health and metrics too (I1 to I4).
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import NamedTuple

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?")
ORIGIN = re.compile(r"https?://(.+)", re.IGNORECASE)

HIGHEST_PORT = 65_535
MOST_KNOWN = 256  # header values remembered as good


class Refusal(NamedTuple):
    """Why a request is not let in, with the HTTP status."""

    status: int
    reason: str


class Addressing:
    """Lets in the loopback names, the bound host and what the operator allows, on any port.

    `origins` are whole origins, such as `https://app.example`. A gateway bound to every address
    also takes any IP address as Host: rebinding needs a name.
    """

    def __init__(
        self, bound: str = "127.0.0.1", hosts: Iterable[str] = (), origins: Iterable[str] = ()
    ) -> None:
        bare = bound.strip("[]")
        everywhere = _is_unspecified(bare)
        named = [] if everywhere else [f"[{bare}]" if ":" in bare else bare]
        self._hosts = frozenset(host.lower() for host in (*LOOPBACK, *named, *hosts))
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)
        self._any_address = everywhere
        self._known: set[tuple[str | None, str | None]] = set()

    def refuse(self, host: str | None, origin: str | None) -> Refusal | None:
        """None lets the request in. Header values as received; None where absent."""
        if (host, origin) in self._known:
            return None
        refusal = self._check_host(host) or self._check_origin(origin)
        if refusal is None and len(self._known) < MOST_KNOWN:
            self._known.add((host, origin))
        return refusal

    def _check_host(self, host: str | None) -> Refusal | None:
        name = _name(host) if host else None
        if name is None:
            return Refusal(400, "the Host header is not a host name with an optional port")
        if name in self._hosts or (self._any_address and _is_address(name)):
            return None
        return Refusal(403, "this Host is not allowed; server.allowed_hosts names those that are")

    def _check_origin(self, origin: str | None) -> Refusal | None:
        if origin is None or origin.lower() in self._origins:
            return None
        found = ORIGIN.fullmatch(origin)
        name = _name(found[1]) if found else None
        if name is not None and name in self._hosts:
            return None
        return Refusal(
            403, "this Origin is not allowed; server.allowed_origins names those that are"
        )


def _name(authority: str) -> str | None:
    """The host of `host[:port]` in lower case; None when it is anything else (a path, user
    info).
    """
    found = HOST.fullmatch(authority)
    if found is None or int(found[2] or 0) > HIGHEST_PORT:
        return None
    return found[1].lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _is_unspecified(host: str) -> bool:
    return not host or (_is_address(host) and ipaddress.ip_address(host).is_unspecified)
