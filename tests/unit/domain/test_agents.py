"""What each agent may use: agent-mcp-gateway's rules, sentence for sentence."""

import json

import pytest

from gateway.config.agent_rules import understand
from gateway.domain.agents import Agents
from gateway.domain.identity import Level
from gateway.domain.policy import Kind

# The agents of agent-mcp-gateway's README, as it prints them.
RULES = {
    "agents": {
        "researcher": {
            "allow": {
                "servers": ["brave-search", "context7"],
                "tools": {"brave-search": ["brave_web_search"]},
            }
        },
        "backend": {
            "allow": {
                "servers": ["postgres", "laravel-boost"],
                "tools": {
                    "postgres": ["query", "list_tables", "list_schemas"],
                    "laravel-boost": ["get_*", "list_*", "read_*", "database_*", "search_*"],
                },
            },
            "deny": {
                "tools": {
                    "postgres": ["drop_*", "delete_*"],
                    "laravel-boost": ["database_query", "tinker"],
                }
            },
        },
        "admin": {
            "allow": {"servers": ["*"], "tools": {"brave-search": ["brave_web_search"]}},
            "deny": {"servers": ["notion"], "tools": {"playwright": ["browser_type"]}},
        },
        "claude-desktop": {
            "allow": {"servers": ["context7", "brave-search", "notion", "playwright"]},
            "deny": {"tools": {"playwright": ["browser_type", "browser_close_all", "launch_*"]}},
        },
        "default": {"deny": {"servers": ["*"]}},
    },
    "defaults": {"deny_on_missing_agent": False},
}


def agents(rules: object) -> Agents:
    found, issues = understand(json.dumps(rules).encode(), "rules.json")
    assert found is not None, issues
    return found


def agent(**sides: object) -> Agents:
    return agents({"agents": {"it": sides}})


README = agents(RULES)


def may(name: str, server: str, tool: str, rules: Agents = README) -> bool:
    return rules.rights(name).decide(Kind.TOOL, server, tool).allowed


def rule(name: str, server: str, tool: str, rules: Agents = README) -> str:
    decision = rules.rights(name).decide(Kind.TOOL, server, tool)
    assert decision.told
    return decision.rule


def test_the_researcher_has_one_tool_of_the_server_whose_tools_are_named() -> None:
    assert may("researcher", "brave-search", "brave_web_search")
    assert not may("researcher", "brave-search", "brave_local_search")


def test_the_researcher_has_all_of_the_server_that_has_no_tool_rules() -> None:
    assert may("researcher", "context7", "whatever_it_has")
    assert not may("researcher", "postgres", "query")


def test_the_backend_agent_has_the_named_tools_of_postgres_alone() -> None:
    for tool in ("query", "list_tables", "list_schemas"):
        assert may("backend", "postgres", tool)
    assert not may("backend", "postgres", "insert")
    assert rule("backend", "postgres", "drop_table") == "agents.backend.deny.tools.postgres[0]"


def test_a_denied_tool_is_denied_although_a_wildcard_allows_it() -> None:
    assert may("backend", "laravel-boost", "database_schema")
    assert may("backend", "laravel-boost", "get_absolute_url")
    assert not may("backend", "laravel-boost", "database_query")
    assert not may("backend", "laravel-boost", "tinker")
    assert not may("backend", "laravel-boost", "write_file")


def test_a_denied_server_is_denied_although_all_servers_are_allowed() -> None:
    assert not may("admin", "notion", "search")
    assert not README.rights("admin").backend("notion").visible
    assert rule("admin", "notion", "search") == "agents.admin.deny.servers[0]"


def test_the_admin_has_one_tool_of_one_server_all_but_one_of_another_and_all_of_the_rest() -> None:
    assert may("admin", "brave-search", "brave_web_search")
    assert not may("admin", "brave-search", "brave_local_search")
    assert not may("admin", "playwright", "browser_type")
    assert may("admin", "playwright", "browser_navigate")
    assert may("admin", "github", "anything")


def test_claude_desktop_has_all_of_three_servers_and_some_of_the_fourth() -> None:
    for server in ("context7", "brave-search", "notion"):
        assert may("claude-desktop", server, "anything")
    assert may("claude-desktop", "playwright", "browser_click")
    for tool in ("browser_type", "browser_close_all", "launch_browser"):
        assert not may("claude-desktop", "playwright", tool)


def test_the_default_agent_has_nothing() -> None:
    for server in ("context7", "postgres", "anything"):
        assert not README.rights("default").backend(server).visible


