"""The gateway as one caller sees it, for the program that embeds it.

Who calls is looked up at each use, in the newest files: a key or an agent that is taken away can do
nothing more.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.app import Parts
from gateway.config import clients
from gateway.config.auth import Auth
from gateway.domain import openai
from gateway.domain.identity import LOCAL, PROGRAM, Identity
from gateway.domain.text import shown
from gateway.domain.tool import Tool, ToolRef
from gateway.embedding.result import Result, Server, result_of, server_of
from gateway.errors import InvalidArguments, ToolNotFound, Unauthenticated
from gateway.runtime.view import View

NO_ARGUMENTS: Mapping[str, Any] = {}

Who = Identity | str | None


class Caller:
    """`who` is an identity, or the name of one of `auth.api_keys`; None: the program itself."""

    def __init__(self, parts: Parts, who: Who = None, agent: str | None = None) -> None:
        self._parts = parts
        self._who = who
        self._agent = agent
        self._known: tuple[Auth, Identity] | None = None  # by that name, under these settings

    def acting(self, who: Who = None, *, agent: str | None = None) -> "Caller":
        """The same gateway for another caller: an identity, or an API key by its name; and as that
        agent. An empty name is nobody's. A program that acts as an agent is the local caller, whom
        rules concern.

        Raises AuthenticationError for a key that is not there, InvalidAgent.
        """
        found = Caller(
            self._parts,
            self._who if who is None else who,
            self._agent if agent is None else agent,
        )
        found._view()  # so that it raises here
        return found

    async def identify(self, authorization: str | None) -> Identity:
        """Whose the value of an `Authorization` header is, by `auth:`; for programs with a front of
        their own. Raises AuthenticationError.
        """
        return await self._parts.current.get().access.identify(authorization)

    def servers(self) -> list[Server]:
        """All that may be seen, by name."""
        return [server_of(listing) for listing in self._view().backends.values()]

    def get(self, name: str) -> Server:
        """The server of that name or alias. Raises ServerNotFound."""
        return server_of(self._view().backend(name))

    def tools(self, server: str | None = None) -> list[Tool]:
        """Those that may be seen, of one server or of all. Raises ServerNotFound."""
        view = self._view()
        if server is not None:
            return list(view.tools(server))
        return [tool for listing in view.backends.values() for tool in listing.tools]

    def tool(self, server: str, name: str) -> Tool:
        """Raises ServerNotFound, ToolNotFound."""
        return self._view().tool(ToolRef(server, name))

    def search(self, query: str, limit: int = 5, server: str | None = None) -> list[Tool]:
        """The best matches, best first. Raises ServerNotFound."""
        found = self._view().search(query, limit, server)
        return [match.tool for match in found.matches]

    async def call(
        self,
        server: str,
        tool: str,
        arguments: Mapping[str, Any] = NO_ARGUMENTS,
        *,
        timeout: float | None = None,  # noqa: ASYNC109  it bounds more than the wait
        who: Who = None,
        agent: str | None = None,
    ) -> Result:
        """Call a tool, as `who` and `agent` where they are given (see `acting`). `timeout`, in
        seconds, may be less than the server's own limit, never more.

        Raises a GatewayError: ServerNotFound, ToolNotFound, InvalidArguments, AuthorizationError,
        RateLimited, DeadlineExceeded, ExecutionError (ToolFailed where the tool said so), ….
        """
        caller = self if who is None and agent is None else self.acting(who, agent=agent)
        outcome = await caller._view().call(ToolRef(server, tool), arguments, timeout)  # noqa: SLF001
        return result_of(outcome)

    def openai_tools(self, server: str | None = None) -> list[dict[str, Any]]:
        """Those tools as OpenAI's API takes them: the value of `tools` in a request to it."""
        return list(openai.answer(self.tools(server))["tools"])

    async def call_function(
        self,
        name: str,
        arguments: str | Mapping[str, Any] = NO_ARGUMENTS,
        *,
        timeout: float | None = None,  # noqa: ASYNC109  it bounds more than the wait
    ) -> Result:
        """Call the tool behind one of `openai_tools`, by the function's name, with what the model
        gave: JSON text, or what it holds. Raises as `call` does.
        """
        ref = openai.ref_of(name, self.tools())
        if ref is None:
            raise ToolNotFound(f"no function {shown(name)}", hint="openai_tools has all of them")
        return await self.call(*ref, _object(arguments), timeout=timeout)

    def _view(self) -> View:
        view = View(self._parts.current.get(), self._parts.observe, self._identity())
        return view if self._agent is None else view.acting(self._agent)

    def _identity(self) -> Identity:
        if isinstance(self._who, str):
            auth = self._parts.reloader.config.auth
            if self._known is None or self._known[0] is not auth:
                self._known = auth, named(auth, self._who)
            return self._known[1]
        who = PROGRAM if self._who is None else self._who
        return LOCAL if who.operator and self._agent is not None else who


def _object(given: str | Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(given, str):
        return given
    try:
        found: dict[str, Any] = msgspec.json.decode(given or "{}", type=dict[str, Any])
    except msgspec.MsgspecError:
        raise InvalidArguments("arguments as text have to be a JSON object") from None
    return found


def named(auth: Auth, name: str) -> Identity:
    """The caller whose API key has that name. Raises AuthenticationError."""
    for _, who in clients.identities(auth, ""):
        if who.name == name:
            return who
    raise Unauthenticated(f"no API key is named {name!r}", hint="auth.api_keys names them")
