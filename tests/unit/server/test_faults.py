from typing import Any

import pytest

from gateway.errors import (
    BackendUnavailable,
    CapabilityMissing,
    GatewayError,
    InvalidArguments,
    RemoteError,
    StateRejected,
    Unsupported,
)
from gateway.protocol.eras import LATEST_LEGACY, MODERN, Revision
from gateway.protocol.jsonrpc import Request
from gateway.server.asked import Asked
from gateway.server.faults import rejection
from gateway.server.surface import BackendSurface

URI = {"uri": "file:///a"}
VISIT = {"elicitations": [{"mode": "url", "elicitationId": "e", "url": "https://x.test"}]}


def told(error: GatewayError, revision: Revision, method: str = "tools/call") -> Any:
    return rejection(error, Asked(BackendSurface("a"), Request(1, method, {}), revision))


@pytest.mark.parametrize("revision", [MODERN, LATEST_LEGACY], ids=str)
def test_a_server_s_own_error_keeps_its_number_words_and_data(revision: Revision) -> None:
    found = told(RemoteError(-32099 + 50, "my words", [1]), revision)
    assert (found.code, found.message, found.data) == (-32049, "my words", [1])


@pytest.mark.parametrize(
    ("number", "data", "method", "modern", "legacy"),
    [
        (-32002, URI, "resources/read", -32602, -32002),
        (-32002, None, "tools/call", -32602, -32002),
        (-32602, URI, "resources/read", -32602, -32002),
        (-32602, None, "resources/read", -32602, -32602),
        (-32602, URI, "tools/call", -32602, -32602),
        (-32601, None, "prompts/get", -32601, -32601),
        (-32020, None, "tools/call", -32603, -32603),
        (-32022, None, "tools/call", -32603, -32603),
        (-32021, None, "tools/call", -32021, -32603),
        (-32042, VISIT, "tools/call", -32021, -32042),
    ],
)
def test_numbers_are_those_of_the_client_s_era(
    number: int, data: Any, method: str, modern: int, legacy: int
) -> None:
    error = RemoteError(number, "said", data)
    assert told(error, MODERN, method).code == modern
    assert told(error, LATEST_LEGACY, method).code == legacy


def test_what_a_server_held_against_us_is_told_as_our_fault() -> None:
    found = told(RemoteError(-32020, "header mismatch", {"a": 1}), MODERN)
    assert found.data == {"code": -32020, "message": "header mismatch", "data": {"a": 1}}


@pytest.mark.parametrize(
    ("error", "modern", "legacy"),
    [
        (Unsupported("no prompts"), -32601, -32601),
        (StateRejected("lapsed"), -32602, -32602),
        (InvalidArguments("x"), -32602, -32602),
        (CapabilityMissing("it samples", {"sampling": {}}), -32021, -32603),
        (BackendUnavailable("it is down"), -32603, -32603),
    ],
    ids=lambda value: type(value).__name__,
)
def test_our_own_errors_have_a_number_each(error: GatewayError, modern: int, legacy: int) -> None:
    assert told(error, MODERN).code == modern
    assert told(error, LATEST_LEGACY).code == legacy


def test_an_error_of_ours_says_its_code_and_whether_to_try_again() -> None:
    found = told(BackendUnavailable("it is down"), MODERN)
    assert found.data == {"code": "backend_unavailable", "retryable": True}
    assert "next: try again later" in found.message
    missing = told(CapabilityMissing("it samples", {"sampling": {}}), MODERN)
    assert missing.data == {"requiredCapabilities": {"sampling": {}}}
