"""How a tool of the fixture server asks its client, the same words in either era.

A legacy client is sent requests while its call is open. A modern one is answered `input_required`
and calls again; the tool then runs from its start, and what it was told before is in the state.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp.types import MISSING_REQUIRED_CLIENT_CAPABILITY

MODERN = "2026-07-28"
Context = ServerRequestContext[Any, Any]
Question = types.ElicitRequest | types.CreateMessageRequest | types.ListRootsRequest
Answers = dict[str, dict[str, Any]]

NEEDS = {
    "elicitation/create": "elicitation",
    "sampling/createMessage": "sampling",
    "roots/list": "roots",
}
RESULTS = {
    "elicitation/create": types.ElicitResult,
    "sampling/createMessage": types.CreateMessageResult,
    "roots/list": types.ListRootsResult,
}


def form(message: str, properties: Mapping[str, Any], *required: str) -> types.ElicitRequest:
    schema = {"type": "object", "properties": dict(properties), "required": list(required)}
    params = types.ElicitRequestFormParams(message=message, requested_schema=schema)
    return types.ElicitRequest(params=params)


def visit(message: str, url: str, identity: str | None) -> types.ElicitRequest:
    """`identity` is the elicitationId of a legacy client; a modern one has none."""
    params = types.ElicitRequestURLParams(message=message, url=url, elicitation_id=identity)
    return types.ElicitRequest(params=params)


def prompt(text: str) -> types.CreateMessageRequest:
    said = types.SamplingMessage(role="user", content=types.TextContent(type="text", text=text))
    params = types.CreateMessageRequestParams(messages=[said], max_tokens=100)
    return types.CreateMessageRequest(params=params)


def roots() -> types.ListRootsRequest:
    return types.ListRootsRequest(params=types.RequestParams())


class MoreNeededError(Exception):
    """The modern client has to call again with these answers."""

    def __init__(self, questions: Mapping[str, Question], state: str | None) -> None:
        super().__init__(", ".join(questions))
        self.questions = dict(questions)
        self.state = state

    def result(self) -> types.InputRequiredResult:
        return types.InputRequiredResult(
            input_requests=self.questions or None, request_state=self.state
        )


@dataclass
class Asking:
    """One request's conversation with its client. `told`: the answers of the rounds before."""

    context: Context
    responses: Mapping[str, Any] | None = None
    state: str | None = None
    told: list[Answers] = field(default_factory=list)
    round: int = 0

    def __post_init__(self) -> None:
        if self.state is not None:
            self.told = json.loads(self.state)

    @property
    def modern(self) -> bool:
        return self.context.protocol_version == MODERN

    def offers(self, capability: str) -> bool:
        declared = self.context.session.client_capabilities
        return declared is not None and getattr(declared, capability) is not None

    async def ask(self, questions: Mapping[str, Question], *, sealed: bool = False) -> Answers:
        """The answers by key, all of them. `sealed`: a modern client has to bring a state back.

        Raises MoreNeededError in the modern era and MCPError.
        """
        for question in questions.values():
            self._require(NEEDS[question.method])
        if self.modern:
            return self._again(questions, sealed=sealed)
        told = await asyncio.gather(*(self._send(question) for question in questions.values()))
        return dict(zip(questions, told, strict=True))

    def _require(self, capability: str) -> None:
        if not self.offers(capability):
            code = MISSING_REQUIRED_CLIENT_CAPABILITY if self.modern else types.INVALID_REQUEST
            needed = {"requiredCapabilities": {capability: {}}}
            raise MCPError(code, f"the client offers no {capability}", needed)

    async def _send(self, question: Question) -> dict[str, Any]:
        related = ServerMessageMetadata(related_request_id=self.context.request_id)
        session, result_type = self.context.session, RESULTS[question.method]
        return _wire(await session.send_request(question, result_type, metadata=related))

    def _again(self, questions: Mapping[str, Question], *, sealed: bool) -> Answers:
        self.round += 1
        if self.round <= len(self.told):
            return self.told[self.round - 1]
        given, self.responses = self.responses or {}, None
        answers = {key: _wire(given[key]) for key in questions if key in given}
        started = self.state is not None or not (sealed or self.told)
        if len(answers) < len(questions) or not started:
            kept = sealed or self.told
            raise MoreNeededError(questions, json.dumps(self.told) if kept else None)
        self.told.append(answers)
        return answers


def _wire(answer: Any) -> dict[str, Any]:
    dumped: dict[str, Any] = answer.model_dump(by_alias=True, mode="json", exclude_none=True)
    return dumped
