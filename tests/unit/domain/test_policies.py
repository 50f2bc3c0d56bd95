"""What one caller may do by policies and by its key, sentence by sentence."""

from typing import Any

import pytest

from gateway.domain.conditions import Condition
from gateway.domain.identity import EVERYTHING, LOCAL, OPERATOR, Grant, Identity, Level
from gateway.domain.policies import Policies
from gateway.domain.policy import Kind
from gateway.domain.rules import Assigned, Rule

ANN = Identity("ann", "web", "acme")
READ, EXECUTE, DENY, ADMIN = Level.READ, Level.EXECUTE, Level.DENY, Level.ADMIN


def rules(*said: tuple[Any, ...], place: str = "policies.p") -> tuple[Rule, ...]:
    """Each (level, backends, tools)."""
    return tuple(
        Rule(f"{place}.rules[{index}]", level, (backend,), None if tool is None else (tool,))
        for index, (level, backend, tool) in enumerate(said)
    )


def policy(name: str, *said: tuple[Any, ...], **more: Any) -> Assigned:
    place = f"policies.{name}"
    return Assigned(place, rules=rules(*said, place=place), **more)


def decided(
    said: list[Assigned], tool: str = "get", who: Identity = ANN, **arguments: Any
) -> tuple[str, str]:
    return asked(said, arguments, tool, who)


def asked(
    said: list[Assigned], arguments: dict[str, Any], tool: str = "get", who: Identity = ANN
) -> tuple[str, str]:
    decision = Policies(said).of(who).of_call("git", tool, arguments)
    return decision.level.name, decision.rule


def test_without_policies_a_key_may_do_what_it_says_itself() -> None:
    assert Policies().of(ANN).whole
    reads = Policies().of(Identity("ci", grant=Grant(level=READ)))
    assert reads.of_call("git", "get", {}) == (READ, "auth.api_keys.ci.level", False)


def test_with_a_policy_nobody_may_do_what_none_allows() -> None:
    others = [policy("p", (EXECUTE, "*", None), teams=("ops",))]
    assert decided(others) == ("DENY", "policies: no policy allows it")
    assert not Policies(others).of(ANN).backend("git").visible


def test_a_deny_of_any_policy_that_speaks_of_the_caller_decides() -> None:
    said = [
        policy("mine", (ADMIN, "*", None), keys=("ann",)),
        policy("all", (DENY, "git", "get*"), everyone=True),
    ]
    assert decided(said) == ("DENY", "policies.all.rules[0]")
    assert decided(said, "put") == ("EXECUTE", "auth.api_keys.ann.level")
    assert decided(said, who=Identity("x", grant=EVERYTHING))[0] == "DENY"


def test_the_nearest_circle_in_which_a_rule_matches_decides_and_in_it_the_highest() -> None:
    said = [
        policy("all", (EXECUTE, "*", None), everyone=True),
        policy("org", (EXECUTE, "git", "get"), orgs=("acme",)),
        policy("team", (READ, "git", "get"), (EXECUTE, "git", "put"), teams=("web",)),
        policy("key", (READ, "git", "list"), (EXECUTE, "git", "list"), keys=("a*",)),
    ]
    assert decided(said, "list") == ("EXECUTE", "policies.key.rules[1]")
    assert decided(said, "get") == ("READ", "policies.team.rules[0]")
    assert decided(said, "put") == ("EXECUTE", "policies.team.rules[1]")
    assert decided(said, "other") == ("EXECUTE", "policies.all.rules[0]")


def test_a_default_level_is_for_what_no_rule_of_its_circle_matches() -> None:
    said = [
        policy("all", (EXECUTE, "*", None), everyone=True),
        policy("one", (EXECUTE, "git", "get"), teams=("web",), default=DENY),
        policy("two", teams=("web",), default=READ),
    ]
    assert decided(said, "get") == ("EXECUTE", "policies.one.rules[0]")
    assert decided(said, "put") == ("READ", "policies.two.default_level")


