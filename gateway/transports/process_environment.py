"""What a child process sees of our environment: what any program needs, and nothing of our own.

The rule: a variable is named here, or set for this server by the operator. Keys and tokens in the
gateway's environment are nobody else's.
"""

from collections.abc import Iterable, Mapping

ORDINARY = frozenset(
    {
        *("HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"),  # what MCP's SDKs hand on
        *("LANG", "LANGUAGE", "TZ", "TMPDIR"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"),  # whom to trust behind a proxy
    }
)
PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})


def for_child(environ: Mapping[str, str], more: Iterable[tuple[str, str]]) -> dict[str, str]:
    """`environ` as a child may have it, and `more`, which wins."""
    inherited = {name: value for name, value in environ.items() if _passes(name, value)}
    return {**inherited, **dict(more)}


def _passes(name: str, value: str) -> bool:
    if value.startswith("()"):
        return False  # a shell function, which old shells would run
    if name.upper() in PROXIES:
        return "@" not in value  # no user and password
    return name in ORDINARY or name.startswith("LC_")
