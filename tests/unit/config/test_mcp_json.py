"""`.mcp.json` as clients write it."""

import json
from typing import Any

from gateway.config.mcp_json import Servers, understand
from gateway.config.servers import kind
from gateway.credentials.oauth.settings import OAuth
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
        {"good": {"command": "x"}, "bad": {"command": 3}, "my srv": {}, "torn": {"url": "u"}}
    )
    assert list(found.backends) == ["good"]
    assert set(found.broken) == {"bad", "my srv", "torn"}
    places = [(issue.line, issue.path) for issue in found.issues]
    assert places == [
        (7, "mcpServers.bad.command"),
        (9, "mcpServers['my srv']"),
        (11, "mcpServers.torn.url"),
    ]


def test_a_misspelled_key_is_told_by_the_one_that_was_meant() -> None:
    found = read({"a": {"comand": "npx", "args": ["-y", "x"]}, "b": {"args": ["x"]}})
    (meant,), (missing,) = found.broken["a"], found.broken["b"]
    assert meant.message == missing.message == "neither a command nor a URL is given"
    assert meant.hint == "did you mean 'command' by 'comand'?"
    assert missing.hint == "write command or url"


def test_a_server_at_a_url_asks_a_person_as_the_client_would_unless_it_has_headers() -> None:
    found = read(
        {
            "plain": {"url": "https://h.example/mcp"},
            "keyed": {"url": "https://h.example/mcp", "headers": {"X-Api-Key": "k"}},
            "app": {"url": "https://h.example/mcp", "oauth": {"clientId": "me", "callbackPort": 1}},
            "never": {"url": "https://h.example/mcp", "oauth": False},
            "here": {"command": "x"},
        }
    )
    oauth = {name: one.oauth for name, one in found.backends.items()}
    assert oauth == {
        "plain": OAuth(),
        "keyed": None,
        "app": OAuth(client_id="me", callback_port=1),
        "never": OAuth(enabled=False),
        "here": None,
    }


def test_a_missing_variable_is_named_and_its_server_broken() -> None:
    found = read({"a": {"command": "x", "env": {"T": "${NO_SUCH}"}}})
    (issue,) = found.broken["a"]
    assert "NO_SUCH" in issue.message
    assert (issue.line, issue.path) == (6, "mcpServers.a.env.T")


def test_what_is_no_json_counts_for_nothing() -> None:
    for data in (b"{", b"\xff", b'{"a": 1', b"[" * 100_000):
        found = understand(data, "f", {})
        assert not found.readable, data[:9]
        assert found.issues
    torn = understand(b'{"mcpServers": {\n"a": {"command": "x",,}}}', "f", {}).issues[0]
    assert torn.message.startswith("not JSON: expecting property name")
    assert (torn.line, torn.column) == (2, 22)


def test_comments_and_trailing_commas_are_what_editors_allow() -> None:
    data = b"""{
      // ours, not "theirs"
      "mcpServers": { /* one
        server */ "a": {"url": "https://h/mcp//x", "headers": {"X": "/* kept */"},},
      },
    }"""
    found = understand(data, "f", {})
    assert found.issues == ()
    assert found.backends["a"].http_url == "https://h/mcp//x"
    assert found.backends["a"].headers == {"X": "/* kept */"}
    broken = understand(data.replace(b'"url"', b'"urll"'), "f", {})
    assert broken.issues[0].line == 4


def test_a_file_without_servers_says_so() -> None:
    found = understand(b'{"mcpservers": {}}', "f", {})
    assert not found.readable
    assert "mcpServers" in found.issues[0].message


def test_escapes_that_only_json_has_are_read() -> None:
    data = b'{"mcpServers": {"a": {"command": "x", "args": ["\\ud83d\\ude00", "a\\/b"]}}}'
    assert kind(understand(data, "f", {}).backends["a"]) == Stdio(
        ("x", "\U0001f600", "a/b"), (), None
    )
