"""A gateway over standard input and output before the server of `talking.py`."""

import asyncio

from gateway.domain.events import Event
from gateway.runtime.snapshot import Current
from gateway.server.compose import Options, StdioServer
from tests.peers.talking import talking


async def main() -> None:
    def ignore(event: Event) -> None:
        pass

    await StdioServer(Current(talking()), ignore, Options()).run(grace=0.5)


if __name__ == "__main__":
    asyncio.run(main())