def test_policies_of_an_agent_only_take_away() -> None:
    said = [
        policy("all", (READ, "*", None), (EXECUTE, "git", "get*"), everyone=True),
        policy("agent", (ADMIN, "git", "get"), (ADMIN, "git", "put"), agents=("coder",)),
    ]
    coder = Identity("ann", agent="coder")
    assert decided(said, "get", coder)[0] == "EXECUTE"
    assert decided(said, "put", coder)[0] == "READ"
    assert decided(said, "get_all", coder) == ("DENY", "policies: no policy allows it")
    assert decided(said, "get_all", Identity("ann", agent="other"))[0] == "EXECUTE"


def test_a_key_bounds_whatever_policies_give() -> None:
    said = [policy("all", (ADMIN, "*", None), everyone=True)]

    def of(**grant: Any) -> tuple[str, str]:
        return decided(said, who=Identity("ci", grant=Grant(**grant)))

    assert of(level=READ) == ("READ", "auth.api_keys.ci.level")
    assert of(backends=("mail",)) == ("DENY", "auth.api_keys.ci.backends")
    assert of(backends=()) == ("DENY", "auth.api_keys.ci.backends")
    assert of(allowed_tools=("put",)) == ("DENY", "auth.api_keys.ci.allowed_tools")
    assert of(denied_tools=("x", "git:g*")) == ("DENY", "auth.api_keys.ci.denied_tools[1]")
    assert of(allowed_tools=("git:*",), denied_tools=("mail:get",))[0] == "EXECUTE"


def test_a_key_for_certain_tools_is_for_no_prompt_or_resource() -> None:
    rights = Policies().of(Identity("ci", grant=Grant(allowed_tools=("*",))))
    assert rights.decide(Kind.TOOL, "git", "get").allowed
    for kind in (Kind.PROMPT, Kind.RESOURCE, Kind.OTHER):
        assert rights.decide(kind, "git", "x") == (DENY, "auth.api_keys.ci.allowed_tools", False)


def test_rules_about_tools_say_nothing_of_prompts_and_resources() -> None:
    said = [policy("p", (EXECUTE, "git", "*"), (EXECUTE, "mail", None), everyone=True)]
    rights = Policies(said).of(ANN)
    for kind in (Kind.PROMPT, Kind.RESOURCE, Kind.OTHER):
        assert not rights.decide(kind, "git", "x").visible
        assert rights.decide(kind, "mail", "x").allowed
    assert rights.backend("git").allowed


def test_servers_may_be_fenced_in_and_out() -> None:
    said = [
        policy(
            "p",
            (EXECUTE, "*", None),
            everyone=True,
            allowed_backends=("git*", "mail"),
            denied_backends=("x", "gitlab"),
        )
    ]
    rights = Policies(said).of(LOCAL)
    assert rights.of_call("gitlab", "t", {}).rule == "policies.p.denied_backends[1]"
    assert rights.of_call("db", "t", {}).rule == "policies.p.allowed_backends"
    assert rights.of_call("github", "t", {}).allowed
    assert not rights.backend("db").visible


def test_who_may_all_needs_no_policy_that_allows() -> None:
    said = [
        policy("all", (READ, "git", None), (DENY, "db", None), everyone=True),
        policy("ops", (READ, "mail", None), keys=("ops",)),
    ]
    assert decided(said, who=LOCAL) == ("ADMIN", "no rule")
    assert not Policies(said).of(LOCAL).decide(Kind.TOOL, "db", "x").visible
    assert decided(said, who=Identity("ops", grant=EVERYTHING))[0] == "READ"
    assert Policies(said).of(OPERATOR).whole
    assert Policies(said[1:]).of(LOCAL).whole


