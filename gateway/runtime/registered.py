"""What the program that embeds the gateway registered, beside what the files ask for.

The rule: `now` is replaced, never changed, so that a look at it from a thread sees a whole. A name
in the files is theirs: what is registered under it rests until they let go of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from types import MappingProxyType

from gateway.config import backends as config
from gateway.domain.issue import Issue, Severity
from gateway.runtime.plan import Wanted
from gateway.runtime.shelf import Load, Version


@dataclass(frozen=True, slots=True)
class Registry:
    """MCP servers by name, the contents of capability files by the name in them, and other names
    of backends.
    """

    servers: Mapping[str, config.Backend] = field(default_factory=lambda: MappingProxyType({}))
    capabilities: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def names(self) -> frozenset[str]:
        return frozenset({*self.servers, *self.capabilities})

    def with_server(self, name: str, server: config.Backend) -> "Registry":
        return replace(self.without(name), servers={**self.servers, name: server})

    def with_capability(self, name: str, content: bytes) -> "Registry":
        return replace(self.without(name), capabilities={**self.capabilities, name: content})

    def with_alias(self, name: str, meant: str) -> "Registry":
        return replace(self, aliases={**self.aliases, name: meant})

    def without(self, name: str) -> "Registry":
        """Neither a backend nor an alias of that name."""
        return Registry(
            servers={key: one for key, one in self.servers.items() if key != name},
            capabilities={key: one for key, one in self.capabilities.items() if key != name},
            aliases={key: one for key, one in self.aliases.items() if key != name},
        )


class Registered:
    """Written on the loop, read wherever files are looked at."""

    def __init__(self) -> None:
        self.now = Registry()
        self._load: Load | None = None
        self._edition = 0
        self._versions: dict[tuple[str, bytes], Version] = {}

    def capabilities(self, load: Load) -> dict[str, Wanted]:
        """The backends of registered capability files, as `load` loads them now."""
        if load is not self._load:
            self._load, self._edition, self._versions = load, self._edition + 1, {}
        held = self.now.capabilities
        for gone in self._versions.keys() - held.items():
            del self._versions[gone]
        found: dict[str, Wanted] = {}
        for name, content in held.items():
            version = self._version(load, name, content)
            if version.build is not None:
                digest = blake2b(content, digest_size=16).hexdigest()
                key = f"registered:{self._edition}:{digest}"
                found[name] = Wanted(name, key, version.build)
        return found

    def issues(self, taken: Iterable[str]) -> tuple[Issue, ...]:
        """What loaded capability files say of themselves; and whose name a file has."""
        found = [issue for version in self._versions.values() for issue in version.issues]
        for name in sorted(self.now.names.intersection(taken)):
            text = f"the files have a server {name!r}, and that one counts"
            found.append(Issue(place(name), text, severity=Severity.WARNING))
        return tuple(found)

    def _version(self, load: Load, name: str, content: bytes) -> Version:
        found = self._versions.get((name, content))
        if found is None:
            found = self._versions[name, content] = load(content, place(name))
        return found


def place(name: str) -> str:
    """What issues call the file of something registered."""
    return f"<registered {name}>"
