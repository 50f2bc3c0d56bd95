"""Warnings about rules of gateway.yaml that come to nothing, or leave somebody nothing."""

from time import process_time

import pytest

from gateway.config.load import understand
from gateway.config.unmet import unmet
from gateway.domain.catalog import Catalog
from gateway.domain.listing import Health, Listing, Status
from tests.peers.memory_gateway import tool

CATALOG = Catalog(
    [
        Listing("github", "", (tool("github", "get_issue"), tool("github", "delete_repo"))),
        Listing("late", "", (), Health(Status.DOWN, "connecting")),
    ]
)
KEY = "auth: {enabled: true, api_keys: [{name: ci, key: a-key-of-some-length, team: build"


def found(text: str, catalog: Catalog = CATALOG) -> list[tuple[str, str, str | None]]:
    loaded = understand(text.encode(), "g.yaml", {}, {})
    assert loaded.config is not None, loaded.issues
    issues = unmet(loaded.config, "g.yaml", catalog)
    return [(one.path, one.message, one.hint) for one in issues]


def of_key(rest: str) -> list[tuple[str, str, str | None]]:
    return found(f"{KEY}, {rest}}}]}}\naliases: {{gh: github}}\n")


def of_rule(rule: str) -> list[tuple[str, str, str | None]]:
    return found(f"policies: {{p: {{everyone: true, default_level: read, rules: [{rule}]}}}}")


@pytest.mark.parametrize(
    ("rest", "place", "said", "hint"),
    [
        ("backends: [githup, late]", "backends", "'githup'", "did you mean 'github'?"),
        ("backends: [gh, late]", "backends", "'gh'", "write github"),
        ('backends: ["git-*", late]', "backends", "'git-*'", None),
        ("backends: [github], allowed_tools: [get_isue]", "allowed_tools", "'get_isue'", "get_iss"),
        ("backends: [github], allowed_tools: ['set_*']", "allowed_tools", "'set_*'", None),
        ("denied_tools: ['githup:delete_repo']", "denied_tools", None, None),
        ("backends: [github], allowed_tools: ['{a,b}']", "allowed_tools", "'{a,b}'", "a list"),
    ],
)
def test_a_glob_of_a_key_that_fits_nothing_is_told_with_what_was_meant(
    rest: str, place: str, said: str | None, hint: str | None
) -> None:
    told = of_key(rest)
    if said is None:  # `late` may come to have it
        assert told == []
        return
    [(path, message, advice)] = told
    assert path == f"auth.api_keys[0].{place}"
    assert said in message
    assert hint is None or hint in (advice or "")


@pytest.mark.parametrize(
    "rest",
    [
        "backends: ['*']",
        "allowed_tools: [get_issue, 'github:*', 'late:x']",
        "denied_tools: ['drop_*']",
    ],
)
def test_a_glob_that_fits_or_may_come_to_fit_is_not_told(rest: str) -> None:
    assert of_key(rest) == []


def test_a_deny_with_a_glob_may_wait_for_its_tool_and_one_that_names_it_may_not() -> None:
    assert of_rule("{backend: github, tool: 'drop_*', level: deny}") == []
    [(path, message, hint)] = of_rule("{backend: github, tool: delete_rep, level: deny}")
    assert path == "policies.p.rules[0].tool"
    assert message == "no tool fits 'delete_rep'"
    assert hint == "did you mean 'delete_repo'?"


def test_a_policy_about_nobody_is_told_unless_tokens_may_bring_somebody() -> None:
    policies = """
policies:
  p: {keys: [cii, ci], teams: [bild], orgs: ["*"], default_level: execute}
"""
    text = f"{KEY}}}]"
    assert [one[::2] for one in found(f"{text}}}{policies}")] == [
        ("policies.p.keys", "did you mean 'ci'?"),
        ("policies.p.teams", "did you mean 'build'?"),
        ("policies.p.orgs", None),
    ]
    issuer = "jwt: {issuer: https://id.example, audience: x}"
    assert [one[0] for one in found(f"{text}, {issuer}}}{policies}")] == ["policies.p.keys"]


def test_who_may_use_nothing_by_accident_is_told_by_name() -> None:
    alone = "policies: {p: {everyone: true, rules: [{tool: 'delete_*', level: deny}]}}"
    [(path, message, hint)] = found(f"{KEY}}}]}}\n{alone}")
    assert path == "auth.api_keys[0]"
    assert message == "'ci' may use nothing that is on offer (policies: no policy allows it)"
    assert "default_level: execute" in (hint or "")
    [(path, message, _)] = found(alone)
    assert path == "policies"
    assert "'anonymous'" in message
    assert found(alone.replace("rules", "default_level: execute, rules")) == []


def test_a_key_that_may_act_as_no_agent_is_told_where_agents_have_rules() -> None:
    text = "agent_rules: rules.json\n"
    [(path, message, hint)] = found(f"{text}{KEY}}}]}}")
    assert (path, "'ci'" in message, "agents:" in (hint or "")) == ("auth.api_keys[0]", True, True)
    assert found(f"{text}{KEY}, agents: [a]}}]}}") == []
    assert [one[0] for one in found("default_agent: a")] == ["default_agent"]


def test_the_defaults_of_mcp_gateway_are_about_whatever_may_come() -> None:
    assert found("security: {tool_policy: {deny: [drop_it]}}", Catalog()) == []


def test_ten_thousand_tools_and_a_thousand_rules_are_looked_at_in_no_time() -> None:
    tools = [
        Listing(f"s{n}", "", tuple(tool(f"s{n}", f"t_{m}") for m in range(100))) for n in range(100)
    ]
    rules = ", ".join(
        f"{{backend: s{n % 100}, tool: 't_{n % 100}*', level: read}}" for n in range(1000)
    )
    text = f"policies: {{p: {{everyone: true, rules: [{rules}]}}}}"
    config = understand(text.encode(), "g.yaml", {}, {}).config
    assert config is not None
    catalog = Catalog(tools)
    began = process_time()
    assert list(unmet(config, "g.yaml", catalog)) == []
    assert process_time() - began < 2
