"""Requests that a server answers with questions, carried to their end by asking the client.

Source: 2026-07-28, basic/patterns "Multi round-trip requests"; 2025-11-25, client/elicitation
"URL mode".
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from gateway.domain.call import Relayed
from gateway.domain.client import Client
from gateway.domain.tool import JsonObject
from gateway.errors import BadResponse, ClientRefused, begun
from gateway.protocol.answers import INPUT_REQUIRED
from gateway.protocol.envelope import RESPONSES, STATE
from gateway.protocol.jsonrpc import INVALID_REQUEST, loads
from gateway.protocol.outbound import Draft
from gateway.protocol.questions import asked, for_client, urls

ROUNDS = 10
ELICIT = "elicitation/create"

Ask = Callable[[Draft, Client], Awaitable[Relayed]]
Asking = Mapping[str, tuple[str, JsonObject]]


async def driven(ask: Ask, draft: Draft, client: Client, answer: Relayed) -> Relayed:
    """The final answer to `draft`, to which `answer` is an `input_required`."""
    for _ in range(ROUNDS):
        given = await _responses(client, answer)
        with begun():
            answer = await ask(draft.adding(given), client)
        if answer.kind != INPUT_REQUIRED:
            return answer
    raise BadResponse(f"the server asked for input more than {ROUNDS} times in a row")


async def _responses(client: Client, answer: Relayed) -> JsonObject:
    """What the server wants to see in the next round."""
    try:
        result = loads(answer.raw)
    except (ValueError, RecursionError):
        raise BadResponse("the server asks for input in an unreadable way") from None
    questions = {key: (method, _named(params)) for key, (method, params) in asked(result).items()}
    given: dict[str, Any] = {}
    if questions:
        given[RESPONSES] = await answers(client, questions)
    if result.get(STATE) is not None:
        given[STATE] = result[STATE]
    if not given:
        raise BadResponse("the server asks for input without saying which")
    return given


def _named(params: JsonObject) -> JsonObject:
    """Legacy clients know a URL to visit by an id."""
    if params.get("mode") == "url" and "elicitationId" not in params:
        return {**params, "elicitationId": uuid.uuid4().hex}
    return params


async def answers(client: Client, questions: Asking) -> dict[str, JsonObject]:
    """The client's, asked all at once. Raises what the first that fails raises."""
    if len(questions) == 1:
        [(key, (method, params))] = questions.items()
        return {key: await client.ask(method, params)}
    tasks = [asyncio.ensure_future(client.ask(*question)) for question in questions.values()]
    try:
        found = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    return dict(zip(questions, found, strict=True))


async def visit(client: Client, data: Any) -> bool:
    """Have the user visit the URLs that a URLElicitationRequired error names; False: there are
    none. Raises ClientRefused when the user does not want to.
    """
    wanted = urls(data)
    if not wanted:
        return False
    questions = {
        str(number): (ELICIT, for_client(params, modern=client.modern))
        for number, params in enumerate(wanted)
    }
    for given in (await answers(client, questions)).values():
        if given.get("action") != "accept":
            raise ClientRefused(INVALID_REQUEST, "a URL was not visited")
    return True
