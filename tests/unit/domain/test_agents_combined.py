"""Who acts as which agent, and what is left to whoever does."""

from collections.abc import Iterable, Sequence

import pytest

from gateway.domain.agents import Agent, Agents, Part
from gateway.domain.combined import combined
from gateway.domain.identity import ANONYMOUS, LOCAL, OPERATOR, Grant, Identity, Level
from gateway.domain.policy import ALL, NO_POLICY, Decision, Kind, Policy, Rights
from gateway.domain.tool import JsonObject
from gateway.errors import FallbackAgentUnknown, GatewayError, InvalidAgent, NoFallbackAgent

READS = Agent(Part(("db",), {"db": ("get_*",)}))
ALL_OF_IT = Agent(Part(("*",)))
RULES = {"reader": READS, "admin": ALL_OF_IT, "team.lead": ALL_OF_IT}


class Only:
    """May do one thing; the rest is hidden from it."""

    whole = False
    rate_limit = 0
    refusal: GatewayError | None = None
    level = Level.EXECUTE

    def __init__(self, tool: str) -> None:
        self._tool = tool

    def backend(self, name: str) -> Decision:
        return Decision(Level.EXECUTE, "policies.p.rules[0]")

    def decide(self, kind: Kind, backend: str, name: str) -> Decision:
        if name == self._tool:
            return Decision(Level.EXECUTE, "policies.p.rules[0]")
        return Decision(Level.DENY, "policies.p.default_level")

    def seen(self, kind: Kind, backend: str, names: Sequence[str]) -> Sequence[bool]:
        return [self.decide(kind, backend, name).visible for name in names]

    def of_call(self, backend: str, tool: str, arguments: JsonObject) -> Decision:
        return self.decide(Kind.TOOL, backend, tool)


class Its:
    """Of everybody the same."""

    agents = False

    def __init__(self, rights: Rights) -> None:
        self._rights = rights

    def of(self, who: Identity) -> Rights:
        return self._rights

    def expect(self, tools: Iterable[str]) -> None:
        pass

    def acting(self, who: Identity, agent: str | None) -> Identity:
        return who


def policy(default: str | None = None, *, deny: bool = False, base: Policy = NO_POLICY) -> Policy:
    return combined(base, Agents(RULES, deny), default)


def key(*agents: str) -> Identity:
    return Identity("ci", grant=Grant(agents=agents))


def test_without_rules_of_agents_the_policy_is_what_it_was() -> None:
    base = Its(ALL)
    assert combined(base, None, "reader") is base
    assert combined(base, Agents({}), None).agents


def test_a_caller_acts_as_the_agent_that_it_names() -> None:
    acting = policy().acting(ANONYMOUS, "reader")
    assert (acting.name, acting.agent) == ("anonymous", "reader")
    assert policy().acting(acting, None) is acting
    assert {acting: 1}[policy().acting(ANONYMOUS, "reader")] == 1


def test_an_agent_without_rules_is_refused_whatever_the_defaults_are() -> None:
    for default in ("admin", None):
        with pytest.raises(InvalidAgent, match="no rules for an agent 'ghost'"):
            policy(default).acting(ANONYMOUS, "ghost")
    pinned = Identity("anonymous", agent="ghost")
    assert type(policy("admin").of(pinned).refusal) is InvalidAgent


def test_who_names_no_agent_acts_as_the_one_of_the_setting() -> None:
    assert policy("reader").acting(LOCAL, None).agent == "reader"
    assert policy("reader").acting(LOCAL, "").agent == "reader"


def test_the_setting_goes_before_the_agent_called_default() -> None:
    rules = Agents({**RULES, "default": Agent()}, deny_on_missing=False)
    assert combined(NO_POLICY, rules, "admin").acting(ANONYMOUS, None).agent == "admin"
    assert combined(NO_POLICY, rules, None).acting(ANONYMOUS, None).agent == "default"


def test_a_setting_that_names_an_agent_without_rules_is_told_and_nothing_is_in_its_place() -> None:
    rules = Agents({**RULES, "default": ALL_OF_IT}, deny_on_missing=False)
    with pytest.raises(FallbackAgentUnknown, match="'ghost'"):
        combined(NO_POLICY, rules, "ghost").acting(ANONYMOUS, None)


def test_without_setting_and_default_agent_who_names_none_is_refused() -> None:
    with pytest.raises(NoFallbackAgent):
        policy().acting(ANONYMOUS, None)
    assert type(policy().of(ANONYMOUS).refusal) is NoFallbackAgent


