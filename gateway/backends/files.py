"""Files that were too large for a result, kept for a while in the process: as `capgate://NAME/ID`.

Each belongs to the caller it was fetched for, and its id tells nothing and cannot be guessed. All
is bounded: how long, how many, how much, and how much of it one caller may fill.
"""

import asyncio
import base64
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.capability.answers import binary
from gateway.capability.compiled import Oversize
from gateway.domain.call import Call, Query, Relayed
from gateway.domain.naming import namespaced
from gateway.domain.text import shown
from gateway.domain.tool import ToolResult
from gateway.errors import BadResponse, RemoteError, Unsupported
from gateway.protocol import mcp
from gateway.protocol.jsonrpc import INVALID_PARAMS, encode

FOLDER = "files/"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Sizes in bytes. One caller may fill `each` of `most`, and a quarter of `count`."""

    seconds: float = 600.0
    most: int = 128 << 20
    each: int = 64 << 20
    count: int = 1024


@dataclass(frozen=True, slots=True)
class _Kept:
    file: Oversize
    backend: str
    caller: str
    until: float


class Files:
    """One for the process. `clock` is monotonic, in seconds."""

    def __init__(
        self, bounds: Bounds | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bounds = bounds or Bounds()
        self._clock = clock
        self._kept: dict[str, _Kept] = {}  # oldest first
        self._size = 0
        self._sweep: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Files {len(self._kept)}, {self._size} bytes>"

    def keep(self, file: Oversize, call: Call) -> ToolResult:
        """The result that links to `file`. Raises BadResponse when it is too large for that."""
        if len(file.data) > self._bounds.each:
            text = f"the answer is a file of {len(file.data):,} bytes, too large to be kept"
            raise BadResponse(text, hint="ask for less")
        self._drop_expired()
        caller = call.caller.name
        self._make_room(len(file.data), caller)
        until = self._clock() + self._bounds.seconds
        id, backend = secrets.token_urlsafe(18), call.tool.ref.backend
        self._kept[id] = _Kept(file, backend, caller, until)
        self._size += len(file.data)
        self._sweep_later()
        uri = namespaced(backend, f"{FOLDER}{id}")
        return binary.linked(file, uri, round(self._bounds.seconds / 60))

    async def answer(self, query: Query) -> Relayed:
        """Of resources/read. Raises Unsupported for other methods, RemoteError for no such file."""
        uri = query.params.get("uri")
        if query.method != mcp.RESOURCES_READ or not isinstance(uri, str):
            text = f"server {query.backend!r} has tools only, and nothing for {query.method}"
            raise Unsupported(text)
        whole = namespaced(query.backend, uri)
        found = self._find(uri, query)
        if found is None:
            minutes = round(self._bounds.seconds / 60)
            said = f"no resource {shown(whole)}: a file is kept for {minutes} minutes"
            raise RemoteError(INVALID_PARAMS, f"{said}; call the tool again", {"uri": whole})
        return await asyncio.to_thread(_relayed, whole, found)

    def _find(self, uri: str, query: Query) -> Oversize | None:
        self._drop_expired()
        kept = self._kept.get(uri.removeprefix(FOLDER)) if uri.startswith(FOLDER) else None
        if kept is None or (kept.backend, kept.caller) != (query.backend, query.caller.name):
            return None
        return kept.file

    def _make_room(self, size: int, caller: str) -> None:
        """The caller's own oldest go first, and then the oldest of all."""
        bounds = self._bounds
        own = [
            (id, len(kept.file.data)) for id, kept in self._kept.items() if kept.caller == caller
        ]
        used, left = sum(taken for _, taken in own), len(own)
        for id, taken in own:
            if used + size <= bounds.each and left < bounds.count // 4:
                break
            self._drop(id)
            used, left = used - taken, left - 1
        while self._kept and (self._size + size > bounds.most or len(self._kept) >= bounds.count):
            self._drop(next(iter(self._kept)))

    def _drop(self, id: str) -> None:
        self._size -= len(self._kept.pop(id).file.data)

    def _drop_expired(self) -> None:
        now = self._clock()
        for id in [id for id, kept in self._kept.items() if kept.until <= now]:
            self._drop(id)

    def _sweep_later(self) -> None:
        """So that memory is given back though nobody asks any more."""
        if self._sweep is None:
            loop = asyncio.get_running_loop()
            self._sweep = loop.call_later(self._bounds.seconds + 1, self._sweep_now)

    def _sweep_now(self) -> None:
        self._sweep = None
        self._drop_expired()
        if self._kept:
            self._sweep_later()

    def close(self) -> None:
        """Forget everything."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        self._kept.clear()
        self._size = 0


def _relayed(uri: str, file: Oversize) -> Relayed:
    """Of a large file it takes a tenth of a second."""
    blob = base64.b64encode(file.data).decode()
    return Relayed(encode({"contents": [{"uri": uri, "mimeType": file.type, "blob": blob}]}))
