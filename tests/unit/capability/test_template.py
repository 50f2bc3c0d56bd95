"""capability/expressions/template.py and its readers: types, omission, names, what is refused."""

import subprocess
import sys
import time

import pytest

from gateway.capability.expressions.language import Position
from gateway.capability.expressions.template import compile_expression, compile_template
from gateway.capability.expressions.values import MISSING, Absent, RenderError, TemplateError

NAMES = {
    "args": ("text", "number", "flag", "none", "list", "object", "people", "gone", "items"),
    "vars": ("org",),
    "secrets": ("key",),
    "rest": (),
}
SCOPE = {
    "args": {
        "text": "Ann B",
        "number": 2.5,
        "flag": True,
        "none": None,
        "list": [1, "two", None],
        "object": {"a": {"b": 1}, "c d": 2},
        "people": [{"name": "Ann", "age": 3}, {"name": "Bob"}, {"age": 5}],
        "items": "an argument of that name",
    },
    "vars": {"org": "acme"},
    "secrets": {"key": "s3cret"},
    "rest": {},
}
JINJA = "{% if true %}{% endif %}"  # in front of a template, it makes Jinja render it


def compiled(source, position=Position.JSON, names=NAMES):
    return compile_template(source, position=position, names=names)


def value(source, position=Position.JSON, scope=SCOPE):
    return compiled(source, position).value(scope)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ args.number }}", 2.5),
        ("{{args.flag}}", True),
        ("{{ args.list }}", [1, "two", None]),
        ("{{ args.object }}", {"a": {"b": 1}, "c d": 2}),
        ("{{ args.object.a.b }}", 1),
        ("{{ args.object['c d'] }}", 2),
        ("{{ args.list[1] }}", "two"),
        ("{{ args.number + 1 }}", 3.5),
        ("{{ {'k': args.flag} }}", {"k": True}),
        ("{{ [args.number, args.gone] }}", [2.5]),
        ("{{ {'k': args.gone, 'l': args.flag} }}", {"l": True}),
        ("{{ args.text[:3] }}", "Ann"),
        ("{{ args.list[1:] }}", ["two", None]),
        ("{{ -args.number }}", -2.5),
        ("{{ 7 // 2 * 3 - 1 % 2 }}", 8),
        ("{{ 'a' + 'b' }}", "ab"),
        ("{{ [1] + [2] }}", [1, 2]),
        ("{{ args.list is sequence and args.object is mapping and args.none is none }}", True),
        ("{{ args.text is string and args.number is number and args.flag is boolean }}", True),
        ("{{ args.gone is undefined and not (args.flag is number) }}", True),
        ("{{ 'a' if args.flag else 'b' }}", "a"),
    ],
)
def test_lone_expression_keeps_its_type(source, expected):
    assert value(source) == expected
    assert type(value(source)) is type(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain", "plain"),
        (" {{ args.flag }}", " true"),
        ("{{ args.number }}/{{ vars.org }}", "2.5/acme"),
        ("{{ args.object }}.", '{"a":{"b":1},"c d":2}.'),
        ("{{ args.list }}.", '[1,"two",null].'),
        ("{{ args.text ~ args.number ~ args.flag }}!", "Ann B2.5true!"),
        ("{# a comment #}x", "x"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{% for p in args.people %}[{{ p.age | default('-') }}]{% endfor %}", "[3][-][5]"),
        ("{% for k, v in args.object | items %}{{ k }};{% endfor %}", "a;c d;"),
        ("{% for x in args.list if x %}{{ loop.index }}{{ x }}{% endfor %}", "112two"),
        ("{% for x in args.list %}{{ loop.length }}{% endfor %}", "333"),
        ("{% for x in [] %}a{% else %}b{% endfor %}", "b"),
        (
            "{% for k in args.object %}{{ k }}{% if not loop.last %},{% endif %}{% endfor %}",
            "a,c d",
        ),
        ("{% for p in [[1, 2]] %}{% for q in p %}{{ q }}{% endfor %}{% endfor %}", "12"),
    ],
)
def test_anything_else_is_text_with_json_words(source, expected):
    assert value(source) == expected


