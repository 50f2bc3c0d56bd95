"""gateway.lock is read strictly, and written for people who read it in Git."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.lock_file import load, understand, unmet, written
from gateway.domain.pins import Pins, pin_of

READ = {
    "name": "read",
    "description": "Reads a file.",
    "inputSchema": {"type": "object", "properties": {"path": {"type": "string"}, "a": {}}},
}
PINS = Pins({"files": {"read": pin_of(READ)}})
TEXT = written(PINS)


def problems(text):
    pins, issues = understand(text.encode(), "gateway.lock")
    assert pins is None
    return [f"{one.where} {one.path} {one.message}".replace("  ", " ") for one in issues]


def edited(*path, value):
    tree = json.loads(TEXT)
    place = tree
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(tree, indent=2)


def test_what_is_written_is_read_again():
    pins, issues = understand(TEXT.encode(), "x")
    assert (pins, issues) == (PINS, ())
    assert pins.backends["files"]["read"].definition == READ


def test_a_block_is_made_for_people_and_keeps_the_order_of_its_server():
    assert TEXT.startswith('{\n  "version": 1,\n  "backends": {\n    "files": {\n      "read": {\n')
    assert TEXT.index('"path"') < TEXT.index('"a"')
    assert TEXT.endswith("}\n")


def test_the_order_in_which_tools_came_does_not_show():
    one, other = pin_of(READ), pin_of({**READ, "name": "a"})
    forth, back = {"read": one, "a": other}, {"a": other, "read": one}
    assert written(Pins({"x": forth, "b": {}})) == written(Pins({"b": {}, "x": back}))


def test_what_no_reader_sees_is_spelled_out():
    sly = {**READ, "inputSchema": {"type": "object", "default": "a\u202eb\U000e0041\u2028"}}
    text = written(Pins({"files": {"read": pin_of(sly)}}))
    assert "a\\u202eb\\udb40\\udc41\\u2028" in text
    pins, issues = understand(text.encode(), "x")
    assert not issues
    assert pins.backends["files"]["read"].definition == sly


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "gateway.lock:1:1 not JSON: expecting value"),
        ("<<<<<<< HEAD\n{}", "gateway.lock:1:1 not JSON: expecting value"),
        ('{"version": 1,\n "backends": {},\n "version": 1}', "gateway.lock:3:2"),
        ('{"version": 1, "backends": {"a": NaN}}', "gateway.lock not JSON that can be read"),
        ("[" * 100_000, "gateway.lock:1"),
        ("[]", "gateway.lock:1:1 no lock"),
        ('{"version": 1}', "gateway.lock:1:1 no lock"),
        (edited("version", value=2), "gateway.lock:2:14 version is of version 2"),
        (edited("version", value=True), "gateway.lock:2:14 version is of version True"),
        (edited("more", value=2), "more unknown key 'more'"),
        (edited("backends", "files", value=[]), "gateway.lock:4:14 backends.files its tools"),
        (
            edited("backends", "files", "read", value={}),
            "gateway.lock:5:15 backends.files.read has to be {sha256, definition}",
        ),
        (
            edited("backends", "files", "read", "sha256", value="0"),
            "gateway.lock:6:19 backends.files.read.sha256 does not fit its definition",
        ),
        (
            edited("backends", "files", "read", "definition", "description", value="Sly."),
            "gateway.lock:6:19 backends.files.read.sha256 does not fit its definition",
        ),
        (
            edited("backends", "files", "read", "definition", "_meta", value={}),
            "backends.files.read.definition._meta unknown key '_meta'",
        ),
        (
            edited("backends", "files", "read", "definition", "name", value="x"),
            "backends.files.read.definition is that of 'x'",
        ),
        (
            edited("backends", "files", "read", "definition", value={"name": "read"}),
            "backends.files.read.definition is no definition of a tool",
        ),
        (
            edited("backends", "files", "read", "definition", "description", value="\ud800"),
            "does not fit its definition",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text, problem):
    assert any(problem in one for one in problems(text)), problems(text)


def test_a_definition_without_end_is_refused():
    deep: object = {}
    for _ in range(200):
        deep = {"a": deep}
    text = edited("backends", "files", "read", "definition", "inputSchema", value=deep)
    assert "is nested deeper than 128 levels" in problems(text)[0]


def test_a_file_with_very_many_faults_is_told_in_part():
    tree = {"version": 1, "backends": {f"b{n}": [] for n in range(1_000)}}
    assert len(problems(json.dumps(tree))) == 20


def test_a_large_file_is_read_too_and_its_faults_are_told_without_a_line():
    long = {**READ, "description": "x" * 2_000_000}
    text = written(Pins({"files": {"read": pin_of(long)}}))
    assert understand(text.encode(), "x")[1] == ()
    (problem,) = problems(text.replace('"sha256": "', '"sha256": "0'))
    assert problem.startswith("gateway.lock backends.files.read.sha256 does not fit its definition")


@given(st.binary(max_size=200) | st.text(max_size=50).map(str.encode))
def test_whatever_the_bytes_there_is_an_answer(data):
    pins, issues = understand(data, "x")
    assert (pins is None) == bool(issues)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), VALUES, max_size=4))
def test_any_definition_is_written_and_read_again_with_the_same_hash(schema):
    pins = Pins({"b": {"t": pin_of({"name": "t", "inputSchema": schema})}})
    assert understand(written(pins).encode(), "x") == (pins, ())


def test_a_file_that_is_not_there_pins_nothing(tmp_path: Path):
    assert load(str(tmp_path / "gateway.lock")) == (None, ())
    (tmp_path / "gateway.lock").mkdir()
    assert load(str(tmp_path / "gateway.lock"))[1]
    (tmp_path / "good.lock").write_text(TEXT)
    assert load(str(tmp_path / "good.lock")) == (PINS, ())


def test_what_is_pinned_of_a_server_that_is_not_there_is_told():
    (issue,) = unmet(PINS, "gateway.lock", "warn", ["other"])
    assert "pins the tools of 'files', and there is no such server" in issue.message
    assert [*unmet(PINS, "gateway.lock", "warn", ["files"])] == []


def test_holding_to_a_lock_that_is_not_there_is_told():
    assert [*unmet(None, "gateway.lock", "warn", [])] == []
    (issue,) = unmet(None, "gateway.lock", "deny", [])
    assert issue.hint == "capgate lock writes it"
