"""Builds backends out of what the files say, with the things of which a process has one each."""

import functools
from collections.abc import Callable, Mapping

from gateway.backends.base import Backend
from gateway.backends.cache import Cache
from gateway.backends.files import Files
from gateway.backends.mcp import McpBackend
from gateway.backends.mock import MockBackend
from gateway.backends.rest import RestBackend
from gateway.backends.tending import Checking
from gateway.backends.unusable import Unusable
from gateway.capability.compiled import CompiledCapability
from gateway.config import backends, servers
from gateway.config.model import Capabilities
from gateway.credentials import backend_auth
from gateway.credentials.authorizer import Authorizer
from gateway.credentials.means import Shared
from gateway.credentials.redact import Redactor
from gateway.domain.issue import Issue
from gateway.http.direct import Direct
from gateway.http.outgoing import Outgoing
from gateway.importers import compat
from gateway.runtime.shelf import Load, Version
from gateway.transports.base import Means

NOT_ASKED = (Issue("this command", "is about another server"),)
NOT_MOCKED = (Issue("--mock", "answers for capability files only"),)
TO_ONE_HOST = 100_000  # requests: an MCP server bounds its own, and its neighbours must not feel it


class Builders:
    """`redactor` learns every secret. `mock`: tools answer from their files' examples. Where `only`
    one server is asked for, other MCP servers are known and never started.
    """

    def __init__(
        self,
        redactor: Redactor,
        environ: Mapping[str, str],
        checking: Checking | None = None,
        *,
        mock: bool = False,
        only: str | None = None,
    ) -> None:
        self._redactor = redactor
        self._environ = environ
        self._checking = checking
        self._mock = mock
        self._only = only
        self.outgoing = Outgoing()
        self._direct = Direct(public_only=False, per_origin=TO_ONE_HOST)
        self._cache = Cache()
        self._files = Files()
        self._credentials = Shared(self.outgoing, environ, redactor)

    def load_with(self, settings: Capabilities) -> Load:
        """How capability files are loaded under these settings."""

        def load_one(data: bytes, file: str) -> Version:
            loaded = compat.load(
                data, file, settings, environ=self._environ, redactor=self._redactor
            )
            if loaded.capability is None:
                return Version(None, None, loaded.issues)
            made = functools.partial(self.rest, loaded.capability, settings)
            named_at = loaded.parsed.where(("name",))
            return Version(loaded.capability.name, made, loaded.issues, named_at)

        return load_one

    def server(self, name: str, server: backends.Backend) -> Backend:
        """An MCP server, not started yet."""
        kind = servers.kind(server)
        if self._mock or self._only not in {None, name}:
            return Unusable(name, kind.label, NOT_MOCKED if self._mock else NOT_ASKED)

        def let_in() -> None:
            backend.retry()

        authorizer = self._authorizer(name, server, let_in)
        means = Means(name, self._direct, authorizer, self._redactor.data)
        backend = McpBackend(servers.settings(name, server), kind, means, checking=self._checking)
        return backend

    def _authorizer(
        self, name: str, server: backends.Backend, ready: Callable[[], None]
    ) -> Authorizer | None:
        """What is shown to it; None for a program, and where nothing is."""
        url = server.http_url or server.sse_url or server.ws_url
        if url is None or not (server.headers or server.auth or server.oauth):
            return None
        means = self._credentials.means(name, url, ready)
        return backend_auth.build(server.headers, server.auth, server.oauth, means)

    async def aclose(self) -> None:
        """Close what is shared; after the backends."""
        self._files.close()
        await self.outgoing.aclose()
        await self._direct.aclose()

    def rest(self, compiled: CompiledCapability, settings: Capabilities) -> Backend:
        if self._mock:
            return MockBackend(compiled, self._files)
        private = settings.allow_private
        return RestBackend(
            compiled,
            self.outgoing,
            self._cache,
            allow_private=private,
            credentials=self._credentials,
            files=self._files,
        )
