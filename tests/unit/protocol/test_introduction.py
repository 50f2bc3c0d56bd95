"""What servers tell of themselves, well and badly."""

import json

import pytest

from gateway.errors import BadResponse
from gateway.protocol.eras import MODERN
from gateway.protocol.introduction import (
    Introduction,
    discovered,
    initialized,
    newest_modern,
    speaks_legacy,
    supported,
)


@pytest.mark.parametrize("garbage", [b"[]", b'{"a":' * 5000, b"7", b'{"protocolVersion":[]}'])
def test_an_unreadable_introduction_is_refused(garbage) -> None:
    with pytest.raises(BadResponse):
        initialized(garbage)


@pytest.mark.parametrize("versions", [None, 7, {}, [], ["2025-11-25"], [None, [], {}]])
def test_what_lists_no_modern_revision_is_no_modern_server(versions) -> None:
    assert discovered(json.dumps({"supportedVersions": versions}).encode()) is None
    assert newest_modern(versions) is None


def test_revisions_are_found_among_unknown_ones() -> None:
    assert newest_modern(["2031-01-01", 7, MODERN.version]) is MODERN
    assert speaks_legacy(["2031-01-01", "2024-11-05"])
    assert not speaks_legacy([MODERN.version])
    assert supported({"data": {"supported": [1]}}) == [1]
    assert supported({"data": "x"}) is None
    assert supported({}) is None


def test_a_feature_counts_when_it_is_declared_true() -> None:
    can = {"tools": {"listChanged": True}, "prompts": {"listChanged": "yes"}, "resources": True}
    told = Introduction(MODERN, can, "", {})
    assert told.has("tools", "listChanged")
    assert not any(told.has(kind, "listChanged") for kind in ("prompts", "resources", "logging"))
