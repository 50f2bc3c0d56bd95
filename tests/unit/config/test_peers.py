"""mcp-gateway's tool policy as one of ours, and lines of files of variables."""

import pytest

from gateway.config.env_files import read
from gateway.config.load import understand
from gateway.config.peers import DANGEROUS, TOOL_POLICY, ToolPolicy, as_policy
from gateway.config.policies import Rule


def denied(policy: ToolPolicy) -> set[tuple[object, object]]:
    return {(rule.backend, rule.tool) for rule in as_policy(policy).rules if rule.level == "deny"}


def test_without_more_it_denies_what_is_dangerous_and_allows_the_rest() -> None:
    policy = as_policy(ToolPolicy())
    assert {rule.tool for rule in policy.rules} == set(DANGEROUS)
    assert (policy.everyone, policy.default_level) == (True, "admin")


@pytest.mark.parametrize(("enabled", "names"), [("true", [TOOL_POLICY]), ("false", [])])
def test_it_counts_as_a_policy_unless_it_is_off(enabled: str, names: list[str]) -> None:
    text = f"security: {{tool_policy: {{enabled: {enabled}, deny: [eval]}}}}"
    config = understand(text.encode(), "gateway.yaml", {}, {}).config
    assert config is not None
    assert list(config.policies) == names


def test_what_it_allows_by_name_is_not_denied_by_default() -> None:
    found = denied(ToolPolicy(allow=("write_file", "drop_*")))
    assert ("*", "write_file") not in found
    assert not {("*", "drop_table"), ("*", "drop_database")} & found
    assert ("*", "delete_file") in found


def test_a_glob_with_a_colon_is_for_a_server() -> None:
    policy = ToolPolicy(use_default_deny=False, deny=("files:write_*", "eval"))
    assert denied(policy) == {("files", "write_*"), ("*", "eval")}


def test_where_it_denies_by_default_only_what_it_allows_is_allowed() -> None:
    policy = ToolPolicy(use_default_deny=False, default_action="deny", allow=("read_*", "a:b"))
    found = as_policy(policy)
    assert found.default_level is None
    assert found.rules == (Rule("admin", tool="read_*"), Rule("admin", backend="a", tool="b"))


def test_what_it_allows_out_of_what_it_denies_cannot_be_said() -> None:
    with pytest.raises(ValueError, match="here a deny always holds"):
        as_policy(ToolPolicy(deny=("exec_*",), allow=("exec_ls",)))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("export A=1", "1"),
        (" A = 1 ", "1"),
        ("A=", ""),
        ("A=a b # c", "a b"),
        ("A=a#b", "a#b"),
        ("A=#b", ""),
        ("A='a # $b' # c", "a # $b"),
        (r'A="a \"b\"\n"', 'a "b"\n'),
        ("A=it's", "it's"),
    ],
)
def test_a_line_gives_a_value(line: str, value: str) -> None:
    assert dict(read(f"# comment\n\n{line}\n", "x.env")) == {"A": value}


@pytest.mark.parametrize("line", ["A", "1A=2", "A='open", 'A="open', "A='a' b", "=1"])
def test_a_line_that_gives_none_is_told_by_its_number_alone(line: str) -> None:
    with pytest.raises(ValueError, match=r"line 2 of x\.env is no NAME=value") as told:
        list(read(f"B=1\n{line}\n", "x.env"))
    assert line not in str(told.value).removeprefix("line 2 of x.env is no NAME=value")
