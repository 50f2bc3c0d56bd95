"""A gateway in its own process, and what it costs: CPU, resident memory, start-up time."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """User and system time of the process so far, from the scheduler's account in nanoseconds."""
    with contextlib.suppress(OSError):
        threads = Path(f"/proc/{pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextlib.contextmanager
def peer(module: str) -> Iterator[int]:
    """The port of a peer in a process of its own, which prints it first."""
    process = subprocess.Popen([sys.executable, "-m", module], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None  # noqa: S101 (for the type checker)
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@contextlib.contextmanager
def gateway(
    folder: Path, *arguments: str, environ: Mapping[str, str] | None = None, key: str = ""
) -> Iterator[tuple[int, subprocess.Popen[bytes], float]]:
    """(port, process, seconds from start to the first answered tools/list).

    `environ` is all of its environment, ours where none is given; `key` what it asks clients for.
    """
    port = free_port()
    started = time.perf_counter()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gateway", "serve", "--port", str(port)),
            *("--capabilities", str(folder), "--log-level", "warning"),
            *arguments,
        ],
        env=environ,
    )
    try:
        wait_for_tools(port, process, key)
        yield port, process, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(10)


def wait_for_tools(port: int, process: subprocess.Popen[bytes], key: str = "") -> None:
    body = (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{'
        b'"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
        b'"io.modelcontextprotocol/clientCapabilities":{}}}}'
    )
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/list",
        **({"Authorization": f"Bearer {key}"} if key else {}),
    }
    while process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("POST", "/mcp", body, headers)
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            pass
        finally:
            connection.close()
    raise SystemExit("the gateway ended before it answered")
