"""`servers`, or `host` and `basePath`, as `base_url`: a literal, or the operator's choice."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from gateway.capability.file import base_url
from gateway.importers.openapi.document import Document

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_RUNS_OUT = re.compile(r"[?#].*", re.DOTALL)


class Servers:
    """`name` is the backend's. An address that is not certain reads `${NAME_URL:-…}`."""

    def __init__(self, document: Document, name: str, override: str | None = None) -> None:
        self._document = document
        self._name = name
        self._override = override
        self.notes: dict[str, None] = {}

    def of(self, *listed: Any) -> str:
        """The first server of the innermost list that has one: operation, path, document."""
        if self._override is not None:
            return self._override
        if self._document.is_swagger:
            return self._settled(_of_swagger(self._document.root), chosen=False)
        for servers in (*listed, self._document.root.get("servers")):
            usable = [self._document.mapping(each) for each in self._document.listed(servers)]
            for found in _encrypted_first(usable):
                if isinstance(found.get("url"), str):
                    return self._settled(self._filled(found), chosen="{" in found["url"])
        return self._settled("", chosen=False)

    def _filled(self, server: Mapping[str, Any]) -> str:
        """The URL with its variables' defaults."""
        variables = self._document.mapping(server.get("variables"))

        def value(found: re.Match[str]) -> str:
            variable = self._document.mapping(variables.get(found[1]))
            default = variable.get("default")
            if default is None:
                options = self._document.listed(variable.get("enum"))
                default = options[0] if options else found[1]
            return str(default)

        url = str(server["url"]).strip()
        return _VARIABLE.sub(value, url)

    def _settled(self, url: str, *, chosen: bool) -> str:
        absolute = url
        if self._document.source.url and not urlsplit(url).netloc:
            absolute = urljoin(self._document.source.url, url)
        usable = _literal(absolute)
        if usable is None and absolute.startswith("//"):
            usable = _literal(f"https:{absolute}")
        if usable is not None and not chosen:
            return usable
        if usable is None:
            self.notes["the document names no server that can be reached: set base_url"] = None
            path = _literal(f"https://x{urlsplit(url).path}") if url.startswith("/") else None
            host = f"https://{self._name.replace('_', '-')}.invalid"
            usable = f"{host}{path.removeprefix('https://x')}" if path else host
        return f"${{{self._name.upper()}_URL:-{usable}}}"


def _encrypted_first(servers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The document's order, but for a first one that is there with https too."""
    first = str(servers[0].get("url")) if servers else ""
    better = f"https{first.removeprefix('http')}" if first.startswith("http:") else first
    return sorted(servers, key=lambda each: each.get("url") != better)


def host_of(base: str) -> str:
    """Of an address as `Servers` gives it."""
    found = re.search(r"https?://([^/:}]+)", base)
    return found[1] if found else ""


def _of_swagger(root: Mapping[str, Any]) -> str:
    host, path = root.get("host"), root.get("basePath")
    schemes = root.get("schemes")
    offered = schemes if isinstance(schemes, list) else []
    scheme = "http" if offered and "https" not in offered else "https"
    prefix = f"/{path.strip('/')}" if isinstance(path, str) and path.strip("/") else ""
    if not isinstance(host, str) or not host:
        return prefix
    return f"{scheme}://{host.strip('/')}{prefix}"


def _literal(url: str) -> str | None:
    """As our files have it, or None. User, query and fragment are not taken over."""
    if "{" in url or not url.isprintable():
        return None
    try:
        parts = urlsplit(_RUNS_OUT.sub("", url))
    except ValueError:
        return None
    if parts.scheme not in ("http", "https"):
        return None
    host = parts.netloc.rpartition("@")[2]
    if not host.isascii():
        host = _ascii(host)
    path = quote(re.sub("/{2,}", "/", parts.path), safe="%!$&'()*+,;=:@/-._~")
    try:
        found = base_url.literal(f"{parts.scheme}://{host}{path}")
    except base_url.Refused:
        return None
    return None if "}" in found else found


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return ""
