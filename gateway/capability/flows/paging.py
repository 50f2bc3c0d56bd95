"""`paginate:` one call, several pages, their items as one list.

A page is asked for only while the one before leads on and there is room and time for it. What stops
early says so, and where to go on; what fails fails the call: half a list is never passed off as
whole.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from gateway.capability.answers.response import ResponseMap
from gateway.capability.answers.scrub import cleaned
from gateway.capability.compiled import Plan, TryAgain
from gateway.capability.expressions.filters import nothing
from gateway.capability.expressions.language import Expression
from gateway.capability.expressions.path import Path
from gateway.capability.expressions.template import Template
from gateway.capability.expressions.values import (
    MISSING,
    Absent,
    Refused,
    RenderError,
    refused,
    to_json,
    to_text,
)
from gateway.capability.flow import Flow, Left, Send, Tell, Work
from gateway.capability.flows.positions import InBody, Position
from gateway.capability.flows.turning import ByCursor, ByLink, Turn
from gateway.capability.sending.links import LinkError, origin
from gateway.credentials.secret import Secrets
from gateway.domain.tool import JsonObject, ToolResult
from gateway.errors import DeadlineExceeded, GatewayError
from gateway.http.message import HttpRequest, HttpResponse

TOO_LATE: Final = 0.5  # seconds before the call's deadline: no page is begun from there on
MOST_KEPT: Final = 16_384  # bytes of a position that a client is told
MOST_TOLD: Final = 2_000  # characters of a position that a model is told


@dataclass(frozen=True, slots=True)
class Size:
    """How many items to ask for at once."""

    place: Position
    value: Template | int

    def of(self, args: JsonObject, constants: Mapping[str, Any]) -> Any:
        """MISSING when the template reads what was not given. Raises Refused."""
        if not isinstance(self.value, Template):
            return self.value
        try:
            found = self.value.value({"args": args, "vars": constants})
        except RenderError as error:
            raise refused("paginate.size", error) from None
        return MISSING if nothing(found) else found


@dataclass(frozen=True, slots=True)
class Page:
    """What was read of one answer. `told` leads to the next; `size` are the bytes of its body."""

    items: list[Any]
    told: Any
    goes_on: bool
    size: int


@dataclass(frozen=True, slots=True)
class Paging:
    """Begins the flow of one call.

    `feeds` are the arguments that can say where it begins: name of the query pair that each fills,
    or "" where a position has but one place -> argument.
    """

    render: Callable[[JsonObject, Secrets | None], HttpRequest]
    plan: Plan
    response: ResponseMap
    items: Path
    turn: Turn
    size: Size | None
    goes_on: Expression | None
    max_pages: int
    max_items: int
    feeds: Mapping[str, str]

    def __call__(self, args: JsonObject, left: Left, secrets: Secrets | None = None) -> Flow:
        request = self._request(args, secrets)
        got = _Gathered(self, args, left, self.turn.start(request))
        while True:
            asked = got.asked(request)
            if asked is None:
                break
            try:
                page = yield Send(asked, self.plan, partial(self.read, args))
            except GatewayError as error:
                if got.out_of_time(error):
                    break
                raise got.told(error) from None
            if not got.takes(page, asked.url):
                break
            yield Tell(got.pages, message=f"{len(got.items)} items")
            request = self._request(args, secrets)
        result: ToolResult = yield Work(got.bytes, got.result)
        return result

    def _request(self, args: JsonObject, secrets: Secrets | None) -> HttpRequest:
        """Rendered anew for each page: a key of idempotency is of one request."""
        request = self.render(args, secrets)
        size = self.sized(args)
        if self.size is None or isinstance(size, Absent):
            return request
        return self.size.place.put(request, size)

    def sized(self, args: JsonObject) -> Any:
        """How many items a page is asked for; MISSING when nobody says. Raises Refused."""
        return MISSING if self.size is None else self.size.of(args, self.response.constants)

    def read(self, args: JsonObject, response: HttpResponse) -> Page | TryAgain:
        body = self.response.body(args, response)
        if isinstance(body, TryAgain):
            return body
        found = self.items.value(body)
        if not isinstance(found, list):
            found = [] if nothing(found) else [found]
        told, size = self.turn.told(body, response), len(response.body)
        return Page(found, told, self._goes_on(args, response, body), size)

    def _goes_on(self, args: JsonObject, response: HttpResponse, body: Any) -> bool:
        scope = {"args": args, "vars": self.response.constants, "body": body}
        scope |= {"status": response.status, "headers": response.headers}
        return self.goes_on is None or self.goes_on.holds(scope)


class _Gathered:
    """What one call has so far. `at` is where the next page begins."""

    def __init__(self, paging: Paging, args: JsonObject, left: Left, at: Any) -> None:
        self._paging, self._args, self._left = paging, args, left
        self.at = at
        self.items: list[Any] = []
        self.pages = 0
        self.bytes = 0
        self._seen = {repr(at)}
        self._more: str | None = None
        self._known = 0  # items that come again when one goes on at `at`
        self._sure = paging.turn.sure
        self._asked = paging.response.asked(args)

    def asked(self, request: HttpRequest) -> HttpRequest | None:
        """The request for the next page; None where an API told of a position that nobody can ask
        for. Raises Refused where what the caller gave is to blame.
        """
        try:
            return self._paging.turn.at(request, self.at)
        except Refused:
            turn = self._paging.turn
            if not self.pages or not isinstance(turn, ByCursor) or isinstance(turn.place, InBody):
                raise
            self.at = None
            self._stops("what leads to the next page cannot be sent", sure=True)
            return None

    def takes(self, page: Page, url: str) -> bool:
        """Add what a page brought; whether the next one is to be fetched."""
        self.pages += 1
        if self.pages > 1 and self.bytes + page.size > self._paging.plan.transfer:
            return self._stops("limits.transfer is reached", sure=True)
        self.bytes += page.size
        room, count = self._most - len(self.items), len(page.items)
        self.items += page.items[:room]
        if count > room:
            self.at, self._known = self._paging.turn.within(self.at, room)
            return self._stops("max_items is reached", sure=True)
        if not count or not page.goes_on or self._short(count):
            return False
        try:
            at = self._paging.turn.after(self.at, page.told, count, url)
        except LinkError as error:
            self.at = None
            why = self._paging.response.redactor.text(f"the link to the next page {error}")
            return self._stops(why, sure=True)
        if at is None or repr(at) in self._seen:
            return False
        self.at = at
        self._seen.add(repr(at))
        return self._has_room()

    def out_of_time(self, error: GatewayError) -> bool:
        """Whether a page failed only because the call has no time left, and there are others."""
        late = isinstance(error, DeadlineExceeded) and self._left() <= TOO_LATE
        if late and self.pages:
            self._stops("the call's time is up", sure=self._sure)
        return self._more is not None

    def told(self, error: GatewayError) -> GatewayError:
        """`error`, with how far we came."""
        if self.pages:
            text = f"{error} (page {self.pages + 1}; {len(self.items)} items came before it)"
            error.args = (text,)
        return error

    def result(self) -> ToolResult:
        """Raises BadResponse, UpstreamFailed and OutputMismatch."""
        found = self._paging.response.finish(self.items, self._args)
        if self._more is None:
            return found
        cut = bool(found.meta and found.meta.get("truncated"))
        notice = {"type": "text", "text": self._notice(cut=cut)}
        meta = {"returned": len(self.items), **self._next(), **(found.meta or {})}
        return replace(found, content=(*found.content, notice), meta=meta)

    @property
    def _most(self) -> int:
        """Items that are of use at most: what a caller asked to be shown needs no more."""
        most = self._paging.max_items
        return most if self._asked is None else min(most, self._asked)

    def _stops(self, why: str, *, sure: bool) -> bool:
        if len(self.items) != self._asked:
            self._more, self._sure = why, sure
        return False

    def _short(self, count: int) -> bool:
        """A counted page that is not full is the last one, unless `while` says when to go on."""
        paging = self._paging
        if paging.turn.sure or paging.goes_on is not None:
            return False
        size = paging.sized(self._args)
        return isinstance(size, int) and count < size

    def _has_room(self) -> bool:
        paging = self._paging
        if len(self.items) >= self._most:
            return self._stops("max_items is reached", sure=self._sure)
        if self.pages >= paging.max_pages:
            return self._stops("max_pages is reached", sure=self._sure)
        if self.bytes >= paging.plan.transfer:
            return self._stops("limits.transfer is reached", sure=self._sure)
        if self._left() <= TOO_LATE:
            return self._stops("the call's time is up", sure=self._sure)
        return True

    def _next(self) -> JsonObject:
        if self.at is None:
            return {}
        at = self.at
        if isinstance(self._paging.turn, ByLink):
            at = at.removeprefix(origin(at))
        at = cleaned(at, self._paging.response.redactor)
        return {"next": at} if len(to_json(at)) <= MOST_KEPT else {}

    def _notice(self, *, cut: bool) -> str:
        """What a model is told: that there is more, why it is not here, and how to go on."""
        there = "there is more" if self._sure else "there may be more"
        text = f"{len(self.items)} items; {there}, but {self._more}."
        on = cleaned(self._ways_on(), self._paging.response.redactor)
        told = ", ".join(f"{name}={to_json(value).decode()}" for name, value in on.items())
        if told and len(told) <= MOST_TOLD:
            again = f" The first {self._known} items then are known already." if self._known else ""
            lost = " What was cut from this result does not come again then." if cut else ""
            return f"{text} Go on with: {told}.{again}{lost}"
        narrow = [name for name in self._paging.response.optional if name not in self._args]
        return f"{text} Narrow with: {', '.join(narrow)}." if narrow else text

    def _ways_on(self) -> dict[str, Any]:
        """Arguments, and the values with which a call goes on where this one stops."""
        feeds = self._paging.feeds
        if self.at is None or not feeds:
            return {}
        if not isinstance(self._paging.turn, ByLink):
            return dict.fromkeys(feeds.values(), self.at)
        pairs = dict(parse_qsl(urlsplit(self.at).query, keep_blank_values=True))
        found = {arg: pairs[name] for name, arg in feeds.items() if name in pairs}
        return {arg: value for arg, value in found.items() if to_text(self._args.get(arg)) != value}
