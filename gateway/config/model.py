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

ADVICE = {  # place → what to write there, or in place of a key that stands elsewhere
    "mcpServers": "write mcp_servers: and the path of the file that has it, or use backends:",
    "backends": "each MCP server by its name, such as time: {command: uvx mcp-server-time}",
    "backends.*": "such as {command: uvx mcp-server-time}, or {http_url: https://api.example/mcp}",
    "backends.*.url": "write http_url, or ws_url for a WebSocket",
    "backends.*.type": "not needed: command, http_url or ws_url says it",
    "backends.*.transport": "not needed: command, http_url or ws_url says it",
    "backends.*.disabled": "write enabled: false",
    "backends.*.env": "such as {API_KEY: '${API_KEY}'}",
    "backends.*.headers": "such as {X-Api-Key: '${API_KEY}'}",
    "backends.*.oauth": "{} will do",
    "backends.*.auth": "such as {bearer: '${TOKEN}'}",
    "backends.*.tools.*": "such as {hide: true}, or {name: other_name}",
    "backends.*.tools.*.arguments": "such as {owner: {value: acme}}, or {limit: {default: 10}}",
    "backends.*.tools.*.arguments.*": "such as {value: acme}, or {default: acme}",
    "backends.*.tools.*.hidden": "write hide: true",
    "backends.*.circuit_breaker": "stands below failsafe: backends: and the server's name",
    "backends.*.secrets": "write env:, headers: or auth: with ${NAME}, env:NAME or file:PATH",
    "backends.*.passthrough": "not needed: what is said to and by a server passes unchanged",
    "backends.*.oauth.shared_account": "not needed: one account serves all callers",
    "env_files": "such as [.env]",
    "streaming": "leave it out: it has no effect",
    "cache": "leave it out: it has no effect",
    "security": "such as {tool_policy: {deny: ['drop_*']}}",
    "playbooks": "there is no such thing here: leave it out",
    "webhooks": "there is no such thing here: leave it out",
    "routing_profiles": "write policies:",
    "default_routing_profile": "write policies:",
    "code_mode": "not needed: the four meta-tools search and invoke",
    "mtls": "put a proxy in front that does TLS",
    "key_server": "write auth: with jwt:",
    "mcp_servers": "the path of a .mcp.json",
    "auth": "such as {enabled: true, bearer_token: auto}",
    "auth.api_keys": "such as [{name: ci, key: 'env:CI_KEY'}]",
    "auth.api_keys.*": "such as {name: ci, key: 'env:CI_KEY'}",
    "auth.keys": "write api_keys",
    "auth.token": "write bearer_token",
    "auth.api_keys.*.token": "write key",
    "auth.api_keys.*.role": "write level: read, execute or admin",
    "auth.api_keys.*.admin": "write level: admin",
    "auth.api_keys.*.allowed_backends": "write backends",
    "auth.api_keys.*.allowed_servers": "write backends",
    "auth.api_keys.*.backends": "such as ['git*']",
    "auth.api_keys.*.allowed_tools": "such as ['get_*', 'github:search_*']",
    "auth.api_keys.*.denied_tools": "such as ['delete_*']",
    "auth.api_keys.*.agents": "such as [researcher]",
    "auth.public_paths": "such as [/metrics]",
    "auth.jwt": "such as {issuer: 'https://id.example', audience: 'https://gateway.example'}",
    "policies": "such as {readers: {teams: [web], rules: [{backend: '*', level: read}]}}",
    "policies.*": "such as {teams: [web], rules: [{backend: '*', level: read}]}",
    "policies.*.rules": "such as [{backend: github, tool: 'get_*', level: execute}]",
    "policies.*.rules.*": "such as {backend: github, tool: 'get_*', level: execute}",
    "policies.*.users": "write keys: [...], the names of API keys",
    "policies.*.keys": "such as [ci], the names of API keys",
    "policies.*.teams": "such as [web]",
    "policies.*.groups": "write teams",
    "policies.*.allow": "write rules: with level: execute",
    "policies.*.deny": "write rules: with level: deny",
    "policies.*.default": "write default_level",
    "policies.*.rules.*.server": "write backend",
    "policies.*.rules.*.servers": "write backend: one glob, or a list",
    "policies.*.rules.*.backends": "write backend: one glob, or a list",
    "policies.*.rules.*.tools": "write tool: one glob, or a list",
    "policies.*.rules.*.server_pattern": "write backend",
    "policies.*.rules.*.tool_pattern": "write tool",
    "policies.*.rules.*.allow": "write level: execute, or level: read",
    "policies.*.rules.*.deny": "write level: deny",
    "policies.*.rules.*.action": "write level: deny, read or execute",
    "policies.*.rules.*.effect": "write level: deny, read or execute",
    "policies.*.rules.*.permission": "write level: deny, read or execute",
    "policies.*.rules.*.when": "such as {repo: {one_of: [site, docs]}}",
    "policies.*.rules.*.when.*.in": "write one_of",
    "policies.*.rules.*.when.*.eq": "write equals",
    "policies.*.rules.*.when.*.regex": "write glob, or one_of",
    "policies.*.rules.*.when.*.min": "write at_least",
    "policies.*.rules.*.when.*.max": "write at_most",
    "policies.*.rules.*.when.*": "such as {equals: main}, {one_of: [a, b]} or {at_most: 100}",
    "agent_rules": "the path of a .mcp-gateway-rules.json",
    "failsafe.timeout": "write server: request_timeout, or timeout: of the one backend",
    "failsafe.bulkhead": "write concurrency",
    "failsafe.deadline": "such as {extend_on_progress: true}; the time is server.request_timeout",
    "failsafe.rate_limit.rps": "write requests_per_second",
    "failsafe.rate_limit.requests_per_minute": "write requests_per_second: 0.5 is 30 a minute",
    "failsafe": "such as {circuit_breaker: {failure_threshold: 5}}",
    "failsafe.backends": "such as {github: {rate_limit: {requests_per_second: 5}}}",
    "failsafe.backends.*": "such as {rate_limit: {requests_per_second: 5}}",
    "audit": "such as {enabled: true, file: audit.jsonl}",
    "audit.path": "write file",
    "audit.log": "write file",
    "audit.on_error": "write on_failure",
    "audit.fail_closed": "write on_failure: fail_closed",
    "audit.redact": "such as ['*password*', body]",
    "telemetry": "such as {enabled: true}",
    "telemetry.exporter": "not needed: OTLP over HTTP is what is sent",
    "otel": "write telemetry:",
    "opentelemetry": "write telemetry:",
    "tracing": "write telemetry:",
    "logging": "write log:",
    "log.file": "the log goes to standard error; audit: has a file",
    "metrics.port": "not needed: /metrics is at the gateway's own address",
    "metrics.path": "not needed: it is /metrics",
    "lock.path": "write file",
    "lock": "such as {on_change: hold}",
    "aliases": "another name → a backend's own, such as {gh: github}",
    "agents": "write agent_rules: and the path of a .mcp-gateway-rules.json",
    "mcp": "write backends:, and policies: for its permissions",
    "api_keys": "stands below auth:",
    "bearer_token": "stands below auth:",
    "users": "write auth: with api_keys:",
    "teams": "each key of auth.api_keys has its team:, policies: speak of it",
    "rate_limit": "stands below failsafe:, or in a key of auth.api_keys",
    "circuit_breaker": "stands below failsafe:",
    "retry": "stands below failsafe:",
    "rules": "write policies:, or agent_rules: and the path of a .mcp-gateway-rules.json",
    "server.address": "write host",
    "server.tls": "put a proxy in front that does TLS",
    "server.cors": "write allowed_origins",
    "backends.*.environment": "write env",
    "backends.*.token": "write auth: {bearer: '${TOKEN}'}",
    "backends.*.api_key": "write auth: {api_key: ...}, or headers:",
    "host": "stands below server:",
    "port": "stands below server:",
    "directories": "stands below capabilities:",
    "level": "stands below log:",
    "server.allowed_hosts": "such as [gateway.example]",
    "server.allowed_origins": "such as ['https://app.example']",
    "meta_mcp.surfaced_tools": "such as ['weather:daily_forecast']",
    "capabilities.directories": "such as [capabilities]",
    "capabilities.directories.*": "a folder, or such as {path: old, compat: fulcrum}",
    "capabilities.vars": "such as {weather: {name: value}}",
    "capabilities.vars.*": "such as {name: value}",
    "metrics": "such as {enabled: false}",
    "log": "such as {level: info}",
    "server": "such as {port: 8080}",
}

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