def test_where_every_agent_has_to_be_named_there_is_no_fallback() -> None:
    rules = Agents({**RULES, "default": ALL_OF_IT}, deny_on_missing=True)
    with pytest.raises(InvalidAgent) as caught:
        combined(NO_POLICY, rules, "admin").acting(ANONYMOUS, None)
    assert type(caught.value) is InvalidAgent
    assert "agent_id" in caught.value.explain()


def test_who_is_refused_may_see_and_do_nothing() -> None:
    rights = policy(deny=True).of(ANONYMOUS)
    assert not rights.whole
    assert not rights.backend("db").visible
    assert not rights.decide(Kind.TOOL, "db", "get_one").visible
    assert not rights.of_call("db", "get_one", {}).visible
    assert rights.refusal is not rights.refusal  # each raised by itself


def test_a_key_acts_as_the_agents_it_lists_and_as_no_other() -> None:
    listing = key("team.*", "reader")
    assert policy().acting(listing, "team.lead").agent == "team.lead"
    assert policy().acting(listing, "reader").agent == "reader"
    with pytest.raises(InvalidAgent, match="'ci' may not act as agent 'admin'"):
        policy().acting(listing, "admin")
    with pytest.raises(InvalidAgent):
        policy().acting(key(), "reader")


def test_a_key_does_not_learn_which_other_agents_there_are() -> None:
    said = []
    for agent in ("admin", "ghost"):
        with pytest.raises(InvalidAgent) as caught:
            policy().acting(key("reader"), agent)
        said.append(caught.value.explain().replace(agent, "X"))
    assert said[0] == said[1]


def test_a_key_does_not_act_unasked_as_an_agent_that_it_does_not_list() -> None:
    with pytest.raises(InvalidAgent, match="may not act as agent 'admin'"):
        policy("admin").acting(key("reader"), None)
    assert policy("reader").acting(key("reader"), None).agent == "reader"


def test_a_pinned_agent_is_looked_into_like_a_named_one() -> None:
    pinned = Identity("ci", grant=Grant(agents=("reader",)), agent="admin")
    assert type(policy().of(pinned).refusal) is InvalidAgent
    fine = Identity("ci", grant=Grant(agents=("reader",)), agent="reader")
    assert policy().of(fine).refusal is None


def test_a_pinned_agent_is_not_exchanged_for_another() -> None:
    pinned = Identity("anonymous", agent="reader")
    assert policy().acting(pinned, "reader") is pinned
    with pytest.raises(InvalidAgent, match="'admin', and X-Agent-Id 'reader'"):
        policy().acting(pinned, "admin")


def test_whoever_runs_the_command_line_is_no_agent() -> None:
    held = policy(deny=True)
    assert held.acting(OPERATOR, "reader") is OPERATOR
    assert held.of(OPERATOR) is ALL


def test_an_agent_leaves_of_the_callers_rights_what_its_rules_grant() -> None:
    held = policy(base=Its(Only("get_one")))
    rights = held.of(Identity("ci", agent="reader"))
    assert rights.of_call("db", "get_one", {}).rule == "policies.p.rules[0]"
    assert rights.level is Level.EXECUTE
    assert not rights.of_call("db", "get_two", {}).visible  # the agent may, the caller may not
    assert not rights.of_call("db", "get_two", {}).told
    assert not rights.of_call("mail", "get_one", {}).visible  # the caller may, the agent may not
    assert not rights.backend("mail").visible
    assert not rights.decide(Kind.PROMPT, "db", "get_one").visible


def test_a_deny_of_the_agents_rules_is_told_whatever_the_caller_may() -> None:
    for base in (NO_POLICY, Its(Only("drop"))):
        rights = policy(base=base).of(Identity("ci", agent="reader"))
        for tool in ("drop", "gone"):
            decision = rights.of_call("db", tool, {})
            assert decision == Decision(Level.DENY, "agents.reader.allow.tools.db", told=True)


def test_where_nothing_else_says_anything_the_agents_rule_is_the_one_that_decided() -> None:
    rights = policy().of(Identity("ci", agent="reader"))
    assert rights.of_call("db", "get_one", {}).rule == "agents.reader.allow.tools.db[0]"
    assert rights.backend("db").rule == "agents.reader.allow.servers[0]"


def test_policies_of_the_same_rules_are_equal() -> None:
    assert policy("admin") == policy("admin")
    assert policy("admin") != policy("reader")
    assert policy() != policy(deny=True)
