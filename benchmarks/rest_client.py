"""What one request to a REST API costs us, beside aiohttp's client at its leanest.

`python -m benchmarks.rest_client [PORT]`: CPU of this process a request, at 1 and 32 at a time,
against the peer in `benchmarks/peer.py` or whatever serves `/api/items/N` on PORT of this machine.
"""

import asyncio
import itertools
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import aiohttp
import uvloop

from gateway.http.message import HttpRequest
from gateway.http.outgoing import Outgoing

REQUESTS = 16_000
ROUNDS = 3
Ask = Callable[[str], Awaitable[bytes]]


async def cost(ask: Ask, port: int, at_once: int) -> float:
    """CPU-microseconds a request; every URL is another."""
    numbers = itertools.count()

    async def worker(count: int) -> None:
        for _ in range(count):
            body = await ask(f"http://127.0.0.1:{port}/api/items/{next(numbers)}")
            if not body.startswith(b'{"id"'):
                raise SystemExit(f"an unexpected answer: {body[:80]!r}")

    await asyncio.gather(*[worker(50) for _ in range(at_once)])
    before = time.process_time()
    await asyncio.gather(*[worker(REQUESTS // at_once) for _ in range(at_once)])
    return (time.process_time() - before) / REQUESTS * 1e6


async def ours(port: int, at_once: int) -> float:
    outgoing = Outgoing()
    headers = (("X-Api-Key", "k"),)

    async def ask(url: str) -> bytes:
        request = HttpRequest("GET", url, headers)
        answer = await outgoing.send(request, seconds=30, cap=10_000_000, private=True)
        return answer.body

    try:
        return await cost(ask, port, at_once)
    finally:
        await outgoing.aclose()


async def theirs(port: int, at_once: int) -> float:
    limits = aiohttp.ClientTimeout(total=30)
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(cookie_jar=jar, timeout=limits) as session:

        async def ask(url: str) -> bytes:
            headers = (("X-Api-Key", "k"),)
            async with session.get(url, headers=headers, allow_redirects=False) as answer:
                return await answer.read()

        return await cost(ask, port, at_once)


def compare(port: int) -> None:
    for at_once in (1, 32):
        for name, run in (("Outgoing", ours), ("aiohttp", theirs)):
            found = sorted(uvloop.run(run(port, at_once)) for _ in range(ROUNDS))
            each = " ".join(f"{micros:6.1f}" for micros in found)
            print(f"{name:10s} c={at_once:<3d} {each} CPU-us/request", flush=True)


def main() -> None:
    if len(sys.argv) > 1:
        compare(int(sys.argv[1]))
        return
    command = [sys.executable, "-m", "benchmarks.peer"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as peer:
        try:
            compare(int((peer.stdout or sys.stdin).readline()))
        finally:
            peer.terminate()


if __name__ == "__main__":
    main()
