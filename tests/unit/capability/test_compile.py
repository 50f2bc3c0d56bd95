"""A checked capability -> definitions, plans, and the faults that only compiling shows (§7)."""

import pytest

from gateway.capability.load import load
from gateway.credentials.redact import Redactor
from gateway.domain.issue import Severity
from gateway.domain.tool import ToolRef
from gateway.errors import InvalidArguments

HEAD = """\
capability: 1
name: api
description: An API
base_url: https://api.example.com
secrets: {key: env:KEY}
vars: {org: acme}
"""


def compiled(tool, head=""):
    lines = "".join(f"    {line}\n" for line in tool.strip("\n").split("\n"))
    text = f"{HEAD}{head}\ntools:\n  t:\n{lines}"
    return load(text.encode(), "api.yaml", environ={}, redactor=Redactor())


def tool(text, head=""):
    found = compiled(text, head)
    assert found.capability, [str(issue) for issue in found.issues]
    return found.capability.tools["t"]


def faults(text, head=""):
    found = compiled(text, head)
    assert found.capability is None
    wrong = [issue for issue in found.issues if issue.severity is Severity.ERROR]
    assert len({issue.path for issue in wrong}) == len(wrong), "a fault is told once"
    return {issue.path: issue for issue in wrong}


def test_the_definition_is_what_mcp_lists():
    found = tool(
        """
description: " Read an item. "
title: An item
tags: [b, a]
args:
  id: {type: integer, required: true, description: Its number}
  full: {type: boolean, default: false}
get: /items/{{ args.id }}
query: {full: "{{ args.full }}"}
output: {type: object, properties: {id: {type: integer, required: true}}}
examples:
  - {args: {id: 5, full: true}}
  - {args: {id: x}, rejected: args}
  - {args: {}, rejected: args}
""",
        "tags: [a, c]",
    )
    assert found.tool.ref == ToolRef("api", "t")
    assert found.tool.definition == {
        "name": "t",
        "title": "An item",
        "description": "Read an item.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "id": {"type": "integer", "description": "Its number"},
                "full": {"type": "boolean", "default": False},
            },
            "required": ["id"],
            "additionalProperties": False,
        },
        "outputSchema": {
            "type": "object",
            "properties": {"id": {"type": "integer"}},
            "required": ["id"],
        },
        "annotations": {"readOnlyHint": True, "idempotentHint": True, "openWorldHint": True},
    }
    assert found.tool.tags == ("a", "c", "b")
    assert found.tool.samples == ("5 true",)
    assert len(found.examples) == 3


def test_a_small_tool_has_a_small_definition():
    found = tool("description: Read.\nget: /x")
    assert found.tool.definition == {
        "name": "t",
        "description": "Read.",
        "inputSchema": {"type": "object", "properties": {}, "additionalProperties": False},
        "annotations": {"readOnlyHint": True, "idempotentHint": True, "openWorldHint": True},
    }
    assert (found.tool.tags, found.tool.samples, found.examples) == ((), (), ())


def test_prepare_request_and_read_are_one_road():
    found = tool("""
description: Read.
args: {id: {type: integer, required: true}, n: {type: integer, default: 3}}
get: /items/{{ args.id }}
query: {n: "{{ args.n }}"}
constraints: [{check: "args.id < 100", message: "id {{ args.id }} is too large"}]
""")
    args = found.prepare({"id": "7"})
    assert args == {"id": 7, "n": 3}
    assert found.request(args).url == "https://api.example.com/items/7?n=3"
    with pytest.raises(InvalidArguments, match="id 100 is too large"):
        found.prepare({"id": 100})


# plans


def test_a_plan_has_defaults():
    plan = tool("description: Read.\nget: /x").plan
    assert (plan.timeout, plan.retries, plan.max_wait) == (30.0, 2, 20.0)
    assert plan.retry_on == {429, 502, 503, 504}
    assert (plan.cache_ttl, plan.revalidate, plan.transfer) == (None, False, 10_000_000)


def test_a_tool_overrides_the_plan_of_its_file():
    head = "timeout: 5s\nretry: {max: 1, on: [500], max_wait: 1s}\nlimits: {transfer: 1k}"
    plan = tool("description: Read.\nget: /x", head).plan
    assert (plan.timeout, plan.retries, plan.retry_on) == (5.0, 1, {500})
    assert (plan.max_wait, plan.transfer) == (1.0, 1000)
    own = "description: Read.\nget: /x\ntimeout: 500ms\nretry: {max: 0}\nlimits: {transfer: 2k}"
    plan = tool(own, head).plan
    assert (plan.timeout, plan.retries, plan.transfer) == (0.5, 0, 2000)


@pytest.mark.parametrize(
    ("text", "idempotent"),
    [
        ("get: /x", True),
        ("head: /x", True),
        ("put: /x", True),
        ("delete: /x", True),
        ("post: /x", False),
        ("patch: /x", False),
        ("post: /x\nidempotency_key: Idempotency-Key", True),
        ("post: /x\nannotations: {idempotentHint: true}", True),
        ("post: /x\nannotations: {readOnlyHint: true}", True),
        ("put: /x\nannotations: {idempotentHint: false}", False),
    ],
)
def test_what_may_be_repeated(text, idempotent):
    assert tool(f"description: Update.\n{text}").plan.idempotent is idempotent


