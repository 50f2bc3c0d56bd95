"""I31: 1,000 random sets of policies, each asked of random calls, against an oracle that follows
the sentences of docs/policies.md one after the other.
"""

import random
import unicodedata
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pytest

from gateway.domain.conditions import UNSAID, Condition
from gateway.domain.identity import EVERYTHING, Grant, Identity, Level
from gateway.domain.policies import Policies
from gateway.domain.policy import Kind
from gateway.domain.rules import Assigned, Rule

SETS = 1_000
ASKED = 40  # questions to each set
BLOCKS = 10

BACKENDS = ("git", "gitlab", "mail", "db", "caf\u00e9", "cafe\u0301")
NAMES = ("get", "get_a", "get_b", "put_a", "drop", "a:b", "GET", "[x", "n\u00e4", "na\u0308")
GLOBS = ("*", "get*", "*_a", "*a*", "g?t", "get_[ab]", "[", "[x", "drop", "?*_?", "n\u00e4", "GET")
SERVERS = ("*", "git", "git*", "mail", "[dm]*", "caf\u00e9", "?b", "x*")
QUALIFIED = ("git:*", "*:drop", "mail:get_?", "git*:*_a", "db:a:b")
PEOPLE = ("ann", "bob", "bearer")
VALUES: tuple[Any, ...] = (True, 1, "1", 5, 500, "500", "main", "dev", None, ["main"], {"x": 1})


def test_a_thousand_sets_of_policies_decide_as_the_page_says() -> None:
    random_ = random.Random(31)
    for number in range(SETS):
        said = some_policies(random_)
        policies = Policies(said)
        who = somebody(random_)
        rights = policies.of(who)
        for _ in range(ASKED):
            backend, name = random_.choice(BACKENDS), random_.choice(NAMES)
            kind = random_.choice((Kind.TOOL, Kind.TOOL, Kind.PROMPT, Kind.RESOURCE))
            arguments = some_arguments(random_)
            told = (number, said, who, kind, backend, name, arguments)
            expected = oracle(said, who, kind.value, backend, name, None)
            found = rights.decide(kind, backend, name)
            assert found.level == expected or rights.whole, told
            assert found.level > Level.DENY or found.rule, told
            if rights.whole:
                assert expected >= Level.EXECUTE, told
            if kind is Kind.TOOL:
                called = rights.of_call(backend, name, arguments)
                exact = oracle(said, who, "tool", backend, name, arguments)
                assert called.level == exact or (rights.whole and exact >= Level.EXECUTE), told
                assert found.visible or not called.allowed, told
            if expected > Level.DENY:
                assert rights.backend(backend).level >= expected, told
                assert rights.level >= expected, told


