"""How one MCP server is to be kept and offered: what `backends:` of gateway.yaml comes to, beside
its transport and its credentials.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gateway.domain.client import nothing
from gateway.protocol.eras import Revision


@dataclass(frozen=True, slots=True)
class ToolOverride:
    """What is changed in one tool, named as its server names it, before anybody sees it.

    `pinned` arguments are taken out of the schema and always sent as given; `defaults` are sent
    where the caller gives none, and are not required of it.
    """

    hidden: bool = False
    name: str | None = None
    description: str | None = None
    pinned: Mapping[str, Any] = field(default_factory=nothing)
    defaults: Mapping[str, Any] = field(default_factory=nothing)


@dataclass(frozen=True, slots=True)
class McpSettings:
    """All durations are seconds.

    `timeout` bounds each request, None: as the gateway's own. `idle_timeout`: so long without a
    request, and the connection is closed until the next one; None: never. At most `concurrency`
    requests are at the server at once, `queue` more wait; `exclusive` makes that one at a time, so
    that whatever a server with a single stream says belongs to the call in flight.
    `health_interval` is between two looks whether it still answers, None: as for all. `tools` are
    overrides by the server's own names of tools. `revision` is what it is known to speak; None:
    that is found out.
    """

    name: str
    description: str = ""
    timeout: float | None = None
    idle_timeout: float | None = None
    concurrency: int = 64
    queue: int = 256
    exclusive: bool = False
    health_interval: float | None = None
    connect_timeout: float = 30.0
    tools: Mapping[str, ToolOverride] = field(default_factory=lambda: MappingProxyType({}))
    revision: Revision | None = None
