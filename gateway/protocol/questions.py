"""What servers ask clients: which of it a client's capabilities allow, and what is read of it."""

from collections.abc import Mapping
from typing import Any

from gateway.domain.client import KINDS, missing
from gateway.domain.tool import JsonObject
from gateway.errors import BadResponse, CapabilityMissing

MOST_AT_ONCE = 32  # questions in one answer


def lacking(method: str, params: JsonObject, capabilities: JsonObject) -> CapabilityMissing | None:
    """What is missing for the client to be asked this; None when nothing is."""
    kind = KINDS[method]
    declared = capabilities.get(kind)
    if not isinstance(declared, Mapping):
        return missing(method)
    part = _part(kind, params)
    if part is None or part in declared:
        return None
    if part == "form" and "url" not in declared:  # `elicitation: {}` means forms
        return None
    return missing(method, part)


def _part(kind: str, params: JsonObject) -> str | None:
    if kind == "elicitation":
        return "url" if params.get("mode") == "url" else "form"
    if kind == "sampling" and ("tools" in params or "toolChoice" in params):
        return "tools"
    return None


def for_client(params: JsonObject, *, modern: bool) -> JsonObject:
    """What of a legacy server's question a client gets to see: nothing that points back to the
    server's own bookkeeping.
    """
    hidden = {"_meta", "task"}
    if modern and params.get("mode") == "url":
        hidden.add("elicitationId")  # gone in 2026-07-28
    return {key: value for key, value in params.items() if key not in hidden}


def asked(result: JsonObject) -> dict[str, tuple[str, JsonObject]]:
    """Key → method and params of an `input_required` result. Raises BadResponse."""
    requests = result.get("inputRequests")
    if requests is None:
        requests = {}
    if not isinstance(requests, Mapping) or len(requests) > MOST_AT_ONCE:
        raise BadResponse("the server asks for input in an unreadable way")
    return {key: _question(value) for key, value in requests.items()}


def _question(value: Any) -> tuple[str, JsonObject]:
    if not isinstance(value, Mapping) or value.get("method") not in KINDS:
        raise BadResponse("the server asks for input of an unknown kind")
    params = value.get("params")
    return value["method"], params if isinstance(params, Mapping) else {}


def urls(data: Any) -> list[JsonObject]:
    """The elicitations that a URLElicitationRequired error names (2025-11-25)."""
    found = data.get("elicitations") if isinstance(data, Mapping) else None
    if not isinstance(found, list) or not 0 < len(found) <= MOST_AT_ONCE:
        return []
    return [each for each in found if isinstance(each, Mapping) and each.get("mode") == "url"]
