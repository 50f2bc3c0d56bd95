"""Search in figures: `python -m benchmarks.search [TOOLS]` (10,000 made-up tools by default).

All times are CPU times of the thread: steadier than the clock on a shared machine.
"""

import gc
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import TypeVar

from benchmarks.catalogue import catalogue, requests
from gateway.domain.search import Index
from gateway.domain.tool import Tool

ASKED = 2_000  # requests
CHANGED = 300  # updates of each kind
SMALL = 150  # tools of an ordinary start


T = TypeVar("T")


def timed(name: str, work: Callable[[T], object], *inputs: T) -> None:
    """Print how long `work` takes for its input; the middle and the p95 when there are many."""
    taken = []
    for one in inputs:
        started = time.thread_time()
        work(one)
        taken.append((time.thread_time() - started) * 1000)
    taken.sort()
    p95 = taken[int(len(taken) * 0.95)]
    rest = f" p50, {p95:.3f} ms p95" if len(taken) > 1 else ""
    print(f"{name:34s} {statistics.median(taken):9.3f} ms{rest}")


def queries(index: Index, tools: Sequence[Tool]) -> None:
    asked = requests(ASKED)
    half = [tool.ref for tool in tools[::2]]
    part = index.part((), half)
    backend = tools[0].ref.backend
    timed("query", index.search, *asked)
    timed("query, half of the tools allowed", lambda q: index.search(q, part=part), *asked)
    timed("half of the tools, told by name", lambda refs: index.part((), refs), half)
    timed("query, one backend", lambda q: index.search(q, backend=backend), *asked)
    hostile = 'create NEAR "x*" \0 (' * 50_000
    timed("query of a megabyte", index.search, hostile)


def updates(index: Index, tools: Sequence[Tool]) -> None:
    known = {tool.ref for tool in tools}
    others = [tool for tool in catalogue(1_000, seed=3) if tool.ref not in known]
    edited = [
        Tool(tool.ref, {**tool.definition, "description": other.description})
        for tool, other in zip(tools, others, strict=False)
    ]
    refs = [tool.ref for tool in tools]
    timed("edit one description", lambda tool: index.updated((), [tool]), *edited[:CHANGED])
    timed("add one tool", lambda tool: index.updated((), [tool]), *others[:CHANGED])
    timed("remove one tool", lambda ref: index.updated([ref], ()), *refs[:CHANGED])
    for many in (10, 100, len(others)):
        timed(
            f"replace {many} tools by others",
            lambda number: index.updated(refs[:number], others[:number]),
            many,
        )
    timed("offer all again, unchanged", lambda again: index.updated((), again), tools)


def memory(tools: Sequence[Tool]) -> None:
    gc.collect()
    tracemalloc.start()
    index = Index.build(tools)
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    print(f"{used:.1f} MB hold {index!r}")


def main() -> None:
    few, tools = catalogue(SMALL, seed=4), catalogue(int([*sys.argv, "10000"][1]))
    timed(f"build {len(few)} tools", Index.build, few)
    timed(f"build {len(tools)} tools", Index.build, tools)
    index = Index.build(tools)
    queries(index, tools)
    updates(index, tools)
    memory(tools)


if __name__ == "__main__":
    main()
