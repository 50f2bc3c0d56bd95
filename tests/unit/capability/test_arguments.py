"""capability/sending/arguments.py: what becomes of a caller's arguments, and what he is told."""

import time

import pytest

from gateway.capability.expressions.place import Place
from gateway.capability.expressions.values import Refused
from gateway.capability.file.model import Constraint
from gateway.capability.sending.arguments import compile_arguments, compile_constraints

SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 5},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "size": {"type": "number"},
        "flag": {"type": "boolean"},
        "list": {"type": "array", "items": {"type": "integer"}},
        "box": {
            "type": "object",
            "properties": {"a": {"type": "number", "default": 3}, "b": {"type": "string"}},
            "additionalProperties": False,
        },
        "who": {"type": ["string", "null"]},
        "free": {},
        "unit": {"enum": ["c", "f"], "default": "c"},
        "mixed": {"anyOf": [{"type": "integer"}, {"type": "array"}]},
    },
    "required": ["city"],
    "additionalProperties": False,
}


def prepared(given, schema=SCHEMA):
    return compile_arguments(schema).prepare(given)


def refusal(given, schema=SCHEMA):
    with pytest.raises(Refused) as caught:
        prepared(given, schema)
    assert caught.value.position == "args"
    return caught.value


def only(schema):
    return {"type": "object", "properties": {"x": schema}, "additionalProperties": False}


def test_defaults_fill_what_is_not_given():
    assert prepared({"city": "x"}) == {"city": "x", "unit": "c"}
    assert prepared({"city": "x", "unit": "f"}) == {"city": "x", "unit": "f"}


def test_defaults_inside_an_object_need_the_object():
    assert prepared({"city": "x", "box": {}})["box"] == {"a": 3}
    assert "box" not in prepared({"city": "x"})


def test_what_the_caller_gave_is_never_written_to():
    given = {"city": "x", "box": {"b": None}, "count": "5", "size": None}
    prepared(given)
    assert given == {"city": "x", "box": {"b": None}, "count": "5", "size": None}


def test_null_goes_where_the_schema_does_not_allow_it():
    given = {"city": "x", "count": None, "unit": None, "mixed": None, "who": None, "free": None}
    assert prepared(given) == {"city": "x", "unit": "c", "who": None, "free": None}


def test_null_inside_an_object_goes_too():
    assert prepared({"city": "x", "box": {"a": 1, "b": None}})["box"] == {"a": 1}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("count", "5", 5),
        ("size", "2.5", 2.5),
        ("size", " 3 ", 3),
        ("flag", "true", True),
        ("list", "[1, 2]", [1, 2]),
        ("box", '{"a": 1}', {"a": 1}),
        ("mixed", "7", 7),
        ("mixed", "[1]", [1]),
    ],
)
def test_text_that_is_the_json_of_what_is_wanted_is_read(name, text, value):
    found = prepared({"city": "x", name: text})[name]
    assert found == value
    assert type(found) is type(value)


def test_text_inside_a_list_is_read_too():
    assert prepared({"city": "x", "list": ["1", 2]})["list"] == [1, 2]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("count", "five"),
        ("count", "5.5"),
        ("count", "99"),
        ("count", "true"),
        ("flag", "yes"),
        ("flag", "True"),
        ("list", "[1,"),
        ("list", '{"a":1}'),
        ("size", "NaN"),
        ("size", "1e999"),
        ("box", '{"zz": 1}'),
    ],
)
def test_other_text_is_refused(name, text):
    assert name in str(refusal({"city": "x", name: text}))


def test_text_stays_text_where_text_is_allowed():
    assert prepared({"city": "123"})["city"] == "123"
    assert prepared({"city": "x", "free": "[1]"})["free"] == "[1]"


def test_integral_float_becomes_the_integer_it_is():
    found = prepared({"city": "x", "count": 5.0})["count"]
    assert (found, type(found)) == (5, int)