def test_a_deny_of_all_tools_hides_what_has_nothing_else_to_show() -> None:
    said = [
        policy("p", (EXECUTE, "git", "get*"), (DENY, "git", "*"), everyone=True),
        policy("q", (EXECUTE, "mail", None), (DENY, "mail", None), everyone=True),
    ]
    rights = Policies(said).of(ANN)
    assert not rights.decide(Kind.TOOL, "git", "get").visible
    assert not rights.backend("mail").visible


def test_a_name_in_another_normal_form_slips_past_no_deny() -> None:
    """I34."""
    said = [policy("p", (EXECUTE, "*", None), (DENY, "*", "caf\u00e9"), everyone=True)]
    assert decided(said, "cafe\u0301")[0] == decided(said, "caf\u00e9")[0] == "DENY"
    assert decided(said, "cafe")[0] == "EXECUTE"


def test_a_name_that_is_too_long_to_compare_is_denied() -> None:
    said = [policy("p", (EXECUTE, "*", None), (DENY, "*", "*secret"), everyone=True)]
    assert decided(said, "a" * 8_192)[0] == "EXECUTE"
    assert decided(said, "a" * 9_000) == ("DENY", "longer than any name")
    rights = Policies(said).of(Identity("c", grant=Grant(denied_tools=("git:x",))))
    assert not rights.of_call("git", "a" * 8_190, {}).allowed


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "file:///%65tc/passwd",
        "file:///%2565tc/passwd",
        "file:///srv/../etc/passwd",
        "file:///srv/%2e%2e/etc/passwd",
        "file:///x%3F/../../etc/passwd",
        "file:////etc//passwd",
        "file:///./etc/passwd",
    ],
)
def test_no_spelling_of_a_uri_slips_past_a_rule(uri: str) -> None:
    place = "policies.p.rules[0]"
    deny = Rule(place, DENY, resources=("file:///etc/*",))
    allow = Rule(place, EXECUTE, resources=("file:///srv/*", "file:///x*"))
    open_ = Rule(place, EXECUTE)
    denied = Policies([Assigned("policies.p", everyone=True, rules=(open_, deny))]).of(ANN)
    assert not denied.decide(Kind.RESOURCE, "fs", uri).visible
    assert denied.decide(Kind.RESOURCE, "fs", "file:///srv/a%20b").allowed
    allowed = Policies([Assigned("policies.p", everyone=True, rules=(allow,))]).of(ANN)
    assert not allowed.decide(Kind.RESOURCE, "fs", uri).visible
    assert allowed.decide(Kind.RESOURCE, "fs", "file:///srv/a%20b").allowed


def when(level: Level, *conditions: Condition) -> list[Assigned]:
    rule = Rule("policies.p.rules[0]", level, tools=("get",), when=conditions)
    more = (Rule("policies.p.rules[1]", EXECUTE),) if level is DENY else ()
    return [Assigned("policies.p", everyone=True, rules=(rule, *more))]


@pytest.mark.parametrize(
    ("condition", "yes", "no", "nothing"),
    [
        (Condition("a", equals=1), (1, 1.0), (2, 0), (True, "1", None, [1])),
        (Condition("a", equals=True), (True,), (False,), (1, "true")),
        (Condition("a", equals="main"), ("main",), ("dev",), (["main"], 1)),
        (Condition("a", equals="caf\u00e9"), ("cafe\u0301",), ("cafe",), ("\u0301" * 2_000,)),
        (
            Condition("a", equals=[1, {"b": 2}]),
            ([1, {"b": 2}],),
            ([1], [1, {}]),
            ([1, {"b": "2"}],),
        ),
        (Condition("a", one_of=("x", "y")), ("x", "y"), ("z",), (1, None)),
        (Condition("a", glob="rel-*"), ("rel-1",), ("main",), (1, ["rel-1"], "rel-" + "x" * 9_000)),
        (Condition("a", at_most=100), (100, 0.5, -1), (101, 10**400), ("500", "5", True, None)),
        (Condition("a", at_least=2, at_most=3), (2, 3), (1, 4), (float("nan"), "2")),
    ],
)
def test_a_condition_is_shown_to_hold_shown_not_to_or_neither(
    condition: Condition, yes: tuple[Any, ...], no: tuple[Any, ...], nothing: tuple[Any, ...]
) -> None:
    for value in yes:
        assert decided(when(EXECUTE, condition), a=value)[0] == "EXECUTE"
        assert decided(when(DENY, condition), a=value) == ("DENY", "policies.p.rules[0]")
    for value in no:
        assert decided(when(EXECUTE, condition), a=value)[0] == "DENY"
        assert decided(when(DENY, condition), a=value)[0] == "EXECUTE"
    for value in nothing:
        assert decided(when(EXECUTE, condition), a=value)[0] == "DENY"
        assert decided(when(DENY, condition), a=value)[0] == "DENY"
    assert decided(when(EXECUTE, condition))[0] == "DENY"
    assert decided(when(DENY, condition))[0] == "DENY"


