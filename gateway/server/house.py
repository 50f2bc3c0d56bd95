"""What the connections of one front share."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from gateway.server.exchange import Exchange
from gateway.server.heads import Heads
from gateway.server.limits import Limits
from gateway.server.reply import Reply

Answer = Callable[[Exchange], Awaitable[Reply]]


class Guest(Protocol):
    """A connection as its front sees it."""

    @property
    def unread(self) -> bool:
        """Whether its client has yet to take some of what was said, the end of a stream too."""
        ...

    def overdue(self, now: float) -> str | None:
        """End what has waited too long; gives why, where the client was cut for being slow."""
        ...

    def cut(self) -> None: ...


class House:
    """`closing`: each connection has one more answer at most."""

    def __init__(self, answer: Answer, limits: Limits) -> None:
        self.answer = answer
        self.limits = limits
        self.heads = Heads()
        self.connections: set[Guest] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.closing = False

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """As a task that is held until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task