@pytest.mark.parametrize(
    ("head", "text", "expected"),
    [
        ("", "get: /x\ncache: 5m", (300.0, False)),
        ("", "get: /x\ncache: {ttl: 10m, revalidate: true}", (600.0, True)),
        ("cache: 1m", "get: /x", (60.0, False)),
        ("cache: 1m", "head: /x", (60.0, False)),
        ("cache: 1m", "post: /x", (None, False)),
        ("cache: 1m", "get: /x\ncache: 0", (None, False)),
        ("", "post: /x\ncache: 5m\nannotations: {readOnlyHint: true}", (300.0, False)),
    ],
)
def test_what_may_be_kept(head, text, expected):
    plan = tool(f"description: Update.\n{text}", head).plan
    assert (plan.cache_ttl, plan.revalidate) == expected


# faults


@pytest.mark.parametrize(
    "use",
    [
        'query: {a: "{{ args.x }}"}',
        'query: {"...": "{{ rest }}"}',
        'query: "{{ args }}"',
        "headers: {X-A: '{{ args.x }}'}",
        "response: {select: '$[*]', limit: '{{ args.x }}'}",
        "response: {text: '{% if args.x %}{{ result }}{% endif %}'}",
        "response: {text: '{{ args | tojson }}'}",
    ],
)
def test_an_argument_that_is_used_somewhere_is_fine(use):
    assert tool(f"description: Read.\nargs: {{x: {{type: integer}}}}\nget: /x\n{use}")


@pytest.mark.parametrize(
    "use",
    [
        "query: {a: b}",
        "errors: [{status: 404, message: '{{ args.x }}'}]",
        "constraints: [{check: 'args.x > 5', message: M}]",
    ],
)
def test_an_argument_that_changes_nothing_is_a_fault(use):
    found = faults(f"description: Read.\nargs: {{x: {{type: integer}}}}\nget: /x\n{use}")
    assert list(found) == ["tools.t.args.x"]
    assert "rest" in found["tools.t.args.x"].hint


@pytest.mark.parametrize(
    ("line", "path", "complaint"),
    [
        ("response: {select: main}", "response.select", "must start with '$'"),
        ("response: {select: \"$['{{ args.x }}']\"}", "response.select", "cannot hold a template"),
        ("response: {map: $.}", "response.map", "expected a name"),
        ("response: {map: {a: 5}}", "response.map.a", "cannot be mapped"),
        ("response: {map: {a: {}}}", "response.map.a", "cannot be mapped"),
        ("response: {map: {a: {b: 'x'}}}", "response.map.a.b", "must start with '$'"),
        ("response: {map: {a: {path: 'x', default: 1}}}", "response.map.a.path", "must start with"),
        ("response: {required: true}", "response.required", "needs 'select'"),
        ("response: {limit: x}", "response.limit", "a number or one expression"),
        ("response: {limit: '{{ args.y }}'}", "response.limit", "args.y is not declared"),
        ("response: {limit: '{{ result }}'}", "response.limit", "'result' is not known here"),
        ("response: {as: text, select: $.a}", "response.as", "nothing to select"),
        ("response: {max_bytes: 100}", "response", "the least is 256"),
        ("limits: {max_bytes: 100}", "response", "the least is 256"),
        ("response: {text: '{{ secrets.key }}'}", "response.text", "'secrets' is not known here"),
        ("constraints: [{check: 'args.y', message: M}]", "constraints[0].check", "args.y is not"),
        ("query: {a: '{{ args.y }}'}", "query.a", "args.y is not declared"),
        ("title: 'T {{ secrets.key }}'", "title", "a secret may stand in requests only"),
        ("examples: [{args: {x: '{{secrets.key}}'}}]", "examples[0]", "a secret may stand in"),
    ],
)
def test_a_fault_is_told_where_it_stands(line, path, complaint):
    args = "args: {x: {type: string, required: true}}\nget: /{{ args.x }}"
    found = faults(f"description: Read.\n{args}\n{line}")
    assert list(found) == [f"tools.t.{path}"]
    issue = found[f"tools.t.{path}"]
    assert complaint in issue.message
    assert issue.line > 7


def test_a_secret_in_a_description_is_a_fault_i42():
    assert "tools.t.description" in faults("description: 'Key {{ secrets.key }}'\nget: /x")


@pytest.mark.parametrize(
    ("line", "path", "warning"),
    [
        ("response: {select: '$[?@.a == null]'}", "response.select", "never equals null"),
        ("response: {map: {a: $..b}}", "response.map.a", "looks at every value"),
    ],
)
def test_traps_are_warned_of_and_load(line, path, warning):
    key = "headers: {X-Key: '{{ secrets.key }}'}"
    found = compiled(f"description: Read.\nget: /x\n{key}\n{line}")
    assert found.capability
    assert [(issue.path, issue.severity) for issue in found.issues] == [
        (f"tools.t.{path}", Severity.WARNING)
    ]
    assert warning in found.issues[0].message


@pytest.mark.parametrize("used", ["{{ secrets.key }}", "{{ secrets['key'] | b64encode }}"])
def test_a_secret_that_stands_in_no_template_is_warned_of(used):
    def paths(value):
        found = compiled(f'description: Read.\nget: /x\nheaders: {{X-Key: "{value}"}}')
        assert found.capability
        return [(issue.path, issue.severity) for issue in found.issues]

    assert paths("secrets.key") == [("secrets.key", Severity.WARNING)]
    assert paths(used) == []


def test_the_name_of_an_argument_alone_is_told_with_what_it_belongs_to():
    text = "args: {q: {type: string}}\nget: /x\nquery: {q: '{{ q }}', r: '{{ args.q }}'}"
    found = faults(f"description: Read.\n{text}")
    assert found["tools.t.query.q"].hint == "write args.q"


def test_rules_of_the_file_may_name_any_argument():
    head = 'errors: [{status: 404, message: "no {{ args.x }}"}]'
    text = "description: Read.\nargs: {x: {type: string, required: true}}\nget: /{{ args.x }}"
    assert tool(text, head)
