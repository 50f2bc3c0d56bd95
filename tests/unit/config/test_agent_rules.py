"""`.mcp-gateway-rules.json`: read strictly, and told of with places."""

import json
import re
from pathlib import Path

import pytest

from gateway.config.agent_rules import understand, unmet
from gateway.domain.agents import Agent, Agents, Part
from gateway.domain.catalog import Catalog
from gateway.domain.issue import Issue, Severity
from gateway.domain.listing import Listing


def issues(text: str | bytes) -> tuple[Issue, ...]:
    agents, found = understand(text.encode() if isinstance(text, str) else text, "rules.json")
    assert agents is None
    return found


def rules(text: str) -> tuple[Agents, tuple[Issue, ...]]:
    agents, found = understand(text.encode(), "rules.json")
    assert agents is not None, found
    return agents, found


def test_a_file_of_agent_mcp_gateway_is_read_as_it_is() -> None:
    agents, found = rules(
        """{
          "agents": {
            "backend.database": {
              "allow": {"servers": ["postgres"], "tools": {"postgres": ["query", "list_*"]}},
              "deny": {"servers": ["notion"], "tools": {"postgres": ["drop_*"]}}
            },
            "default": {"deny": {"servers": ["*"]}}
          },
          "defaults": {"deny_on_missing_agent": false}  // who names none acts as default
        }"""
    )
    assert found == ()
    assert agents == Agents(
        {
            "backend.database": Agent(
                Part(("postgres",), {"postgres": ("query", "list_*")}),
                Part(("notion",), {"postgres": ("drop_*",)}),
            ),
            "default": Agent(deny=Part(("*",))),
        },
        deny_on_missing=False,
    )


def test_the_rules_on_the_page_about_agents_load() -> None:
    page = (Path(__file__).parents[3] / "docs" / "agents.md").read_text("utf-8")
    blocks = re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    agents, found = rules(next(text for text in blocks if '"agents"' in text))
    assert found == ()
    assert set(agents.rules) == {"researcher", "backend.database", "admin", "default"}


def test_who_names_no_agent_is_refused_unless_the_file_says_otherwise() -> None:
    for text in ('{"agents": {}}', '{"agents": {}, "defaults": {}}'):
        assert rules(text)[0].deny_on_missing


def test_the_authors_own_keys_are_passed_over() -> None:
    agents, found = rules(
        """{"$schema": "https://example.com/rules.json", "_note": 1, "x-team": "core",
        "agents": {"_comment": "ours", "x-ray": {"description": "sees through", "_n": 0,
        "allow": {"_why": "so", "servers": ["a"], "tools": {"_also": "a note"}}}},
        "defaults": {"_n": 1}}"""
    )
    assert found == ()
    assert agents.rules == {"x-ray": Agent(Part(("a",)))}


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ('{"agents": {}, "agents": {}}', "1:16", "the key 'agents' stands here a second time"),
        ('{"agents": {"a": NaN}}', "1:18", "not JSON: NaN is no number"),
        ('{\n"agents": -Infinity}', "2:12", "not JSON: -Infinity is no number"),
        ("{agents: {}}", "1:2", "not JSON: expecting property name enclosed in double quotes"),
        ('{"agents": {},}', "1:15", "not JSON"),
        ('{"agents": {"a": {}}\n', "2:1", "not JSON: expecting ',' delimiter"),
        ("", "", "the file is empty"),
        ("null", "", "the file is empty"),
        ("[]", "1:1", "must be a mapping, not a list"),
        ("{}", "1:1", "'agents' is missing"),
        ('{"agents": {"a": null}}', "1:18", "must be a mapping"),
        ('{"agents": {"a": {"allow": {"servers": "x"}}}}', "1:40", "must be a list, not text"),
        ('{"agents": {"a": {"allow": {"servers": [1]}}}}', "1:41", "must be text, not a number"),
        ('{"agents": {"a": {"deny": {"tools": ["x"]}}}}', "1:37", "must be a mapping, not a list"),
        ('{"agents": {"a": {"deny": {"tools": {"s": "x"}}}}}', "1:43", "must be a list"),
        ('{"agents": {"a b": {}}}', "1:13", "'a b' does not match"),
        ('{"agents": {}, "defaults": {"deny_on_missing_agent": "yes"}}', "1:54", "true or false"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, where: str, message: str) -> None:
    [issue] = issues(text)
    assert issue.where == (f"rules.json:{where}" if where else "rules.json")
    assert message in issue.message


