"""Where a page's position stands in a request: a query pair, or a value inside the JSON body.

It is put into the request as rendered, in the place of what stands there: the author may let the
first page begin where an argument says, by the same name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import unquote_plus

import msgspec

from gateway.capability.escape import query_text
from gateway.capability.filters import nothing
from gateway.capability.links import name_of
from gateway.capability.values import MISSING, Absent, RenderError, refused, to_json
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
        for pair in _pairs(request.url):
            if name_of(pair) == self.name:
                return unquote_plus(pair.partition("=")[2])
        return MISSING

    def put(self, request: HttpRequest, value: Any) -> HttpRequest:
        try:
            ours = f"{query_text(self.name)}={query_text(value)}"
        except RenderError as error:
            raise refused(self.name, error) from None
        pairs: list[str] = []
        for pair in _pairs(request.url):
            if name_of(pair) != self.name:
                pairs.append(pair)
            elif ours not in pairs:
                pairs.append(ours)
        if ours not in pairs:
            pairs.append(ours)
        return replace(request, url=f"{request.url.partition('?')[0]}?{'&'.join(pairs)}")


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


def _pairs(url: str) -> list[str]:
    return [pair for pair in url.partition("?")[2].split("&") if pair]


def _body(request: HttpRequest) -> Any:
    """A fresh copy of it."""
    return msgspec.json.decode(request.body) if request.body else {}