@pytest.mark.parametrize(
    "text",
    ["{{7*7}}", "{% for %}", "{{ secrets.key }}", '"},"admin":true,{"', "0123", "None", "1e5"],
)
def test_argument_values_are_never_parsed_or_rendered_again(text):
    scope = SCOPE | {"args": {"text": text}}
    assert value("{{ args.text }}", scope=scope) == text
    assert value("<{{ args.text }}>", scope=scope) == f"<{text}>"
    assert value("{% if args.text %}{{ args.text }}{% endif %}", scope=scope) == text


@pytest.mark.parametrize(
    "source",
    [
        "{{ args.gone }}",
        "x{{ args.gone }}",
        "{{ args.gone | lower }}",
        "{{ args.gone | join(',') }}",
        "{{ args.gone + 1 }}",
        "{{ -args.gone }}",
        "{{ 'a' ~ args.gone }}",
        "{{ args.gone[:2] }}",
        "{{ args.none | tojson }}",
        "{{ [] | first }}",
        "{{ [] | last }}",
        "{{ args.gone[0].x }}",
        "{{ args.object.a.z }}",
        "{{ args.list[7] }}",
        "{{ args.text if args.gone }}",
        "{% for x in args.gone %}x{% endfor %}",
        "{% if args.flag %}{{ args.gone }}{% endif %}",
        "x{{ args.none }}",
    ],
)
def test_template_that_reads_nothing_is_missing(source):
    assert value(source) is MISSING


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ args.gone | default('d') }}", "d"),
        ("{{ args.gone | lower | default(3) }}", 3),
        ("{{ args.gone | default(args.number) }}", 2.5),
        ("{% if args.gone %}a{% else %}b{% endif %}", "b"),
        ("{% if args.gone is defined %}a{% endif %}c", "c"),
        ("{% if args.gone > 3 or args.gone == 1 or 1 in args.gone %}a{% endif %}c", "c"),
        ("{{ args.number if args.gone else 'b' }}", "b"),
    ],
)
def test_default_and_tests_take_care_of_a_missing_argument(source, expected):
    assert value(source) == expected


def test_null_is_a_value_in_json_and_missing_elsewhere():
    assert value("{{ args.none }}", Position.JSON) is None
    assert value("{{ args.none | default('d') }}", Position.JSON) is None
    assert value("{{ args.none | default('d') }}", Position.QUERY) == "d"
    assert value(JINJA + "{{ args.none | default('d') }}", Position.QUERY) == "d"


def test_message_shows_what_is_missing_as_nothing():
    names = {"body": None}
    source = "Rejected: {{ body.errors | map(attribute='detail') | join('; ') }}."
    message = compile_template(source, position=Position.MESSAGE, names=names)
    assert message.text({"body": {"errors": [{"detail": "a"}, {}, {"detail": "b"}]}}) == (
        "Rejected: a; b."
    )
    assert message.text({"body": {}}) == "Rejected: ."
    assert message.text({"body": {"errors": 5}}) is MISSING


def test_block_lines_leave_no_empty_lines():
    lines = ("{% for p in args.people if p.name %}", "  {% if true %}", "- {{ p.name }}")
    source = "\n".join([*lines, "  {% endif %}", "{% endfor %}", ""])
    assert value(source) == "- Ann\n- Bob\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("args.text | lower", "ann b"),
        ("args.text | upper", "ANN B"),
        ("' x ' | trim", "x"),
        ("args.text | replace('Ann', 'X')", "X B"),
        ("args.text | truncate(4)", "Ann…"),
        ("args.list | join('|')", "1|two"),
        ("args.people | join(',', attribute='name')", "Ann,Bob"),
        ("args.list | first", 1),
        ("args.people | last", {"age": 5}),
        ("args.list | length", 3),
        ("args.people | map(attribute='name')", ["Ann", "Bob"]),
        ("args.people | selectattr('name') | length", 2),
        ("args.people | selectattr('age', '==', 5) | length", 1),
        ("args.people | selectattr('age', 'in', [3, 5]) | length", 2),
        ("args.people | rejectattr('name') | length", 1),
        ("args.people | sort(attribute='age', reverse=true) | map(attribute='age')", [5, 3]),
        ("[2, 1, 2] | unique", [2, 1]),
        ("[2, 'a', 1] | sort", [1, 2, "a"]),
        ("args.object | items | length", 2),
        ("args.object | tojson", '{"a":{"b":1},"c d":2}'),
        ("args.object | join('+')", "a+c d"),
        ("args.text | length", 5),
        ("args.people | map(attribute=args.text)", []),
        ("args.object['c d'] + 1", 3),
        ("args.text" + " | lower" * 25, "ann b"),
        ("args.object[true] | default(1)", 1),
        ("args.text | first", "A"),
        ("args.people | map(attribute='age') | first", 3),
        ("[{'a': [5]}] | map(attribute='a.0')", [5]),
        ("args.people | selectattr('age', '!=', 5) | length", 2),
        ("true | int", 1),
        ("[1] | string", "[1]"),
        ("'QW5u' | b64decode | string", "Ann"),
        ("2.55 | round(1)", 2.5),
        ("2.5 | round", 2),
        ("'12' | int", 12),
        ("'12.9' | int", 12),
        ("'x' | int | default(0)", 0),
        ("'1e999' | float | default(0)", 0),
        ("-3 | abs", 3),
        ("args.number | string", "2.5"),
        ("args.text | b64encode", "QW5uIEI="),
        ("'QW5u' | b64decode", b"Ann"),
        ("'_-8' | b64decode", b"\xff\xef"),
        ("'a b/c' | urlencode", "a%20b%2Fc"),
    ],
)
def test_filters(source, expected):
    assert value(f"{{{{ {source} }}}}") == expected


