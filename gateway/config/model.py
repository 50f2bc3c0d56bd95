"""`gateway.yaml` as frozen values: its sections, their types and defaults.

Names and defaults are those users bring from mcp-gateway. The JSON Schema in `schemas/` is made
from these classes: the text below a field is what an editor shows. Durations and sizes are the
author's text, checked at load; `capability/file/units.py` reads them.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from gateway.capability.file.model import (
    BackendName,
    Duration,
    Named,
    Size,
    Strict,
    Text,
    VariableName,
)
from gateway.config.auth import Auth
from gateway.config.backends import Backend, ServerName
from gateway.config.failsafe import Failsafes, RateLimit
from gateway.config.observing import Audit, Lock, Telemetry
from gateway.config.peers import ResponseCache, Security, Streaming
from gateway.config.policies import PolicyFor

TOOL_REF = r"^[^:\s]+:[^:\s]+$"


HostName = Annotated[
    str,
    Meta(
        pattern=r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)$",
        extra={"hint": "a host name without a port, such as gateway.example; each written out"},
    ),
]
WebOrigin = Annotated[
    str,
    Meta(
        pattern=r"^https?://[^/*\s]+/?$",
        extra={"hint": "scheme and host, such as https://app.example; each written out"},
    ),
]
Port = Annotated[int, Meta(ge=0, le=65_535)]
ToolName = Annotated[
    str, Meta(pattern=TOOL_REF, extra={"hint": "a backend and a tool, such as weather:forecast"})
]
LogLevel = Literal["trace", "debug", "info", "warn", "warning", "error"]
LogFormat = Literal["text", "json"]


class Server(Strict, frozen=True):
    """Where the gateway listens, and what it takes from clients. A change needs a restart."""

    host: Text = "127.0.0.1"
    """The address to listen on."""
    port: Port = 39_400
    """The port to listen on; 0 takes any free one."""
    request_timeout: Duration = "30s"
    """How long one request may take in all, a tool call with its retries included."""
    shutdown_timeout: Duration = "30s"
    """How long calls in flight may go on when the gateway is told to stop."""
    max_body_size: Size = "10 MiB"
    """The largest request body; over stdio, the longest line."""
    allowed_hosts: tuple[HostName, ...] = ()
    """Host names, beyond the loopback ones and `host`, under which clients may address us."""
    allowed_origins: tuple[WebOrigin, ...] = ()
    """Web pages' origins, such as https://app.example, that may use the gateway from a browser."""
    allow_unauthenticated: bool = False
    """Listen on other than loopback addresses although everybody who reaches them may do all."""


class SurfacedTool(Strict, frozen=True):
    server: BackendName
    tool: Text


class MetaMcp(Strict, frozen=True):
    """What `/mcp` offers."""

    enabled: bool = True
    """Offer the meta-tools at `/mcp`; off, only `/mcp/{backend}` is served."""
    cache_tools: bool = True
    """Tell clients that they may keep the list of meta-tools, if nothing is pinned beside them."""
    cache_ttl: Duration = "5m"
    """For how long."""
    surfaced_tools: tuple[ToolName | SurfacedTool, ...] = ()
    """Tools listed beside the meta-tools, such as weather:forecast."""
    warm_start: tuple[Text, ...] = ()
    """mcp-gateway's; without effect: every server is connected at the start."""
    search_format: Literal["json", "lines"] = "json"
    """How search answers: JSON, or one line a tool, which takes fewer tokens."""
    status_tool: bool = False
    """Offer gateway_status too: how the files fare that are followed, and the backends."""


class Directory(Strict, frozen=True):
    """A folder of files, and whose they are."""

    path: Text
    """The folder."""
    compat: Literal["fulcrum"] | None = None
    """`fulcrum`: files of mcp-gateway in it are served too, converted as they are read."""


class Capabilities(Strict, frozen=True):
    """Where capability files are, and what the operator adds to them."""

    enabled: bool = True
    """Off, no capability file is read."""
    name: str | None = None
    """For mcp-gateway's files, which name all capabilities together; here each file is a server."""
    directories: tuple[Text | Directory, ...] = ("capabilities",)
    """Folders, read with all that is in them. Relative to the folder of this file. One of another
    gateway's files is written {path: old, compat: fulcrum}."""
    vars: dict[BackendName, dict[VariableName, Any]] = field(default_factory=dict)
    """Backend name → values that replace those of its file's `vars:`."""
    allow_private: bool = False
    """Reach private addresses also through names that only resolve to them."""
    poll: Duration | None = None
    """Look for changes this often instead of being told of them by the system."""


class Metrics(Strict, frozen=True):
    enabled: bool = True
    """Serve `/metrics`."""


class Log(Strict, frozen=True):
    """Lines on standard error."""

    level: LogLevel = "info"
    """What to log, and all that is worse."""
    format: LogFormat = "text"
    """One line a record either way."""


UNASKED = Failsafes(rate_limit=RateLimit(enabled=False))  # no operator has thought of a rate


class Config(Strict, frozen=True):
    """The whole file. Everything in it has a default."""

    server: Server = Server()
    """Where the gateway listens, and what it takes from clients."""
    meta_mcp: MetaMcp = MetaMcp()
    """What `/mcp` offers."""
    capabilities: Capabilities = Capabilities()
    """Where capability files are."""
    backends: dict[ServerName, Backend] = field(default_factory=dict)
    """MCP servers behind the gateway, by the names they have here."""
    mcp_servers: Text | None = None
    """A `.mcp.json`, as MCP clients have it: its servers too stand behind the gateway."""
    aliases: dict[ServerName, Text] = field(default_factory=dict)
    """Another name → the server's own."""
    metrics: Metrics = Metrics()
    """What `/metrics` tells."""
    auth: Auth = Auth()
    """Who may come in."""
    policies: dict[Named, PolicyFor] = field(default_factory=dict)
    """Who may see and call what: policies by name. Without any, a key may do what it says itself;
    with one, nobody may do what none allows."""
    agent_rules: Text | None = None
    """A `.mcp-gateway-rules.json`, as agent-mcp-gateway has it: what each agent may use."""
    default_agent: Text | None = None
    """The agent as which callers act that name none."""
    failsafe: Failsafes = field(default_factory=lambda: UNASKED)
    """How failure is contained. Without this section nothing limits the rate of calls."""
    audit: Audit = Audit()
    """One line for each call."""
    telemetry: Telemetry = Telemetry()
    """Traces of calls."""
    lock: Lock = Lock()
    """Pins the definitions of tools."""
    log: Log = Log()
    """Lines on standard error."""
    env_files: tuple[Text, ...] = ()
    """Files of NAME=value lines for what is taken from outside: each beneath those after it, all of
    them beneath the environment itself. One that is not there is passed over."""
    security: Security | None = None
    """mcp-gateway's rules about tools: `tool_policy` counts as one of `policies`."""
    streaming: Streaming | None = None
    """mcp-gateway's; without effect."""
    cache: ResponseCache | None = None
    """mcp-gateway's; without effect."""
