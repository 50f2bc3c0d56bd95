"""`.mcp.json` as clients write it."""

import json
from typing import Any

from gateway.config.mcp_json import Servers, understand
from gateway.config.servers import kind
from gateway.transports import Http, Sse, Stdio, WebSocket


def read(servers: Any, section: str = "mcpServers", **environ: str) -> Servers:
    text = json.dumps({section: servers}, indent="\t")
    return understand(text.encode(), "/home/me/.mcp.json", environ)


def test_every_way_clients_write_a_server_is_understood() -> None:
    found = read(
        {
            "a": {"command": "npx", "args": ["-y", "s"], "env": {"K": "${K:-v}"}, "cwd": "d"},
            "b": {"url": "http://h/sse"},
            "c": {"type": "http", "url": "http://h/sse"},
            "d": {"type": "sse", "url": "http://h/events", "headers": {"A": "b"}},
            "e": {"httpUrl": "http://h/mcp", "trust": True, "alwaysAllow": ["x"]},
            "f": {"type": "ws", "url": "ws://h/"},
            "off": {"command": "x", "disabled": True},
        }
    )
    assert found.issues == ()
    assert {name: kind(one) for name, one in found.backends.items()} == {
        "a": Stdio(("npx", "-y", "s"), (("K", "v"),), "/home/me/d"),
        "b": Sse("http://h/sse"),
        "c": Http("http://h/sse"),
        "d": Sse("http://h/events"),
        "e": Http("http://h/mcp"),
        "f": WebSocket("ws://h/"),
    }


def test_the_section_of_another_editor_is_read_as_well() -> None:
    assert list(read({"a": {"command": "x"}}, "servers").backends) == ["a"]


def test_one_wrong_server_costs_itself_alone_and_says_where() -> None:
    found = read(
        {"good": {"command": "x"}, "bad": {"command": 3}, "none": {}, "my srv": {"url": "u"}}
    )
    assert list(found.backends) == ["good"]
    assert set(found.broken) == {"bad", "none", "my srv"}
    assert found.issues[0].line == 6
    assert found.issues[0].message.startswith("server 'bad': ")


def test_a_missing_variable_is_named_and_its_server_broken() -> None:
    found = read({"a": {"command": "x", "env": {"T": "${NO_SUCH}"}}})
    assert "NO_SUCH" in found.broken["a"][0].message


def test_what_is_no_json_counts_for_nothing() -> None:
    for data in (b"{", b"\xff", b'{"a": 1', b"[" * 100_000):
        found = understand(data, "f", {})
        assert not found.readable, data[:9]
        assert found.issues


def test_a_file_without_servers_says_so() -> None:
    found = understand(b'{"mcpservers": {}}', "f", {})
    assert not found.readable
    assert "mcpServers" in found.issues[0].message


def test_escapes_that_only_json_has_are_read() -> None:
    data = b'{"mcpServers": {"a": {"command": "x", "args": ["\\ud83d\\ude00", "a\\/b"]}}}'
    assert kind(understand(data, "f", {}).backends["a"]) == Stdio(
        ("x", "\U0001f600", "a/b"), (), None
    )