def test_unknown_argument_names_the_nearest_and_the_tool_tells_what_it_takes():
    error = refusal({"citty": "x", "city": "x"})
    assert str(error) == "no argument 'citty' (did you mean 'city'?)"
    assert error.hint.startswith("the tool takes city: string, count?: integer, size?: number")


@pytest.mark.parametrize(
    ("schema", "value", "says"),
    [
        ({"type": "integer"}, "a", 'x must be a whole number, not "a"'),
        ({"type": ["integer", "null"]}, "a", "x must be a whole number or null"),
        ({"anyOf": [{"type": "array"}, {"type": "string"}]}, 1, "x must be a list or a string"),
        ({"minimum": 3}, 2, "x must be at least 3, not 2"),
        ({"maximum": 3}, 4, "x must be at most 3, not 4"),
        ({"exclusiveMinimum": 3}, 3, "x must be more than 3, not 3"),
        ({"exclusiveMaximum": 3}, 3, "x must be less than 3, not 3"),
        ({"multipleOf": 5}, 3, "x must be a multiple of 5, not 3"),
        ({"maxLength": 1}, "ab", 'x must have at most 1 characters, not "ab"'),
        ({"minLength": 3}, "ab", 'x must have at least 3 characters, not "ab"'),
        ({"pattern": "^a+$"}, "b", 'x must match the pattern "^a+$", not "b"'),
        ({"enum": ["a", 1]}, "b", 'x must be one of "a", 1, not "b"'),
        ({"const": 3}, 4, "x must be 3, not 4"),
        ({"maxItems": 1}, [1, 2], "x must have at most 1 items"),
        ({"minItems": 1}, [], "x must have at least 1 items"),
        ({"uniqueItems": True}, [1, 1], "x must not have an item twice"),
        ({"maxProperties": 0}, {"a": 1}, "x must have at most 0 members"),
        ({"minProperties": 1}, {}, "x must have at least 1 members"),
        ({"format": "date"}, "b", 'x must be a date such as 2026-11-21, not "b"'),
        ({"format": "ipv4"}, "b", 'x must be of the format ipv4, not "b"'),
        ({"items": {"type": "integer"}}, [1, "b"], 'x[1] must be a whole number, not "b"'),
        ({"required": ["y"]}, {}, "x.y is required"),
        ({"not": {}}, 1, "x does not fit its schema, not 1"),
        (
            {"enum": list(range(99))},
            "b",
            "x must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 89 more",
        ),
    ],
)
def test_each_fault_is_told_in_words(schema, value, says):
    assert str(refusal({"x": value}, only(schema))).startswith(says)


def test_false_schema_and_unknown_members_are_told_at_their_place():
    assert str(refusal({"x": 1}, {"properties": {"x": False}})) == "x must not be given, not 1"
    closed = {"properties": {"y": {}}, "additionalProperties": False}
    assert str(refusal({"x": {"why": 1}}, only(closed))) == "x has no 'why'"


def test_tool_without_arguments_says_so():
    error = refusal({"x": 1}, {"properties": {}, "additionalProperties": False})
    assert (str(error), error.hint) == ("no argument 'x'", "the tool takes no arguments")


def test_at_most_five_arguments_are_told_and_each_once():
    names = "abcdefg"
    schema = {
        "properties": {name: {"type": "string", "pattern": "x", "enum": ["x"]} for name in names}
    }
    text = str(refusal(dict.fromkeys(names, 1), schema))
    assert text.count(";") == 5
    assert text.endswith("; and 2 more")
    assert all(text.count(f"{name} must") == 1 for name in names[:5])


def test_long_and_hostile_values_are_not_said_back():
    text = str(refusal({"city": "\n\x1b[31m" * 2, "count": "x" * 500, "\x1b[2J" * 99: 1}))
    assert "x" * 100 not in text
    assert text.isprintable()
    assert len(text) < 400
    assert "\\u001b" in text


