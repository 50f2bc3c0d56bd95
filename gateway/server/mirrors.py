"""Tool arguments that a modern client repeats in `Mcp-Param-*` headers must say the same in
both.
"""

from typing import Any

from gateway.domain.tool import JsonObject
from gateway.protocol.header_values import Headers, Mirror, mirror_mismatch, valid_mirrors

MOST_KEPT = 20_000  # tools


class Mirrors:
    """Works out once per tool which of its arguments are mirrored."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[Any, tuple[Mirror, ...]]] = {}

    def mismatch(
        self, tool: tuple[str, str], schema: Any, arguments: JsonObject, headers: Headers
    ) -> str | None:
        """Which header disagrees, if any. `tool` names surface and tool, `schema` is its
        input's.
        """
        kept = self._kept.get(tool)
        if kept is None or kept[0] is not schema:
            kept = self._kept[tool] = (schema, valid_mirrors(schema))
            if len(self._kept) > MOST_KEPT:
                self._kept.clear()
        return mirror_mismatch(kept[1], arguments, headers) if kept[1] else None
