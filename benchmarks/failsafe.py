"""What the guard of a backend adds to a call: `python -m benchmarks.failsafe`, in microseconds.

Calls of a handler that answers at once, with and without a guard around it; the best of several
rounds, since a shared machine only ever adds.
"""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable

from gateway.domain.call import Call
from gateway.domain.identity import Grant, Identity
from gateway.domain.tool import Tool, ToolRef, ToolResult, text_result
from gateway.errors import CircuitOpen, UpstreamFailed
from gateway.failsafe.breaker import Limits
from gateway.failsafe.guarded import Guarded, Surroundings
from gateway.failsafe.retry import Rule
from gateway.failsafe.settings import Crowd, Rate, Retries, Settings
from gateway.failsafe.throttle import Throttle

CALLS = 50_000
ROUNDS = 9
EVERYTHING = Settings(
    Limits(),
    Retries(Rule(2, 10.0, 0.1), ("get_*",), ("pay",)),
    Rate(1e9, 1_000_000, {"export_*": 1e9}),
    Crowd(64, 256),
)
DEFAULTS = Settings(Limits(), Retries(Rule(2, 10.0, 0.1)), None, Crowd(64, 256))
WHO = Identity("bench", grant=Grant(rate_limit=1_000_000_000))
CALL = Call("1", Tool(ToolRef("api", "find"), {"name": "find"}), {}, WHO, math.inf)
WELL = text_result("well")


async def handler(_: Call) -> ToolResult:
    return WELL


def guard(settings: Settings, *, of_file: bool) -> Guarded:
    around = Surroundings(lambda _: None, time.monotonic, random.random)
    made = Guarded("api", settings, around)
    made.stand_around(lambda: None, of_file=of_file)
    return made


async def best(work: Callable[[], Awaitable[object]]) -> float:
    """Microseconds each."""
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(CALLS):
            await work()
        found.append((time.perf_counter() - began) / CALLS * 1e6)
    return min(found)


async def refused(guarded: Guarded) -> None:
    try:
        await guarded.call(CALL, handler)
    except CircuitOpen:
        return


async def main() -> None:
    bare = await best(lambda: handler(CALL))
    throttle = Throttle(lambda _: None, time.monotonic)
    for what, settings in (("defaults", DEFAULTS), ("everything on", EVERYTHING)):
        for of_file in (True, False):
            around = guard(settings, of_file=of_file)
            added = await best(lambda around=around: around.call(CALL, handler)) - bare  # type: ignore[misc]
            kind = "a capability file" if of_file else "an MCP server"
            print(f"{what}, {kind}: {added:.2f} µs a call")
    began = time.perf_counter()
    for _ in range(CALLS):
        throttle(WHO)
    print(f"the rate of a key: {(time.perf_counter() - began) / CALLS * 1e6:.2f} µs a call")
    opened = guard(DEFAULTS, of_file=True)
    for _ in range(5):
        ticket = opened._watch.ticket()  # noqa: SLF001  there is no shorter way
        error = UpstreamFailed("no")
        error.unwell = True
        opened._watch.ended(ticket, error, CALL)  # noqa: SLF001
    print(f"an answer while the circuit is open: {await best(lambda: refused(opened)):.2f} µs")


if __name__ == "__main__":
    asyncio.run(main())
