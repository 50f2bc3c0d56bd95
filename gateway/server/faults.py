"""Errors of the gateway as JSON-RPC errors, by one table: whose fault, and what the client's era
calls it.

What says nothing about itself becomes an internal error that tells nothing.
"""

from collections.abc import Mapping
from typing import Any

from gateway.domain.tool import JsonObject
from gateway.errors import (
    AuditUnavailable,
    BackendNotFound,
    CapabilityMissing,
    GatewayError,
    InvalidArguments,
    RemoteError,
    StateRejected,
    ToolNotFound,
    Unsupported,
)
from gateway.protocol import jsonrpc, mcp
from gateway.protocol.inbound import Rejection
from gateway.protocol.questions import urls
from gateway.server.asked import Asked

OURS = frozenset({mcp.HEADER_MISMATCH, mcp.UNSUPPORTED_VERSION})  # we wrote what it complains of
UNAVAILABLE = 503  # HTTP status
INVALID = (StateRejected, BackendNotFound, ToolNotFound, InvalidArguments)


def rejection(error: GatewayError, asked: Asked) -> Rejection:
    """The JSON-RPC error for a request that failed with `error`."""
    if isinstance(error, RemoteError):
        return _remote(error, asked)
    if isinstance(error, CapabilityMissing) and asked.revision.modern:
        required = {"requiredCapabilities": error.required}
        return Rejection(mcp.MISSING_CAPABILITY, str(error), required)
    if isinstance(error, Unsupported):
        return Rejection(jsonrpc.METHOD_NOT_FOUND, str(error))
    if isinstance(error, INVALID):
        return Rejection(jsonrpc.INVALID_PARAMS, error.explain())
    data = {"code": error.code, "retryable": error.retryable}
    http = UNAVAILABLE if isinstance(error, AuditUnavailable) else None
    return Rejection(jsonrpc.INTERNAL_ERROR, error.explain(), data, http)


def _remote(error: RemoteError, asked: Asked) -> Rejection:
    """The server's own words; its number in those of the client's revision.

    Of elicitations in it a legacy client hears when they are complete.
    """
    number, revision = error.number, asked.revision
    if number in OURS or (number == mcp.MISSING_CAPABILITY and not revision.modern):
        data = {"code": number, "message": error.said, "data": error.data}
        return Rejection(jsonrpc.INTERNAL_ERROR, error.explain(), data)
    if number == mcp.URL_ELICITATION and revision.modern:
        visit: JsonObject = {"requiredCapabilities": {"elicitation": {"url": {}}}}
        return Rejection(mcp.MISSING_CAPABILITY, error.said, visit)
    if number == mcp.URL_ELICITATION and asked.hearing is not None:
        for elicitation in urls(error.data):
            asked.hearing.expect(str(elicitation.get("elicitationId")))
    if number in mcp.RESOURCE_MISSING and _names_a_resource(asked, error.data, number):
        number = revision.resource_missing
    return Rejection(number, error.said, error.data)


def _names_a_resource(asked: Asked, data: Any, number: int) -> bool:
    """Whether it says that a resource does not exist: -32602 alone says many things."""
    if number != jsonrpc.INVALID_PARAMS:
        return True
    read = asked.request.method == mcp.RESOURCES_READ
    return read and isinstance(data, Mapping) and "uri" in data
