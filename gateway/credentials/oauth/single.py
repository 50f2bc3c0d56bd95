"""One run for all who ask at the same time, which goes on when one of them gives up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from gateway.errors import BackendUnavailable

T = TypeVar("T")

PATIENCE = 5.0  # seconds `aclose` waits: a refresh token may just be changing hands


class Single(Generic[T]):
    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._task: asyncio.Task[T] | None = None
        self._closed = False

    async def run(self, make: Callable[[], Awaitable[T]]) -> T:
        """What `make` gives, or what the run that is going on gives. Raises what it raises, and
        BackendUnavailable where it was closed.
        """
        if self._closed:  # nobody would let go of what it gives
            raise BackendUnavailable("authorization was closed before it was asked for")
        if self._task is None:
            self._task = asyncio.ensure_future(_awaited(make))
            self._task.add_done_callback(self._ended)
        task = self._task
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            asker = asyncio.current_task()
            if not task.cancelled() or (asker is not None and asker.cancelling()):
                raise  # whoever asked has given up
            raise BackendUnavailable("authorization was closed while it was going on") from None

    async def aclose(self) -> None:
        self._closed = True
        task = self._task
        if task is None:
            return
        await asyncio.wait([task], timeout=self._patience)
        task.cancel()
        await asyncio.wait([task])

    def _ended(self, task: asyncio.Task[T]) -> None:
        self._task = None
        if not task.cancelled():
            task.exception()  # whoever asked may be gone; the error is not news then


async def _awaited(make: Callable[[], Awaitable[T]]) -> T:
    return await make()
