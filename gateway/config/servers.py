"""An MCP server of `backends:` as what its backend is made from; and what is wrong with it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from msgspec import UNSET, structs
from yarl import URL

from gateway.backends.settings import McpSettings, ToolOverride
from gateway.capability.file.units import seconds
from gateway.config.backends import ArgumentChange, Backend, ToolChange
from gateway.credentials import backend_auth
from gateway.protocol.eras import REVISIONS
from gateway.transports import Http, Sse, Stdio, TransportKind, WebSocket
from gateway.transports.stdio import split

DURATIONS = ("timeout", "idle_timeout", "stop_when_idle_for", "health_interval", "connect_timeout")
WAYS = ("command", "http_url", "sse_url", "ws_url")
SHORTEST = 0.1  # seconds


class Problem(NamedTuple):
    """`path` is below the server's own."""

    path: tuple[str, ...]
    message: str
    hint: str | None = None


def problems(server: Backend) -> Iterator[Problem]:
    """What no single value shows. One without any can be resolved."""
    yield from _way(server)
    yield from _url(server, "http_url", ("http", "https"))
    yield from _url(server, "sse_url", ("http", "https"))
    yield from _url(server, "ws_url", ("ws", "wss"))
    yield from _credentials(server)
    for key in DURATIONS:
        value = getattr(server, key)
        if value is not None:
            yield from _duration(key, value)
    if server.protocol_version is not None and server.protocol_version not in REVISIONS:
        yield Problem(("protocol_version",), "no known revision", ", ".join(REVISIONS))
    for tool, change in server.tools.items():
        for name, argument in change.arguments.items():
            if (argument.value is UNSET) == (argument.default is UNSET):
                place = ("tools", tool, "arguments", name)
                yield Problem(place, "needs either value or default")


def kind(server: Backend) -> TransportKind:
    """How it is reached."""
    if server.command is not None:
        argv = (*_argv(server.command), *server.args)
        return Stdio(argv, tuple(server.env.items()), server.cwd)
    if server.ws_url is not None:
        return WebSocket(server.ws_url)
    if server.sse_url is not None:
        return Sse(server.sse_url)
    url = server.http_url or ""
    old = URL(url).path.rstrip("/").endswith("/sse") and not server.streamable_http
    return Sse(url) if old else Http(url)


def settings(name: str, server: Backend) -> McpSettings:
    """How it is kept and offered."""
    idle = server.idle_timeout or server.stop_when_idle_for
    return McpSettings(
        name=name,
        description=server.description,
        timeout=_seconds(server.timeout),
        idle_timeout=_seconds(idle),
        concurrency=server.concurrency,
        queue=server.queue,
        exclusive=server.exclusive,
        health_interval=_seconds(server.health_interval),
        connect_timeout=seconds(server.connect_timeout),
        revision=REVISIONS.get(server.protocol_version or ""),
        tools=MappingProxyType({tool: _override(one) for tool, one in server.tools.items()}),
    )


def _seconds(duration: str | float | None) -> float | None:
    return None if duration is None else seconds(duration)


def relative_to(server: Backend, folder: Path) -> Backend:
    """The same with its `cwd` seen from where the process runs."""
    if server.cwd is None:
        return server
    return structs.replace(server, cwd=str(folder / Path(server.cwd).expanduser()))


def _override(change: ToolChange) -> ToolOverride:
    return ToolOverride(
        hidden=change.hide,
        name=change.name,
        description=change.description,
        pinned=_given(change.arguments, "value"),
        defaults=_given(change.arguments, "default"),
    )


def _given(arguments: Mapping[str, ArgumentChange], which: str) -> Mapping[str, Any]:
    found = {name: getattr(one, which) for name, one in arguments.items()}
    return MappingProxyType({name: one for name, one in found.items() if one is not UNSET})


def _argv(command: str | tuple[str, ...]) -> tuple[str, ...]:
    return split(command) if isinstance(command, str) else command


def _way(server: Backend) -> Iterator[Problem]:
    ways = [way for way in WAYS if getattr(server, way) is not None]
    if not ways:
        yield Problem((), "neither a command nor a URL is given", f"one of {', '.join(WAYS)}")
        return
    if len(ways) > 1:
        yield Problem((), f"both {' and '.join(ways)} are given", "one way to reach it, no more")
    yield from _command(server)


def _command(server: Backend) -> Iterator[Problem]:
    if server.command is None:
        for key in ("args", "env", "cwd"):
            if getattr(server, key):
                yield Problem((key,), f"{key} is for a server that is started by a command")
        return
    try:
        argv = _argv(server.command)
    except ValueError as error:
        yield Problem(("command",), str(error), "write it as a list of words")
        return
    if not argv or not argv[0]:
        yield Problem(("command",), "the command is empty")
    elif any("\0" in word for word in (*argv, *server.args)):
        yield Problem(("command",), "the command holds a null character")


def _credentials(server: Backend) -> Iterator[Problem]:
    if server.command is not None:
        given = [key for key in ("headers", "auth", "oauth") if getattr(server, key)]
        for key in given:
            yield Problem((key,), f"{key} is for a server that has a URL", "a program takes env")
        return
    trouble = backend_auth.problem(server.headers, server.auth, server.oauth)
    if trouble:
        yield Problem((), trouble)


def _url(server: Backend, key: str, schemes: tuple[str, ...]) -> Iterator[Problem]:
    text = getattr(server, key)
    if text is None:
        return
    url = _parsed(text)
    if url is None or url.scheme not in schemes:
        yield Problem((key,), f"{key} is no {schemes[0]} or {schemes[1]} URL")
    elif url.raw_user is not None or url.raw_password is not None:
        yield Problem((key,), f"{key} holds a user or password", "write headers: or auth: instead")


def _parsed(text: str) -> URL | None:
    """A URL with a host, and a port that can be one."""
    try:
        url = URL(text)
        usable = bool(url.raw_host) and url.port is not None
    except ValueError:
        return None
    return url if usable else None


def _duration(key: str, value: str | float) -> Iterator[Problem]:
    try:
        if seconds(value) < SHORTEST:
            yield Problem((key,), f"{value!r} is shorter than {SHORTEST:g} s")
    except ValueError as error:
        yield Problem((key,), str(error))