@pytest.mark.parametrize(
    ("source", "says", "hint"),
    [
        ("{{ args.txt }}", "args.txt is not declared", "'text'"),
        ("{{ arg.text }}", "'arg' is not known here", "'args'"),
        ("{{ env.HOME }}", "'env' is not known here", "secrets"),
        ("{{ args.text | lowwer }}", "no filter 'lowwer'", "'lower'"),
        ("{{ args.text | attr('x') }}", "no filter 'attr'", None),
        ("{{ args.text | format }}", "no filter 'format'", None),
        ("{{ args.text | replace('a') }}", "filter 'replace'", None),
        ("{{ args.text | segments }}", "for paths only", None),
        ("{{ args.text is even }}", "no test 'even'", None),
        ("{{ secrets }}", "as a whole", "secrets.name"),
        ("{{ secrets | tojson }}", "as a whole", None),
        ("{{ rest.page }}", "rest.page is not declared", None),
        ("{{ args.text", "is not closed", "such as {{ args.x }}"),
        ("{% if %}", "not a template", None),
        ("{{ }}", "not a template", None),
        ("{% set x = 1 %}", "cannot set names", None),
        ("{% include 'x' %}", "not allowed", None),
        ("{% import 'x' as y %}", "not allowed", None),
        ("{% extends 'x' %}", "not allowed", None),
        ("{% block x %}{% endblock %}", "not allowed", None),
        ("{% macro f() %}{% endmacro %}", "not allowed", None),
        ("{% filter upper %}{% endfilter %}", "not allowed", None),
        ("{% with a = 1 %}{% endwith %}", "not allowed", None),
        ("{% for x in args.list recursive %}{% endfor %}", "recursive", None),
        ("{% for x in args.list %}{{ loop.cycle }}{% endfor %}", "no such fact", "first"),
        ("{% for x in args.list %}{{ loop }}{% endfor %}", "no such fact", "first"),
        ("{% for x.y in args.list %}{% endfor %}", "not a template", None),
        ("{{ args.text is string(1) }}", "takes no argument", None),
        ("{{ args.text | join(*args.list) }}", "cannot be used like this", None),
        ("{{ args.text | join(sep='a', 'b') }}", "not a template", None),
        ("x" * 9000, "9000 characters", None),
    ],
)
def test_fault_is_told_with_a_hint(source, says, hint):
    with pytest.raises(TemplateError) as caught:
        compiled(source)
    assert says in str(caught.value)
    assert hint is None or hint in (caught.value.hint or "")


def test_secret_is_unknown_where_its_name_is_not_given():
    with pytest.raises(TemplateError) as caught:
        compile_template("{{ secrets.key }}", position=Position.MESSAGE, names={"body": None})
    assert caught.value.hint == "a secret may stand in requests only"


