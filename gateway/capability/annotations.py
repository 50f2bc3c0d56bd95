"""What a tool's method tells about its effects, in MCP's words; the author knows better."""

from collections.abc import Mapping
from typing import Any

READS = frozenset({"get", "head"})
REPEATABLE = frozenset({"get", "head", "put", "delete"})  # RFC 9110 §9.2.2


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
