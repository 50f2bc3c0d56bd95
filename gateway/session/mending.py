"""Requests that a server did not take as we meant them: put right, and sent once more."""

from collections.abc import Callable

import msgspec

from gateway.domain.call import Relayed
from gateway.domain.client import Client
from gateway.errors import GatewayError, SessionLost
from gateway.protocol import mcp
from gateway.protocol.answers import ErrorAnswered
from gateway.protocol.outbound import Draft
from gateway.protocol.remedies import Remedy, estranged, remedy
from gateway.session.driving import visit
from gateway.session.line import Line
from gateway.session.opening import was_answered
from gateway.session.paging import every

VISITS = 10
ASKED_IN_DOUBT = (
    ("tools", mcp.TOOLS_LIST),
    ("prompts", mcp.PROMPTS_LIST),
    ("resources", mcp.RESOURCES_LIST),
)  # what a server must have been introduced for, by the capability that allows it


class Mending:
    """`changed` is told when a tool is found to be another than listed."""

    def __init__(self, line: Line, changed: Callable[[str], None]) -> None:
        self._line = line
        self._changed = changed

    async def ask(self, draft: Draft, client: Client) -> Relayed:
        """As `Line.ask`, for a request that may have to be sent again."""
        epoch = self._line.epoch
        try:
            return await self._line.ask(draft, client)
        except (ErrorAnswered, SessionLost) as failure:
            return await self.again(draft, client, failure, epoch)

    async def again(
        self, draft: Draft, client: Client, failure: GatewayError, epoch: int
    ) -> Relayed:
        """After `failure` in `epoch`. Each remedy is tried once, visiting URLs a few times."""
        left = dict.fromkeys(Remedy, 1) | {Remedy.VISIT: VISITS}
        while True:
            found = remedy(
                failure, draft, modern_server=self._line.modern, modern_client=client.modern
            )
            if found is None or not left[found]:
                raise failure
            left[found] -= 1
            draft = await self._apply(found, draft, client, failure, epoch)
            epoch = self._line.epoch
            try:
                return await self._line.ask(draft, client)
            except (ErrorAnswered, SessionLost) as again:
                failure = again

    async def _apply(
        self, found: Remedy, draft: Draft, client: Client, failure: GatewayError, epoch: int
    ) -> Draft:
        """The request as it may be sent again. Raises `failure` when nothing can be done."""
        if found is Remedy.RELIST:
            return await self._relisted(draft)
        if found is Remedy.VISIT and isinstance(failure, ErrorAnswered):
            if not await visit(client, failure.data):
                raise failure
            return draft
        if found is Remedy.DOUBT and not await self._forgotten():
            raise failure
        if isinstance(failure, ErrorAnswered):
            await self._line.renew(epoch)
        await self._line.ready()
        return self._line.dialect.readdressed(draft)

    async def _forgotten(self) -> bool:
        """Whether the server refuses even what it must not refuse to whom it knows."""
        try:
            answer = await self._line.own(self._harmless())
        except GatewayError as error:
            return was_answered(error)
        if answer.error is None:
            return False
        return estranged(ErrorAnswered(answer.error, answer.status), modern=self._line.modern)

    def _harmless(self) -> str:
        if self._line.modern:
            return mcp.DISCOVER
        declared = self._line.introduction.capabilities
        return next((method for kind, method in ASKED_IN_DOUBT if kind in declared), mcp.PING)

    async def _relisted(self, draft: Draft) -> Draft:
        """With the headers that the tool asks for by now."""
        self._changed(mcp.TOOLS_CHANGED)
        called = msgspec.json.decode(b"{%b}" % draft.members)
        for tool in await every(self._line.own, mcp.TOOLS_LIST, self._line.name):
            if isinstance(tool, dict) and tool.get("name") == called["name"]:
                fresh = self._line.dialect.call(
                    called["name"], called["arguments"], tool.get("inputSchema")
                )
                return msgspec.structs.replace(draft, headers=fresh.headers)
        return draft
