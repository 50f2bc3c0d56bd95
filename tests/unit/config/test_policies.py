"""`policies:` of gateway.yaml: what it comes to, and what is wrong with it, at its line."""

import pytest

from gateway.config.load import understand
from gateway.config.policies import compiled
from gateway.config.unmet import unmet
from gateway.domain.catalog import Catalog
from gateway.domain.conditions import UNSAID, Condition
from gateway.domain.identity import Level
from gateway.domain.listing import Listing
from gateway.domain.rules import Assigned, Rule

GOOD = """\
policies:
  web team:
    teams: [web]
    default_level: read
    denied_backends: [secret]
    rules:
      - {level: execute, backend: github, tool: "get_*"}
      - {level: deny, tool: [a, b], when: {n: {at_least: 5}, o.x: {equals: null}}}
      - {level: admin, prompt: p, resource: "x:*"}
  other: {everyone: true, allowed_backends: []}
  busy:
    keys: [ci]
    orgs: [acme]
    agents: [researcher]
    rate_limit: 60
    rules: [{level: read, when: {a: {one_of: [1]}, b: {glob: "x*", at_most: 9}}}]
"""


def test_policies_come_to_plain_values_that_know_their_place() -> None:
    loaded = understand(GOOD.encode(), "g.yaml", {}, {})
    assert loaded.config is not None, loaded.issues
    place = "policies['web team']"
    when = (Condition("n", at_least=5), Condition("o.x", equals=None))
    more = (Condition("a", one_of=(1,)), Condition("b", glob="x*", at_most=9))
    assert compiled(loaded.config.policies) == (
        Assigned(
            place,
            teams=("web",),
            default=Level.READ,
            denied_backends=("secret",),
            rules=(
                Rule(f"{place}.rules[0]", Level.EXECUTE, ("github",), ("get_*",)),
                Rule(f"{place}.rules[1]", Level.DENY, tools=("a", "b"), when=when),
                Rule(f"{place}.rules[2]", Level.ADMIN, prompts=("p",), resources=("x:*",)),
            ),
        ),
        Assigned("policies.other", everyone=True, allowed_backends=()),
        Assigned(
            "policies.busy",
            keys=("ci",),
            orgs=("acme",),
            agents=("researcher",),
            rules=(Rule("policies.busy.rules[0]", Level.READ, when=more),),
            rate_limit=60,
        ),
    )
    assert when[0].equals is UNSAID


@pytest.mark.parametrize(
    ("policy", "path", "said"),
    [
        ("{rules: [{level: read}]}", "policies.p", "speaks of nobody"),
        (
            "{everyone: true, rules: [{level: deny, prompt: p, when: {a: {equals: 1}}}]}",
            "policies.p.rules[0].when",
            "for tools alone",
        ),
        (
            "{everyone: true, rules: [{level: deny, when: {a: {}}}]}",
            "policies.p.rules[0].when.a",
            "says nothing",
        ),
        (
            "{everyone: true, rules: [{level: deny, when: {a: {one_of: []}}}]}",
            "policies.p.rules[0].when.a.one_of",
            "one of none",
        ),
        (
            "{everyone: true, rules: [{level: deny, when: {a: {at_least: 2, at_most: 1}}}]}",
            "policies.p.rules[0].when.a",
            "no number is both",
        ),
        ("{everyone: true, rules: [{level: write}]}", "policies.p.rules[0].level", "write"),
        ("{everyone: true, rules: [{server: x, level: read}]}", "policies.p.rules[0].server", ""),
        ("{everyone: true, rules: [{}]}", "policies.p.rules[0].level", ""),
    ],
)
def test_what_is_wrong_is_told_at_its_place(policy: str, path: str, said: str) -> None:
    loaded = understand(f"policies:\n  p: {policy}\n".encode(), "g.yaml", {}, {})
    assert loaded.config is None
    [issue] = loaded.issues
    assert (issue.path, issue.line) == (path, 2)
    assert said in issue.message


def test_rules_about_names_that_are_nobodys_own_are_warned_of() -> None:
    text = """\
aliases: {gh: github}
policies:
  p:
    agents: [coder]
    rules:
      - {backend: [github, "git*"], level: read}
      - {backend: [gh, githup], level: deny}
"""
    loaded = understand(text.encode(), "g.yaml", {}, {})
    assert loaded.config is not None
    found = [*unmet(loaded.config, "g.yaml", Catalog([Listing("github", "", ())]))]
    assert [(one.path, one.hint) for one in found] == [
        ("policies.p.agents", None),
        ("policies", found[1].hint),  # 'anonymous' may use nothing
        ("policies.p.rules[1].backend", "write github"),
        ("policies.p.rules[1].backend", "did you mean 'github'?"),
    ]
