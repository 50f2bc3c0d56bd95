"""Every page of a list that a server gives, within bounds (I53)."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.domain.tool import JsonObject
from gateway.errors import BadResponse
from gateway.protocol.answers import ErrorAnswered, read
from gateway.protocol.jsonrpc import METHOD_NOT_FOUND
from gateway.protocol.received import Inbound
from gateway.protocol.wire import KEYS

log = logging.getLogger(__name__)

MOST_PAGES = 1_000
MOST_ITEMS = 50_000

Own = Callable[[str, JsonObject], Awaitable[Inbound]]


async def every(own: Own, method: str, backend: str) -> list[Any]:
    """The items as they came, objects or not; none where the server does not know the method.

    A list without end, or one that leads in a circle, ends at the bound or where it closes. Raises
    GatewayError.
    """
    items: list[Any] = []
    cursor: str | None = None
    seen: set[str | None] = {None}
    for _ in range(MOST_PAGES):
        page = await _page(own, method, cursor)
        found = page.get(KEYS[method], [])
        if type(found) is not list:
            raise BadResponse(f"the server answered {method} with {KEYS[method]} that are no list")
        items += found
        cursor = page.get("nextCursor")
        if not isinstance(cursor, str):
            return items
        if cursor in seen or len(items) >= MOST_ITEMS:
            break
        seen.add(cursor)
    log.warning("list_cut", extra={"backend": backend, "method": method, "items": len(items)})
    return items[:MOST_ITEMS]


async def _page(own: Own, method: str, cursor: str | None) -> JsonObject:
    answer = await own(method, {} if cursor is None else {"cursor": cursor})
    try:
        return read(answer)
    except ErrorAnswered as error:
        if error.number == METHOD_NOT_FOUND and cursor is None:
            return {}
        raise
