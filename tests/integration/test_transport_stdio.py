"""The stdio transport before real child processes, good ones and bad ones."""

import asyncio
import contextlib
import logging
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvloop

from gateway.errors import BackendUnavailable, BadResponse, Busy, Reached
from gateway.http.direct import Direct
from gateway.http.failures import ConnectionLost
from gateway.protocol.received import LARGEST
from gateway.transports.base import Means
from gateway.transports.process import Handlers, Process
from gateway.transports.reaper import Reaper
from gateway.transports.spawning import Program, spawned
from gateway.transports.stdio import Server, Stdio
from tests.peers.hearing import Hearing, outbound, result
from tests.peers.stdio_server import COMMAND, MEGABYTE

PROMPT = 0.1  # seconds within which a request of a dead server has failed (F1)


@contextlib.asynccontextmanager
async def opened(
    *words: str, settings: Stdio | None = None, politely: float = 10.0
) -> AsyncIterator[tuple[Server, Hearing]]:
    peer = Hearing()
    server = Server(settings or Stdio((*COMMAND, *words)), peer, "tested", politely)
    await server.start()
    try:
        yield server, peer
    finally:
        await server.aclose()


def alive(pid: int) -> bool:
    """Whether it runs: a zombie does not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return False
    return fields[0] != "Z"


async def dies(pid: int, within: float = 2.0) -> None:
    async with asyncio.timeout(within):
        while alive(pid):
            await asyncio.sleep(0.005)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_requests_overlap_and_each_gets_its_own_answer():
    async with opened() as (server, peer):
        asked = [outbound("echo", text=f"{number}" * number) for number in range(1, 60)]
        answers = await asyncio.gather(*map(server.request, asked))
    assert [answer.id for answer in answers] == [out.id for out in asked]
    assert [len(result(answer)["text"]) for answer in answers[:9]] == list(range(1, 10))
    assert peer.reasons == []  # never after aclose


def test_it_works_on_the_loop_of_production_too():
    async def talk():
        async with opened() as (server, peer):
            big = outbound("echo", text="x" * 3_000_000)
            answers = await asyncio.gather(
                server.request(big), server.request(outbound("echo", text="small"))
            )
            dying = server.request(outbound("end", code=3, text="no key\n"))
            with pytest.raises(ConnectionLost, match="exit code 3; it said: no key"):
                await dying
            assert await peer.loss() == "the server ended with exit code 3; it said: no key"
            return [len(result(answer)["text"]) for answer in answers]

    assert uvloop.run(talk()) == [3_000_000, 5]


async def test_the_settings_connect_by_themselves():
    peer = Hearing()
    server = await Stdio(COMMAND).connect(peer, Means("tested", Direct(public_only=False)))
    assert result(await server.request(outbound("echo", n=1))) == {"n": 1}
    await server.aclose()


async def test_what_the_server_says_unasked_goes_to_the_peer():
    asks = '{"jsonrpc":"2.0","id":"a","method":"ping"}\n'
    tells = '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":1}}\n'
    async with opened() as (server, peer):
        await server.request(
            outbound("write", text=f"{asks}\r\n\n[{tells[:-1]},{tells[:-1]}]\n", answer={})
        )
    assert [(message.id, message.method) for message in peer.messages] == [
        ("a", "ping"),
        (None, "notifications/message"),
        (None, "notifications/message"),
    ]


async def test_a_child_sees_its_own_variables_and_none_of_our_secrets(tmp_path):
    name = "CAPGATE_TEST_SECRET_OF_OURS"
    os.environ[name] = "hunter22"  # noqa: TID251  it is what is tested
    try:
        settings = Stdio(COMMAND, (("GREETING", "hello"),), str(tmp_path))
        async with opened(settings=settings) as (server, _):
            seen = result(await server.request(outbound("about")))
    finally:
        del os.environ[name]  # noqa: TID251
    assert seen["environment"]["GREETING"] == "hello"
    assert seen["environment"]["PATH"]
    assert name not in seen["environment"]
    assert seen["cwd"] == str(tmp_path)
    assert seen["session"] == seen["pid"] != os.getsid(0)


@pytest.mark.parametrize(
    ("settings", "reason", "hint"),
    [
        (Stdio(("no-such-program-here",)), "no such program", "installs it"),
        (Stdio(("npx-of-nobody", "-y")), "no such program", "whole path"),
        (Stdio((str(Path(__file__)),)), "not executable", "makes it executable"),
        (Stdio(COMMAND, (), "/no/such/place"), "working directory '/no/such/place'", "directory"),
        (Stdio(("true\0",)), "null byte", None),
    ],
)
async def test_what_cannot_be_started_says_why_at_once(settings, reason, hint):
    before = descriptors()
    with pytest.raises(BackendUnavailable, match=reason) as caught:
        async with opened(settings=settings):
            pass
    assert caught.value.hint is None if hint is None else hint in str(caught.value.hint)
    assert caught.value.reached is Reached.NOT_SENT
    assert descriptors() <= before + 1  # the watcher's pipe, should it be the first


async def test_a_killed_server_fails_its_requests_at_once_and_tells_its_peer_once():  # F1
    async with opened() as (server, peer):
        pid = result(await server.request(outbound("about")))["pid"]
        waiting = [asyncio.ensure_future(server.request(outbound("hold"))) for _ in range(5)]
        await asyncio.sleep(0)
        began = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        failed = await asyncio.gather(*waiting, return_exceptions=True)
        assert time.perf_counter() - began < PROMPT
        for error in failed:
            assert isinstance(error, ConnectionLost)
            assert error.reached is Reached.SENT_UNKNOWN
            assert "signal SIGKILL" in str(error)
        with pytest.raises(BackendUnavailable, match="SIGKILL") as refused:
            await server.request(outbound("echo"))
        assert refused.value.reached is Reached.NOT_SENT
        with pytest.raises(BackendUnavailable):
            await server.send(b"{}")
    assert len(peer.reasons) == 1


async def test_a_grandchild_that_keeps_the_pipe_delays_nothing_and_dies_too():
    async with opened() as (server, _):
        pid = result(await server.request(outbound("about")))["pid"]
        grandchild = result(await server.request(outbound("offspring")))["pid"]
        waiting = asyncio.ensure_future(server.request(outbound("hold")))
        await asyncio.sleep(0)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(waiting, PROMPT)
        await dies(grandchild)


@pytest.mark.parametrize(("words", "politely"), [((), 10.0), (("stubborn",), 0.1)])
async def test_closing_leaves_neither_child_nor_grandchild(words, politely):
    async with opened(*words, politely=politely) as (server, peer):
        pid = result(await server.request(outbound("about")))["pid"]
        grandchild = result(await server.request(outbound("offspring")))["pid"]
        waiting = asyncio.ensure_future(server.request(outbound("hold")))
        await asyncio.sleep(0)
        await server.aclose()
        await server.aclose()
        with pytest.raises(ConnectionLost, match="closed"):
            await waiting
    assert not alive(pid)
    await dies(grandchild)
    assert peer.reasons == []


async def test_a_cancelled_request_is_forgotten_and_its_late_answer_goes_to_nobody(caplog):
    async with opened() as (server, peer):
        held = outbound("hold")
        waiting = asyncio.ensure_future(server.request(held))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        late = f'{{"jsonrpc":"2.0","id":{held.id},"result":{{}}}}\n'
        await server.request(outbound("write", text=late, answer={}))
    assert peer.messages == []
    assert "server_noise" not in caplog.text


@pytest.mark.parametrize(
    "noise",
    [
        "Server listening!\n",
        "\0\0\0\n\x1b[31mred\n",
        "\xff\xfe\n",
        '{"jsonrpc":"2.0","id":"never-asked","result":{}}\n',
        '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}}\n',
        '{"jsonrpc":"1.0","id":1}\n[]\n[1,2]\nnull\n"x"\n{"a":',
    ],
)
async def test_noise_on_its_output_costs_one_line_in_the_log(noise, caplog):  # I57, F3, F6
    caplog.set_level(logging.WARNING)
    async with opened() as (server, _):
        for _ in range(3):
            text = f"{noise}\n"
            answered = await server.request(outbound("write", text=text, times=50, answer={"a": 1}))
            assert result(answered) == {"a": 1}
    told = [record for record in caplog.records if record.message == "server_noise"]
    assert [record.backend for record in told] == ["tested"]


@pytest.mark.parametrize(
    "answer",
    [
        '{"jsonrpc":"2.0","id":@,"result":{"text":"\xff\xfe"}}',
        '{"jsonrpc":"2.0","id":@,"result":{"text":NaN}}',
        '{"jsonrpc":"2.0","id":@,"result":[]}',
        '{"jsonrpc":"2.0","id":@,"result":{"text":"cut',
        '{"jsonrpc":"2.0","result":{"text":"cut},"id":@}',
    ],
)
async def test_an_unreadable_answer_fails_the_request_it_names_and_no_other(answer):  # F3, F6
    async with opened() as (server, _):
        held = outbound("hold")
        other = asyncio.ensure_future(server.request(outbound("hold")))
        waiting = asyncio.ensure_future(server.request(held))
        text = answer.replace("@", str(held.id)) + "\n"
        await server.request(outbound("write", text=text, answer={}))
        with pytest.raises(BadResponse):
            await waiting
        assert not other.done()
        other.cancel()


async def test_a_duplicate_answer_is_dropped():
    async with opened() as (server, _):
        asked = outbound("echo", n=1)
        twice = f'{{"jsonrpc":"2.0","id":{asked.id},"result":{{"n":2}}}}\n'
        both = await asyncio.gather(
            server.request(asked), server.request(outbound("write", text=twice * 2, answer={}))
        )
        assert [result(answer) for answer in both] == [{"n": 1}, {}]
        assert result(await server.request(outbound("echo", n=3))) == {"n": 3}


async def test_a_line_without_an_end_costs_that_server_alone():  # I57
    async with opened() as (good, _), opened() as (bad, peer):
        endless = bad.request(outbound("write", text="x" * MEGABYTE, times=100))
        with pytest.raises(ConnectionLost, match=f"a line of more than {LARGEST} bytes"):
            await endless
        assert "more than" in await peer.loss()
        assert result(await good.request(outbound("echo", n=1))) == {"n": 1}


async def test_an_answer_of_ten_megabytes_is_whole():
    async with opened() as (server, _):
        answer = await server.request(outbound("echo", text="x" * (10 * MEGABYTE)))
    assert len(result(answer)["text"]) == 10 * MEGABYTE


async def test_a_server_that_reads_nothing_gets_no_more_than_we_keep():
    async with opened(politely=0.1) as (server, _):
        waiting = [asyncio.ensure_future(server.request(outbound("sleep")))]
        for _ in range(5):
            out = outbound("echo", text="x" * 12 * MEGABYTE)
            waiting.append(asyncio.ensure_future(server.request(out)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)  # the next turn
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        refused = [task.exception() for task in waiting if task.done()]
        assert [type(error) for error in refused] == [Busy] * 2
        await server.aclose()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_flood_of_error_output_is_read_and_only_its_end_kept():  # I57
    async with opened() as (server, _):
        await server.request(outbound("complain", text="x" * MEGABYTE, times=64))
        await server.request(outbound("complain", text="\nthe \x1b[1mlast\n"))
        assert server.last_words() == "the \\u001b[1mlast"


async def test_secrets_of_its_environment_are_not_in_what_it_last_said():
    settings = Stdio(COMMAND, (("API_KEY", "s3cr3t-value-of-it"),))
    async with opened(settings=settings) as (server, peer):
        with pytest.raises(ConnectionLost) as caught:
            await server.request(outbound("end", code=1, text="bad key s3cr3t-value-of-it"))
    assert "it said: bad key ***" in str(caught.value)
    assert "s3cr3t" not in peer.reasons[0]


async def test_one_that_never_answers_is_lost_with_what_it_said():
    talks = "import sys, signal; print('no licence', file=sys.stderr, flush=True); signal.pause()"
    settings = Stdio((sys.executable, "-I", "-S", "-c", talks))
    async with opened(settings=settings, politely=0.1) as (server, peer):
        waiting = asyncio.ensure_future(server.request(outbound("initialize")))
        async with asyncio.timeout(10):
            while not server.last_words():
                await asyncio.sleep(0.01)
        waiting.cancel()
    assert peer.reasons == ["the server never answered; it said: no licence"]


@pytest.mark.parametrize("descriptor", [0, 1])
async def test_a_server_that_closes_a_pipe_is_ended(descriptor):
    async with opened() as (server, peer):
        pid = result(await server.request(outbound("about")))["pid"]
        with pytest.raises(ConnectionLost):
            await server.request(outbound("close", descriptor=descriptor))
        await peer.loss()
        await dies(pid)


async def test_answers_written_right_before_the_end_still_count():
    async with opened() as (server, _):
        first = outbound("echo", n=1)
        answers = asyncio.gather(
            server.request(first),
            server.request(outbound("echo", n=2)),
            server.request(outbound("end")),
            return_exceptions=True,
        )
        one, two, end = await answers
    assert (result(one), result(two)) == ({"n": 1}, {"n": 2})
    assert "exit code 0" in str(end)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_fifty_lives_leave_no_descriptor_task_or_process(run):
    async def live(*, kill: bool) -> None:
        async with opened() as (server, peer):
            pid = result(await server.request(outbound("about")))["pid"]
            if kill:
                os.kill(pid, signal.SIGKILL)
                await peer.loss()
        with pytest.raises(ProcessLookupError):  # nor is it a zombie
            os.kill(pid, 0)

    async def live_on():
        await live(kill=True)
        before = descriptors()
        for number in range(50):
            await live(kill=bool(number % 2))
        assert descriptors() == before
        assert len(asyncio.all_tasks()) == 1

    run(live_on())


def test_very_many_that_end_at_once_disturb_nothing_on_the_loop_of_production():  # F11
    """It closed descriptors twice; the second time they were another thread's, and uvloop aborted
    the process.
    """
    dead = Stdio(("/bin/false",))

    async def live() -> str:
        peer = Hearing()
        server = Server(dead, peer, "tested")
        await server.start()
        try:
            return await peer.loss()
        finally:
            await server.aclose()

    async def live_on():
        before = descriptors()
        async with asyncio.timeout(30):
            losses: list[str] = []
            for _ in range(4):
                losses += await asyncio.gather(*(live() for _ in range(50)))
        assert losses == ["the server ended with exit code 1"] * 200
        assert descriptors() <= before + 2

    uvloop.run(live_on())


def a_group() -> subprocess.Popen[bytes]:
    words = [sys.executable, "-I", "-S", "-c", "import signal; signal.pause()"]
    return subprocess.Popen(words, start_new_session=True)


def test_the_watcher_kills_what_is_left_when_its_input_ends():  # F16
    reaper = Reaper()
    groups = [a_group() for _ in range(3)]
    for group in groups:
        reaper.watch(group.pid)
    reaper.forget(groups[0].pid)
    reaper.close()
    assert [group.wait(2) for group in groups[1:]] == [-signal.SIGKILL] * 2
    assert groups[0].poll() is None
    groups[0].kill()
    groups[0].wait()


def test_a_watcher_that_was_killed_is_replaced_and_knows_what_the_first_knew():
    reaper = Reaper()
    groups = [a_group() for _ in range(2)]
    reaper.watch(groups[0].pid)
    first = reaper.pid
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    reaper.watch(groups[1].pid)
    assert reaper.pid not in {None, first}
    reaper.close()
    assert [group.wait(2) for group in groups] == [-signal.SIGKILL] * 2


def test_without_a_watcher_all_but_its_promise_holds(caplog):
    reaper = Reaper("/no/such/interpreter")
    reaper.watch(123456)
    reaper.forget(123456)
    assert [record.message for record in caplog.records] == ["watcher_failed"]


class Listens(asyncio.Protocol):
    """Hears nothing of interest."""


async def test_the_end_is_heard_without_the_help_of_linux_too():
    ended = asyncio.Event()
    handlers = Handlers(Listens(), Listens(), Listens(), ended.set)
    program = Program(COMMAND, {})
    process = await Process.start(program, handlers, handle=lambda _pid: None)
    process.input.write(b'{"method":"end","params":{"code":7}}\n')
    async with asyncio.timeout(10):
        await ended.wait()
    assert process.exit_status == "exit code 7"
    await process.stop(1.0)
    process = await Process.start(program, handlers, handle=lambda _pid: None)
    await process.stop(10.0)
    assert process.exit_status == "exit code 0"


async def test_a_start_that_is_cancelled_leaves_nothing():
    pids = []

    def remember(pid):
        pids.append(pid)

    ended = asyncio.Event()
    handlers = Handlers(Listens(), Listens(), Listens(), ended.set)
    starting = asyncio.ensure_future(Process.start(Program(COMMAND, {}), handlers, handle=remember))
    async with asyncio.timeout(10):
        while not pids:
            await asyncio.sleep(0)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        assert starting.cancelled()
        await ended.wait()
    assert not alive(pids[0])


async def test_starts_that_are_cancelled_in_the_middle_leave_nothing_either():
    before = children()
    program = Program(COMMAND, {})
    starting = [asyncio.ensure_future(spawned(program)) for _ in range(10)]
    async with asyncio.timeout(10):
        while children() <= before:
            await asyncio.sleep(0)
        for task in starting:
            task.cancel()
        ends = await asyncio.gather(*starting, return_exceptions=True)
        for child in ends:
            if not isinstance(child, asyncio.CancelledError):
                with child:
                    child.kill()
        while children() - before:
            await asyncio.sleep(0.01)


def children():
    threads = Path("/proc/self/task").glob("*/children")
    return {pid for thread in threads for pid in thread.read_text().split()}


async def test_starting_very_many_servers_leaves_the_loop_free():  # F11
    """Each stopped it for four milliseconds, and all of them in one go."""
    late = []

    async def tick():
        while True:
            due = time.perf_counter() + 0.005
            await asyncio.sleep(0.005)
            late.append(time.perf_counter() - due)

    ticking = asyncio.create_task(tick())
    program = Program(("/bin/true",), {})
    for child in await asyncio.gather(*(spawned(program) for _ in range(60))):
        with child:
            pass
    ticking.cancel()
    assert len(late) > 3
    assert statistics.median(late) < 0.02
