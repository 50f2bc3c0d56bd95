"""The `MCP_GATEWAY_*` variables: each sets one key of `gateway.yaml`, over the file's own value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import structs

from gateway.capability.file.yaml_trouble import clip
from gateway.config.model import Config, LogFormat, LogLevel, Port, Text
from gateway.domain.issue import Issue

Place = tuple[str, str]  # section and key
Settings = Mapping[Place, Any]  # values of the right type


@dataclass(frozen=True, slots=True)
class Variable:
    place: Place
    kind: Any
    what: str


SERVICE_LINK = "Kubernetes sets it for a service named mcp-gateway: enableServiceLinks: false"
FILE_VARIABLE = "MCP_GATEWAY_CONFIG"
VARIABLES: Mapping[str, Variable] = {
    "MCP_GATEWAY_HOST": Variable(("server", "host"), Text, "an address to listen on"),
    "MCP_GATEWAY_PORT": Variable(("server", "port"), Port, "a port number from 0 to 65535"),
    "MCP_GATEWAY_LOG_LEVEL": Variable(
        ("log", "level"), LogLevel, "one of debug, info, warning, error"
    ),
    "MCP_GATEWAY_LOG_FORMAT": Variable(("log", "format"), LogFormat, "text or json"),
}


def settings(environ: Mapping[str, str]) -> tuple[Settings, list[Issue]]:
    """What the environment says; the `file` of an issue is the variable's name."""
    found: dict[Place, Any] = {}
    issues: list[Issue] = []
    for name, variable in VARIABLES.items():
        text = environ.get(name)
        if not text:
            continue
        try:
            found[variable.place] = msgspec.convert(text.strip(), variable.kind, strict=False)
        except msgspec.ValidationError:
            hint = SERVICE_LINK if text.startswith("tcp://") else None
            message = f"must be {variable.what}, not {clip(text)!r}"
            issues.append(Issue(name, message, hint=hint))
    return found, issues


def apply(config: Config, said: Settings) -> Config:
    """`config` with these values in their places."""
    for (section, key), value in said.items():
        changed = structs.replace(getattr(config, section), **{key: value})
        config = structs.replace(config, **{section: changed})
    return config
