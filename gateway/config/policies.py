"""`policies:` of gateway.yaml as frozen values: who may see and call what; and as what decides.

The text below a field is what an editor shows.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import UNSET, Meta, UnsetType, field

from gateway.capability.file.model import Named, Strict, Text
from gateway.capability.file.yaml import Key, dotted
from gateway.domain import conditions, rules
from gateway.domain.identity import Level

LevelName = Literal["deny", "read", "execute", "admin"]


class Condition(Strict, frozen=True):
    """What the value of an argument has to be; all that is said counts."""

    equals: Any | UnsetType = UNSET
    """This very value."""
    one_of: tuple[Any, ...] | None = None
    """One of these."""
    glob: Text | None = None
    """A text that this glob matches."""
    at_least: int | float | None = None
    """A number from here on."""
    at_most: int | float | None = None
    """A number up to here."""


class Rule(Strict, frozen=True):
    """A level for what it matches. Without `tool`, `prompt` and `resource` that is the whole
    server; with several of them, what any of them matches.
    """

    level: LevelName
    """deny, read (see it), execute (call it) or admin."""
    backend: Text | tuple[Text, ...] = "*"
    """Globs of servers, by their own names."""
    tool: Text | tuple[Text, ...] | None = None
    """Globs of tools."""
    prompt: Text | tuple[Text, ...] | None = None
    """Globs of prompts."""
    resource: Text | tuple[Text, ...] | None = None
    """Globs of resources, by URI."""
    when: dict[Named, Condition] = field(default_factory=dict)
    """Argument → what its value has to be for the rule to count; for tools alone."""


class PolicyFor(Strict, frozen=True):
    """Rules, and of whom they speak. A deny holds whoever it speaks of."""

    description: str = ""
    """What it is for."""
    keys: tuple[Text, ...] = ()
    """Globs of callers: names of API keys, `bearer`, `anonymous`, `local` (stdio), jwt:SUBJECT."""
    teams: tuple[Text, ...] = ()
    """Globs of teams."""
    orgs: tuple[Text, ...] = ()
    """Globs of organisations."""
    agents: tuple[Text, ...] = ()
    """Globs of agents: they are narrowed by it, never given more."""
    everyone: bool = False
    """It speaks of all callers."""
    default_level: LevelName | None = None
    """For what no rule of it matches; by default policies of a wider circle decide, and in the end
    it is denied."""
    rules: tuple[Rule, ...] = ()
    """In any order: a deny that matches decides, else the highest level that does."""
    allowed_backends: tuple[Text, ...] | None = None
    """Globs: all other servers are denied."""
    denied_backends: tuple[Text, ...] = ()
    """Globs of servers that are denied."""
    rate_limit: Annotated[int, Meta(ge=0)] | None = None
    """Requests a minute of each caller that it speaks of, where that is less than its key's own."""


class Problem(NamedTuple):
    """`path` is below `policies`."""

    path: tuple[Key, ...]
    message: str
    hint: str | None = None


def compiled(policies: Mapping[str, PolicyFor]) -> tuple[rules.Assigned, ...]:
    """What decides, in the order of the file."""
    return tuple(_assigned(dotted(("policies", name)), one) for name, one in policies.items())


def problems(policies: Mapping[str, PolicyFor]) -> Iterator[Problem]:
    """What no single value shows."""
    for name, policy in policies.items():
        whom = (policy.keys, policy.teams, policy.orgs, policy.agents)
        if not any(whom) and not policy.everyone:
            hint = "say keys, teams, orgs, agents or everyone: true"
            yield Problem((name,), "the policy speaks of nobody", hint)
        for index, rule in enumerate(policy.rules):
            for one in _of_rule(rule):
                yield one._replace(path=(name, "rules", index, *one.path))


def _of_rule(rule: Rule) -> Iterator[Problem]:
    if rule.when and (rule.prompt is not None or rule.resource is not None):
        hint = "prompts and resources take a rule of their own"
        yield Problem(("when",), "arguments are for tools alone", hint)
    for name, one in rule.when.items():
        if one == Condition():
            yield Problem(("when", name), "it says nothing", "such as {equals: main}")
        elif one.one_of == ():
            yield Problem(("when", name, "one_of"), "nothing is one of none")
        elif one.at_least is not None and one.at_most is not None and one.at_least > one.at_most:
            yield Problem(("when", name), "no number is both")


def _assigned(place: str, policy: PolicyFor) -> rules.Assigned:
    default = policy.default_level
    return rules.Assigned(
        place,
        policy.keys,
        policy.teams,
        policy.orgs,
        policy.agents,
        policy.everyone,
        None if default is None else _level(default),
        tuple(_rule(f"{place}.rules[{index}]", one) for index, one in enumerate(policy.rules)),
        policy.allowed_backends,
        policy.denied_backends,
        policy.rate_limit,
    )


def _rule(place: str, rule: Rule) -> rules.Rule:
    return rules.Rule(
        place,
        _level(rule.level),
        _several(rule.backend) or (),
        _several(rule.tool),
        _several(rule.prompt),
        _several(rule.resource),
        tuple(_condition(name, one) for name, one in rule.when.items()),
    )


def _condition(name: str, said: Condition) -> conditions.Condition:
    equals = conditions.UNSAID if said.equals is UNSET else said.equals
    return conditions.Condition(name, equals, said.one_of, said.glob, said.at_least, said.at_most)


def _several(said: str | tuple[str, ...] | None) -> tuple[str, ...] | None:
    return (said,) if isinstance(said, str) else said


def _level(name: LevelName) -> Level:
    return Level[name.upper()]
