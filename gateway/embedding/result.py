"""What an embedding program is given: results and servers, as plain values."""

from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.domain.call import Outcome, Relayed
from gateway.domain.client import missing
from gateway.domain.listing import Listing
from gateway.errors import Reached, UpstreamFailed

COMPLETE = (None, "complete")  # of `resultType`


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool answered. `content` holds MCP content blocks, `structured_content` is whatever
    JSON the tool gave beside them, None where it gave none, `meta` its `_meta`.
    """

    content: tuple[dict[str, Any], ...]
    structured_content: Any = None
    meta: dict[str, Any] | None = None

    @property
    def text(self) -> str:
        """All blocks that are text, a line feed between them."""
        return "\n".join(str(block["text"]) for block in self.content if block["type"] == "text")


class ToolFailed(UpstreamFailed):
    """The tool itself says that it failed: `result` is what it answered."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.text or "the tool failed", reached=Reached.COMPLETED)
        self.result = result


@dataclass(frozen=True, slots=True)
class Server:
    """A backend. `status` is `ok`, `degraded` or `down`, `reason` why it is not `ok`. `connecting`:
    nobody knows yet what it offers. `tools` counts them.
    """

    name: str
    description: str
    transport: str
    status: str
    reason: str | None
    tools: int
    connecting: bool


def result_of(outcome: Outcome) -> Result:
    """Raises ToolFailed, or CapabilityMissing where the tool asks its caller for more."""
    if isinstance(outcome, Relayed):
        answer: dict[str, Any] = msgspec.json.decode(outcome.raw)
        if answer.get("resultType") not in COMPLETE:
            raise missing(str(answer["resultType"]))
        content = tuple(answer.get("content", ()))
        found = Result(content, answer.get("structuredContent"), answer.get("_meta"))
    else:
        structured = msgspec.json.decode(outcome.structured) if outcome.structured else None
        meta = None if outcome.meta is None else dict(outcome.meta)
        found = Result(tuple(dict(block) for block in outcome.content), structured, meta)
    if outcome.is_error:
        raise ToolFailed(found)
    return found


def server_of(listing: Listing) -> Server:
    return Server(
        name=listing.name,
        description=listing.description,
        transport=listing.transport,
        status=str(listing.health.status),
        reason=listing.health.reason,
        tools=len(listing.tools),
        connecting=not listing.settled,
    )
