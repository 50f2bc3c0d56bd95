"""One run for all who ask at the same time, which goes on when one of them gives up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

PATIENCE = 5.0  # seconds `aclose` waits: a refresh token may just be changing hands


class Single(Generic[T]):
    def __init__(self) -> None:
        self._task: asyncio.Task[T] | None = None

    async def run(self, make: Callable[[], Awaitable[T]]) -> T:
        """What `make` gives, or what the run that is going on gives. Raises what it raises."""
        if self._task is None:
            self._task = asyncio.ensure_future(_awaited(make))
            self._task.add_done_callback(self._ended)
        return await asyncio.shield(self._task)

    async def aclose(self) -> None:
        task = self._task
        if task is None:
            return
        await asyncio.wait([task], timeout=PATIENCE)
        task.cancel()
        await asyncio.wait([task])

    def _ended(self, task: asyncio.Task[T]) -> None:
        self._task = None
        if not task.cancelled():
            task.exception()  # whoever asked may be gone; the error is not news then


async def _awaited(make: Callable[[], Awaitable[T]]) -> T:
    return await make()