@pytest.mark.parametrize(
    "source",
    [
        "{{ args.items() }}",
        "{{ args.text.format(1) }}",
        "{{ '{:>900000000}'.format(1) }}",
        "{{ range(9) }}",
        "{{ lipsum() }}",
        "{{ cycler('a') }}",
        "{{ self }}",
        "{{ args.text.__class__() }}",
        "{{ ''['format'](1) }}",
    ],
)
def test_nothing_can_be_called(source):
    """I49: the sandbox has no method, global or attribute to reach for."""
    with pytest.raises(TemplateError):
        compiled(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ args.text.upper }}",
        "{{ args.text.__class__ }}",
        "{{ args.text['__class__'] }}",
        "{{ args.object.keys }}",
        "{{ args.object['__class__'].mro }}",
        "{{ args.list.append }}",
        "{{ ().__class__.__base__ }}",
        "{{ (args.text | lower).format }}",
    ],
)
def test_attributes_of_objects_do_not_exist(source):
    """I49: a value is entered by key and index only."""
    assert value(source) is MISSING


@pytest.mark.parametrize(
    "source",
    [
        "{{ args.text | items }}",
        "{{ args.text | round }}",
        "{{ args.number | join }}",
        "{{ args.text | replace('', 'x') }}",
        "{{ args.text | replace(1, 2) }}",
        "{{ args.people | selectattr('age', 'like', 5) }}",
        "{{ 'no base64!' | b64decode }}",
        "<{{ '/w==' | b64decode }}>",
        "{{ args.list[::2] }}",
        "{{ args.number[1:] }}",
        "{{ args.number / 0 }}",
        "{{ args.number < args.text }}",
        "{{ {'a': args.object[args.list]} }}",
        "{% for x in args.number %}{% endfor %}",
        "{% for a, b in args.list %}{% endfor %}",
        "{% if args.number < args.text %}{% endif %}",
        "{{ -args.text }}",
    ],
)
def test_value_of_the_wrong_kind_is_refused(source):
    with pytest.raises(RenderError):
        value(source)


@pytest.mark.parametrize(
    "source", ["{{ args.x }}", "{{ 1 if args else 2 }}", "{% if args %}{% endif %}"]
)
def test_scope_without_a_declared_root_is_refused(source):
    with pytest.raises(RenderError):
        compiled(source, names={"args": None}).value({})


def test_missing_says_what_it_is():
    assert repr(value("{{ args.gone }}")) == "MISSING"


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
@pytest.mark.parametrize("source", ["{{ args.text | urlencode }}", "{{ [args.text] | tojson }}"])
def test_lone_surrogates_are_refused_where_bytes_are_needed(source, text):
    with pytest.raises(RenderError, match="not valid Unicode"):
        value(source, scope={"args": {"text": text}})


def test_message_with_blocks_shows_what_is_missing_as_nothing():
    source = "{% for e in body.errors %}[{{ e.text }}]{% endfor %}{{ body.gone }}!"
    message = compile_template(source, position=Position.MESSAGE, names={"body": None})
    assert message.text({"body": {"errors": [{"text": "a"}, {}]}}) == "[a][]!"
    assert message.value({"body": {}}) == "!"
    assert (
        compile_template(
            "{{ body | round }}", position=Position.MESSAGE, names={"body": None}
        ).value({"body": "x"})
        is MISSING
    )


def test_argument_named_like_a_method_is_the_argument():
    assert value("{{ args.items }}") == "an argument of that name"
    assert value(JINJA + "{{ args.items }}") == "an argument of that name"


@pytest.mark.parametrize(
    "source",
    [
        "{{ [0]*10**8 }}",
        "{{ 'a'*(2*10**8) }}",
        "{{ args.number ** 99 }}",
        "{{ 9999999999999999999999 }}",
        "{{ " + "9" * 5000 + " }}",
        "{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}",
        "{{ " + "[" * 3000 + "]" * 3000 + " }}",
        "{{ " + "not " * 1500 + "1 }}",
        "{{ args.text" + " | lower" * 900 + " ~ 1 }}",
        "{{ 1" + " + 1" * 1500 + " }}",
        "{% for a in args.list %}" * 3 + "{% endfor %}" * 3,
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    ],
)
def test_hostile_template_is_refused_at_load_in_no_time(source):
    """T6, I49."""
    started = time.perf_counter()
    with pytest.raises(TemplateError):
        compiled(source)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("source", "args"),
    [
        ("{{ args.text * 3 }}", {"text": "x"}),
        ("{{ args.list * args.number }}", {"list": [1], "number": 10**9}),
        ("{{ args.text % 3 }}", {"text": "%99999d"}),
        ("{{ args.number * args.number }}", {"number": 10**1000}),
        ("{{ args.list + args.list }}", {"list": [0] * 600_000}),
        ("{{ args.text ~ args.text }}", {"text": "x" * 600_000}),
        ("{{ args.text | replace('x', 'yy') }}", {"text": "x" * 600_000}),
        ("{{ args.list | join(args.text) }}", {"list": ["a"] * 5000, "text": "x" * 5000}),
        ("{{ args.list | length }}", {"list": [0] * 200_000}),
        (
            "{{ args.list | selectattr('a', 'in', args.people) }}",
            {"list": [{}] * 9999, "people": [1] * 9999},
        ),
        ("<{{ args.text }}>", {"text": "x" * 1_000_000}),
        (
            "{% for x in args.list %}{{ args.text }}{% endfor %}",
            {"list": [1] * 9999, "text": "x" * 9999},
        ),
        (
            "{% for x in args.list %}{% for y in args.list %}{% endfor %}{% endfor %}",
            {"list": [1] * 50_000},
        ),
        (
            "{% for x in args.list %}{% if args.text | upper == 'a' %}{% endif %}{% endfor %}",
            {"list": [1] * 50_000, "text": "ß" * 900_000},
        ),
    ],
)
def test_hostile_values_cannot_make_a_template_grow_or_run_long(source, args):
    """T6: no product, text or loop without bound, whatever the arguments."""
    started = time.perf_counter()
    with pytest.raises(RenderError):
        compiled(source).value(SCOPE | {"args": args})
    assert time.perf_counter() - started < 2


