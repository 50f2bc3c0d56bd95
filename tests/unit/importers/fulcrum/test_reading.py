"""Which fulcrum files can be converted at all, and how the others say why not."""

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.importers.fulcrum.converting import convert
from gateway.importers.fulcrum.document import is_fulcrum
from gateway.importers.fulcrum.reading import seal

REST = """\
fulcrum: '1.0'
name: shop
description: Buys things.
providers:
  primary:
    service: rest
    config: {endpoint: 'https://shop.example/x'}
"""


def reason(text: str) -> tuple[int, str]:
    found = convert(text.encode(), "shop.yaml")
    assert found.tree is None
    assert found.server is None
    (issue,) = found.issues
    return issue.line, issue.message


def test_a_plain_file_becomes_a_file_of_one_tool():
    found = convert(REST.encode(), "shop.yaml")
    assert found.issues == ()
    assert found.tree == {
        "capability": 1,
        "name": "shop",
        "description": "Buys things.",
        "base_url": "https://shop.example",
        "tools": {"shop": {"description": "Buys things.", "get": "/x"}},
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"# x\nfulcrum: '1.0'\n", True),
        (b'"fulcrum": 1\n', True),
        (b"name: x\nproviders: {}\n", True),
        (b"capability: 1\nproviders: {}\n", False),
        (b"a:\n  fulcrum: 1\n", False),
        (b"", False),
    ],
)
def test_it_is_known_by_the_keys_at_its_top(text: bytes, expected: bool):  # noqa: FBT001
    assert is_fulcrum(text) is expected


def test_a_seal_that_holds_is_dropped():
    text = f"sha256: {sha256(REST.encode()).hexdigest().upper()}\n{REST}"
    found = convert(text.encode(), "shop.yaml")
    assert found.tree is not None
    assert "sha256" not in str(found.tree)


def test_a_broken_seal_refuses_the_file():
    text = f"sha256: {'0' * 64}\n{REST}"
    line, message = reason(text)
    assert line == 1
    assert "not the one that was sealed" in message


def test_only_the_line_of_the_seal_itself_is_not_sealed():
    assert seal(b"a: 1\r\nsha256: x\r\nb: 2\r\n") == sha256(b"a: 1\r\nb: 2\r\n").hexdigest()
    assert seal(b"a: 1\nsha256: x") == sha256(b"a: 1\n").hexdigest()
    assert seal(b"a:\n  sha256: x\n") == sha256(b"a:\n  sha256: x\n").hexdigest()


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        (REST.replace("service: rest", "service: cli"), 6, "service: cli starts a program"),
        ("fulcrum: '1.0'\nwebhooks: {a: {path: /x}}\n", 2, "it receives webhooks"),
        ("fulcrum: '1.0'\nproviders: {other: {}}\n", 2, "there is no providers.primary"),
        (f"{REST}metadata: {{exposure: personal}}\n", 8, "lets one person alone call it"),
        (f"{REST}schema: {{input: {{type: array}}}}\n", 8, "the input of a tool is an object"),
        (f"{REST}auth: 5\n", 8, "auth is a mapping there, not a single value"),
        (REST.replace("{endpoint", "{headers: [a], endpoint"), 7, "headers is a mapping there"),
        ("fulcrum: '1.0'\nname: {{x\n", 2, ""),
        ("- fulcrum\n", 1, "the file is no mapping"),
    ],
)
def test_a_file_that_cannot_be_is_refused_at_its_line(text: str, line: int, expected: str):
    found, message = reason(text)
    assert found == line
    assert expected in message


def test_an_unknown_service_is_called_as_rest():
    found = convert(REST.replace("service: rest", "service: open_meteo").encode(), "shop.yaml")
    assert found.tree is not None
    assert [(issue.line, issue.message) for issue in found.issues] == [
        (6, "the service 'open_meteo' is unknown: called as REST")
    ]


def test_other_providers_are_told_of():
    text = REST + "  fallback: [{service: rest}]\n"
    found = convert(text.encode(), "shop.yaml")
    assert [issue.message for issue in found.issues] == [
        "providers.fallback is left out: there is one API"
    ]


def test_a_name_is_made_valid_and_told_of():
    found = convert(REST.replace("name: shop", "name: Über.Shop").encode(), "x.yaml")
    assert found.tree is not None
    assert found.tree["name"] == "ber_shop"
    assert len(found.issues) == 1
    found = convert(REST.replace("name: shop\n", "").encode(), "dir/my_shop.yaml")
    assert found.tree is not None
    assert found.tree["name"] == "my_shop"


def test_an_mcp_server_becomes_a_backend():
    text = REST.replace("service: rest", "service: mcp").replace(
        "{endpoint: 'https://shop.example/x'}",
        "{command: npx, args: [shop-mcp], env: {KEY: '{env.KEY}', TOKEN: ghp_0123456789abcdef}}",
    )
    found = convert(text.encode(), "shop.yaml")
    assert found.server == (
        "shop",
        {
            "description": "Buys things.",
            "command": "npx",
            "args": ["shop-mcp"],
            "env": {"KEY": "${KEY}", "TOKEN": "${TOKEN}"},
        },
    )
    assert "ghp_" not in str(found.issues)
    assert "TOKEN" in found.issues[0].message


def test_an_mcp_server_at_a_url_becomes_a_backend():
    text = REST.replace("service: rest", "service: mcp").replace(
        "endpoint: 'https://shop.example/x'", "base_url: 'http://h:1', path: /mcp"
    )
    found = convert(text.encode(), "shop.yaml")
    assert found.server is not None
    assert found.server[1]["http_url"] == "http://h:1/mcp"


_LEAVES = st.none() | st.booleans() | st.integers() | st.text("a{}|. $env_\n", max_size=12)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["config", "primary", "body", "params", "a", "type"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["providers", "schema", "auth", "metadata", "cache",
                                        "transform", "name", "description"]), _TREES))  # fmt: skip
def test_whatever_a_file_holds_it_is_converted_or_refused(tree: dict[str, object]):
    convert(json.dumps({"fulcrum": "1.0", **tree}).encode(), "x.yaml")
