"""All policies of a file, and what they and a caller's own key come to: its rights."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway.domain.bounds import Bounds, Fence
from gateway.domain.globs import any_of
from gateway.domain.identity import Grant, Identity, Level
from gateway.domain.policy import ALL, GRANTED, All, Decision, Kind, Rights
from gateway.domain.rights import NO_POLICY_ALLOWS, Circle, Granted, Spoken
from gateway.domain.rule_book import RuleBook
from gateway.domain.rules import Assigned, Rule

MOST_KEPT = 1_024  # callers

KEY, TEAM, ORG, EVERYONE = range(4)  # circles, the nearest first


@dataclass(frozen=True, slots=True)
class Speaking:
    """One policy and whom it speaks of. `bits` are its rules."""

    said: Assigned
    bits: int
    fences: Sequence[Fence]
    keys: Callable[[str], bool]
    teams: Callable[[str], bool]
    orgs: Callable[[str], bool]
    agents: Callable[[str], bool]

    def circle(self, who: Identity) -> int | None:
        """The nearest in which it speaks of `who`; None: in none."""
        if self.keys(who.name):
            return KEY
        if who.team is not None and self.teams(who.team):
            return TEAM
        if who.org is not None and self.orgs(who.org):
            return ORG
        return EVERYONE if self.said.everyone else None

    def of(self, who: Identity) -> bool:
        return self.circle(who) is not None or self.of_agent(who)

    def of_agent(self, who: Identity) -> bool:
        return who.agent is not None and self.agents(who.agent)


class Policies:
    """Without any policy, everybody may do what its own grant says.

    Nobody acts as an agent here: agents come with rules of their own (`domain/combined.py`).
    """

    agents = False

    def __init__(self, said: Sequence[Assigned] = ()) -> None:
        self._book = RuleBook([rule for one in said for rule in one.rules])
        self._policies = tuple(_speaking(said))
        self._kept: dict[Identity, Rights] = {}

    def of(self, who: Identity) -> Rights:
        found = self._kept.get(who)
        if found is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            found = self._kept[who] = self._found(who)
        return found

    def expect(self, tools: Iterable[str]) -> None:
        self._book.expect(tools)

    def matching(self, who: Identity, backend: str, tool: str | None) -> Sequence[Rule]:
        """Rules of that tool, or of anything in the backend, in policies that speak of `who`."""
        bits = self._book.of_backend(backend)
        bits &= sum(one.bits for one in self._policies if one.of(who))
        found = None if tool is None else self._book.matching(Kind.TOOL, backend, tool)
        return [rule for rule, _ in self._book.bits(bits if found is None else bits & found.some)]

    def acting(self, who: Identity, agent: str | None) -> Identity:
        return who

    def _found(self, who: Identity) -> Rights:
        if who.operator:
            return ALL
        bounds = Bounds(who.grant, place_of(who))
        spoken = self._spoken(who)
        silent = not (spoken.circles or spoken.speaking or spoken.fences or spoken.agent)
        silent &= not spoken.rate_limit
        free = spoken.base.level is not Level.DENY and bounds.level >= Level.EXECUTE
        if silent and free and bounds.none:
            return All(bounds.level)
        return Granted(self._book, bounds, spoken)

    def _spoken(self, who: Identity) -> Spoken:
        circles: list[list[Speaking]] = [[], [], [], []]
        agent: list[Speaking] = []
        fences: list[Fence] = []
        speaking = 0
        limits: list[int] = []
        for policy in self._policies:
            if not policy.of(who):
                continue
            circle, narrows = policy.circle(who), policy.of_agent(who)
            speaking |= policy.bits
            fences += policy.fences
            limits += [policy.said.rate_limit] if policy.said.rate_limit else []
            if circle is not None:
                circles[circle].append(policy)
            if narrows:
                agent.append(policy)
        base = NO_POLICY_ALLOWS if self._policies else GRANTED
        if _may_all(who.grant) and not any(circles[:EVERYONE]):
            circles, base = [], GRANTED
        found = (self._circle(policies) for policies in circles if policies)
        narrowing = self._circle(agent) if agent else None
        denies = self._book.denies
        if not circles:  # what others than its agent's policies would grant does not count
            speaking &= denies | sum(policy.bits for policy in agent)
        most = min(limits, default=0)
        return Spoken(speaking, tuple(found), base, narrowing, tuple(fences), most)

    def _circle(self, policies: Sequence[Speaking]) -> Circle:
        bits = 0
        defaults = []
        for policy in policies:
            bits |= policy.bits
            if policy.said.default is not None:
                place = f"{policy.said.place}.default_level"
                defaults.append(Decision(policy.said.default, place))
        steps = [(level, mask & bits) for level, mask in self._book.levels if mask & bits]
        highest = max(defaults, key=lambda one: one.level) if defaults else None
        return Circle(tuple(steps), highest)


def place_of(who: Identity) -> str:
    """Where what `who` shows stands in the file."""
    if who.name == "bearer":
        return "auth.bearer_token"
    return "auth.jwt" if who.name.startswith("jwt:") else f"auth.api_keys.{who.name}"


def _may_all(grant: Grant) -> bool:
    """Whether it needs no policy that allows."""
    return grant.level is Level.ADMIN


def _speaking(said: Sequence[Assigned]) -> Iterator[Speaking]:
    first = 0
    for one in said:
        bits = ((1 << len(one.rules)) - 1) << first
        first += len(one.rules)
        whom = (any_of(globs) for globs in (one.keys, one.teams, one.orgs, one.agents))
        yield Speaking(one, bits, tuple(_fences(one)), *whom)


def _fences(said: Assigned) -> Iterator[Fence]:
    if said.denied_backends:
        yield Fence(f"{said.place}.denied_backends", said.denied_backends, allowed=False)
    if said.allowed_backends is not None:
        yield Fence(f"{said.place}.allowed_backends", said.allowed_backends, allowed=True)
