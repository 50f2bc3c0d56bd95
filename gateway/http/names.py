"""Host names to addresses: looked up off the loop, believed for a while, asked once at a time."""

import asyncio
import functools
import socket
import time
from collections.abc import Awaitable, Callable, Sequence

DNS_SECONDS = 10.0  # how long a look-up is believed
MOST_NAMES = 1024  # look-ups remembered

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]  # raises OSError


class Names:
    """The system's look-up. A caller that gives up does not take the others' answer along."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[str, int], tuple[float, Sequence[str]]] = {}
        self._asking: dict[tuple[str, int], asyncio.Task[Sequence[str]]] = {}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        key = host, port
        known = self._known.get(key)
        if known and known[0] > self._clock():
            return known[1]
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.ensure_future(_look_up(host, port))
            task.add_done_callback(functools.partial(self._answered, key))
        return await asyncio.shield(task)

    def _answered(self, key: tuple[str, int], task: asyncio.Task[Sequence[str]]) -> None:
        del self._asking[key]
        if task.cancelled() or task.exception() is not None:
            return
        if len(self._known) >= MOST_NAMES:
            self._known.clear()
        self._known[key] = self._clock() + DNS_SECONDS, task.result()


async def _look_up(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    try:
        infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label too long or empty, say
        raise socket.gaierror(socket.EAI_NONAME, "not a name") from None
    return list(dict.fromkeys(str(info[4][0]) for info in infos))