@pytest.mark.parametrize(
    ("tool", "allowed", "place"),
    [
        ("gone", False, "deny.tools.db[1]"),  # a name that is denied, before the glob that fits too
        ("get_secret", False, "deny.tools.db[0]"),  # a glob that denies, before the name allowed
        ("get_one", True, "allow.tools.db[1]"),  # a name that is allowed, before the glob
        ("get_two", True, "allow.tools.db[0]"),
        ("put_one", False, "allow.tools.db"),  # nothing fits, and there is a list
    ],
)
def test_the_first_of_six_steps_that_says_anything_decides(
    tool: str, place: str, *, allowed: bool
) -> None:
    rules = agent(
        allow={"servers": ["db"], "tools": {"db": ["get_*", "get_one", "get_secret", "gone"]}},
        deny={"tools": {"db": ["*_secret", "gone", "gon*"]}},
    )
    assert may("it", "db", tool, rules) == allowed
    assert rule("it", "db", tool, rules) == f"agents.it.{place}"


def test_an_implicit_grant_names_the_rule_that_lets_the_agent_use_the_server() -> None:
    rules = agent(allow={"servers": ["a", "d*"]}, deny={"tools": {"db": ["drop"]}})
    assert rule("it", "db", "get", rules) == "agents.it.allow.servers[1]"
    assert rule("it", "db", "drop", rules) == "agents.it.deny.tools.db[0]"


def test_what_no_list_of_servers_names_is_denied_by_that_list() -> None:
    assert rule("researcher", "postgres", "query") == "agents.researcher.allow.servers"


def test_servers_are_named_by_globs_too_and_a_name_goes_before_them() -> None:
    rules = agent(allow={"servers": ["*"]}, deny={"servers": ["browser_*", "browser_x"]})
    assert rules.rights("it").backend("browser_a").rule == "agents.it.deny.servers[0]"
    assert rules.rights("it").backend("browser_x").rule == "agents.it.deny.servers[1]"
    assert rules.rights("it").backend("mail").allowed


def test_case_counts() -> None:
    rules = agent(allow={"servers": ["db"], "tools": {"db": ["Get_*"]}})
    assert may("it", "db", "Get_one", rules)
    assert not may("it", "db", "get_one", rules)
    assert not may("it", "DB", "Get_one", rules)


def test_an_empty_list_allows_nothing() -> None:
    assert not may("it", "db", "get", agent(allow={"servers": ["db"], "tools": {"db": []}}))
    assert not may("it", "db", "get", agent(allow={"servers": []}))
    assert not may("it", "db", "get", agent())
    assert may("it", "db", "get", agent(allow={"servers": ["db"], "tools": {}}))


def test_tools_of_a_server_are_of_no_use_without_the_server() -> None:
    assert not may("it", "db", "get", agent(allow={"tools": {"db": ["get"]}}))


def test_tools_may_be_listed_for_a_glob_of_servers() -> None:
    rules = agent(
        allow={"servers": ["*"], "tools": {"*": ["get_*"], "db": ["query"]}},
        deny={"tools": {"*": ["*_secret"]}},
    )
    assert may("it", "mail", "get_one", rules)
    assert not may("it", "mail", "send", rules)
    assert may("it", "db", "query", rules)
    assert not may("it", "db", "get_one", rules)  # what names it goes before what fits it
    assert not may("it", "mail", "get_secret", rules)


def test_prompts_and_resources_are_granted_with_the_server_unless_its_tools_are_listed() -> None:
    rules = agent(
        allow={"servers": ["all", "some", "less"], "tools": {"some": ["*"]}},
        deny={"tools": {"less": ["drop"]}},
    ).rights("it")
    for kind in (Kind.PROMPT, Kind.RESOURCE):
        assert rules.decide(kind, "all", "x").allowed
        assert rules.decide(kind, "less", "drop").allowed
        assert not rules.decide(kind, "some", "x").visible
        assert not rules.decide(kind, "other", "x").visible
    assert rules.backend("some").allowed


def test_a_call_is_decided_by_its_name_whatever_its_arguments() -> None:
    rights = README.rights("backend")
    for arguments in ({}, {"sql": "drop"}):
        assert rights.of_call("postgres", "query", arguments).allowed
        assert not rights.of_call("postgres", "drop_table", arguments).allowed


def test_a_name_that_is_too_long_for_any_is_denied_and_not_remembered() -> None:
    rights = agent(allow={"servers": ["*"]}).rights("it")
    assert rights.backend("x" * 200).level is Level.ADMIN
    assert not rights.backend("x" * 10_000).visible
    assert not rights.decide(Kind.TOOL, "db", "x" * 10_000).visible
    for number in range(2_000):
        assert rights.backend(f"b{number}").allowed


def test_rules_that_say_the_same_are_equal() -> None:
    assert agents(RULES) == agents(json.loads(json.dumps(RULES, indent=4)))
    assert agents(RULES) != agent()
