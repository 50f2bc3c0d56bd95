"""A gateway over standard input and output, with one echoing backend that grows on demand."""

import asyncio
import sys

from gateway.domain.call import Call
from gateway.domain.events import Event
from gateway.domain.tool import ToolRef, ToolResult, text_result
from gateway.runtime.snapshot import Current, Snapshot
from gateway.server.compose import Options, StdioServer
from tests.peers.memory_gateway import echo, snapshot, tool

NAMES = ("now", "grow", "hang", "shout")


class Backend:
    """`grow` adds a tool, `hang` never answers, `shout` prints where it must not."""

    def __init__(self) -> None:
        self.current = Current(self.offering(1, *NAMES))

    def offering(self, version: int, *names: str) -> Snapshot:
        return snapshot(
            version, {"weather": [tool("weather", name) for name in names]}, {"weather": self.call}
        )

    async def call(self, call: Call) -> ToolResult:
        match call.tool.ref.name:
            case "grow":
                self.current.swap(self.offering(2, *NAMES, "grown"))
                return text_result("grown")
            case "hang":
                await asyncio.Event().wait()
            case "shout":
                print("not a message")  # noqa: T201  the very thing that must not reach the wire
                sys.stdout.flush()
        return await echo(call)


async def main() -> None:
    def ignore(event: Event) -> None:
        pass

    backend = Backend()
    pinned = [ToolRef("weather", name) for name in (*NAMES, "grown")]
    await StdioServer(backend.current, ignore, Options(surfaced_tools=pinned)).run(grace=0.5)


if __name__ == "__main__":
    asyncio.run(main())
