"""What a tool's method tells about its effects, in MCP's words; the author knows better."""

from collections.abc import Iterable, Mapping
from typing import Any

READS = frozenset({"get", "head"})
REPEATABLE = frozenset({"get", "head", "put", "delete"})  # RFC 9110 §9.2.2


def effect(methods: Iterable[str | None]) -> str:
    """Of several requests the method that tells what all of them do together."""
    given = set(methods)
    if given <= READS:
        return "get"
    return "put" if given <= REPEATABLE else "post"


def annotations(method: str, explicit: Mapping[str, Any]) -> dict[str, Any]:
    """MCP `ToolAnnotations` of a tool; `method` is lower case. What is `explicit` wins.

    A tool that only reads can be repeated and destroys nothing, however it is asked.
    """
    reads = bool(explicit.get("readOnlyHint", method in READS))
    derived: dict[str, Any] = {"readOnlyHint": reads}
    if not reads:
        derived["destructiveHint"] = True
    derived["idempotentHint"] = reads or method in REPEATABLE
    derived["openWorldHint"] = True
    return derived | dict(explicit)
