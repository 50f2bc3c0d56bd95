"""MCP servers out of two files, as the reconciler is to run them."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.config.load import Source, load, understand
from gateway.domain.listing import Status
from gateway.runtime.configured import Configured
from gateway.runtime.mcp_servers import McpServers
from gateway.runtime.settling import Settling
from tests.peers.backends import MemoryBackend


class Files:
    """The two files in a folder, and what is read out of them."""

    def __init__(self, folder: Path) -> None:
        self.yaml, self.json = folder / "gateway.yaml", folder / ".mcp.json"
        self.yaml.write_text("")
        source = Source(str(self.yaml))
        config = load(source, {}).config
        assert config is not None
        self.configured = Configured(
            source,
            config,
            lambda data: understand(data, source.file, {}, {}),
            Settling(quiet=0),
        )
        self.servers = McpServers(self.configured, lambda name, _: MemoryBackend(name), {})

    def write(self, text: str, **servers: Any) -> None:
        self.yaml.write_text(text)
        self.json.write_text(json.dumps({"mcpServers": servers}))

    def look(self) -> None:
        """Cold, so that what was just written counts without waiting."""
        self.configured.refresh(cold=True)
        self.servers.refresh(cold=True)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_both_files_bring_servers_and_gateway_yaml_wins_a_name(files: Files) -> None:
    files.write(
        "mcp_servers: .mcp.json\nbackends: {a: {command: x}}",
        a={"command": "other"},
        b={"command": "y"},
    )
    files.look()
    wanted = files.servers.wanted()
    assert sorted(wanted) == ["a", "b"]
    assert wanted["a"].build().listing.name == "a"
    (issue,) = files.servers.issues
    assert "'a' stands in" in issue.message


def test_one_that_did_not_change_keeps_its_key(files: Files) -> None:
    files.write("backends: {a: {command: x}, b: {command: y}}")
    files.look()
    before = files.servers.wanted()
    files.write("backends: {b: {command: y}, a: {command: x, timeout: 3s}}")
    files.look()
    after = files.servers.wanted()
    assert before["b"].key == after["b"].key
    assert before["a"].key != after["a"].key


def test_no_secret_can_be_read_out_of_a_key(files: Files) -> None:
    files.write("backends: {a: {command: x, env: {T: sk-canary}}}")
    files.look()
    assert "canary" not in files.servers.wanted()["a"].key


def test_one_switched_off_is_not_wanted(files: Files) -> None:
    files.write("backends: {a: {command: x, enabled: false}}")
    files.look()
    assert files.servers.wanted() == {}


def test_a_broken_edit_leaves_the_last_good_version_stale(files: Files) -> None:
    files.write("mcp_servers: .mcp.json\nbackends: {a: {command: x}}", b={"command": "y"})
    files.look()
    before = files.servers.wanted()
    files.write("mcp_servers: .mcp.json\nbackends: {a: {comand: x}}", b={"command": 7})
    files.look()
    after = files.servers.wanted()
    assert {name: one.key for name, one in after.items()} == {
        name: one.key for name, one in before.items()
    }
    assert all(one.stale for one in after.values())


def test_one_that_never_was_good_is_listed_with_the_reason(files: Files) -> None:
    files.write("backends: {a: {comand: x}}")
    files.look()
    listing = files.servers.wanted()["a"].build().listing
    assert listing.health.status is Status.DOWN
    assert "unknown key 'comand'" in str(listing.health.reason)


def test_a_json_file_that_does_not_parse_changes_nothing(files: Files) -> None:
    files.write("mcp_servers: .mcp.json", b={"command": "y"})
    files.look()
    files.json.write_text("{")
    files.look()
    assert sorted(files.servers.wanted()) == ["b"]
    assert files.servers.issues


def test_a_json_file_that_is_not_there_is_told(files: Files) -> None:
    files.yaml.write_text("mcp_servers: nowhere.json")
    files.look()
    (issue,) = files.servers.issues
    assert issue.message == "no such file"


def test_no_json_file_is_read_that_nobody_named(files: Files) -> None:
    files.write("", b={"command": "y"})
    files.look()
    assert files.servers.wanted() == {}


def test_this_gateway_is_none_of_its_own_servers(files: Files) -> None:
    """`.mcp.json` is also where a client is told of it: it would offer all it offers, and again."""
    files.write(
        "mcp_servers: .mcp.json\nserver: {port: 4000}\nbackends: {mine: {http_url: 'http://[::1]:4000/mcp/time'}}",
        capgate={"url": "http://localhost:4000/mcp"},
        started={"command": "capgate", "args": ["serve", "--stdio", "-c", str(files.yaml)]},
        next={"url": "http://localhost:4001/mcp"},
        web={"url": "https://gateway.example:4000/mcp"},
        other={"command": "capgate", "args": ["serve", "--stdio", "-c", "other.yaml"]},
    )
    files.look()
    assert set(files.servers.wanted()) == {"next", "web", "other"}
    text = "the server {!r} is this gateway itself, and is left out"
    assert [(one.file, one.message) for one in files.servers.issues] == [
        (str(files.json), text.format("capgate")),
        (str(files.yaml), text.format("mine")),
        (str(files.json), text.format("started")),
    ]


def test_each_reading_of_the_mcp_json_is_told_and_whether_it_counts(files: Files) -> None:
    told: list[Any] = []
    files.configured.observe = told.append
    files.write("mcp_servers: .mcp.json", good={"command": "x"}, bad={"url": 5})
    files.look()
    files.json.write_text("{")
    files.look()
    first, second = (one for one in told if one.file == str(files.json))
    assert first.error is None
    assert any("bad" in one for one in first.warnings)
    assert second.error is not None