def test_reads_are_the_roots_and_their_first_keys():
    source = "{{ args.object.a }}{% for p in args.people %}{{ p.x }}{{ vars.org }}{% endfor %}"
    assert compiled(source).reads == {("args", "object"), ("args", "people"), ("vars", "org")}
    assert compiled("{{ args[args.text] }}").reads == {("args",), ("args", "text")}
    assert compiled("{{ args | tojson }}").reads == {("args",)}
    assert compiled("no").reads == frozenset()


def test_expression_holds_only_when_it_can_be_evaluated():
    names = {"body": None, "status": None}
    done = compile_expression("body.state in ['done', 'failed']", names=names)
    assert done.holds({"body": {"state": "done"}})
    assert not done.holds({"body": {"state": "x"}})
    assert not done.holds({"body": {}})
    broken = compile_expression("body.count > 3", names=names)
    assert not broken.holds({"body": {"count": "many"}})
    assert broken.holds({"body": {"count": 4}})
    with pytest.raises(RenderError):
        broken.value({"body": {"count": "many"}})
    assert compile_expression("body.count * 2 > 7", names=names).holds({"body": {"count": 4}})
    assert compile_expression("body.ok == false", names=names).holds({"body": {"ok": False}})
    assert not compile_expression("body.ok == false", names=names).holds({"body": {}})


@pytest.mark.parametrize("source", ["{{ body.ok }}", "body.ok ==", "body.ok; 1", "f(body)", ""])
def test_faulty_expression_is_refused(source):
    with pytest.raises(TemplateError):
        compile_expression(source, names={"body": None})


def test_plain_templates_do_not_import_jinja():
    """A gateway starts without it: that is 60 ms."""
    program = (
        "import sys\n"
        "from gateway.capability.expressions.language import Position\n"
        "from gateway.capability.expressions.template import compile_template\n"
        "t = compile_template(\"a{{ args.x | default('{') | join(',') }}\","
        " position=Position.QUERY, names={'args': ['x']})\n"
        "assert t.text({'args': {'x': [1, 2]}}) == 'a1,2'\n"
        "sys.exit('jinja2' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("op", [">", "<=", "==", "!="])
@pytest.mark.parametrize("end", ["", " + 0"])
def test_a_comparison_with_what_is_missing_is_left_out(op, end):
    """Plain, and such as only Jinja reads."""
    source = f"{{{{ args.up {op} 1{end} }}}}"
    made = compile_template(source, position=Position.JSON, names={"args": {"up": {}}})
    assert isinstance(made.value({"args": {}}), Absent)
    assert made.value({"args": {"up": 1}}) is (op in {"<=", "=="})


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("body.n > 0", False),
        ("body.state == 'done'", False),
        ("body.state != 'done'", True),
        ("not body.state", True),
        ("not body.n > 0", True),
        ("body.state != 'a' and body.n != 1", True),
    ],
)
def test_conditions_go_on_to_hold_where_they_did(condition, holds):
    made = compile_expression(condition, names={"body": None})
    assert made.holds({"body": {}}) is holds
