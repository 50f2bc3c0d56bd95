"""What lies beside `gateway.yaml` and counts unasked: the files of agent-mcp-gateway.

The rule: it is looked for once, at the start. Rules can only narrow what callers may do, so they
count wherever nothing else names any; a file that goes away later, or breaks, loosens nothing.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from gateway.config.model import Config
from gateway.config.variables import RULES_VARIABLE

RULES = ".mcp-gateway-rules.json"
SERVERS = ".mcp.json"
FOLDERS = ("", "config")  # in this order, from the folder of gateway.yaml


@dataclass(frozen=True, slots=True)
class Beside:
    """Paths; None where there is none. `servers` are looked for only where agents have rules that
    `gateway.yaml` does not name itself.
    """

    rules: str | None = None
    servers: str | None = None
    named: bool = False  # the environment names rules

    def onto(self, config: Config) -> Config:
        """`config` with what it does not name itself."""
        if self.rules is None and not self.named:
            return config
        if self.rules is not None and config.agent_rules is not None:
            return config  # it names rules of its own, and so, if any, its servers
        rules = config.agent_rules or self.rules
        servers = config.mcp_servers or (None if config.backends else self.servers)
        return structs.replace(config, agent_rules=rules, mcp_servers=servers)


NOTHING = Beside()


def look(file: str, environ: Mapping[str, str]) -> Beside:
    """What lies beside the gateway.yaml of that path, which need not be there itself."""
    folder = Path(file).parent
    named = bool(environ.get(RULES_VARIABLE, "").strip())
    rules = None if named else _first(folder, RULES)
    return Beside(rules, _first(folder, SERVERS) if named or rules else None, named)


def _first(folder: Path, name: str) -> str | None:
    """A link that leads nowhere is there: what was meant by it must not be passed over."""
    places = (folder / inner / name for inner in FOLDERS)
    return next((str(place) for place in places if os.path.lexists(place)), None)
