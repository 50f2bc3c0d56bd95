"""Every page of a list that a server gives, within bounds (I53)."""

import logging
from collections.abc import Awaitable, Callable

from gateway.domain.tool import JsonObject
from gateway.protocol.answers import ErrorAnswered, read
from gateway.protocol.jsonrpc import METHOD_NOT_FOUND
from gateway.protocol.received import Inbound
from gateway.protocol.wire import KEYS

log = logging.getLogger(__name__)

MOST_PAGES = 1_000
MOST_ITEMS = 50_000

Own = Callable[[str, JsonObject], Awaitable[Inbound]]


async def every(own: Own, method: str, backend: str) -> list[JsonObject]:
    """The items as they came; none where the server does not know the method.

    A list without end, or one that leads in a circle, ends at the bound or where it closes. Raises
    GatewayError.
    """
    items: list[JsonObject] = []
    cursor: str | None = None
    seen: set[str | None] = {None}
    for _ in range(MOST_PAGES):
        page = await _page(own, method, cursor)
        found = page.get(KEYS[method])
        items += [item for item in found if isinstance(item, dict)] if type(found) is list else []
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
