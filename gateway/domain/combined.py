"""What a caller may do as the agent as which it acts: the less of what the two may. Pure.

Who an agent is, is a claim: whoever has shown who it is may act as those agents alone that its key
lists, and a pinned agent is not exchanged for another.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from gateway.domain.agents import Agents
from gateway.domain.globs import any_of
from gateway.domain.identity import Identity, Level
from gateway.domain.policy import GRANTED, Decision, Kind, Policy, Rights
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject
from gateway.errors import FallbackAgentUnknown, GatewayError, InvalidAgent, NoFallbackAgent

DEFAULT = "default"  # the agent as which callers act unasked, where no setting names another
ASK = "say as which agent you act: in agent_id, or over HTTP in the header X-Agent-Id"
MOST_KEPT = 1_024  # callers
NOBODY = Decision(Level.DENY)


def combined(policy: Policy, agents: Agents | None, default_agent: str | None) -> Policy:
    """`policy`, narrowed for each caller to what its agent may do, where agents have rules."""
    return policy if agents is None else Combined(policy, agents, default_agent)


@dataclass(frozen=True, slots=True)
class Combined:
    """`default_agent` is the one as which callers act that name none."""

    policy: Policy
    rules: Agents
    default_agent: str | None
    _kept: dict[tuple[Identity, str | None], Identity] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )  # asked on the path of each call

    @property
    def agents(self) -> bool:
        return True

    def of(self, who: Identity) -> Rights:
        if who.operator:
            return self.policy.of(who)
        try:
            name = self._agent(who, None)
        except InvalidAgent:
            nobody = Identity(who.name, who.team, who.org, who.grant)
            return Refused(self.policy.of(nobody), lambda: self._why(who))
        return Narrowed(self.policy.of(who), self.rules.rights(name))

    def expect(self, tools: Iterable[str]) -> None:
        self.policy.expect(tools)

    def acting(self, who: Identity, agent: str | None) -> Identity:
        if who.operator:
            return who
        found = self._kept.get((who, agent))
        if found is None:
            name = self._agent(who, agent)
            found = who
            if name != who.agent:
                found = Identity(who.name, who.team, who.org, who.grant, name, who.operator)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[who, agent] = found
        return found

    def _why(self, who: Identity) -> GatewayError:
        try:
            self._agent(who, None)
        except InvalidAgent as error:
            return error
        raise AssertionError

    def _agent(self, who: Identity, claimed: str | None) -> str:
        """As which agent it acts. Raises InvalidAgent."""
        pinned = who.agent
        if claimed is not None and pinned is not None and claimed != pinned:
            text = f"agent_id says {shown(claimed)}, and X-Agent-Id {shown(pinned)}"
            raise InvalidAgent(text, hint="leave agent_id out, or give the same in both")
        name = claimed or pinned or self._unasked()
        if not _listed(name, who.grant.agents):
            text = f"{shown(who.name)} may not act as agent {shown(name)}"
            raise InvalidAgent(text, hint="its key lists the agents as which it may act")
        if name not in self.rules.rules:
            raise InvalidAgent(f"there are no rules for an agent {shown(name)}", hint=ASK)
        return name

    def _unasked(self) -> str:
        """As which agent a caller acts that names none."""
        if self.rules.deny_on_missing:
            raise InvalidAgent("every call has to say as which agent it is made", hint=ASK)
        default = self.default_agent
        if default is None and DEFAULT in self.rules.rules:
            return DEFAULT
        if default is None:
            text = "the call names no agent, and there is none as which callers act that name none"
            raise NoFallbackAgent(text, hint=ASK)
        if default not in self.rules.rules:
            text = f"the call names no agent, and {shown(default)}, the one for that, has no rules"
            raise FallbackAgentUnknown(text, hint=ASK)
        return default


class Narrowed:
    """Of two rights that which both grant. A deny of the agent's rules is told before one of the
    caller's own is looked at: it is said of names alone.
    """

    __slots__ = ("_agent", "_own", "level", "rate_limit", "refusal", "whole")

    def __init__(self, own: Rights, agent: Rights) -> None:
        self.whole = own.whole and agent.whole
        self.refusal = own.refusal
        self.level = min(own.level, agent.level)
        self.rate_limit = own.rate_limit
        self._own = own
        self._agent = agent

    def backend(self, name: str) -> Decision:
        said = self._agent.backend(name)
        return _less(said, self._own.backend(name)) if said.visible else said

    def decide(self, kind: Kind, backend: str, name: str) -> Decision:
        said = self._agent.decide(kind, backend, name)
        return _less(said, self._own.decide(kind, backend, name)) if said.visible else said

    def seen(self, kind: Kind, backend: str, names: Sequence[str]) -> Sequence[bool]:
        own, agent = (one.seen(kind, backend, names) for one in (self._own, self._agent))
        return [one and other for one, other in zip(own, agent, strict=True)]

    def of_call(self, backend: str, tool: str, arguments: JsonObject) -> Decision:
        said = self._agent.of_call(backend, tool, arguments)
        return _less(said, self._own.of_call(backend, tool, arguments)) if said.visible else said


class Refused:
    """Nothing of any backend, since nobody knows as which agent it is done. What concerns no agent
    is the caller's own: how often it may ask, and what the gateway tells of itself.
    """

    whole = False

    def __init__(self, own: Rights, why: Callable[[], GatewayError]) -> None:
        self.level = own.level
        self.rate_limit = own.rate_limit
        self._why = why

    @property
    def refusal(self) -> GatewayError | None:
        return self._why()

    def backend(self, name: str) -> Decision:
        return NOBODY

    def decide(self, kind: Kind, backend: str, name: str) -> Decision:
        return NOBODY

    def seen(self, kind: Kind, backend: str, names: Sequence[str]) -> Sequence[bool]:
        return [False] * len(names)

    def of_call(self, backend: str, tool: str, arguments: JsonObject) -> Decision:
        return NOBODY


def _less(agent: Decision, own: Decision) -> Decision:
    """The lower of the two; the agent's rule where nothing else says anything."""
    if own.rule != GRANTED.rule:
        return own if own.level < agent.level else agent
    return agent if agent.level <= own.level else agent._replace(level=own.level)


@lru_cache(maxsize=1_024)
def _listed(name: str, globs: tuple[str, ...] | None) -> bool:
    return globs is None or any_of(globs)(name)
