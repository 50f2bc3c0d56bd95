"""An open gateway, for the program that embeds it: what it registers, and all that a caller can do.

What is registered stands beside what the files have, and survives their reloads.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.app import Parts
from gateway.config.backends import Backend
from gateway.config.registering import server as read_server
from gateway.credentials.redact import Redactor
from gateway.domain.issue import Severity
from gateway.domain.text import shown
from gateway.embedding.caller import Caller
from gateway.embedding.masking import Masking
from gateway.embedding.result import Server
from gateway.errors import BackendUnavailable, ConfigError
from gateway.runtime.configured import Configured
from gateway.runtime.registered import Registry, place
from gateway.runtime.waiting import settled

PATIENCE = 20.0  # seconds that one waits for a server's first connection


class Capgate(Caller):
    """It acts as the program itself, of which no policy speaks; `acting` gives it for others."""

    def __init__(self, parts: Parts, configured: Configured, redactor: Redactor) -> None:
        super().__init__(parts)
        self._configured = configured
        self._redactor = redactor
        self._turn = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<Capgate {len(self._parts.current.get().catalog.backends)} servers>"

    def log_filter(self) -> logging.Filter:
        """For the program's own log handlers: masks all secrets that this gateway knows."""
        return Masking(self._redactor)

    async def register(
        self,
        name: str,
        settings: Mapping[str, Any] | Backend,
        *,
        replace: bool = False,
        wait: float = PATIENCE,
    ) -> Server:
        """Have an MCP server behind the gateway: `settings` as below `backends:` in gateway.yaml.
        Returns when it is known what it offers, or after `wait` seconds: see its `status`.

        Raises ConfigError for settings that do not fit, and for a name that is taken; `replace`
        allows one that was registered.
        """
        server, issues = read_server(name, settings, self._configured.environ)
        if server is None:
            raise ConfigError("\n".join(map(str, issues)))
        async with self._turn:
            self._free(name, replace=replace)
            await self._serve(name, self._now.with_server(name, server))
        await settled(self._parts.current, wait, name)
        return self.get(name)

    async def register_capability(
        self, content: str | bytes | Mapping[str, Any], *, replace: bool = False
    ) -> Server:
        """Have a REST API behind the gateway: a capability file's text, or what it would hold.
        Raises ConfigError as `register` does.
        """
        data = _as_bytes(content)
        version = await asyncio.to_thread(self._parts.reloader.load, data, place("capability"))
        if version.name is None or version.build is None:
            wrong = [one for one in version.issues if one.severity is Severity.ERROR]
            raise ConfigError("\n".join(map(str, wrong)) or "it is switched off")
        name = version.name
        async with self._turn:
            self._free(name, replace=replace)
            await self._serve(name, self._now.with_capability(name, data))
        return self.get(name)

    async def alias(self, name: str, server: str) -> None:
        """Give a server another name. Raises ServerNotFound, and ConfigError for one that is
        taken.
        """
        async with self._turn:
            meant = self.get(server).name
            known = self._parts.current.get()
            if name in known.catalog.backends or name in known.aliases:
                raise ConfigError(f"the name {shown(name)} is taken")
            await self._apply(self._now.with_alias(name, meant))

    async def unregister(self, name: str) -> None:
        """Take back a server or an alias that was registered. Calls inside it may end.

        Raises ServerNotFound; ConfigError for one that the files have.
        """
        async with self._turn:
            if name not in self._now.names and name not in self._now.aliases:
                self.get(name)
                raise ConfigError(f"the server {shown(name)} stands in a file: take it out there")
            await self._apply(self._now.without(name))

    @property
    def _now(self) -> Registry:
        return self._configured.registered.now

    def _free(self, name: str, *, replace: bool) -> None:
        known = self._parts.current.get()
        ours = name in self._now.names
        if name in known.aliases or (name in known.catalog.backends and not (ours and replace)):
            raise ConfigError(f"the name {shown(name)} is taken")

    async def _serve(self, name: str, registry: Registry) -> None:
        before = self._now
        await self._apply(registry)
        if name not in self._parts.current.get().catalog.backends:
            await self._apply(before)
            raise BackendUnavailable(f"{shown(name)} could not be started: see the log")

    async def _apply(self, registry: Registry) -> None:
        self._configured.registered.now = registry
        await self._parts.reloader.reload()


def _as_bytes(content: str | bytes | Mapping[str, Any]) -> bytes:
    if isinstance(content, Mapping):
        return msgspec.json.encode(content)
    return content.encode() if isinstance(content, str) else content
