"""Where a page's position stands in a request: in the query or the form, or in the JSON body.

It is put into the request as rendered, in the place of what stands there: the author may let the
first page begin where an argument says, by the same name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import unquote_plus

import msgspec

from gateway.capability.expressions.escape import LONGEST_URL, query_text
from gateway.capability.expressions.filters import nothing
from gateway.capability.expressions.values import MISSING, Absent, RenderError, refused, to_json
from gateway.capability.sending.links import name_of
from gateway.http.message import HttpRequest


class Position(Protocol):
    def given(self, request: HttpRequest) -> Any:
        """What stands there already; MISSING when nothing does."""
        ...

    def put(self, request: HttpRequest, value: Any) -> HttpRequest:
        """The request with `value` there. Raises Refused when it cannot stand there."""
        ...


@dataclass(frozen=True, slots=True)
class InQuery:
    """The pair of that name; other pairs stay as they are, in their order."""

    name: str

    def given(self, request: HttpRequest) -> str | Absent:
        return _given(request.url.partition("?")[2], self.name)

    def put(self, request: HttpRequest, value: Any) -> HttpRequest:
        path, _, query = request.url.partition("?")
        url = f"{path}?{_put(query, self.name, value)}"
        if len(url) > LONGEST_URL:
            raise refused(self.name, RenderError(f"{len(url)} characters are too long", "size"))
        return replace(request, url=url)


@dataclass(frozen=True, slots=True)
class InForm:
    """The same in a form, the body."""

    name: str

    def given(self, request: HttpRequest) -> str | Absent:
        return _given((request.body or b"").decode(), self.name)

    def put(self, request: HttpRequest, value: Any) -> HttpRequest:
        form = (request.body or b"").decode()
        return replace(request, body=_put(form, self.name, value).encode())


@dataclass(frozen=True, slots=True)
class InBody:
    """The value at these keys of the JSON body; the objects on the way are made."""

    keys: tuple[str, ...]

    def given(self, request: HttpRequest) -> Any:
        value: Any = _body(request)
        for key in self.keys:
            if not isinstance(value, Mapping):
                return MISSING
            value = value.get(key, MISSING)
        return MISSING if nothing(value) else value

    def put(self, request: HttpRequest, value: Any) -> HttpRequest:
        body = _body(request)
        holder = body
        for key in self.keys[:-1]:
            holder = self._object(holder).setdefault(key, {})
        self._object(holder)[self.keys[-1]] = value
        return replace(request, body=to_json(body))

    def _object(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            where = ".".join(self.keys)
            raise refused(where, RenderError("the body has no object to put it in"))
        return value


def _given(pairs: str, name: str) -> str | Absent:
    for pair in pairs.split("&"):
        if name_of(pair) == name:
            return unquote_plus(pair.partition("=")[2])
    return MISSING


def _put(pairs: str, name: str, value: Any) -> str:
    """Raises Refused for a value that has no text."""
    try:
        ours = f"{query_text(name)}={query_text(value)}"
    except RenderError as error:
        raise refused(name, error) from None
    found: list[str] = []
    for pair in pairs.split("&"):
        if pair and name_of(pair) != name:
            found.append(pair)
        elif pair and ours not in found:
            found.append(ours)
    if ours not in found:
        found.append(ours)
    return "&".join(found)


def _body(request: HttpRequest) -> Any:
    """A fresh copy of it."""
    return msgspec.json.decode(request.body) if request.body else {}
