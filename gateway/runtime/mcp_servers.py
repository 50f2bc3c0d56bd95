"""The MCP servers that `gateway.yaml` and the `.mcp.json` it names ask for, as backends to run.

The rule: what is wrong with one costs that one. Its last good version stays, stale; one that never
was good is listed with the reason. A name in both files is that of `gateway.yaml`. This gateway is
none of its own servers.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from hashlib import blake2b

import msgspec

from gateway.backends.base import Backend
from gateway.backends.unusable import Unusable
from gateway.config import backends as config
from gateway.config.folder import Place
from gateway.config.mcp_json import Servers, understand
from gateway.config.ourselves import is_ourselves
from gateway.domain.issue import Issue, Severity
from gateway.runtime.configured import Configured
from gateway.runtime.followed import Followed, reading
from gateway.runtime.plan import Wanted

Build = Callable[[str, config.Backend], Backend]  # by the name it has here


class McpServers:
    """`refresh` (in a thread: it blocks for a moment) after `configured` was refreshed."""

    def __init__(self, configured: Configured, build: Build, environ: Mapping[str, str]) -> None:
        self._configured = configured
        self._build = build
        self._environ = environ
        self._followed: Followed | None = None
        self._servers = Servers()
        self._issues: tuple[Issue, ...] = ()

    @property
    def places(self) -> set[Place]:
        return self._followed.places if self._followed else set()

    @property
    def issues(self) -> tuple[Issue, ...]:
        """About the `.mcp.json`; those of gateway.yaml are with `configured`."""
        doubled = self._servers.backends.keys() & self._configured.config.backends.keys()
        file = self._followed.file if self._followed else ""
        clashes = (
            Issue(
                file,
                f"the server {name!r} stands in {self._configured.file} too, and that one counts",
                severity=Severity.WARNING,
            )
            for name in sorted(doubled)
        )
        return (*self._issues, *clashes, *self._left_out())

    @property
    def sound(self) -> Mapping[str, config.Backend]:
        """Those that can be used, by name; of one that is broken now its last good version."""
        return {**self._servers.backends, **self._configured.config.backends}

    @property
    def broken(self) -> Mapping[str, tuple[Issue, ...]]:
        """What is wrong with each of the others, by name."""
        return {**self._servers.broken, **self._configured.broken}

    def refresh(self, *, cold: bool = False) -> bool:
        """Look, and read what changed. True: the file is being written; look again soon."""
        file = self._configured.config.mcp_servers
        if file is None:
            self._followed, self._servers, self._issues = None, Servers(), ()
            return False
        if self._followed is None or self._followed.file != file:
            self._followed, cold = Followed(file, required=True), True
        again, content = self._followed.refresh(cold=cold)
        if isinstance(content, Issue):
            self._issues = (content,)
            self._configured.observe(reading(file, self._issues, counts=False))
        elif content is not None:
            self._take(understand(content, file, self._environ), file)
        return again

    def registered(self) -> dict[str, Wanted]:
        """Those that the program registered, whatever the files have."""
        return dict(self._of(self._configured.registered.now.servers, {}))

    def wanted(self) -> dict[str, Wanted]:
        """Those of the files."""
        configured = self._configured
        found = dict(self._of(self._servers.backends, self._servers.broken))
        found.update(self._of(configured.config.backends, configured.broken))
        for name in self._ourselves():
            del found[name]
        return found

    def _ourselves(self) -> set[str]:
        configured = self._configured
        server, file = configured.config.server, configured.file
        sound = self.sound.items()
        return {name for name, one in sound if one.enabled and is_ourselves(one, server, file)}

    def _left_out(self) -> Iterator[Issue]:
        for name in sorted(self._ourselves()):
            there = self._followed if name not in self._configured.config.backends else None
            file = (there or self._configured).file
            text = f"the server {name!r} is this gateway itself, and is left out"
            yield Issue(file, text, severity=Severity.WARNING)

    def _take(self, new: Servers, file: str) -> None:
        self._issues = new.issues
        self._configured.observe(reading(file, new.issues, counts=new.readable))
        if not new.readable:
            return
        before = self._servers.backends
        kept = {name: before[name] for name in new.broken if name in before}
        self._servers = new
        self._servers.backends = {**new.backends, **kept}

    def _of(
        self, servers: Mapping[str, config.Backend], broken: Mapping[str, tuple[Issue, ...]]
    ) -> Iterator[tuple[str, Wanted]]:
        for name, server in servers.items():
            if server.enabled:
                build = partial(self._build, name, server)
                yield name, Wanted(name, key_of(server), build, broken.get(name, ()))
        for name in broken.keys() - servers.keys():
            issues = broken[name]
            unusable = partial(Unusable, name, "unknown", issues)
            yield name, Wanted(name, _digest(map(str, issues)), unusable)


def key_of(server: config.Backend) -> str:
    """Equal keys mean equal settings; no secret can be read out of one."""
    return f"mcp:{blake2b(msgspec.json.encode(server), digest_size=16).hexdigest()}"


def _digest(texts: Iterable[str]) -> str:
    return f"broken:{blake2b('|'.join(texts).encode(), digest_size=16).hexdigest()}"