def test_dots_lead_into_objects_and_what_is_given_twice_shows_nothing() -> None:
    said = when(DENY, Condition("repo.owner", equals="acme"))
    assert decided(said, repo={"owner": "me"})[0] == "EXECUTE"
    assert decided(said, repo={"owner": "acme"})[0] == "DENY"
    assert asked(said, {"repo.owner": "me"})[0] == "EXECUTE"
    assert asked(said, {"repo.owner": "acme", "repo": {"owner": "me"}})[0] == "DENY"
    assert decided(said, repo="me")[0] == "DENY"
    deep = when(DENY, Condition("by.repo.owner", equals="acme"))
    assert asked(deep, {"by": {"repo": {"owner": "me"}}})[0] == "EXECUTE"
    for other in ({"repo.owner": "acme"}, {"repo.owner": "me"}):
        assert asked(deep, {"by": {"repo": {"owner": "me"}, **other}})[0] == "DENY"
    split = {"by": {"repo": {"owner": "me"}}, "by.repo": {"owner": "acme"}}
    assert asked(deep, split)[0] == "DENY"


def test_what_is_denied_for_its_arguments_may_be_seen() -> None:
    rights = Policies(when(DENY, Condition("a", at_least=5))).of(ANN)
    assert rights.decide(Kind.TOOL, "git", "get").allowed
    assert rights.decide(Kind.PROMPT, "git", "get").allowed
    allowing = Policies(when(EXECUTE, Condition("a", at_least=5))).of(ANN)
    assert allowing.decide(Kind.TOOL, "git", "get").visible
    assert not allowing.decide(Kind.PROMPT, "git", "get").visible


def test_thousands_are_seen_as_each_is_decided() -> None:
    said = [
        policy("p", (READ, "*", "a*"), (DENY, "*", "*b"), (EXECUTE, "git", "?"), everyone=True),
        policy("agent", (READ, "*", "*c"), agents=("x",), default=DENY),
    ]
    names = [f"{one}{two}" for one in "abc" for two in ("", "b", "c", "*" * 9_000)]
    for who in (
        ANN,
        Identity("b", agent="x"),
        LOCAL,
        Identity("c", grant=Grant(denied_tools=("ac",))),
    ):
        rights = Policies(said).of(who)
        for kind in Kind:
            seen = [rights.decide(kind, "git", name).visible for name in names]
            assert list(rights.seen(kind, "git", names)) == seen


def test_the_most_one_may_do_is_known() -> None:
    said = [
        policy("ops", (ADMIN, "x", None), keys=("ops",)),
        policy("all", (READ, "*", None), everyone=True),
    ]
    admin = Grant(level=ADMIN)
    assert Policies(said).of(Identity("ops", grant=admin)).level is ADMIN
    assert Policies(said).of(Identity("ops")).level is EXECUTE
    assert Policies(said).of(ANN).level is READ
    assert Policies().of(Identity("a", grant=admin)).level is ADMIN
    assert Policies().of(ANN).level is EXECUTE
