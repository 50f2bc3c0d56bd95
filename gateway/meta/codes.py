"""Errors of the meta-tools for a program to read: the codes of agent-mcp-gateway, by one table."""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.errors import (
    BackendNotFound,
    BackendUnavailable,
    CircuitOpen,
    DeadlineExceeded,
    Denied,
    FallbackAgentUnknown,
    GatewayError,
    InvalidAgent,
    NoFallbackAgent,
    ToolNotFound,
)

CODES: Mapping[type[GatewayError], str] = {
    Denied: "DENIED_BY_POLICY",
    BackendUnavailable: "SERVER_UNAVAILABLE",
    BackendNotFound: "SERVER_UNAVAILABLE",  # they have no other word for it
    CircuitOpen: "SERVER_UNAVAILABLE",
    ToolNotFound: "TOOL_NOT_FOUND",
    DeadlineExceeded: "TIMEOUT",
    InvalidAgent: "INVALID_AGENT_ID",
    FallbackAgentUnknown: "FALLBACK_AGENT_NOT_IN_RULES",
    NoFallbackAgent: "NO_FALLBACK_CONFIGURED",
}  # of its own class, else of the nearest one above it; all others keep our code, in capitals


def code(error: GatewayError) -> str:
    known = (CODES[kind] for kind in type(error).__mro__ if kind in CODES)
    return next(known, error.code.upper())


def structured(error: GatewayError) -> bytes:
    """The `structuredContent` of a result that says what went wrong."""
    said: dict[str, Any] = {"code": code(error), "message": str(error)}
    if error.rule:
        said["rule"] = error.rule
    return msgspec.json.encode({"error": said})
