"""`gateway.yaml` while it is in use: the newest good version counts, a broken one is told of.

Some of it is live at once. What the process was started with waits for the next start; an issue
says so. A backend that is wrong costs itself alone: its last good version stays. One that goes away
or is emptied opens nothing.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import msgspec
from msgspec import structs

from gateway.capability.file.yaml import NOWHERE, Parsed, steps
from gateway.config import directories
from gateway.config.beside import NOTHING
from gateway.config.folder import Place
from gateway.config.load import Loaded, Source, has_content
from gateway.config.model import Capabilities, Config
from gateway.credentials.secret import environment
from gateway.domain.events import Observer
from gateway.domain.issue import Issue, Severity
from gateway.runtime.followed import Followed, reading, untold
from gateway.runtime.referred import Referred
from gateway.runtime.registered import Registered
from gateway.runtime.settling import Settling

log = logging.getLogger(__name__)

LIVE = (  # by how it starts
    *("capabilities.", "log.level", "backends", "mcp_servers", "aliases"),
    *("auth.", "policies", "agent_rules", "default_agent", "failsafe.", "lock.", "security"),
)

EMPTIED = "there is nothing in it any more: who may come in and do what stays as it was"
OPENED = "auth: {enabled: false}, or policies: {}, says that it is meant"
NO_FILE = "<configuration>"  # what issues call settings that no file holds

Understand = Callable[[bytes], Loaded]  # the file's content, with all that overrides it
Broken = Mapping[str, tuple[Issue, ...]]


class Configured:
    """`config` is what counts now; `broken` are backends of the file that cannot be used as they
    stand in it, by name: `config` has their last good version, or none.

    `registered` is given by a program that embeds the gateway: it is `hosted` there, and leaves
    alone what is the program's. Without a `source` it is what a program says, and stays. `observe`
    is told of each reading. `refresh` blocks for a moment: run it in a thread.
    """

    def __init__(
        self,
        source: Source | None,
        config: Config,
        understand: Understand | None = None,
        settling: Settling | None = None,
        registered: Registered | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.config = config
        self.observe: Observer = untold
        self.registered = registered or Registered()
        self.hosted = registered is not None
        self.environ = environment() if environ is None else environ
        self._beside = source.beside if source else NOTHING
        self.issues: tuple[Issue, ...] = ()
        self.broken: Broken = MappingProxyType({})
        self._parsed: Parsed | None = None
        self._referred = Referred(settling)
        self._content = b""
        self._started = config
        self._understand = understand
        self._followed = (
            None
            if source is None
            else Followed(source.file, required=source.required, settling=settling)
        )

    @property
    def file(self) -> str:
        return self._followed.file if self._followed else NO_FILE

    @property
    def aliases(self) -> Mapping[str, str]:
        """Those of the file, and those that were registered."""
        return {**self.registered.now.aliases, **self.config.aliases}

    @property
    def needs_no_files(self) -> bool:
        """Whether nobody named a folder of capability files, and MCP servers were named."""
        beside = Path(self.file).parent
        by_default = tuple(directories.beside(one, beside) for one in Capabilities().directories)
        named = self.config.capabilities.directories != by_default
        registered = self.registered.now.names
        servers = self.config.backends or self.broken or self.config.mcp_servers or registered
        return not named and bool(servers)

    @property
    def places(self) -> set[Place]:
        return self._followed.places | self._referred.places if self._followed else set()

    def placed(self, issue: Issue) -> Issue:
        """The same, with line and column of the place that it names in the file."""
        if self._parsed is None or issue.line or issue.file != self.file or not issue.path:
            return issue
        path = steps(issue.path)
        if self._parsed.spot_of(path[:1]) == NOWHERE:  # a variable says it, or another file
            return issue
        line, column = self._parsed.where(path)
        return replace(issue, line=line, column=column)

    def refresh(self, *, cold: bool = False) -> bool:
        """Look, and read what changed. True: the file is being written; look again soon."""
        if cold:
            self._announce()
        if self._followed is None or self._understand is None:
            return False
        again, content = self._followed.refresh(cold=cold)
        if isinstance(content, Issue):
            self.issues = (content,)
            self.observe(reading(self.file, self.issues, counts=False))
        elif content is not None:
            loaded = self._understand(content)
            if not has_content(content) and _opens(self.config, loaded.config):
                self.issues = (Issue(self.file, EMPTIED, hint=OPENED),)
                self.observe(reading(self.file, self.issues, counts=False))
            else:
                self._content = content
                self._take(loaded, there=content != b"")
        if content is None:
            writing, changed = self._referred.refresh()
            again |= writing
            if changed:
                self._take(self._understand(self._content), there=True)
        return again

    def _announce(self) -> None:
        """Tell what counts although nobody named it."""
        config, lying = self.config, self._beside
        found = {"agent_rules": lying.rules, "mcp_servers": lying.servers}
        taken = {key: file for key, file in found.items() if file and file == getattr(config, key)}
        if taken:
            log.info("found_beside", extra=taken)

    def _take(self, loaded: Loaded, *, there: bool) -> None:
        self.issues = loaded.issues
        if loaded.config is not None:
            self.broken = loaded.broken
            self.config = _with_last_good(loaded.config, loaded.broken, self.config)
            self._parsed = loaded.parsed
            if loaded.parsed is not None:
                self._referred.follow(loaded.parsed)
            self.issues = (*loaded.issues, *self._waiting())
        if there:
            self.observe(reading(self.file, self.issues, counts=loaded.config is not None))

    def _waiting(self) -> Iterator[Issue]:
        """What differs from what the process was started with, and needs a restart."""
        for place, old, new in _keys(self._started, self.config):
            if old != new and not place.startswith(LIVE):
                text = "the change takes effect at the next start"
                yield self.placed(Issue(self.file, text, path=place, severity=Severity.WARNING))


def _keys(before: Config, after: Config) -> Iterator[tuple[str, object, object]]:
    for section in structs.fields(Config):
        old, new = (getattr(one, section.name) for one in (before, after))
        if not isinstance(old, msgspec.Struct):
            yield section.name, old, new
            continue
        for key in structs.fields(old):
            place = f"{section.name}.{key.name}"
            yield place, getattr(old, key.name), getattr(new, key.name)


def _opens(before: Config, after: Config | None) -> bool:
    """Whether something that keeps people from something is there no more. What a variable says, or
    what lies beside the file, does not go with it.
    """
    if after is None:
        return False
    keeping = [
        (one.auth.enabled, bool(one.policies), one.agent_rules is not None)
        for one in (before, after)
    ]
    return any(was and not now for was, now in zip(*keeping, strict=True))


def _with_last_good(config: Config, broken: Broken, before: Config) -> Config:
    kept = {name: before.backends[name] for name in broken if name in before.backends}
    return structs.replace(config, backends={**config.backends, **kept}) if kept else config
