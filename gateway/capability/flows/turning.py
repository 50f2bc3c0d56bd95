"""How one page leads to the next: by a cursor it gives, by counting, or by a URL it gives.

A position says where a page begins, as the API takes it; None is the beginning. A `Turn` knows how
to ask for the page at a position, and which position comes after a page.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Protocol

from gateway.capability.expressions.filters import nothing
from gateway.capability.expressions.path import Path
from gateway.capability.expressions.values import RenderError, refused
from gateway.capability.flows.positions import Position
from gateway.capability.sending.links import led_to, next_link
from gateway.http.message import HttpRequest, HttpResponse


class Turn(Protocol):
    """`sure`: that there is a next position tells that there is a next page."""

    @property
    def sure(self) -> bool: ...

    def start(self, request: HttpRequest) -> Any:
        """Where the first page begins, by its request. Raises Refused."""
        ...

    def at(self, request: HttpRequest, position: Any) -> HttpRequest:
        """The request for the page at `position`."""
        ...

    def told(self, body: Any, response: HttpResponse) -> Any:
        """What an answer says of the next page; None when nothing."""
        ...

    def after(self, position: Any, told: Any, count: int, asked: str) -> Any:
        """The position behind `count` items of the page at `position`; None when it is the last.

        `asked` is the URL that brought the page. Raises LinkError.
        """
        ...

    def within(self, position: Any, count: int) -> tuple[Any, int]:
        """The position to go on from behind `count` items *within* a page, and how many of them
        come again then.
        """
        ...


@dataclass(frozen=True, slots=True)
class ByCursor:
    place: Position
    source: Path
    sure: bool = True

    def start(self, request: HttpRequest) -> Any:
        found = self.place.given(request)
        return None if nothing(found) else found

    def at(self, request: HttpRequest, position: Any) -> HttpRequest:
        return request if position is None else self.place.put(request, position)

    def told(self, body: Any, response: HttpResponse) -> Any:
        """An empty text, false and 0 say the same as null: there is no way on."""
        return _first(self.source.value(body)) or None

    def after(self, position: Any, told: Any, count: int, asked: str) -> Any:
        return told

    def within(self, position: Any, count: int) -> tuple[Any, int]:
        return position, count


@dataclass(frozen=True, slots=True)
class ByNumber:
    """Pages have numbers; or, `by_items`, begin behind so many items."""

    place: Position
    first: int
    by_items: bool
    sure: bool = False

    def start(self, request: HttpRequest) -> int:
        found = self.place.given(request)
        if nothing(found):
            return self.first
        try:
            return int(found)
        except (TypeError, ValueError):
            raise refused("the first page", RenderError("it needs a whole number")) from None

    def at(self, request: HttpRequest, position: Any) -> HttpRequest:
        return self.place.put(request, position)

    def told(self, body: Any, response: HttpResponse) -> None:
        """Nothing: it is counted here."""

    def after(self, position: Any, told: Any, count: int, asked: str) -> int:
        return int(position) + (count if self.by_items else 1)

    def within(self, position: Any, count: int) -> tuple[Any, int]:
        return (position + count, 0) if self.by_items else (position, count)


@dataclass(frozen=True, slots=True)
class ByLink:
    """`source` is where the URL stands in the body; None: in the Link header.

    `hidden` are the query pairs that our credential adds.
    """

    source: Path | None
    hidden: Collection[str]
    sure: bool = True

    def start(self, request: HttpRequest) -> None:
        """At the author's own URL."""

    def at(self, request: HttpRequest, position: Any) -> HttpRequest:
        return request if position is None else replace(request, url=position)

    def told(self, body: Any, response: HttpResponse) -> Any:
        if self.source is None:
            return next_link(response.headers.get("link", ""))
        return _first(self.source.value(body)) or None

    def after(self, position: Any, told: Any, count: int, asked: str) -> str | None:
        return None if told is None else led_to(asked, told, self.hidden)

    def within(self, position: Any, count: int) -> tuple[Any, int]:
        return position, count


def _first(found: Any) -> Any:
    """Of a path that gives a list, such as `$.links[?@.rel == 'next'].href`, the first."""
    if isinstance(found, list):
        return found[0] if found else None
    return found
