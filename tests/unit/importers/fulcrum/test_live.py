"""A folder of mcp-gateway's files, served as it is: every finding stands at the original's line."""

from gateway.config.model import Capabilities, Directory
from gateway.credentials.redact import Redactor
from gateway.domain.issue import Severity
from gateway.importers.compat import load

SETTINGS = Capabilities(directories=("new", Directory("old", "fulcrum")), vars={})
NATIVE = b"""\
capability: 1
description: Items
base_url: https://shop.example
tools: {get: {description: One item., get: /x}}
"""
FULCRUM = b"""\
fulcrum: '1.0'
name: shop
description: Finds things.
schema:
  input:
    properties:
      q:
        type: strnig
      unused: {type: string}
providers:
  primary:
    config:
      base_url: https://shop.example
      path: /x
      headers:
        Host: evil.example
      params:
        q: '{q}'
"""


def read(data: bytes, file: str):
    return load(data, file, SETTINGS, environ={}, redactor=Redactor())


def errors(data: bytes) -> set[tuple[str, int, str]]:
    loaded = read(data, "old/shop.yaml")
    assert loaded.capability is None
    found = [issue for issue in loaded.issues if issue.severity is Severity.ERROR]
    return {(issue.file, issue.line, issue.path) for issue in found}


def test_files_of_both_kinds_load_in_such_a_folder():
    good = FULCRUM.replace(b"strnig", b"string").replace(b"Host", b"X-Host")
    loaded = read(good, "old/shop.yaml")
    assert loaded.capability is not None
    assert loaded.capability.name == "shop"
    assert loaded.capability.file == "old/shop.yaml"
    assert loaded.parsed.where(("name",)) == (2, 7)
    native = read(NATIVE, "old/items.yaml").capability
    assert native is not None
    assert native.name == "items"


def test_elsewhere_they_are_refused_with_both_ways_out():
    loaded = read(FULCRUM, "new/shop.yaml")
    assert loaded.capability is None
    (issue,) = loaded.issues
    assert issue.hint is not None
    assert "compat: fulcrum" in issue.hint


def test_what_the_loader_finds_is_told_at_the_line_of_the_original():
    assert errors(FULCRUM) == {("old/shop.yaml", 8, "schema.input.properties.q")}
    assert errors(FULCRUM.replace(b"strnig", b"string")) == {
        ("old/shop.yaml", 16, "providers.primary.config.headers.Host")
    }


def test_what_came_over_otherwise_is_a_warning_at_its_line():
    good = FULCRUM.replace(b"strnig", b"string").replace(b"Host", b"X-Host")
    (issue,) = read(good, "old/shop.yaml").issues
    assert (issue.line, issue.severity) == (9, Severity.WARNING)
    assert issue.message == "sent nowhere, and so no arguments: unused"


def test_an_mcp_server_is_sent_to_where_it_belongs():
    text = b"fulcrum: '1.0'\nname: time\nproviders:\n  primary:\n    service: mcp\n"
    text += b"    config: {command: t}\n"
    (issue,) = read(text, "old/time.yaml").issues
    assert issue.line == 5
    assert "'time' is an MCP server" in issue.message
    assert issue.hint is not None
    assert "backends:" in issue.hint
