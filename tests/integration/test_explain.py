"""`capgate explain`: what a key may do, and why, over files of the test's own."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli import cli

SHOP = """\
capability: 1
description: Items of a shop
base_url: https://shop.example
tools:
  get_item:
    description: One item.
    args: {id: {type: integer, required: true}}
    get: /items/{{ args.id }}
"""
SETTINGS: dict[str, Any] = {
    "auth": {
        "enabled": True,
        "api_keys": [
            {"name": "ci", "key": "ci-canary-0123456789", "team": "web"},
            {"name": "poor", "key": "poor-canary-0123456789", "denied_tools": ["get_*"]},
        ],
        "jwt": {"issuer": "https://id.example", "audience": "https://gateway.example"},
    },
    "aliases": {"s": "shop"},
    "policies": {
        "web": {
            "teams": ["web"],
            "rules": [
                {"backend": "shop", "tool": "get_*", "level": "execute"},
                {
                    "backend": "shop",
                    "tool": "*",
                    "level": "deny",
                    "when": {"id": {"at_least": 5}},
                },
            ],
        },
        "all": {"everyone": True, "rules": [{"tool": "*_all", "level": "deny"}]},
    },
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "capabilities").mkdir()
    (tmp_path / "capabilities" / "shop.yaml").write_text(SHOP)
    file = tmp_path / "gateway.yaml"
    file.write_text(json.dumps(SETTINGS))
    return file


def explain(file: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["explain", *words, "-c", str(file)])
    assert "canary" not in result.output
    return result.exit_code, result.output


def told(file: Path, *words: str) -> dict[str, Any]:
    code, text = explain(file, *words, "--json")
    found: dict[str, Any] = json.loads(text)
    assert code == (0 if found["calls"] else 1)
    return found


def test_it_names_the_rule_that_decides_and_the_others_that_match(file: Path) -> None:
    code, text = explain(file, "ci", "shop:get_item")
    assert code == 0
    assert text.splitlines() == [
        "ci may call shop:get_item",
        "  decided by    policies.web.rules[0]",
        "  matches too   policies.web.rules[1] (deny, on conditions)",
        "  note          conditions on arguments are left out: say --args",
    ]


def test_arguments_count(file: Path) -> None:
    few = told(file, "ci", "shop:get_item", "--args", '{"id": 3}')
    assert (few["calls"], few["rule"], few["notes"]) == (True, "policies.web.rules[0]", [])
    many = told(file, "ci", "shop:get_item", "--args", '{"id": 7}')
    assert (many["sees"], many["calls"]) == (True, False)
    assert many["rule"] == "policies.web.rules[1]"
    assert explain(file, "ci", "shop:get_item", "--args", "[]")[0] == 2


def test_what_is_not_there_is_told_with_the_nearest_name(file: Path) -> None:
    assert told(file, "ci", "shop:get_items")["notes"][-1] == (
        "the server offers no tool 'get_items': did you mean 'get_item'?"
    )
    assert "did you mean 'shop'?" in told(file, "ci", "shup:get_item")["notes"][-1]


def test_each_sort_of_caller_is_known(file: Path) -> None:
    assert told(file, "poor", "shop:get_item")["rule"] == "auth.api_keys.poor.denied_tools[0]"
    assert told(file, "local", "shop:get_item")["rule"] == "no rule"
    assert told(file, "local", "shop:drop_all")["rule"] == "policies.all.rules[0]"
    assert told(file, "jwt:bob", "shop:get_item")["rule"] == "policies: no policy allows it"
    assert told(file, "jwt:bob", "shop:get_item", "--team", "web")["calls"]
    assert told(file, "ci", "s:get_item")["calls"]
    assert told(file, "ci", "shop")["level"] == "execute"
    code, text = explain(file, "c", "shop")
    assert (code, "no key is called 'c'" in text) == (1, True)


def test_as_an_agent_it_may_do_less(file: Path) -> None:
    rules = {"agents": {"coder": {"allow": {"servers": ["other"]}}}}
    (file.parent / "rules.json").write_text(json.dumps(rules))
    settings = {**SETTINGS, "agent_rules": "rules.json"}
    settings["auth"] = {**SETTINGS["auth"], "api_keys": [{**SETTINGS["auth"]["api_keys"][0]}]}
    settings["auth"]["api_keys"][0]["agents"] = ["coder"]
    file.write_text(json.dumps(settings))
    as_coder = told(file, "ci", "shop:get_item", "--agent", "coder")
    assert (as_coder["sees"], as_coder["rule"]) == (False, "agents.coder.allow.servers")
    assert "ghost" in told(file, "ci", "shop:get_item", "--agent", "ghost")["notes"][0]


def test_a_tool_of_a_server_that_is_down_is_not_said_to_be_missing(file: Path) -> None:
    settings = {**SETTINGS, "backends": {"late": {"command": "no-such-program-at-all"}}}
    file.write_text(json.dumps(settings))
    _, text = explain(file, "ci", "late:some_tool")
    assert "note          the server is down: what it offers is not known" in text
    assert "no tool" not in text


def test_a_name_by_which_nobody_calls_is_told(file: Path) -> None:
    assert "nobody comes in as anonymous" in told(file, "anonymous", "shop")["notes"][-1]
    assert told(file, "local", "shop")["notes"] == []
    auth = {**SETTINGS["auth"], "enabled": False}
    file.write_text(json.dumps({**SETTINGS, "auth": auth}))
    assert "everybody is anonymous" in told(file, "ci", "shop")["notes"][-1]
    assert told(file, "anonymous", "shop")["notes"] == []
