"""`schemas/*.json`: current, and of one mind with the loader."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from gateway.capability.file.conform import conform
from gateway.capability.file.model import METHODS
from gateway.capability.file.yaml import parse
from gateway.config import schema
from gateway.config.field_docs import field_docs, structs

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "tests/unit/capability/files").glob("*.yaml"))
FILES += sorted((ROOT / "capabilities").rglob("*.yaml"))
FILES += sorted(ROOT.glob("examples/*/capabilities/*.yaml"))

HEAD = "capability: 1\ndescription: d\nbase_url: https://h\n"
TOOL = "tools: {t: {description: Reads., get: /x}}\n"


def told(kind: str, text: str) -> list[str]:
    """What an editor would mark: the paths of the findings."""
    tree = parse(text.encode(), "f.yaml").tree
    validator = jsonschema_rs.Draft7Validator(schema.schema(kind))
    return [".".join(map(str, error.instance_path)) for error in validator.iter_errors(tree)]


def every(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
    for inner in (
        part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    ):
        yield from every(inner)


@pytest.mark.parametrize("kind", sorted(schema.SCHEMAS))
def test_the_file_on_disk_is_what_the_models_say(kind: str) -> None:
    """When this fails: python -m gateway.config.schema."""
    assert (ROOT / f"schemas/{kind}.schema.json").read_text("utf-8") == schema.render(kind)


@pytest.mark.parametrize("kind", sorted(schema.SCHEMAS))
def test_the_schema_is_valid_and_whole(kind: str) -> None:
    found = schema.schema(kind)
    jsonschema_rs.Draft7Validator(found)
    for part in every(found):
        if isinstance(part.get("$ref"), str):
            assert len(part) == 1, "draft-07 sees nothing beside a reference"
            assert part["$ref"].removeprefix("#/$defs/") in found["$defs"]


@pytest.mark.parametrize("kind", sorted(schema.SCHEMAS))
def test_every_key_is_explained(kind: str) -> None:
    for struct in structs(schema.SCHEMAS[kind]):
        if struct.__module__ == schema.SCHEMAS[kind].__module__ and field_docs(struct):
            names = {field.encode_name for field in msgspec.structs.fields(struct)}
            assert field_docs(struct).keys() == names


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_good_file_has_no_marks(file: Path) -> None:
    assert told("capability", file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (HEAD + TOOL + "dscription: x\n", ""),
        (HEAD.replace("1", "2") + TOOL, "capability"),
        (HEAD.replace("https://h", "ftp://h") + TOOL, "base_url"),
        (HEAD.replace("https://h", '"https://{{ x }}"') + TOOL, "base_url"),
        (HEAD.replace("https://h", "https://h?x") + TOOL, "base_url"),
        (HEAD + "enabled: yes\n" + TOOL, "enabled"),
        (HEAD + "name: My-Api\n" + TOOL, "name"),
        (HEAD + "timeout: soon\n" + TOOL, "timeout"),
        (HEAD + "limits: {max_bytes: lots}\n" + TOOL, "limits.max_bytes"),
        (HEAD + "auth: {}\n" + TOOL, "auth"),
        (HEAD + "auth: {bearer: a, query: {b: c}}\n" + TOOL, "auth"),
        (HEAD + "errors: [{then: ok}]\n" + TOOL, "errors.0"),
        (HEAD + "headers: {a b: 1}\n" + TOOL, "headers"),
        (HEAD + "tools: {}\n", "tools"),
        (HEAD + "tools: {T: {description: d, get: /x}}\n", "tools"),
        (HEAD + "tools: {t: {description: d}}\n", "tools.t"),
        (HEAD + "tools: {t: {description: d, get: /x, put: /x}}\n", "tools.t"),
        (HEAD + "tools: {t: {description: d, post: /x, json: {}, text: a}}\n", "tools.t"),
        (HEAD + "tools: {t: {description: '', get: /x}}\n", "tools.t.description"),
        (HEAD + "tools: {t: {description: d, get: x}}\n", "tools.t.get"),
        (HEAD + "tools: {t: {description: d, get: /x, args: {a: {typ: x}}}}\n", "tools.t.args.a"),
        (HEAD + "tools: {t: {description: d, get: /, output: {type: x}}}\n", "tools.t.output.type"),
        (
            HEAD + "tools: {t: {description: d, get: /, annotations: {readOnly: true}}}\n",
            "tools.t.annotations",
        ),
        (
            HEAD + "tools: {t: {description: d, get: /, annotations: {title: true}}}\n",
            "tools.t.annotations.title",
        ),
    ],
)
def test_a_bad_file_is_marked_by_the_editor_and_refused_by_the_loader(text: str, path: str) -> None:
    assert path in told("capability", text)
    assert conform(parse(text.encode(), "f.yaml"), "f.yaml", {})[0] is None


@pytest.mark.parametrize(
    "text",
    [
        HEAD + TOOL + "x-team: me\n",
        HEAD.replace("https://h", "${API:-https://h}/v1") + TOOL,
        HEAD + "timeout: 1.5\nlimits: {transfer: 10 MB}\ncache: {ttl: 1h30m, x-why: slow}\n" + TOOL,
        HEAD + "auth: none\n" + TOOL,
        HEAD + "tools: {t: {description: d, post: /x, json: null}}\n",
        HEAD + "x-a: &a {b: {required: true}}\n"
        "tools: {t: {description: d, get: /x, args: {<<: *a, c: {type: [string, 'null']}}}}\n",
    ],
)
def test_what_the_loader_takes_the_editor_takes(text: str) -> None:
    assert told("capability", text) == []
    found = conform(parse(text.encode(), "f.yaml"), "f.yaml", {})
    assert not [issue for issue in found[1] if issue.severity == "error"]


def test_an_editor_that_does_not_merge_accepts_the_merge_key() -> None:
    """yaml-language-server shows `<<` to the rules for a mapping's names."""
    assert told("capability", HEAD + 'tools: {"<<": {description: d, get: /x}}\n') == []


def test_exactly_one_method_is_the_editors_rule_too() -> None:
    tool = schema.schema("capability")["$defs"]["ToolSpec"]
    assert tool["oneOf"] == [{"required": [method]} for method in (*METHODS, "steps")]


def test_an_editor_completes_the_names_of_closed_mappings() -> None:
    hints = schema.schema("capability")["$defs"]["ToolSpec"]["properties"]["annotations"]
    assert hints["properties"]["readOnlyHint"] == {"type": "boolean"}
    assert hints["additionalProperties"] is False


def test_gateway_yaml_takes_variables_where_numbers_and_choices_stand() -> None:
    text = 'server: {port: "${PORT:-80}"}\nlog: {level: env:LEVEL}\nmetrics: {enabled: "${M}"}\n'
    assert told("gateway", text) == []
    assert told("gateway", "server: {port: eighty}\n") == ["server.port"]
    assert told("gateway", "log: {level: loud}\n") == ["log.level"]
    assert told("gateway", "srever: {}\n") == [""]


def test_the_command_writes_and_checks(tmp_path: Path) -> None:
    folder = tmp_path / "schemas"
    assert schema.main(["--check"], folder) == 1
    assert schema.main([], folder) == 0
    assert schema.main(["--check"], folder) == 0
    (folder / "gateway.schema.json").write_text("{}")
    assert schema.stale(folder) == ["gateway"]
    assert schema.main(["--check"], folder) == 1
    assert schema.main(["--chekc"], folder) == 2
