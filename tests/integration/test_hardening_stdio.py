"""`capgate serve --stdio` before a client that floods, does not read, or goes away."""

import asyncio
import contextlib
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.peers.hostile import request
from tests.peers.programs import ROOT, environment

SETTINGS = "server: {shutdown_timeout: 300ms}\ncapabilities: {enabled: false}\n"
LISTEN = {"notifications": {"toolsListChanged": True}}


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    (tmp_path / "gateway.yaml").write_text(SETTINGS)
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "--stdio"),
        *("-c", str(tmp_path / "gateway.yaml"), "--log-level", "error"),
        cwd=ROOT,
        env=environment({}),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        limit=1 << 16,
    )
    async with asyncio.timeout(20):
        yield started
    with contextlib.suppress(ProcessLookupError):
        started.kill()
    await started.communicate()


async def said(process: Process) -> Any:
    assert process.stdout is not None
    return json.loads(await process.stdout.readline())


def say(process: Process, *messages: bytes) -> None:
    assert process.stdin is not None
    process.stdin.writelines([message + b"\n" for message in messages])


@pytest.mark.parametrize(
    "line",
    [
        b"\x00\xff\x16 no message",
        b"[" * 500_000,
        b'{"a":' * 500_000,
        b"[" + b"{}," * 200_000 + b"{}]",
        b"x" * (11 << 20),
        b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"initialize"}',
        b"\xef\xbb\xbf" + request("tools/list"),
    ],
    ids=lambda line: f"{len(line)} of {line[:12]!r}",
)
async def test_a_bad_line_is_one_error_and_the_next_is_answered(
    process: Process, line: bytes
) -> None:
    """I13, I14, I57: also with lines beyond any limit."""
    say(process, line, request("tools/list", id=7))
    bad, good = await said(process), await said(process)
    assert bad["error"]["code"] in (-32700, -32600)
    assert good["id"] == 7
    assert "result" in good


async def test_an_open_subscriptions_id_cannot_be_taken_again(process: Process) -> None:
    """I23: the first of the two could not be ended any more."""
    say(process, *[request("subscriptions/listen", LISTEN, id="a")] * 2)
    assert (await said(process))["method"] == "notifications/subscriptions/acknowledged"
    assert (await said(process))["error"]["code"] == -32600


async def test_listens_are_capped_and_others_still_answered(process: Process) -> None:
    """I23."""
    say(process, *(request("subscriptions/listen", LISTEN, id=number) for number in range(1_100)))
    answers = [await said(process) for _ in range(1_100)]
    assert sum("error" in answer for answer in answers) == 1_100 - 1_024
    say(process, request("tools/list", id="x"))
    assert (await said(process))["id"] == "x"


@pytest.mark.parametrize(("number", "count"), [(signal.SIGTERM, 5_000), (signal.SIGINT, 40_000)])
async def test_a_signal_ends_it_though_its_client_reads_nothing(
    process: Process, number: signal.Signals, count: int
) -> None:
    """I11, F10: it waited for its answers to be read, or for room to write the next."""
    say(process, request("tools/list"))
    await said(process)
    say(process, *(request("tools/list", id=each) for each in range(count)))
    await asyncio.sleep(0.5)
    process.send_signal(number)
    await until_ended(process)


async def test_the_end_of_input_ends_it_though_its_client_reads_nothing(process: Process) -> None:
    """I11."""
    say(process, *(request("tools/list", id=each) for each in range(2_000)))
    await asyncio.sleep(0.5)
    assert process.stdin is not None
    process.stdin.close()
    await until_ended(process)


async def until_ended(process: Process) -> None:
    """`process.wait` would wait until all that it wrote has been read."""
    async with asyncio.timeout(10):
        while running(process):
            await asyncio.sleep(0.02)


def running(process: Process) -> bool:
    return Path(f"/proc/{process.pid}").exists()
