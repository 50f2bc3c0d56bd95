"""`base_url`: a literal origin and prefix; no template, no argument, no user-info ever in it."""

import re
from urllib.parse import unquote

_PARTS = re.compile(r"(https?)://([^/]*)(/.*)?", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_PREFIX = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_REFUSED = {
    "{": "a template cannot stand here",
    "?": "a query cannot stand here",
    "#": "a fragment cannot stand here",
}
_REMEDIES = {
    "{": "write the origin out; for several regions, several files or ${NAME}",
    "?": "put it below 'query:'",
    "#": "leave it out",
}
_LAST_PORT = 65_535


class Refused(ValueError):
    """`hint` says what to write instead."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def literal(text: str) -> str:
    """The origin and prefix without a slash at its end; raises Refused."""
    for mark, why in _REFUSED.items():
        if mark in text:
            raise Refused(why, _REMEDIES[mark])
    parts = _PARTS.fullmatch(text)
    if parts is None:
        raise Refused("not a URL of http or https", "such as https://api.example.com/v2")
    scheme, authority, prefix = parts.groups()
    host = _host(authority)
    path = _path(prefix or "")
    return f"{scheme.lower()}://{host}{path}"


def _host(authority: str) -> str:
    if "@" in authority:
        raise Refused("user and password cannot stand here", "put them below 'auth:'")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        ascii_only = authority.isascii()
        hint = None if ascii_only else "write an international name in its ASCII form, xn--…"
        raise Refused("no host name" if ascii_only else "a host name that is not ASCII", hint)
    port = parts.group(2)
    if port and not 0 < int(port) <= _LAST_PORT:
        raise Refused(f"no such port: {port}")
    return authority.lower()


def _path(prefix: str) -> str:
    if not _PREFIX.fullmatch(prefix):
        raise Refused(
            "a character that cannot stand in a URL as it is", "percent-encode it, a space as %20"
        )
    if any(unquote(part) in (".", "..") for part in re.split(r"[/\\]", unquote(prefix))):
        raise Refused("'.' and '..' cannot stand in it", "write the path they lead to")
    return prefix.rstrip("/")
