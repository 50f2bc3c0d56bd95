"""`prism mock` for one document, and the recorder between the gateway and it.

The recorder hands every request on unchanged, byte for byte, and keeps what was asked and answered;
where nobody is behind it, it answers `{}` itself. It also plays the server that gives tokens.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, STDOUT, Popen, TimeoutExpired
from typing import Any, NamedTuple

from benchmarks.process import free_port

MEMORY = 3000  # megabytes of prism's heap
START = 90.0  # seconds that a large document may take
ANSWER = 10.0  # seconds for one answer
TAKEN = {  # its errors that say nothing against the request
    "VIOLATIONS",
    "NO_RESPONSE_RESPONSE_DEFINED",
    "SCHEMA_TOO_COMPLEX",
    "NOT_FOUND",
    "NO_SERIALIZER",
}
TOKENS = "/.tokens"  # where the recorder itself gives a token to whoever asks
TOKEN = b'{"access_token": "a-token-of-the-recorder", "token_type": "Bearer", "expires_in": 3600}'


class Violation(NamedTuple):
    """`place` is such as `("body", "items", "0")`; `code` a keyword of JSON Schema, a status, or
    the kind of prism's error.
    """

    place: tuple[str, ...]
    code: str
    message: str

    def __str__(self) -> str:
        return f"{'.'.join(self.place)} [{self.code}] {self.message}"


@dataclass(slots=True)
class Exchange:
    """A request as the gateway sent it, and what came back. `status` is 0 where nothing did."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    status: int = 0
    answered: dict[str, str] = field(default_factory=dict)
    content: bytes = b""

    def violations(self) -> list[Violation]:
        """What prism holds against the request; what it says of its own answer is not in it."""
        told = self.answered.get("sl-violations", "[]")
        try:
            found = json.loads(told)
        except ValueError:  # prism cuts a long list off; what it says of the request comes first
            own = '[{"location":["request"' in told[:60]
            return [Violation((), "", told[:2000])] if own else []
        errors = [one for one in found if one["severity"] == "Error"]
        own = [_violation(one, 1) for one in errors if one["location"][0] == "request"]
        return own or self._problems()

    def _problems(self) -> list[Violation]:
        kind, told = self._problem()
        if not kind or kind in TAKEN:
            return []
        listed = told.get("validation") or []
        return [_violation(one, 0) for one in listed] or [Violation((), kind, str(told["detail"]))]

    def own_failure(self) -> str:
        """Why prism, which took the request, has no answer; empty where it has one."""
        kind, told = self._problem()
        more = told.get("validation") or told.get("detail")
        return f"{kind} {told['title']}: {more}"[:2000] if kind in TAKEN else ""

    def _problem(self) -> tuple[str, Mapping[str, Any]]:
        """(kind, all of it) of prism's own error, such as UNAUTHORIZED; empty where it is none."""
        with contextlib.suppress(ValueError, AttributeError):
            told = json.loads(self.content)
            kind = str(told.get("type", ""))
            if "prism/errors#" in kind:
                unserved = str(told["title"]).startswith("Cannot find serializer")
                return "NO_SERIALIZER" if unserved else kind.partition("#")[2], told
        return "", {}


class Recorder:
    """`exchanges` are those since `clear`. `behind`: the port of who answers; None for nobody."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.behind: int | None = None

    def clear(self) -> None:
        self.exchanges = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            head = await reader.readuntil(b"\r\n\r\n")
            exchange = _asked(head)
            size = int(exchange.headers.get("content-length", 0))
            exchange.body = await reader.readexactly(size)
            if exchange.target != TOKENS:
                self.exchanges.append(exchange)
            writer.write(await self._answer(head, exchange))
            await writer.drain()
        writer.close()

    async def _answer(self, head: bytes, exchange: Exchange) -> bytes:
        if exchange.target == TOKENS:
            return _json(TOKEN)
        if self.behind is None:
            exchange.status = 200
            return _json(b"{}")
        line, _, rest = head.partition(b"\r\n")
        rest = re.sub(rb"(?i)^connection:.*\r\n", b"", rest, flags=re.MULTILINE)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.behind)
        try:
            writer.write(line + b"\r\nConnection: close\r\n" + rest + exchange.body)
            answer = await asyncio.wait_for(reader.read(-1), ANSWER)
        finally:
            writer.close()
        _note(answer, exchange)
        return answer


@contextlib.asynccontextmanager
async def recording() -> AsyncIterator[tuple[Recorder, int]]:
    """A recorder and its port."""
    recorder = Recorder()
    server = await asyncio.start_server(recorder, "127.0.0.1", 0, limit=1 << 20)
    async with server:
        yield recorder, int(server.sockets[0].getsockname()[1])


@contextlib.asynccontextmanager
async def mocking(command: Sequence[str], document: Path, log: Path) -> AsyncIterator[int]:
    """The port of prism for this document. Raises TimeoutError or OSError if it does not start."""
    port = free_port()
    process = _started(command, ["mock", str(document), "--errors", "-p", str(port)], log)
    try:
        async with asyncio.timeout(START):
            await _listening(port, process)
        yield port
    finally:
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, 5)
        except TimeoutExpired:
            process.kill()
            process.wait()


def _started(command: Sequence[str], options: Sequence[str], log: Path) -> Popen[bytes]:
    node, script = command
    program = [node, f"--max-old-space-size={MEMORY}", script, *options, "-v", "error"]
    with log.open("wb") as out:
        return Popen(program, stdin=DEVNULL, stdout=out, stderr=STDOUT)


async def _listening(port: int, process: Popen[bytes]) -> None:
    while process.poll() is None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.1)
    raise OSError(f"prism ended with {process.returncode}")


def _violation(told: Mapping[str, Any], skipped: int) -> Violation:
    place = tuple(str(part) for part in told.get("location") or ())
    return Violation(place[skipped:], str(told.get("code", "")), str(told.get("message", "")))


def _json(body: bytes) -> bytes:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _asked(head: bytes) -> Exchange:
    line, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ")
    return Exchange(method, target, _headers(lines), b"")


def _note(answer: bytes, exchange: Exchange) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    exchange.status = int(line.split(" ")[1])
    exchange.answered = _headers(lines)
    chunked = "chunked" in exchange.answered.get("transfer-encoding", "")
    exchange.content = _unchunked(body) if chunked else body


def _headers(lines: Sequence[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if line)
    return {name.lower(): value.strip() for name, _, value in pairs}


def _unchunked(body: bytes) -> bytes:
    found = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.partition(b";")[0] or b"0", 16)
        found += body[:length]
        body = body[length + 2 :]
    return found
