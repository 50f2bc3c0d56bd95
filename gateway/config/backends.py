"""`backends:` of gateway.yaml as frozen values: one MCP server each, and how it is reached.

Names and defaults are those users bring from mcp-gateway; what `.mcp.json` says becomes the same
values. The text below a field is what an editor shows.
"""

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType, field

from gateway.capability.file.model import Duration, Strict
from gateway.credentials.backend_auth import BackendAuth
from gateway.credentials.oauth.settings import OAuth

ServerName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        extra={"hint": "letters, digits and _ . - only, at most 64; it is part of the URL"},
    ),
]
Variable = Annotated[str, Meta(pattern=r"^[^=\x00]+$")]
HeaderName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
        extra={"hint": "a header's name has no spaces and no colon, such as X-Api-Key"},
    ),
]
Count = Annotated[int, Meta(ge=1, le=10_000)]


NOT_SAID: tuple[Any, ...] = (None, "", (), {}, False)


class ArgumentChange(Strict, frozen=True):
    """One of the two."""

    value: Any | UnsetType = UNSET
    """Always sent as given here; callers neither see nor set it."""
    default: Any | UnsetType = UNSET
    """Sent where the caller gives none."""


class ToolChange(Strict, frozen=True):
    """What is changed in a tool before anybody sees it."""

    hide: bool = False
    """Leave it out."""
    name: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    """Offer it under this name."""
    description: str | None = None
    """Describe it in these words."""
    arguments: dict[str, ArgumentChange] = field(default_factory=dict)
    """Argument name → a pinned value, or a default."""


class Backend(Strict, frozen=True):
    """An MCP server. It needs `command`, `http_url`, `sse_url` or `ws_url`."""

    description: str = ""
    """What it is for, in one line; by default what the server says of itself."""
    enabled: bool = True
    """Off, it is as if it were not here."""
    command: str | tuple[str, ...] | None = None
    """The program to start and speak to over stdio: a list, or one text that is split as a shell
    would split it. No shell ever sees it."""
    args: tuple[str, ...] = ()
    """More arguments of the program."""
    env: dict[Variable, str] = field(default_factory=dict)
    """Environment variables of the program, beside the harmless ones that every program gets."""
    cwd: str | None = None
    """The folder to start it in; relative to this file's folder."""
    http_url: str | None = None
    """The server's URL. One whose path ends in /sse is spoken to over HTTP+SSE, as of 2024-11-05,
    any other over Streamable HTTP."""
    sse_url: str | None = None
    """The server's URL, spoken to over HTTP+SSE."""
    streamable_http: bool = False
    """Speak Streamable HTTP although the URL ends in /sse."""
    ws_url: str | None = None
    """The server's ws:// or wss:// URL."""
    protocol_version: str | None = None
    """The revision it is known to speak; by default that is found out."""
    headers: dict[HeaderName, str] = field(default_factory=dict)
    """Sent with every HTTP request to it."""
    auth: BackendAuth | None = None
    """What the gateway shows to the server."""
    oauth: OAuth | None = None
    """Let a person allow the gateway to use the server, when it asks for that; {} will do."""
    timeout: Duration | None = None
    """How long one request to it may take; by default `server.request_timeout`."""
    idle_timeout: Duration | None = None
    """After so long without a request it is closed until the next one."""
    stop_when_idle_for: Duration | None = None
    """The same under mcp-gateway's name."""
    concurrency: Count = 64
    """How many requests may be at the server at once."""
    queue: Annotated[int, Meta(ge=0, le=100_000)] = 256
    """How many more may wait for their turn; beyond that callers are told that it is busy."""
    exclusive: bool = False
    """One request at a time, so that what it says over stdio belongs to the one in flight."""
    health_interval: Duration | None = None
    """How often to see whether it still answers, when nothing else was heard of it; by default
    `failsafe.health_check.interval`."""
    connect_timeout: Duration = "30s"
    """How long starting it and saying hello may take."""
    tools: dict[str, ToolChange] = field(default_factory=dict)
    """A tool, by the server's own name for it → what to change in it."""

    def __repr__(self) -> str:
        said = [key for key in self.__struct_fields__ if getattr(self, key) not in NOT_SAID]
        return f"<Backend {' '.join(said)}>"  # of the keys alone: most values may hold a secret
