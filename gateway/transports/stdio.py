"""An MCP server as a child process: JSON-RPC messages on its standard input and output, one a line.

Source: 2025-11-25 and 2026-07-28 basic/transports, stdio. What it writes to standard error is kept
for the moment it fails.
"""

import asyncio
import logging
import shlex
from pathlib import PurePath

import msgspec

from gateway.credentials.redact import Redactor
from gateway.credentials.secret import environment
from gateway.errors import BackendUnavailable, Busy, GatewayError
from gateway.http.failures import ConnectionLost, Unreachable
from gateway.protocol.received import LARGEST, Inbound
from gateway.transports.base import Headers, Means, Outbound, Peer, Transport
from gateway.transports.correlate import Correlation
from gateway.transports.process import Handlers, Process
from gateway.transports.process_environment import for_child
from gateway.transports.process_pipes import LastWords, Lines
from gateway.transports.spawning import Program

MOST_UNREAD = 2 * LARGEST  # bytes written that the server has not read
POLITELY = 2.0  # seconds
DRAIN = 0.05  # seconds from the first sign of its end until its requests fail
SHELL = frozenset({"|", "||", "&&", ";", "&", ">", ">>", "<", "2>&1"})
REMEDIES = {
    "npx": "the operator installs Node.js, which brings npx",
    "node": "the operator installs Node.js",
    "uvx": "the operator installs uv, which brings uvx",
}

log = logging.getLogger(__name__)


class Stdio(msgspec.Struct, frozen=True):
    """`command`, not empty, is the program and its arguments; no shell reads them. `env` is what it
    sees beside what any program needs (`process_environment.py`); `cwd` where it runs, ours when
    None.
    """

    command: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    cwd: str | None = None

    @property
    def label(self) -> str:
        return "stdio"

    async def connect(self, peer: Peer, means: Means) -> Transport:
        server = Server(self, peer, means.name)
        await server.start()
        return server


