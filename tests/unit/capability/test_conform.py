"""Parsed YAML → `Capability`, or every problem at its place (capability-format.md §1, §3.6, §7)."""

from pathlib import Path

import pytest

from gateway.capability.file.conform import conform
from gateway.capability.file.model import Cache, Capability
from gateway.capability.file.problem import MOST
from gateway.capability.file.yaml import parse
from gateway.domain.issue import Issue, Severity

FILES = Path(__file__).parent / "files"
HEAD = "capability: 1\ndescription: d\nbase_url: https://h\n"
TOOL = "tools: {t: {description: Reads., get: /x}}\n"


def read(text: str, **environ: str) -> tuple[Capability | None, list[Issue]]:
    return conform(parse(text.encode(), "dir/f.yaml"), "dir/f.yaml", environ)


def good(text: str, **environ: str) -> Capability:
    capability, issues = read(text, **environ)
    assert issues == []
    assert capability is not None
    return capability


def only(text: str, **environ: str) -> tuple[int, int, str, str, str | None]:
    """The one issue of a refused file: line, column, path, message, hint."""
    capability, issues = read(text, **environ)
    (issue,) = issues
    assert capability is None
    assert issue.file == "dir/f.yaml"
    return issue.line, issue.column, issue.path, issue.message, issue.hint


@pytest.mark.parametrize("name", ["weather", "tracker", "gh"])
def test_the_worked_files_of_the_format_conform(name: str) -> None:
    file = FILES / f"{name}.yaml"
    capability, issues = conform(parse(file.read_bytes(), str(file)), str(file), {})
    assert issues == []
    assert capability is not None
    assert capability.name == name


def test_merged_arguments_and_defaults_arrive() -> None:
    file = FILES / "gh.yaml"
    capability, _ = conform(parse(file.read_bytes(), str(file)), str(file), {})
    assert capability is not None
    assert list(capability.tools["read_file"].args) == ["owner", "repo", "path", "ref"]
    assert capability.tools["get_repo"].cache == Cache("10m", revalidate=True)
    assert capability.tools["list_issues"].query == {
        "state": "open",
        "per_page": 30,
        "...": "{{ rest }}",
    }


def test_a_minimal_file_takes_its_name_from_the_file() -> None:
    capability = good(HEAD + TOOL)
    assert capability.name == "f"
    assert capability.tools["t"].get == "/x"


def test_a_file_name_that_is_no_backend_name_needs_a_name_key() -> None:
    parsed = parse((HEAD + TOOL).encode(), "my-api.yaml")
    capability, (issue,) = conform(parsed, "my-api.yaml", {})
    assert capability is None
    assert issue.message == "the file's name, 'my-api', cannot be the backend's name"
    parsed = parse((HEAD + "name: my_api\n" + TOOL).encode(), "my-api.yaml")
    assert conform(parsed, "my-api.yaml", {})[1] == []


def test_free_keys_are_dropped_wherever_a_mapping_is_ours() -> None:
    text = """x-team: core
tools:
  t:
    description: Reads.
    get: /x
    x-owner: me
    headers: {x-sent: 1}
    args: {x-arg: {type: string, x-note: kept}}
    cache: {ttl: 5m, x-why: slow}
"""
    spec = good(HEAD + text).tools["t"]
    assert spec.headers == {"x-sent": 1}
    assert spec.args == {"x-arg": {"type": "string", "x-note": "kept"}}
    assert spec.cache == Cache("5m")


