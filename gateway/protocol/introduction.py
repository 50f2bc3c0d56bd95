"""How a server introduces itself, and which era its answer to a probe stands for.

Pure. Source: 2026-07-28, basic/versioning "Backward compatibility"; 2025-11-25, basic/lifecycle.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from gateway.domain.tool import JsonObject
from gateway.errors import BadResponse
from gateway.protocol import eras, mcp
from gateway.protocol.eras import Revision
from gateway.protocol.wire import SERVER

MODERN_ERRORS = frozenset(
    {mcp.HEADER_MISMATCH, mcp.MISSING_CAPABILITY, mcp.UNSUPPORTED_VERSION}
)  # nobody but a modern server answers so; -32601 a legacy one may, too

OFFERED: JsonObject = {
    "elicitation": {"form": {}, "url": {}},
    "sampling": {"tools": {}},
    "roots": {"listChanged": False},
}  # what a legacy server may ask: all, for which client it concerns shows only then

INITIALIZE_PARAMS: JsonObject = {
    "protocolVersion": eras.LATEST_LEGACY.version,
    "capabilities": OFFERED,
    "clientInfo": SERVER,
}


class Introduction(msgspec.Struct, frozen=True):
    """What a server tells of itself before anything else."""

    revision: Revision
    capabilities: JsonObject
    instructions: str
    server_info: JsonObject

    def has(self, kind: str, feature: str) -> bool:
        """Whether it declares `feature` of `kind`, such as `listChanged` of `tools`."""
        declared = self.capabilities.get(kind)
        return isinstance(declared, Mapping) and declared.get(feature) is True


def discovered(result: bytes) -> Introduction | None:
    """What the result of server/discover says; None when no modern revision of ours is in it."""
    found = _read(result)
    revision = newest_modern(found.get("supportedVersions"))
    if revision is None:
        return None
    meta = found.get("_meta")
    info = meta.get(mcp.SERVER_INFO) if isinstance(meta, Mapping) else None
    return _introduction(found, revision, info)


def initialized(result: bytes) -> Introduction:
    """What the result of initialize says. Raises BadResponse for a revision that is not ours."""
    found = _read(result)
    version = found.get("protocolVersion")
    revision = eras.legacy(version)
    if revision is None:
        raise BadResponse(
            f"the server chose a protocol revision unknown here: {str(version)[:32]!r}"
        )
    return _introduction(found, revision, found.get("serverInfo"))


def newest_modern(versions: Any) -> Revision | None:
    """The newest modern revision of `versions` that we speak."""
    known = [found for each in _listed(versions) if (found := eras.modern(each)) is not None]
    return max(known, key=str, default=None)


def speaks_legacy(versions: Any) -> bool:
    return any(eras.legacy(each) is not None for each in _listed(versions))


def supported(error: JsonObject) -> Any:
    """The versions that an UnsupportedProtocolVersion error names."""
    data = error.get("data")
    return data.get("supported") if isinstance(data, Mapping) else None


def _listed(versions: Any) -> Iterable[Any]:
    return versions if isinstance(versions, list) else ()


def _introduction(found: JsonObject, revision: Revision, info: Any) -> Introduction:
    capabilities, instructions = found.get("capabilities"), found.get("instructions")
    return Introduction(
        revision,
        capabilities if isinstance(capabilities, Mapping) else {},
        instructions if isinstance(instructions, str) else "",
        info if isinstance(info, Mapping) else {},
    )


def _read(result: bytes) -> JsonObject:
    try:
        return msgspec.json.decode(result, type=dict[str, Any])
    except (ValueError, RecursionError):
        raise BadResponse("the server introduced itself with something unreadable") from None
