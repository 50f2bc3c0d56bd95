"""What becomes of the audit, and of calls, when its file fails, moves, or the gateway ends."""

import asyncio
import contextlib
import json
import os
import re
import resource
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from tests.peers.audited import Audited, audited, calling, each, once, outcome
from tests.peers.gateways import started
from tests.peers.hostile import read_reply
from tests.peers.programs import CAPGATE, ROOT, environment

SOON = 1.0  # seconds in which a gateway goes on once it can
NOT_ITS_WORK = 1.0  # seconds that a busy machine may take for the rest
CLOSED = "on_failure: fail_closed"


def good(name: str) -> bytes:
    return calling(name, "get", {"id": 7})


@contextlib.contextmanager
def no_room(gateway: Audited, more: int = 0) -> Iterator[None]:
    """The gateway's files cannot grow beyond what they are and `more` bytes: a full disk."""
    size = gateway.file.stat().st_size if gateway.file.exists() else 0
    unlimited = resource.prlimit(gateway.gateway.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(gateway.gateway.pid, resource.RLIMIT_FSIZE, (size + more, unlimited[1]))
    try:
        yield
    finally:
        resource.prlimit(gateway.gateway.pid, resource.RLIMIT_FSIZE, unlimited)


async def until(condition: Callable[[], Awaitable[bool]], within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        while not await condition():
            await asyncio.sleep(0.02)


async def refused(gateway: Audited) -> bool:
    return (await once(gateway.port, good("probe"))).status == 503


async def accepted(gateway: Audited) -> bool:
    return (await once(gateway.port, good("probe"))).status == 200


def in_order(lines: list[dict[str, object]]) -> bool:
    return [line["seq"] for line in lines] == list(range(1, len(lines) + 1))


async def test_without_room_calls_go_on_and_no_line_is_lost_f9(tmp_path: Path) -> None:
    async with audited(tmp_path, keys=False) as gateway:
        await each(gateway.port, {"before": good("before")})
        await gateway.until(1)
        with no_room(gateway, more=100):
            seen = await each(gateway.port, {str(n): good(str(n)) for n in range(300)})
            assert set(seen.values()) == {"ok"}
            await until(lambda: _logged(gateway, "audit_failed"))
            assert len(gateway.lines) == 1  # none of them by half
            health = await gateway.health()
            assert (health["status"], health["audit"]["failing"]) == ("degraded", "file too large")
        async with asyncio.timeout(SOON + NOT_ITS_WORK):
            await gateway.until(301)
        assert in_order(gateway.lines)
        assert await gateway.figure("capgate_audit_lines_total") == 301
        await until(lambda: _logged(gateway, "audit_recovered"))
        health = await gateway.health()
        assert health["status"] == "healthy"
        assert health["audit"] == {"written": 301, "dropped": 0, "failing": None}


async def test_lines_that_are_lost_are_counted_to_the_last_f9(tmp_path: Path) -> None:
    many = 10_400
    async with audited(tmp_path, 'file: "/dev/full"', keys=False) as gateway:
        requests = {str(n): calling(str(n), "nothing", {}, path="/mcp") for n in range(many)}
        seen = await each(gateway.port, requests)
        assert set(seen.values()) == {"tool_not_found"}
        await until(lambda: _logged(gateway, "audit_failed"))
        dropped = await gateway.figure('capgate_audit_dropped_total{reason="queue_full"}')
        assert await gateway.figure("capgate_audit_lines_total") == 0
        assert 300 < dropped < 400 + 100
        gateway.gateway.process.terminate()
        assert await gateway.gateway.process.wait() == 0
        found = re.search(r"audit_lines_lost .*lines=(\d+)", gateway.gateway.log)
        assert found
        assert dropped + int(found[1]) == many


async def test_nothing_is_done_that_cannot_be_written_down_f9(tmp_path: Path) -> None:
    async with audited(tmp_path, CLOSED, keys=False) as gateway:
        held = asyncio.create_task(once(gateway.port, calling("held", "hold", {"name": "held"})))
        await gateway.api.came["held"].wait()
        with no_room(gateway):
            await until(lambda: refused(gateway))
            reply = await once(gateway.port, good("no"))
            assert reply.status == 503
            assert reply.json["error"]["data"] == {"code": "audit_unavailable", "retryable": True}
            url = f"http://127.0.0.1:{gateway.port}/mcp/shop"
            async with Client(url, mode="legacy") as client:
                with pytest.raises(MCPError, match="audit_unavailable"):
                    await client.call_tool("get", {"id": 7})
            gateway.api.free.set()  # what was in flight ends as it would
            assert outcome(await held) == "ok"
            assert await gateway.figure("capgate_audit_lines_total") == 0
            labels = 'backend="other",tool="other",agent="",outcome="audit_unavailable"'
            assert await gateway.figure(f"capgate_calls_total{{{labels}}}") >= 3
        await until(lambda: accepted(gateway), SOON + NOT_ITS_WORK)
        lines = await gateway.until(5)
    assert in_order(lines)
    told = {line["request"]: line["outcome"] for line in lines}
    assert (told["held"], told["no"]) == ("ok", "audit_unavailable")


async def test_a_real_disk_that_is_full_and_then_is_not_f9(tmp_path: Path) -> None:
    with disk(tmp_path / "disk") as folder:
        file = folder / "audit.jsonl"
        async with audited(tmp_path, f'{CLOSED}, file: "{file}"', keys=False) as gateway:
            gateway.file = file
            (folder / "filler").write_bytes(b"x" * 50_000)
            number = 0
            while (await once(gateway.port, good(str(number)))).status == 200:
                number += 1
                await asyncio.sleep(0)
            assert len(gateway.lines) <= number  # and each is whole
            (folder / "filler").unlink()
            await until(lambda: accepted(gateway), SOON + NOT_ITS_WORK)
            lines = await gateway.until(number + 2)
            assert in_order(lines)


@contextlib.contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """64 KiB of it."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip(f"a disk cannot be made here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S607


@pytest.mark.parametrize("how", ["renamed", "removed", "copied_and_cut"])
async def test_a_file_that_is_taken_away_is_made_anew_f9(tmp_path: Path, how: str) -> None:
    async with audited(tmp_path, CLOSED, keys=False) as gateway:
        await each(gateway.port, {"1": good("1")})
        await gateway.until(1)
        old = tmp_path / "old"
        if how == "renamed":
            gateway.file.rename(old)
        elif how == "removed":
            gateway.file.unlink()
        else:
            old.write_bytes(gateway.file.read_bytes())
            os.truncate(gateway.file, 0)
        assert await each(gateway.port, {"2": good("2")}) == {"2": "ok"}
        await until(lambda: _ends_with(gateway.file, '"request":"2"}'), SOON + NOT_ITS_WORK)
        if old.exists():
            assert (
                len(gateway.lines) == 1
            )  # one that is removed while it is written is written anew
            assert json.loads(old.read_text())["request"] == "1"


async def test_a_file_that_is_taken_away_while_nobody_calls_is_made_anew(tmp_path: Path) -> None:
    async with audited(tmp_path, keys=False) as gateway:
        gateway.file.unlink()
        async with asyncio.timeout(2 * SOON + NOT_ITS_WORK):
            while not gateway.file.exists():
                await asyncio.sleep(0.02)


async def test_a_folder_that_becomes_something_else_closes_the_gateway_f9(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    async with audited(tmp_path, f'{CLOSED}, file: "log/audit.jsonl"', keys=False) as gateway:
        gateway.file = folder / "audit.jsonl"
        assert await accepted(gateway)
        await gateway.until(1)
        folder.rename(tmp_path / "moved")
        folder.write_text("no folder")
        await until(lambda: refused(gateway))
        folder.unlink()
        await until(lambda: accepted(gateway), SOON + NOT_ITS_WORK)


async def test_it_is_put_aside_by_size_and_all_lines_stay(tmp_path: Path) -> None:
    rotation = "rotation: {size: 10k, keep: 100}"
    async with audited(tmp_path, rotation, keys=False) as gateway:
        await each(gateway.port, {str(n): good(str(n)) for n in range(500)})
        await until(lambda: _written(gateway, 500))
    files = sorted(tmp_path.glob("audit.jsonl*"))  # noqa: ASYNC240
    assert len(files) > 5
    assert all(file.stat().st_size < 20_000 for file in files)
    lines = [json.loads(line) for file in files for line in file.read_bytes().splitlines()]
    assert sorted(line["seq"] for line in lines) == list(range(1, 501))


@pytest.mark.parametrize(("policy", "code"), [("fail_closed", 2), ("fail_open", None)])
async def test_what_cannot_be_written_from_the_start_f9(
    tmp_path: Path, policy: str, code: int | None
) -> None:
    (tmp_path / "file").write_text("no folder")
    audit = f"audit: {{enabled: true, file: file/audit.jsonl, on_failure: {policy}}}"
    (tmp_path / "gateway.yaml").write_text(audit)
    (tmp_path / "capabilities").mkdir()
    if code is None:
        async with started(tmp_path / "capabilities", settings=audit) as gateway:
            assert "audit_failed" in gateway.log
        return
    for words in (("serve", "--port", "0"), ("call", "shop:get")):
        done = await asyncio.to_thread(run, *words, "-c", str(tmp_path / "gateway.yaml"))
        assert done.returncode == code
        assert "file/audit.jsonl cannot be written: not a directory" in done.stderr
        assert "fail_closed" in done.stderr


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CAPGATE, *words],
        cwd=ROOT,
        env=environment({}),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_over_stdio_standard_output_is_the_protocols(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text('audit: {enabled: true, file: "-"}')
    done = run("serve", "--stdio", "-c", str(tmp_path / "gateway.yaml"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "audit.file is standard output" in done.stderr


async def test_standard_output_has_nothing_but_lines(tmp_path: Path) -> None:
    (tmp_path / "capabilities").mkdir()
    (tmp_path / "gateway.yaml").write_text('audit: {enabled: true, file: "-"}')
    process = await asyncio.create_subprocess_exec(
        *(*CAPGATE, "serve", "--port", "0", "-c", str(tmp_path / "gateway.yaml")),
        cwd=ROOT,
        env=environment({}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    port = 0
    while not port:
        found = re.search(rb":(\d+)/mcp", await process.stderr.readline())
        port = int(found[1]) if found else 0
    await each(port, {str(n): calling(str(n), "nothing", {}, path="/mcp") for n in range(20)})
    process.send_signal(signal.SIGTERM)
    output, _ = await process.communicate()
    assert [json.loads(line)["op"] for line in output.splitlines()] == ["meta"] * 20


async def test_500_calls_in_flight_end_and_are_written_when_it_is_told_to_stop_f10(
    tmp_path: Path,
) -> None:
    many = 500
    async with audited(tmp_path, keys=False, shops=6) as gateway:  # an origin has 100 connections
        async with in_flight(gateway, many) as readers:
            gateway.gateway.process.send_signal(signal.SIGTERM)
            await until(lambda: _logged(gateway, "stopping"))
            gateway.api.free.set()
            replies = await asyncio.gather(*map(read_reply, readers))
        assert [outcome(reply) for reply in replies] == ["ok"] * many
        assert await gateway.gateway.process.wait() == 0
        lines = gateway.lines
    assert len(lines) == many
    assert {line["outcome"] for line in lines} == {"ok"}
    assert {line["request"] for line in lines} == {f"n{n}" for n in range(many)}
    assert "audit_lines_lost" not in gateway.gateway.log


@contextlib.asynccontextmanager
async def in_flight(gateway: Audited, many: int) -> AsyncIterator[list[asyncio.StreamReader]]:
    """So many calls that have all reached the API."""
    both = await asyncio.gather(
        *(asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(many))
    )
    for number, (_, writer) in enumerate(both):
        name, shop = f"n{number}", f"/mcp/shop{number % 6 or ''}"
        writer.write(calling(name, "hold", {"name": name}, path=shop))
    async with asyncio.timeout(20):
        for number in range(many):
            await gateway.api.came[f"n{number}"].wait()
    yield [reader for reader, _ in both]
    for _, writer in both:
        writer.close()


async def test_a_gateway_that_is_killed_leaves_whole_lines_and_the_next_goes_on_f16(
    tmp_path: Path,
) -> None:
    async with audited(tmp_path, keys=False) as gateway:
        requests = {str(n): good(str(n)) for n in range(4_000)}
        calls = asyncio.create_task(each(gateway.port, requests))
        await gateway.until(200)
        gateway.gateway.process.kill()
        await gateway.gateway.process.wait()
        with pytest.raises(ExceptionGroup):  # its connections break
            await calls
        content = gateway.file.read_bytes()
        whole, _, _torn = content.rpartition(b"\n")
        before = [json.loads(line) for line in whole.splitlines()]
        assert in_order(before)
        gateway.file.write_bytes(whole + b'\n{"time":"2026')  # had it been killed in a write
        settings = (tmp_path / "gateway.yaml").read_text()
        async with started(tmp_path / "capabilities", settings=settings) as again:
            assert "audit_line_torn" in again.log
            await each(again.port, {"after": good("after")})
            await until(lambda: _ends_with(gateway.file, '"request":"after"}'))
        lines = gateway.file.read_bytes().splitlines()
    assert lines[len(before)] == b'{"time":"2026'
    assert json.loads(lines[len(before) + 1])["request"] == "after"


async def _logged(gateway: Audited, event: str) -> bool:
    return event in gateway.gateway.log


async def _written(gateway: Audited, lines: int) -> bool:
    return await gateway.figure("capgate_audit_lines_total") == lines


async def _ends_with(file: Path, end: str) -> bool:
    content = await asyncio.to_thread(lambda: file.read_text() if file.exists() else "")
    return content.endswith(end + "\n")
