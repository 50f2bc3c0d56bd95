"""One reload: from what is on disk to what is served. Reading and compiling run in a thread."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from gateway.capability.file.units import seconds
from gateway.config.directories import paths
from gateway.config.folder import Place, look
from gateway.config.model import Capabilities, Config
from gateway.config.unmet import unmet
from gateway.domain.catalog import Catalog
from gateway.domain.issue import Issue
from gateway.errors import GatewayError
from gateway.runtime.configured import Configured
from gateway.runtime.heap import calm
from gateway.runtime.mcp_servers import McpServers
from gateway.runtime.plan import Desired, Wanted
from gateway.runtime.reconcile import Reconciler
from gateway.runtime.shelf import Load, Shelf, Version
from gateway.runtime.trusted import Trusted

log = logging.getLogger(__name__)

LoadWith = Callable[[Capabilities], Load]  # how files are loaded under these settings


@dataclass(frozen=True, slots=True)
class Seen:
    """`places` are to be watched from now on. `again`: something was still being written."""

    places: frozenset[Place]
    again: bool


class Reloader:
    """`reload` by whoever knows of a change, one after the other. `on_config` hears of a new
    `gateway.yaml`.
    """

    def __init__(
        self,
        configured: Configured,
        load_with: LoadWith,
        reconciler: Reconciler,
        on_config: Callable[[Config], None] = lambda _config: None,
        servers: McpServers | None = None,
        trusted: Trusted | None = None,
    ) -> None:
        self._configured = configured
        self._servers = servers
        self._trusted = trusted
        self._load_with = load_with
        self._reconciler = reconciler
        self._on_config = on_config
        self._load = load_with(configured.config.capabilities)
        self._shelf = Shelf(self._load)
        self._turn = asyncio.Lock()
        self._told = configured.config  # what the shelf and `on_config` know of
        self._asked: tuple[object, ...] = ()  # what is live, beside the capability files
        self._pending: tuple[object, ...] = ()

    @property
    def config(self) -> Config:
        return self._configured.config

    def files(self) -> Mapping[str, str]:
        """What each file is for that is followed beside the capabilities → its path."""
        config = self.config
        lock = config.lock.file if config.lock.enabled else None
        found = {
            "gateway_yaml": self._configured.file,
            "mcp_config": config.mcp_servers,
            "gateway_rules": config.agent_rules,
            "lock": lock,
        }
        return {what: file for what, file in found.items() if file is not None}

    def poll(self) -> float | None:
        """Seconds between two looks when the operator wants them by the clock; else None."""
        poll = self.config.capabilities.poll
        return None if poll is None else seconds(poll)

    async def reload(self, *, cold: bool = False) -> Seen:
        """Look at everything, and serve what changed. `cold`: the first time, nothing is live yet.

        When it cannot be served all stays as it was; the log says why, and the next look tries
        again.
        """
        async with self._turn:
            return await self._calmly(cold=cold)

    def load(self, data: bytes, file: str) -> Version:
        """What a capability file of that content would come to now. Blocks for a moment."""
        return self._load(data, file)

    async def _calmly(self, *, cold: bool) -> Seen:
        if self._configured.hosted:  # the program's own garbage is not ours to set aside
            return await self._reload(cold=cold)
        with calm() as made:
            seen = await self._reload(cold=cold)
            made.files = self._shelf.loaded
        return seen

    async def _reload(self, *, cold: bool) -> Seen:
        began = asyncio.get_running_loop().time()
        if cold:  # nobody is served yet, and a thread costs 7 MB of memory that is never used again
            seen, desired = self._look(cold=True)
        else:
            seen, desired = await asyncio.to_thread(self._look)
        if self._told is not self.config:
            self._told = self.config
            self._on_config(self.config)
        if desired is not None:
            try:
                await self._reconciler.apply(desired, began=began)
            except GatewayError as error:
                log.error("reload_failed", extra={"reason": str(error), "hint": error.hint})  # noqa: TRY400
            else:
                self._shelf.served()
                self._asked = self._pending
        return seen

    def _look(self, *, cold: bool = False) -> tuple[Seen, Desired | None]:
        configured, shelf = self._configured, self._shelf
        again = configured.refresh(cold=cold)
        places, issues = configured.places, configured.issues
        wanted: Mapping[str, Wanted] = {}
        own: Mapping[str, Wanted] = {}
        if self._servers is not None:
            again |= self._servers.refresh(cold=cold)
            places, issues = places | self._servers.places, (*issues, *self._servers.issues)
            wanted, own = self._servers.wanted(), self._servers.registered()
        trusted = self._trusted
        if trusted is not None:
            again |= trusted.refresh(cold=cold)
            places, issues = places | trusted.places, (*issues, *trusted.issues)
        settings = configured.config.capabilities
        if settings != self._told.capabilities:
            self._load = self._load_with(settings)
            shelf.reload_all(self._load)
        found = look(paths(settings) if settings.enabled else ())
        if configured.needs_no_files:
            found.missing.clear()
        again |= shelf.refresh(found, cold=cold)
        seen = Seen(frozenset(found.places | places), again)
        rules = (trusted.policy, trusted.access, trusted.admit) if trusted is not None else ()
        own = {**own, **configured.registered.capabilities(self._load)}
        asked = (issues, configured.aliases, wanted, own, rules)
        if not shelf.changed and asked == self._asked:
            return seen, None
        self._pending = asked
        desired = merged(shelf.desired(), configured, issues, wanted, own)
        return seen, desired if trusted is None else ruled(desired, trusted)


def merged(
    files: Desired,
    configured: Configured,
    issues: tuple[Issue, ...],
    servers: Mapping[str, Wanted],
    own: Mapping[str, Wanted],
) -> Desired:
    """Capability files and MCP servers together; a name of both is the server's. One of either is
    none of those that were registered, our `own`.
    """
    clashes = tuple(
        Issue(configured.file, f"the server {name!r} has the name of a capability file", path=name)
        for name in sorted(files.backends.keys() & servers.keys())
    )
    return replace(
        files,
        backends={**own, **files.backends, **servers},
        issues=(
            *issues,
            *clashes,
            *files.issues,
            *configured.registered.issues({*files.backends, *servers}),
        ),
        aliases=configured.aliases,
        unmet=partial(_unmet, configured, configured.config),
    )


def _unmet(configured: Configured, config: Config, catalog: Catalog) -> list[Issue]:
    return [configured.placed(one) for one in unmet(config, configured.file, catalog)]


def ruled(desired: Desired, trusted: Trusted) -> Desired:
    """The same, for those whom the files let in."""
    said = desired.unmet
    return replace(
        desired,
        policy=trusted.policy,
        access=trusted.access,
        admit=trusted.admit,
        unmet=lambda catalog: (*said(catalog), *trusted.unmet(catalog)),
    )