@pytest.mark.parametrize(
    ("text", "line", "column", "path", "message", "hint"),
    [
        ("dscription: x\n", 4, 1, "dscription", "unknown key 'dscription'", "'description'"),
        ("retry: {maxx: 1}\n", 4, 9, "retry.maxx", "unknown key 'maxx'", "'max'"),
        ("enabled: yes\n", 4, 10, "enabled", "must be true or false, not 'yes'", "write true"),
        ("enabled: False\n", 4, 10, "enabled", "must be true or false, not 'False'", "false"),
        ("docs: 5\n", 4, 7, "docs", "must be text, not a number", "quote it"),
        ("docs: true\n", 4, 7, "docs", "must be text, not true or false", "quote it"),
        ("tags: a\n", 4, 7, "tags", "must be a list, not text", None),
        ("tags: [a, {b: c}]\n", 4, 11, "tags[1]", "must be text, not a mapping", None),
        ("tags:\n", 4, 6, "tags", "must be a list, not empty", "leave the key out"),
        ("retry: {max: '3'}\n", 4, 14, "retry.max", "must be a whole number", "without quotes"),
        ("retry: {max: 1.5}\n", 4, 14, "retry.max", "must be a whole number, not 1.5", None),
        ("retry: {max: 11}\n", 4, 14, "retry.max", "11 is too large: at most 10", None),
        ("retry: {on: [42]}\n", 4, 14, "retry.on[0]", "42 is too small: at least 100", None),
        ("cache: []\n", 4, 8, "cache", "must be a mapping, text or a number, not a list", None),
        ("name: My-Api\n", 4, 7, "name", "'My-Api' does not match ^[a-z]", "a-z, 0-9 and '_'"),
        ('name: "gh\\n"\n', 4, 7, "name", "a name with a line end", None),
        ("secrets: {a-b: env:X}\n", 4, 11, "secrets.a-b", "'a-b' does not match", "no digit"),
        ("secrets: {a: hunter2}\n", 4, 14, "secrets.a", "a secret comes from 'env:", None),
        ("headers: {a b: 1}\n", 4, 11, "headers['a b']", "'a b' does not match", "no space"),
        ("auth: token\n", 4, 7, "auth", "must be a mapping or 'none', not text", None),
        ("auth: {}\n", 4, 7, "auth", "auth needs exactly one of", None),
        ("auth: {bearer: a, query: {}}\n", 4, 7, "auth", "auth needs exactly one of", None),
        ("errors: [{status: 4xy}]\n", 4, 19, "errors[0].status", "'4xy' does not match", "4xx"),
        ("errors: [{then: retri, when: x}]\n", 4, 17, "errors[0].then", "must be 'empty'", "retry"),
    ],
)
def test_a_wrong_key_is_told_at_its_place(
    text: str, line: int, column: int, path: str, message: str, hint: str | None
) -> None:
    found = only(HEAD + text + TOOL)
    assert found[:3] == (line, column, path)
    assert message in found[3]
    assert hint is None or hint in (found[4] or "")


def test_a_missing_key_is_named_unless_a_misspelled_one_stands_for_it() -> None:
    _, issues = read("capability: 1\ndescripton: x\n" + TOOL)
    assert [issue.message for issue in issues] == [
        "'base_url' is missing",
        "unknown key 'descripton'",
    ]


@pytest.mark.parametrize("text", ["[]", "5", "text", "- a"])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    assert only(text)[3].startswith("must be a mapping, not ")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("paginate: true", "such as {items: $.data, cursor:"),
        ("paginate: {page: {query: page}}", "what to collect of each page"),
        ("paginate: {items: $.a, limit: 9}", "size: {query: limit, value: 50}"),
        ("poll: 5s", "{} goes by Location"),
        ("response: {as: csv}", "any other bytes are binary, text and CSV text"),
    ],
)
def test_what_several_requests_and_answers_are_made_of_is_told(line: str, hint: str) -> None:
    _, issues = read(f"{HEAD}tools: {{t: {{description: Read., get: /x, {line}}}}}\n")
    assert [issue.hint for issue in issues if hint in (issue.hint or "")], issues


def test_another_version_of_the_format_is_refused() -> None:
    assert only(HEAD.replace("1", "2") + TOOL)[3] == "must be 1, not 2"


def test_no_tools_is_an_error() -> None:
    assert only(HEAD + "tools: {}\n")[2:4] == ("tools", "is empty")


def test_all_problems_of_a_file_are_told_in_the_order_of_its_lines() -> None:
    text = """enabld: true
base_url: https://h?x
tools:
  bad: {description: 5, get: /x}
  two: {description: Reads., get: /x, post: /y}
  typed: {description: Reads., get: /x, args: {a: {type: strin}}}
  none: []
"""
    capability, issues = read("capability: 1\ndescription: d\n" + text)
    assert capability is None
    assert [(issue.line, issue.path) for issue in issues] == [
        (3, "enabld"),
        (4, "base_url"),
        (6, "tools.bad.description"),
        (7, "tools.two.post"),
        (8, "tools.typed.args.a.type"),
        (9, "tools.none"),
    ]


def test_yaml_problems_come_alone() -> None:
    """What follows from a key that YAML refused would only confuse."""
    assert only("capability: 1\ncapability: 1\n")[3].startswith("the key 'capability'")


def test_a_flood_of_problems_is_cut() -> None:
    keys = "".join(f"k{index}: 1\n" for index in range(MOST * 3))
    _, issues = read(HEAD + keys + TOOL)
    assert len(issues) == MOST + 1
    assert issues[-1].message == f"more than {MOST} problems; the rest is not shown"