def test_an_unknown_key_is_told_with_the_nearest_known_one() -> None:
    found = issues(
        '{"agents": {"a": {"alow": {}, "deny": {"server": []}}},'
        ' "defaults": {"deny_on_missing": true}}'
    )
    assert [(issue.path, issue.hint) for issue in found] == [
        ("agents.a.alow", "did you mean 'allow'?"),
        ("agents.a.deny.server", "did you mean 'servers'?"),
        ("defaults.deny_on_missing", "did you mean 'deny_on_missing_agent'?"),
    ]


def test_rules_on_the_wrong_level_are_told_where_they_belong() -> None:
    [issue] = issues('{"agents": {"a": {"servers": ["x"]}}}')
    assert (issue.path, issue.hint) == ("agents.a.servers", 'below "allow" or "deny"')


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + b'{"agents": {}}',
        '{"agents": {}}'.encode("utf-16"),
        b'{"agents": {"\xff": {}}}',
        b'{"agents":' * 100_000,
        b'{"agents": {"a": ' + b"9" * 10_000 + b"}}",
        b'{"agents": {"\\ud800": {}}}',
        b'{"agents": {}}' + b" " * (1 << 20),
        b"\x00",
    ],
)
def test_bytes_that_are_no_rules_are_refused_and_never_raise(data: bytes) -> None:
    assert issues(data)


def test_an_empty_list_of_tools_is_told_of_since_it_allows_nothing() -> None:
    _, [issue] = rules('{"agents": {"a": {"allow": {"servers": ["s"], "tools": {"s": []}}}}}')
    assert (issue.severity, issue.path) == (Severity.WARNING, "agents.a.allow.tools.s")
    assert "allows no tool" in issue.message


def test_tools_of_a_server_that_the_agent_may_not_use_are_told_of() -> None:
    _, [issue] = rules('{"agents": {"a": {"allow": {"servers": ["s"], "tools": {"t": ["x"]}}}}}')
    assert (issue.severity, issue.where) == (Severity.WARNING, "rules.json:1:57")
    assert "allow.servers does not let the agent use 't'" in issue.message


def test_servers_that_nobody_offers_are_warned_of_and_their_rules_stay() -> None:
    agents, _ = rules(
        """{"agents": {"a": {
        "allow": {"servers": ["mail", "postgers", "web_*"], "tools": {"mail": ["x"]}},
        "deny": {"servers": ["*"], "tools": {"gone": ["x"]}}}}}"""
    )
    catalog = Catalog([Listing("mail", "", ()), Listing("postgres", "", ())])
    told = list(unmet(agents, "rules.json", catalog))
    assert [(one.where, one.path, one.hint, one.severity) for one in told] == [
        (
            "rules.json:2:39",
            "agents.a.allow.servers[1]",
            "did you mean 'postgres'?",
            Severity.WARNING,
        ),
        ("rules.json:3:46", "agents.a.deny.tools.gone", None, Severity.WARNING),
    ]
    assert "the rule waits for it" in told[0].message
    assert agents.rights("a").backend("postgers").rule == "agents.a.deny.servers[0]"


def test_rules_are_the_same_wherever_they_stand_in_the_file() -> None:
    text = '{"agents": {"a": {"allow": {"servers": ["s"]}}}}'
    assert rules(text)[0] == rules(json.dumps(json.loads(text), indent=4))[0]