def split(text: str) -> tuple[str, ...]:
    """A command as one would type it, as words. Raises ValueError, saying what is wrong with it."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(f"cannot be split: {str(error).lower()}") from None
    if not words:
        raise ValueError("is empty")
    found = SHELL.intersection(words)
    if found:
        raise ValueError(f"holds {min(found)!r}, which is for a shell, and none reads it")
    return words


class Server(asyncio.Protocol):
    """The Transport, and what the pipe to the server's input tells."""

    apart = False

    def __init__(
        self, settings: Stdio, peer: Peer, backend: str, politely: float = POLITELY
    ) -> None:
        """`politely` is how long, in seconds, it has to end by itself, and again after SIGTERM."""
        self._settings = settings
        self._peer = peer
        self._backend = backend
        self._politely = politely
        self._loop = asyncio.get_running_loop()
        self._redactor = Redactor()
        for _, value in settings.env:
            self._redactor.learn(value)
        self._correlation = Correlation(backend, peer, self._redactor.text)
        self._lines = Lines(self._heard_first, self._output_ended)
        self._errors = LastWords(self._errors_ended)
        self._process: Process | None = None
        self._unsent: list[bytes] = []
        self._unread = False  # whether the server leaves too much unread
        self._end: str | None = None  # why there will be no more answers
        self._ending: asyncio.TimerHandle | None = None
        self._silent = True
        self._closed = False

    async def start(self) -> None:
        """Raises BackendUnavailable, with what to do, when there is nothing to start."""
        settings = self._settings
        environ = for_child(environment(), settings.env)
        handlers = Handlers(self._lines, self._errors, self, self._exited)
        try:
            program = Program(settings.command, environ, settings.cwd)
            self._process = await Process.start(program, handlers)
        except (OSError, ValueError) as error:
            raise _not_started(settings, error) from None
        self._process.input.set_write_buffer_limits(MOST_UNREAD)
        facts = {"backend": self._backend, "program": self._name, "pid": self._process.pid}
        log.info("server_started", extra=facts)

    async def request(self, out: Outbound) -> Inbound:
        return await self._correlation.response(out.id, self._write, out.body)

    async def send(self, body: bytes, headers: Headers = ()) -> None:
        self._write(body)

    def follow(self, headers: Headers) -> None:
        """There is but one stream."""

    def last_words(self) -> str:
        return self._errors.shown(self._redactor.text)

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._silent and self._end is None and (words := self.last_words()):
            self._peer.lost(f"the server never answered; it said: {words}")
        self._lines.deafen()
        self._lose("the connection was closed")
        if self._process is not None:
            self._flush()
            await self._process.stop(self._politely)

    @property
    def _name(self) -> str:
        return PurePath(self._settings.command[0]).name

    def _heard_first(self, line: bytes) -> None:
        self._silent = False
        self._lines.line = self._correlation.heard
        self._correlation.heard(line)

    # -- to the server ------------------------------------------------------------------------

    def _write(self, body: bytes) -> None:
        if self._end is not None or self._process is None:
            raise BackendUnavailable(self._end or "the server has not been started")
        if self._unread:
            raise Busy(f"the server leaves more than {MOST_UNREAD} bytes of its input unread")
        if not self._unsent:
            self._loop.call_soon(self._flush)  # what one turn of the loop brings goes out at once
        self._unsent += (body, b"\n")

    def _flush(self) -> None:
        if self._process is not None and not self._process.input.is_closing():
            self._process.input.write(b"".join(self._unsent))
        self._unsent.clear()

    def pause_writing(self) -> None:
        self._unread = True

    def resume_writing(self) -> None:
        self._unread = False

    def connection_lost(self, exc: Exception | None) -> None:
        """It reads no more: it has ended, or is about to be."""
        self._fades("the server closed its input")

    # -- its end ------------------------------------------------------------------------------

    def _exited(self) -> None:
        if self._end is not None and self._process is not None:
            self._process.release()
        self._fades("the server ended")

    def _output_ended(self, problem: str | None) -> None:
        if problem is None:
            self._fades("the server closed its output")
        else:
            self._over(f"the server {problem}")

    def _errors_ended(self) -> None:
        if self._lines.ended:  # one may close its standard error, and serve on
            self._fades("the server closed its output")

    def _fades(self, sign: str) -> None:
        """A sign of its end. The others follow within moments, and with them what it last said."""
        process = self._process
        told_all = self._lines.ended and self._errors.ended
        if told_all and process is not None and process.exit_status is not None:
            self._over(sign)
        elif self._ending is None and self._end is None:
            self._ending = self._loop.call_later(DRAIN, self._over, sign)

    def _over(self, sign: str) -> None:
        """There is no way back: `sign` is why, unless it has ended, which says more."""
        process = self._process
        if self._end is not None or process is None:
            return
        status = process.exit_status
        reason = sign if status is None else f"the server ended with {status}"
        if words := self.last_words():
            reason = f"{reason}; it said: {words}"
        self._lose(reason)
        if status is None:
            process.kill()
        else:
            process.release()
        self._peer.lost(reason)

    def _lose(self, reason: str) -> None:
        if self._ending is not None:
            self._ending.cancel()
        if self._end is None:
            self._end = reason
            self._lines.deafen()
            self._correlation.fail(lambda: ConnectionLost(reason))


def _not_started(settings: Stdio, error: Exception) -> GatewayError:
    name = settings.command[0]
    reason, remedy = str(error), None
    if isinstance(error, OSError) and settings.cwd is not None and error.filename == settings.cwd:
        reason = f"its working directory {settings.cwd!r}: {error.strerror}"
        remedy = "the operator makes the directory, or names another"
    elif isinstance(error, FileNotFoundError):
        reason = "there is no such program, or none that it runs on"
        remedy = REMEDIES.get(name, "the operator installs it, or gives its whole path")
    elif isinstance(error, PermissionError):
        reason = "the file is not executable"
        remedy = "the operator makes it executable"
    elif isinstance(error, OSError):
        reason = error.strerror or reason
    failure = Unreachable if remedy else BackendUnavailable  # the rest may pass: no memory, …
    return failure(f"cannot start {name!r}: {reason}", hint=remedy)