@pytest.mark.parametrize(
    "tools",
    [
        "t: {description: d, get: /x, args: {a: {KEYS}}}",
        "t: {description: d, get: /x, output: {KEYS}}",
        "t: {description: d, get: /x, args: {SCHEMAS}}",
        "t: {description: d, get: /x, args: {DEFAULTS}}",
        "TOOLS",
    ],
)
def test_a_flood_from_one_place_is_cut_too(tools: str) -> None:
    """Nearest words and schemas are costly: no file may ask for 100,000 of them."""
    for name, item in {
        "KEYS": "k{}: 1",
        "SCHEMAS": "k{}: {{typ: x}}",
        "DEFAULTS": "k{}: {{type: string, default: 1}}",
        "TOOLS": "k{}: {{description: d}}",
    }.items():
        tools = tools.replace(name, ", ".join(item.format(index) for index in range(MOST * 3)))
    _, issues = read(HEAD + f"tools: {{{tools}}}\n")
    assert len(issues) == MOST + 1
    assert issues[-1].message == f"more than {MOST} problems; the rest is not shown"


def test_base_url_is_filled_in_and_made_literal() -> None:
    head = "capability: 1\ndescription: d\nbase_url: ${API:-http://127.0.0.1:9090}/v1/\n"
    assert good(head + TOOL).base_url == "http://127.0.0.1:9090/v1"
    assert good(head + TOOL, API="https://prod.example").base_url == "https://prod.example/v1"


@pytest.mark.parametrize("auth", ["4242424242", "tok-4242", "{bearer: 4242424242}", "[tok-4242]"])
def test_a_misplaced_secret_is_not_repeated(auth: str) -> None:
    assert "4242" not in f"{only(f'{HEAD}auth: {auth}{chr(10)}{TOOL}')}"


def test_i41_an_unset_variable_is_an_error_that_names_it() -> None:
    found = only(HEAD.replace("https://h", "${API}") + TOOL)
    assert found[:4] == (3, 11, "base_url", "the environment variable API is not set")
    assert found[4] == "set it, or give it a default: ${NAME:-default}"


@pytest.mark.parametrize("value", ["https://u:hunter2@h", "ftp://hunter2", "https://h/?hunter2"])
def test_a_variable_is_checked_after_it_is_filled_in_and_never_shown(value: str) -> None:
    found = only(HEAD.replace("https://h", "${API}") + TOOL, API=value)
    assert found[2] == "base_url"
    assert "hunter2" not in f"{found}"


def test_i48_no_template_reaches_the_origin() -> None:
    found = only(HEAD.replace("https://h", '"https://{{ args.host }}"') + TOOL)
    assert found[2:4] == ("base_url", "a template cannot stand here")


def test_vars_are_filled_in_at_any_depth() -> None:
    text = 'vars: {a: "${X:-1}", b: [{c: "${X}"}], n: 5}\n'
    assert good(HEAD + text + TOOL, X="y").vars == {"a": "y", "b": [{"c": "y"}], "n": 5}
    assert only(HEAD + text + TOOL)[2:4] == (
        *("vars.b[0].c", "the environment variable X is not set"),
    )


def test_nothing_else_reads_the_environment() -> None:
    text = 'headers: {A: "${X}"}\nquery: {b: "${X}"}\n'
    assert good(HEAD + text + TOOL, X="y").headers == {"A": "${X}"}


def test_a_warning_does_not_refuse_the_file() -> None:
    capability, (issue,) = read(HEAD + "tools: {t: {description: Things., delete: /x}}\n")
    assert capability is not None
    assert issue.severity is Severity.WARNING


def test_however_many_warnings_there_are_they_do_not_refuse_the_file() -> None:
    many = "".join(f"  t{n}: {{description: Things., delete: /x}}\n" for n in range(2 * MOST))
    capability, issues = read(f"{HEAD}tools:\n{many}")
    assert capability is not None
    assert {issue.severity for issue in issues} == {Severity.WARNING}
    assert len(issues) == MOST + 1


def test_an_error_behind_many_warnings_is_found() -> None:
    many = "".join(f"  t{n}: {{description: Things., delete: /x}}\n" for n in range(2 * MOST))
    wrong = "  last: {description: Reads., get: /x, args: {a: {type: strin}}}\n"
    capability, issues = read(f"{HEAD}tools:\n{many}{wrong}")
    assert capability is None
    (error,) = [issue for issue in issues if issue.severity is Severity.ERROR]
    assert error.path == "tools.last.args.a.type"


@pytest.mark.parametrize("key", ["fulcrum", "openapi", "swagger"])
def test_a_file_of_another_format_is_told_once_and_not_key_by_key(key: str) -> None:
    text = f'{key}: "1.0"\nname: x\nproviders: {{}}\nschema: {{}}\nauth: {{type: none}}\n'
    line, column, path, message, hint = only(text)
    assert (line, column, path) == (1, 1, key)
    assert message == f"unknown key '{key}': the file is of another format"
    assert hint


def test_the_advice_on_files_of_mcp_gateway_names_both_ways() -> None:
    *_, hint = only("fulcrum: '1.0'\nproviders: {}\n")
    assert hint is not None
    assert "capgate convert" in hint
    assert "compat: fulcrum" in hint
