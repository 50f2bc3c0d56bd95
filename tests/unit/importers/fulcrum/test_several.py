"""Many fulcrum files at once: one file each, or one for each API."""

import pytest

from gateway.capability.file.yaml import parse
from gateway.importers.checking import capability_errors, config_errors
from gateway.importers.fulcrum.several import Several, convert_all


def rest(name: str, base: str = "https://api.shop.example", key: str = "SHOP") -> bytes:
    return (
        f"fulcrum: '1.0'\nname: {name}\ndescription: Finds {name}.\n"
        f"auth: {{required: true, key: 'env:{key}'}}\n"
        f"providers: {{primary: {{config: {{base_url: '{base}', path: /{name}}}}}}}\n"
    ).encode()


def mcp(name: str, command: str = "time-mcp") -> bytes:
    return (
        f"fulcrum: '1.0'\nname: {name}\ndescription: Tells.\n"
        f"providers: {{primary: {{service: mcp, config: {{command: {command}}}}}}}\n"
    ).encode()


def names(several: Several) -> dict[str, tuple[str, ...]]:
    return {draft.file: draft.tools for draft in several.imported.drafts}


def test_each_file_becomes_one_and_all_load():
    several = convert_all({"a.yaml": rest("one"), "b.yaml": rest("two")})
    assert names(several) == {"one.yaml": ("one",), "two.yaml": ("two",)}
    for draft in several.imported.drafts:
        assert capability_errors(draft.text, draft.file) == ()
    assert several.imported.skipped == ()


@pytest.mark.parametrize(
    ("tools", "file"),
    [
        (("shop_find", "shop_buy"), "shop.yaml"),
        (("shop_item_find", "shop_item_buy"), "shop_item.yaml"),
        (("find", "buy"), "shop.yaml"),
        (("shop", "shop_buy"), "shop.yaml"),
    ],
)
def test_tools_of_one_api_go_together(tools: tuple[str, ...], file: str):
    files = {f"{name}.yaml": rest(name) for name in tools}
    several = convert_all(files, merge=True)
    assert names(several) == {file: tools}
    (draft,) = several.imported.drafts
    assert capability_errors(draft.text, draft.file) == ()
    tree = parse(draft.text.encode(), file).tree
    assert tree["description"] == "2 tools of api.shop.example"
    assert tree["secrets"] == {"shop": "env:SHOP"}


def test_other_credentials_or_another_url_keep_files_apart():
    files = {
        "a.yaml": rest("x_a"),
        "b.yaml": rest("x_b", key="OTHER"),
        "c.yaml": rest("x_c", base="https://api.shop.example/v2"),
    }
    assert len(convert_all(files, merge=True).imported.drafts) == 3


def test_a_file_that_cannot_be_costs_itself_alone():
    bad = rest("bad").replace(b"path: /bad", b"path: '/{x}'")
    several = convert_all({"a.yaml": rest("one"), "bad.yaml": bad, "c.yaml": b"capability: 1\n"})
    assert names(several) == {"one.yaml": ("one",)}
    assert [note.where for note in several.imported.skipped] == ["bad.yaml:5:76", "c.yaml"]


def test_what_our_loader_refuses_is_refused_at_the_line_of_the_original():
    bad = rest("bad").replace(b"path: /bad", b"path: /bad, headers: {Host: x}")
    (note,) = convert_all({"bad.yaml": bad}).imported.skipped
    assert note.where.startswith("bad.yaml:5:")
    assert "Host" in note.text


def test_names_that_are_taken_get_a_number():
    several = convert_all({"a.yaml": rest("one"), "b/a.yaml": rest("one")})
    assert names(several) == {"one.yaml": ("one",), "one_2.yaml": ("one",)}
    assert len(several.imported.notes) == 1


def test_mcp_servers_become_backends_and_one_program_is_one():
    several = convert_all(
        {"a.yaml": mcp("now"), "b.yaml": mcp("later"), "c.yaml": mcp("x", "x-mcp")}
    )
    assert several.servers == ("now", "x")
    assert config_errors(several.backends) == ()
    assert "command: time-mcp" in several.backends
    assert [note.text for note in several.imported.notes] == [
        "is an MCP server: now below backends:",
        "the same MCP server as now",
        "is an MCP server: x below backends:",
    ]


def test_without_mcp_servers_there_is_no_fragment():
    assert convert_all({"a.yaml": rest("one")}).backends == ""


def test_credentials_of_mcp_servers_are_not_copied():
    program = mcp("time").replace(b"command: time-mcp", b"command: npx, args: [x, --token, s3cret]")
    url = mcp("web").replace(b"command: time-mcp", b"url: 'https://h/mcp?api_key=s3cret'")
    found = convert_all({"time.yaml": program, "web.yaml": url})
    assert found.servers == ("time", "web")
    assert "s3cret" not in found.backends
    assert "${TIME_TOKEN}" in found.backends
    assert 'http_url: "https://h/mcp?api_key=${WEB_API_KEY}"' in found.backends
