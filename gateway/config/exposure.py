"""Whether everybody on the network could call every tool."""

import ipaddress

from gateway.capability.file.yaml_trouble import clip
from gateway.config.model import Config


def exposure(config: Config) -> tuple[str, str] | None:
    """Message and hint when everybody on the network could call every tool."""
    host = config.server.host
    if config.auth.enabled or config.server.allow_unauthenticated or _is_loopback(host):
        return None
    hint = (
        "127.0.0.1, or auth.enabled: true with keys, or server.allow_unauthenticated: true when "
        "something else guards it"
    )
    return f"{clip(host)!r} is reachable from other machines, and nothing asks who calls", hint


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
