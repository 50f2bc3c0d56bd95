"""A capability file in any disrepair: issues, never an exception; and what loads can be called."""

import copy
import json
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.capability.examples.checking import check
from gateway.capability.examples.mock import mock_replies
from gateway.capability.file.yaml import parse
from gateway.capability.load import load
from gateway.credentials.redact import Redactor
from gateway.domain.issue import Severity
from gateway.errors import GatewayError

FILES = sorted((Path(__file__).parents[1] / "unit/capability/files").glob("*.yaml"))
TREES = [parse(file.read_bytes(), str(file)).tree for file in FILES]
ODD = st.sampled_from(
    [
        *(None, True, 0, -1, 5, 1e9, "", "x", "$", "$..", "$.a[*]", "{{", "{{ args.x }}", "4xx"),
        *("{% for x in body %}", "{{ secrets.token }}", "{{ args }}", "{{ rest }}", "{{ result }}"),
        *([], {}, [1], {"a": "b"}, {"type": "string"}, {"type": "nope"}, {"path": "$.a"}),
        *({"...": "{{ rest }}"}, {"status": 404}, {"status": "9xx"}, "30s", "1k", "\ud800", "\n"),
        *("/", "/../x", "https://x.example", "env:X", "file:/nonexistent", "é", "a" * 2000),
    ]
)


def places(tree, path=()):
    yield path
    children = enumerate(tree) if isinstance(tree, list) else ()
    for key, each in tree.items() if isinstance(tree, dict) else children:
        yield from places(each, (*path, key))


def edited(tree, path, value, drop):
    tree = copy.deepcopy(tree)
    holder = tree
    for step in path[:-1]:
        holder = holder[step]
    if drop:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return tree


@st.composite
def broken(draw):
    tree = draw(st.sampled_from(TREES))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from([path for path in places(tree) if path]))
        tree = edited(tree, path, draw(ODD), draw(st.booleans()))
    return json.dumps(tree).encode()


def examine(data):
    found = load(data, "some/file.yaml", environ={"X": "y"}, redactor=Redactor())
    wrong = [issue for issue in found.issues if issue.severity is Severity.ERROR]
    assert (found.capability is None) == bool(wrong) or b'"enabled": ' in data
    assert all(issue.message and issue.where.startswith("some/file.yaml") for issue in found.issues)
    for issue in check(found):
        assert issue.path.startswith("tools.")
    for tool in found.capability.tools.values() if found.capability else ():
        for each in tool.examples:
            try:
                args = tool.prepare(each.args)
                tool.read(args, mock_replies(tool, args)[0])
            except GatewayError:
                continue


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(broken())
def test_a_damaged_file_is_refused_or_works_i50(data):
    examine(data)


@settings(max_examples=100)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@example(b"\x00")
@example(b"- 1")
@example(b"null")
def test_any_bytes_are_refused_with_a_place_i50(data):
    examine(data)
