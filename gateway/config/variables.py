"""Environment variables that set keys of `gateway.yaml`, over the file's own values.

They are those of the systems that users come from: `MCP_GATEWAY_*`, any key as
`MCP_GATEWAY_SECTION__KEY`, and the `GATEWAY_*` of agent-mcp-gateway. Paths in them are seen from
where the process runs.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import msgspec
from msgspec import structs

from gateway.capability.file.model import Text
from gateway.capability.file.yaml_trouble import clip
from gateway.config.model import Config, LogFormat, LogLevel, Port
from gateway.domain.issue import Issue, Severity
from gateway.domain.names import did_you_mean

Place = tuple[str, ...]  # keys from the top of the file
Settings = Mapping[Place, Any]  # values of the right type


def _as_it_is(value: Any) -> Any:
    return value


def _path(text: str) -> str:
    return str(Path(text).expanduser().absolute())


def _paths(text: str) -> tuple[str, ...]:
    return (_path(text),)


def _switch(word: str) -> bool:
    return word in {"true", "1", "yes", "on"}


@dataclass(frozen=True, slots=True)
class Variable:
    """`place` is empty where it sets no key. `also` is what it sets beside; `read` makes the value
    of what was written, which is `kind`.
    """

    place: Place
    kind: Any
    what: str
    read: Callable[[Any], Any] = _as_it_is
    also: Settings = field(default_factory=lambda: MappingProxyType({}))
    lower: bool = False  # case does not count


SERVICE_LINK = "Kubernetes sets it for a service named mcp-gateway: enableServiceLinks: false"
FILE_VARIABLE = "MCP_GATEWAY_CONFIG"
RULES_VARIABLE = "GATEWAY_RULES"
TRANSPORT_VARIABLE = "GATEWAY_TRANSPORT"
STRATEGY_VARIABLE = "GATEWAY_INIT_STRATEGY"
NESTED, BETWEEN = "MCP_GATEWAY_", "__"
Switch = Literal["true", "false", "1", "0", "yes", "no", "on", "off"]
VARIABLES: Mapping[str, Variable] = {
    "MCP_GATEWAY_HOST": Variable(("server", "host"), Text, "an address to listen on"),
    "MCP_GATEWAY_PORT": Variable(("server", "port"), Port, "a port number from 0 to 65535"),
    "MCP_GATEWAY_LOG_LEVEL": Variable(
        ("log", "level"), LogLevel, "one of debug, info, warning, error", lower=True
    ),
    "MCP_GATEWAY_LOG_FORMAT": Variable(("log", "format"), LogFormat, "text or json", lower=True),
    "MCP_GATEWAY_CAPABILITIES": Variable(
        ("capabilities", "directories"), Text, "a folder of capability files", _paths
    ),
    "GATEWAY_MCP_CONFIG": Variable(("mcp_servers",), Text, "the path of a .mcp.json", _path),
    RULES_VARIABLE: Variable(
        ("agent_rules",), Text, "the path of a .mcp-gateway-rules.json", _path
    ),
    "GATEWAY_DEFAULT_AGENT": Variable(("default_agent",), Text, "the name of an agent"),
    "GATEWAY_DEBUG": Variable(
        ("meta_mcp", "status_tool"), Switch, "true or false", _switch, lower=True
    ),
    "GATEWAY_AUDIT_LOG": Variable(
        ("audit", "file"), Text, "the path of a file", _path, also={("audit", "enabled"): True}
    ),
    TRANSPORT_VARIABLE: Variable((), Literal["stdio", "http"], "stdio or http", lower=True),
    STRATEGY_VARIABLE: Variable((), Literal["eager", "lazy"], "eager or lazy", lower=True),
}
EAGER = "servers are always connected at once, in the background: there is no lazy start"


def settings(environ: Mapping[str, str]) -> tuple[Settings, list[Issue]]:
    """What the environment says; the `file` of an issue is the variable's name."""
    found: dict[Place, Any] = {}
    issues: list[Issue] = []
    nested = sorted(
        name for name in environ if name.startswith(NESTED) and BETWEEN in name[len(NESTED) :]
    )
    for name in (*nested, *VARIABLES):
        text = environ.get(name, "").strip()
        if text:
            try:
                found.update(_read(name, text) if name in VARIABLES else _nested(name, text))
            except _Unfit as unfit:
                hint = SERVICE_LINK if text.startswith("tcp://") else unfit.hint
                issues.append(Issue(name, unfit.message, hint=hint))
    if environ.get(STRATEGY_VARIABLE, "").strip().lower() == "lazy":
        issues.append(Issue(STRATEGY_VARIABLE, EAGER, severity=Severity.WARNING))
    return found, issues


def over_stdio(environ: Mapping[str, str]) -> bool:
    """Whether the environment asks for MCP on stdin and stdout."""
    return environ.get(TRANSPORT_VARIABLE, "").strip().lower() == "stdio"


def apply(config: Config, said: Settings) -> Config:
    """`config` with these values in their places."""
    for place, value in said.items():
        config = _with(config, place, value)
    return config


class _Unfit(Exception):
    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def _read(name: str, text: str) -> Settings:
    variable = VARIABLES[name]
    given = text.lower() if variable.lower else text
    try:
        value = msgspec.convert(given, variable.kind, strict=False)
    except msgspec.ValidationError:
        raise _Unfit(f"must be {variable.what}, not {clip(text)!r}") from None
    return {variable.place: variable.read(value), **variable.also} if variable.place else {}


def _nested(name: str, text: str) -> Settings:
    """`MCP_GATEWAY_SERVER__PORT` is `server.port`; lists are written as JSON."""
    place = tuple(name[len(NESTED) :].lower().split(BETWEEN))
    kind = _kind(place)
    try:
        value = msgspec.json.decode(text) if text[0] in "[{" else text
        return {place: msgspec.convert(value, kind, strict=False)}
    except msgspec.MsgspecError:  # what was written may be a secret
        raise _Unfit(f"does not fit {'.'.join(place)} of gateway.yaml") from None


def _kind(place: Place) -> Any:
    """The type of that key; raises _Unfit where there is none."""
    kind: Any = Config
    for key in place:
        keys = _keys(kind)
        if key not in keys:
            raise _Unfit(f"no key {'.'.join(place)!r} of gateway.yaml", did_you_mean(key, keys))
        kind = keys[key]
    if _keys(kind):
        raise _Unfit(f"{'.'.join(place)} of gateway.yaml has keys of its own")
    return kind


def _keys(kind: Any) -> Mapping[str, Any]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return {key.encode_name: key.type for key in structs.fields(kind)}
    return {}


def _with(struct: Any, place: Iterable[str], value: Any) -> Any:
    key, *rest = place
    inner = _with(getattr(struct, key), rest, value) if rest else value
    return structs.replace(struct, **{key: inner})