def test_formats_are_checked_or_said_only():
    for name, good, bad in [
        ("date", "2026-11-21", "21.11.2026"),
        ("date-time", "2026-11-21T10:00:00Z", "10:00"),
        ("email", "a@x.io", "a"),
        ("uri", "https://a/?b", "a b"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
        ("ipv4", "1.2.3.4", "1.2.3"),
        ("ipv6", "::1", "1.2.3.4"),
    ]:
        assert prepared({"x": good}, only({"format": name})) == {"x": good}
        refusal({"x": bad}, only({"format": name}))
    for name in ("hostname", "time", "duration", "regex", "iri", "json-pointer", "no-such-format"):
        assert prepared({"x": "-- ("}, only({"format": name})) == {"x": "-- ("}


def test_pattern_that_backtracks_elsewhere_takes_no_time():
    """T10."""
    started = time.perf_counter()
    refusal({"x": "a" * 50_000 + "!"}, only({"type": "string", "pattern": "^(a+)+$"}))
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("ref", ["http://127.0.0.1:1/x.json", "file:///etc/hostname", "other.json"])
def test_reference_outside_the_schema_is_refused_and_not_fetched(ref):
    """T5."""
    with pytest.raises(ValueError, match=r"not part of this file|No base URI"):
        compile_arguments(only({"$ref": ref}))


def test_reference_inside_the_schema_works():
    schema = only({"$ref": "#/$defs/small"}) | {"$defs": {"small": {"maximum": 3}}}
    assert prepared({"x": 1}, schema) == {"x": 1}
    refusal({"x": 4}, schema)


@pytest.mark.parametrize("schema", [{"type": "strin"}, {"pattern": "("}, {"pattern": "(?=a)"}])
def test_what_is_no_schema_is_refused(schema):
    with pytest.raises(ValueError, match="is not"):
        compile_arguments(only(schema))


def test_lone_surrogates_are_refused_or_carried_but_never_crash():
    assert refusal({"\ud800": 1, "city": "x"})
    assert refusal({"city": "x", "count": "\ud800"})


def test_a_million_wrong_items_cost_little():
    started = time.perf_counter()
    text = str(refusal({"city": "x", "list": ["a"] * 300_000}))
    assert text == 'list[0] must be a whole number, not "a"'
    assert time.perf_counter() - started < 0.5


def test_large_text_is_read_as_json_too():
    schema = {"properties": {"x": {"type": "array"}, "y": {"type": "object"}}}
    found = prepared({"x": f"[{'1, ' * 20_000}1]", "y": '{"a": 1}'}, schema)
    assert (len(found["x"]), found["y"]) == (20_001, {"a": 1})


def test_large_arguments_are_mended_a_few_times_only():
    assert "list[20]" in str(refusal({"city": "x", "list": ["1"] * 5000}))


def test_what_is_wrong_after_mending_is_what_is_told():
    assert str(refusal({"city": "x", "count": "99"})) == "count must be at most 9, not 99"


def test_constraints_are_rules_over_several_arguments():
    schema = {"properties": {"low": {"type": "integer"}, "high": {"type": "integer", "default": 9}}}
    faults = []
    place = Place((), {"args": schema["properties"]}, lambda *fault: faults.append(fault))
    given = [Constraint("args.low <= args.high", "low ({{ args.low }}) is above {{ args.high }}")]
    arguments = compile_arguments(schema, compile_constraints(given, place))
    assert faults == []
    assert arguments.prepare({"low": "3"}) == {"low": 3, "high": 9}
    with pytest.raises(Refused, match=r"low \(10\) is above 9"):
        arguments.prepare({"low": 10})


def test_faulty_constraint_is_told_at_its_place():
    faults = []
    place = Place(("constraints",), {"args": ["a"]}, lambda *fault: faults.append(fault[0]))
    rules = compile_constraints([Constraint("args.b", "x"), Constraint("args.a", "{{ b }}")], place)
    assert faults == [("constraints", 0, "check"), ("constraints", 1, "message")]
    assert len(rules) == 1
