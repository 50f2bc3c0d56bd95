"""Calls in flight, by the id of their request, so that `notifications/cancelled` can stop one."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from gateway.protocol.jsonrpc import Id, as_id
from gateway.server.endpoint import Answer


class Calls:
    """Of one session or one stdio peer: ids are its own."""

    def __init__(self) -> None:
        self._running: dict[Id, asyncio.Task[Any]] = {}
        self._cancelled: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._running)

    async def run(self, id: Id, answering: Coroutine[Any, Any, Answer]) -> bytes | None:
        """Answer in the running task; None when the call was cancelled by `cancel`."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  a coroutine always runs in a task here
        self._running[id] = task
        try:
            return (await answering).body
        except asyncio.CancelledError:
            if task not in self._cancelled:
                raise
            task.uncancel()
            return None
        finally:
            self._cancelled.discard(task)
            if self._running.get(id) is task:
                del self._running[id]

    def cancel(self, id: object) -> None:
        """Stop the call of that id. One that is unknown or has ended is ignored, as it must be."""
        known = as_id(id)
        task = None if known is None else self._running.get(known)
        if task is not None:
            self._cancelled.add(task)
            task.cancel()
