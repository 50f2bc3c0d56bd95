"""Clients' lists of MCP servers become `backends:` that gateway.yaml takes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.backends import Backend
from gateway.config.load import understand
from gateway.importers.base import ImportFailed
from gateway.importers.mcp_json import Servers, read

ENV_FILE = "write its variables below env:, or set them where the gateway is started"


def servers(**entries: Any) -> Servers:
    return read(json.dumps({"mcpServers": entries}).encode(), ".mcp.json")


def loaded(found: Servers) -> dict[str, Backend]:
    """Through the real loader, with the variables that were asked for."""
    environ = dict.fromkeys(found.variables, "value")
    config = understand(found.text.encode(), "gateway.yaml", environ, {})
    assert config.issues == ()
    assert config.config is not None
    return config.config.backends


def texts(found: Servers) -> list[str]:
    return [note.text for note in found.notes]


def test_programs_and_urls_come_over():
    found = servers(
        time={"command": "uvx", "args": ["mcp-server-time"], "env": {"TZ": "UTC"}},
        shop={"type": "http", "url": "https://shop.example/mcp", "headers": {"X-Org": "acme"}},
        old={"url": "https://old.example/sse", "type": "sse"},
        wire={"url": "wss://wire.example/ws"},
    )
    backends = loaded(found)
    assert found.names == ("time", "shop", "old", "wire")
    assert backends["time"].command == "uvx"
    assert backends["time"].args == ("mcp-server-time",)
    assert backends["time"].env == {"TZ": "UTC"}
    assert backends["shop"].http_url == "https://shop.example/mcp"
    assert backends["shop"].headers == {"X-Org": "acme"}
    assert backends["old"].sse_url == "https://old.example/sse"
    assert backends["wire"].ws_url == "wss://wire.example/ws"
    assert found.notes == ()
    assert found.skipped == ()


@pytest.mark.parametrize(
    "path",
    [["mcpServers"], ["servers"], ["mcp", "servers"], ["mcp", "mcpServers"], ["context_servers"]],
)
def test_every_client_has_its_own_place_for_them(path: list[str]):
    tree: dict[str, Any] = {"time": {"command": "t"}}
    for step in reversed(path):
        tree = {step: tree}
    assert read(json.dumps(tree).encode(), "x.json").names == ("time",)


def test_comments_of_editors_are_passed_over():
    text = b"""{
      // mine
      "servers": { /* all */ "a": {"url": "https://h//x", "headers": {"A": "// no"}}, },
    }"""
    backends = loaded(read(text, "mcp.json"))
    assert backends["a"].http_url == "https://h//x"
    assert backends["a"].headers == {"A": "// no"}


def test_no_credential_is_copied_and_each_variable_is_named():
    found = servers(
        shop={
            "command": "shop-mcp",
            "args": ["--token", "tok-12345"],
            "env": {"API_KEY": "key-12345", "LEVEL": "debug"},
        },
        bank={
            "url": "https://h/mcp?api_key=q-12345",
            "headers": {"Authorization": "Bearer b-12345"},
        },
    )
    assert "12345" not in found.text
    assert "12345" not in str(found.notes)
    assert found.variables == ("API_KEY", "SHOP_TOKEN", "BANK_TOKEN", "BANK_API_KEY")
    backends = loaded(found)
    assert backends["shop"].env == {"API_KEY": "value", "LEVEL": "debug"}
    assert backends["shop"].args == ("--token", "value")
    assert backends["bank"].headers == {"Authorization": "Bearer value"}
    assert backends["bank"].http_url == "https://h/mcp?api_key=value"


def test_references_of_clients_become_ours():
    found = servers(
        a={
            "command": "a",
            "args": ["${workspaceFolder}/x", "${userHome}", "${DIR:-/tmp}"],
            "env": {"A": "${env:OWN}", "B": "${input:shop-key}", "C": "${PLAIN}"},
        }
    )
    assert '"${WORKSPACE_FOLDER}/x"' in found.text
    assert '"${HOME}"' in found.text
    assert '"${DIR:-/tmp}"' in found.text
    assert 'A: "${OWN}", B: "${SHOP_KEY}", C: "${PLAIN}"' in found.text
    assert found.variables == ("WORKSPACE_FOLDER", "SHOP_KEY")


def test_one_that_is_switched_off_stays_off():
    assert not loaded(servers(a={"command": "a", "disabled": True}))["a"].enabled


def test_names_become_valid_and_stay_apart():
    found = read(
        b'{"mcpServers": {"my files!": {"command": "a"}, "my files": {"command": "b"}}}', "x"
    )
    assert found.names == ("my_files", "my_files_2")
    assert [note.where for note in found.notes] == ["my files!", "my files"]


def test_what_has_no_place_is_told_of():
    found = servers(a={"command": "a", "autoApprove": ["x"], "envFile": ".env", "gallery": True})
    assert sorted(texts(found)) == [
        "autoApprove is left out: the gateway asks nobody before a call",
        f"envFile is left out: {ENV_FILE}",
        "gallery is left out",
    ]


def test_one_that_is_wrong_costs_itself_alone():
    found = servers(good={"command": "a"}, empty={}, text="x", both={"url": "ftp://h"})
    assert found.names == ("good",)
    assert {note.where for note in found.skipped} == {"empty", "text", "both"}


def test_what_asks_a_person_still_does():
    assert loaded(servers(a={"url": "https://h/mcp"}))["a"].oauth is not None


@pytest.mark.parametrize(
    "text", [b"", b"[]", b'{"x": 1}', b"{", b"\xff\xfe{", b'{"mcpServers": 5}']
)
def test_what_is_no_such_list_is_refused_as_a_whole(text: bytes):
    with pytest.raises(ImportFailed):
        read(text, "x.json")


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.dictionaries(
            st.sampled_from(["command", "url", "args", "env", "headers", "disabled", "type"]),
            st.text(max_size=12)
            | st.lists(st.text(max_size=8), max_size=3)
            | st.dictionaries(st.text(max_size=5), st.text(max_size=12), max_size=2),
        ),
        max_size=3,
    )
)
def test_whatever_is_listed_what_comes_out_loads(entries: dict[str, Any]):
    found = read(json.dumps({"mcpServers": entries}).encode(), "x.json")
    assert len(found.names) == len(loaded(found))


def test_a_credential_in_a_command_that_is_one_text_is_not_copied():
    found = servers(
        shop={"command": "npx -y shop --api-key 'abc def'"}, plain={"command": "npx 'a b'"}
    )
    assert "abc def" not in found.text
    assert loaded(found)["shop"].command == ("npx", "-y", "shop", "--api-key", "value")
    assert loaded(found)["plain"].command == "npx 'a b'"