@pytest.mark.parametrize("block", range(BLOCKS))
def test_a_deny_that_matches_beats_every_allow(block: int) -> None:
    random_ = random.Random(block)
    for _ in range(SETS // BLOCKS):
        said = some_policies(random_)
        backend, name = random_.choice(BACKENDS), random_.choice(NAMES)
        deny = Rule("deny", Level.DENY, (escaped(backend),), tools=(escaped(name),))
        allow = Rule("allow", Level.ADMIN)
        more = (
            Assigned("policies.allow", keys=("*",), rules=(allow,)),
            Assigned("policies.deny", everyone=True, rules=(deny,)),
        )
        for everyone in ((*said, *more), (*reversed(more), *said)):
            for who in (somebody(random_), Identity("ann", grant=EVERYTHING)):
                rights = Policies(everyone).of(who)
                assert not rights.decide(Kind.TOOL, backend, name).visible
                assert not rights.of_call(backend, name, {}).allowed


def escaped(name: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)


def some(random_: random.Random, of: tuple[str, ...], most: int = 2) -> tuple[str, ...]:
    return tuple(random_.choice(of) for _ in range(random_.randint(0, most)))


def some_policies(random_: random.Random) -> tuple[Assigned, ...]:
    return tuple(some_policy(random_, f"p{n}") for n in range(random_.choice((0, 1, 2, 4))))


def some_policy(random_: random.Random, place: str) -> Assigned:
    return Assigned(
        place,
        keys=some(random_, ("ann", "b*", "?nn", "nobody"), 1),
        teams=some(random_, ("web", "w*", "ops"), 1),
        orgs=some(random_, ("acme", "*"), 1),
        agents=some(random_, ("coder", "c*", "writer"), 1),
        everyone=random_.random() < 0.3,
        default=random_.choice((None, None, None, *Level)),
        rules=tuple(
            some_rule(random_, f"{place}.rules[{n}]") for n in range(random_.randint(0, 4))
        ),
        allowed_backends=some(random_, SERVERS) if random_.random() < 0.1 else None,
        denied_backends=some(random_, SERVERS[1:]) if random_.random() < 0.1 else (),
    )


def some_rule(random_: random.Random, place: str) -> Rule:
    of_all = random_.random() < 0.3
    when: tuple[Condition, ...] = ()
    tools = some(random_, GLOBS + QUALIFIED, 3) if random_.random() < 0.7 else None
    prompts = some(random_, GLOBS) if random_.random() < 0.2 else None
    resources = some(random_, GLOBS) if random_.random() < 0.2 else None
    if random_.random() < 0.3:
        when = tuple(some_condition(random_) for _ in range(random_.randint(1, 2)))
        prompts = resources = None
    if of_all:
        tools = prompts = resources = None
    level = random_.choice((*Level, Level.EXECUTE))
    servers = some(random_, SERVERS) or ("*",)
    return Rule(place, level, servers, tools, prompts, resources, when)


def some_condition(random_: random.Random) -> Condition:
    name = random_.choice(("a", "b", "o.x"))
    which = random_.randrange(5)
    if which == 0:
        return Condition(name, equals=random_.choice(VALUES))
    if which == 1:
        return Condition(name, one_of=tuple(random_.sample(VALUES, 2)))
    if which == 2:
        return Condition(name, glob=random_.choice(("m*", "*", "?ev")))
    if which == 3:
        return Condition(name, at_least=5)
    return Condition(name, at_least=2, at_most=100)


def some_arguments(random_: random.Random) -> dict[str, Any]:
    found = {name: random_.choice(VALUES) for name in ("a", "b") if random_.random() < 0.7}
    if random_.random() < 0.5:
        found["o"] = {"x": random_.choice(VALUES)}
    if random_.random() < 0.1:
        found["o.x"] = random_.choice(VALUES)
    return found


def somebody(random_: random.Random) -> Identity:
    grant = Grant(
        level=random_.choice((Level.READ, Level.EXECUTE, Level.EXECUTE, Level.ADMIN)),
        backends=some(random_, SERVERS) if random_.random() < 0.2 else None,
        allowed_tools=some(random_, GLOBS + QUALIFIED, 3) if random_.random() < 0.2 else None,
        denied_tools=some(random_, GLOBS[1:] + QUALIFIED) if random_.random() < 0.2 else (),
    )
    return Identity(
        random_.choice(PEOPLE),
        random_.choice((None, "web", "ops")),
        random_.choice((None, "acme")),
        grant,
        random_.choice((None, "coder", "writer")),
    )


# The oracle: nothing of gateway.domain but plain values. It tries everything for each question.


def like(text: str, globs: tuple[str, ...]) -> bool:
    def composed(one: str) -> str:
        return unicodedata.normalize("NFC", one)

    return any(fnmatchcase(composed(text), composed(one)) for one in globs)


def like_tool(backend: str, name: str, globs: tuple[str, ...]) -> bool:
    with_colon = tuple(one for one in globs if ":" in one)
    return like(name, globs) or like(f"{backend}:{name}", with_colon)


def oracle(
    said: tuple[Assigned, ...],
    who: Identity,
    kind: str,
    backend: str,
    name: str,
    arguments: dict[str, Any] | None,
) -> Level:
    grant, asked = who.grant, Question(kind, backend, name, arguments)
    if grant.backends is not None and not like(backend, grant.backends):
        return Level.DENY
    if kind == "tool" and like_tool(backend, name, grant.denied_tools):
        return Level.DENY
    listed = grant.allowed_tools
    if listed is not None and not (kind == "tool" and like_tool(backend, name, listed)):
        return Level.DENY
    return min(grant.level, asked.by_policies(said, who))


@dataclass
class Question:
    kind: str
    backend: str
    name: str
    arguments: dict[str, Any] | None

    def by_policies(self, said: tuple[Assigned, ...], who: Identity) -> Level:
        own = [[one for one in said if speaks(one, who, place)] for place in range(4)]
        of_agent = [one for one in said if who.agent is not None and like(who.agent, one.agents)]
        if any(self.denied(one) for some in (*own, of_agent) for one in some):
            return Level.DENY
        found = self.granted(said, who, own)
        if of_agent:
            narrowed = self.highest(of_agent)
            found = min(found, Level.DENY if narrowed is None else narrowed)
        return found

    def granted(
        self, said: tuple[Assigned, ...], who: Identity, own: list[list[Assigned]]
    ) -> Level:
        if not said:
            return Level.ADMIN
        if who.grant.level == Level.ADMIN and not (own[0] or own[1] or own[2]):
            return Level.ADMIN
        found = [self.highest(policies) for policies in own]
        return next((level for level in found if level is not None), Level.DENY)

    def denied(self, policy: Assigned) -> bool:
        if like(self.backend, policy.denied_backends):
            return True
        if policy.allowed_backends is not None and not like(self.backend, policy.allowed_backends):
            return True
        denying = [one for one in policy.rules if one.level == Level.DENY and self.matches(one)]
        if self.arguments is None:
            return any(not one.when for one in denying)
        return any("no" not in self.verdicts(one) for one in denying)

    def highest(self, policies: list[Assigned]) -> Level | None:
        rules = [one for policy in policies for one in policy.rules if one.level > Level.DENY]
        matching = [one for one in rules if self.matches(one)]
        if self.arguments is not None:
            matching = [one for one in matching if set(self.verdicts(one)) <= {"yes"}]
        levels = [one.level for one in matching]
        levels = levels or [one.default for one in policies if one.default is not None]
        return max(levels) if levels else None

    def matches(self, rule: Rule) -> bool:
        if not like(self.backend, rule.backends) or (rule.when and self.kind != "tool"):
            return False
        if rule.tools is None and rule.prompts is None and rule.resources is None:
            return True
        if self.kind == "tool":
            return like_tool(self.backend, self.name, rule.tools or ())
        return like(self.name, (rule.prompts if self.kind == "prompt" else rule.resources) or ())

    def verdicts(self, rule: Rule) -> list[str]:
        return [verdict(one, self.arguments or {}) for one in rule.when]


def speaks(policy: Assigned, who: Identity, place: int) -> bool:
    if place == 0:
        return like(who.name, policy.keys)
    if place == 1:
        return who.team is not None and like(who.team, policy.teams)
    if place == 2:
        return who.org is not None and like(who.org, policy.orgs)
    return policy.everyone


def verdict(condition: Condition, given: dict[str, Any]) -> str:
    """yes, no, or nothing."""
    places = [given[condition.name]] if condition.name in given else []
    outer, dot, inner = condition.name.partition(".")
    if dot and isinstance(given.get(outer), dict) and inner in given[outer]:
        places.append(given[outer][inner])
    return both(answers(condition, places[0])) if len(places) == 1 else "nothing"


def both(said: list[str]) -> str:
    return "no" if "no" in said else "nothing" if "nothing" in said else "yes"


def answers(condition: Condition, value: Any) -> list[str]:
    found = []
    if condition.equals is not UNSAID:
        found.append(compared(value, condition.equals))
    if condition.one_of is not None:
        each = [compared(value, one) for one in condition.one_of]
        found.append("yes" if "yes" in each else "nothing" if "nothing" in each else "no")
    if condition.glob is not None:
        text = isinstance(value, str)
        found.append(("no", "yes")[like(value, (condition.glob,))] if text else "nothing")
    number = type(value) in (int, float)
    if condition.at_least is not None:
        found.append(("no", "yes")[value >= condition.at_least] if number else "nothing")
    if condition.at_most is not None:
        found.append(("no", "yes")[value <= condition.at_most] if number else "nothing")
    return found


def compared(value: Any, wanted: Any) -> str:
    if type(value) is not type(wanted):
        return "nothing"
    return "yes" if value == wanted else "no"
