"""What may be asked of a client and what can be an answer, by what it declared: pure rules.

Source: 2025-11-25 and 2026-07-28, client/elicitation, client/sampling, client/roots.
"""

from typing import Any

from gateway.domain.client import KINDS, missing
from gateway.domain.tool import JsonObject
from gateway.protocol import mcp
from gateway.protocol.questions import lacking

ELICIT, SAMPLE, _ = KINDS
ASKED = frozenset(KINDS.values())
ACTIONS = ("accept", "decline", "cancel")
ROLES = ("user", "assistant")


def may_be_asked(capabilities: JsonObject) -> bool:
    """Whether anything at all may be asked of it."""
    return bool(capabilities) and not capabilities.keys().isdisjoint(ASKED)


def check(capabilities: JsonObject, method: str, params: JsonObject) -> None:
    """Raises CapabilityMissing when the client never said that it takes such a question."""
    lack = lacking(method, params, capabilities) if method in KINDS else missing(method)
    if lack is not None:
        raise lack


def fits(method: str, answer: Any) -> bool:
    """Whether `answer` can be a result of that question."""
    if type(answer) is not dict:
        return False
    if method == ELICIT:
        content = answer.get("content")
        return answer.get("action") in ACTIONS and (content is None or type(content) is dict)
    if method == SAMPLE:
        said = type(answer.get("content")) in (dict, list) and type(answer.get("model")) is str
        return said and answer.get("role") in ROLES
    return type(answer.get("roots")) is list


def loud_enough(params: JsonObject, level: str) -> bool:
    """Whether a `notifications/message` is at least as severe as `level`; unknown ones are."""
    said = params.get("level")
    if said not in mcp.LOG_LEVELS:
        return True
    return mcp.LOG_LEVELS.index(said) >= mcp.LOG_LEVELS.index(level)
