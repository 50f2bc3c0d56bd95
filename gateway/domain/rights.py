"""What one caller may do, by what its key grants and by all policies that speak of it. Pure.

Denying rules of all of them come first. Then the nearest circle in which a rule matches decides
(its key, its team, its organisation, everyone), in it the highest level; the policies of its agent
can only take away from that, and so can the key itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from gateway.domain.bounds import NO_NAME, Bounds, Fence
from gateway.domain.conditions import Shown, all_shown
from gateway.domain.globs import normal
from gateway.domain.identity import Level
from gateway.domain.policy import Decision, Kind
from gateway.domain.rule_book import Matching, RuleBook
from gateway.domain.rules import Rule
from gateway.domain.tool import JsonObject
from gateway.errors import GatewayError

MOST_BACKENDS = 1_024  # whose rules are kept, for each caller: the names may be anybody's
MOST_NAMES = 512  # decisions that are kept, for each caller …
LONGEST_KEPT = 128  # … about names of so many characters

NO_POLICY_ALLOWS = Decision(Level.DENY, "policies: no policy allows it")


@dataclass(frozen=True, slots=True)
class Circle:
    """The policies of one circle: `steps` are the rules of each level, the highest first. `default`
    is for what none of them matches; None: the next circle decides.
    """

    steps: Sequence[tuple[Level, int]]
    default: Decision | None = None

    def within(self, bits: int) -> "Circle | None":
        """Of those rules alone; None where that says nothing."""
        steps = tuple((level, mask & bits) for level, mask in self.steps if mask & bits)
        return Circle(steps, self.default) if steps or self.default is not None else None


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the policies say that speak of a caller. `base` is for what none of them matches.
    `fences` are its bounds by backend, each with its place: only these, or not these. `rate_limit`
    is the least that one of them says, in requests a minute; 0: none does.
    """

    speaking: int
    circles: Sequence[Circle]
    base: Decision
    agent: Circle | None
    fences: Sequence[Fence] = ()
    rate_limit: int = 0


@dataclass(frozen=True, slots=True)
class Here:
    """What concerns one backend. `closed`: nothing in it may even be seen, and why."""

    closed: Decision | None
    denies: int
    unless: int  # denies with conditions
    provided: int  # others with conditions
    circles: Sequence[Circle]
    agent: Circle | None


class Granted:
    """Decides by bits; every answer depends on names alone."""

    refusal: GatewayError | None = None
    whole = False

    def __init__(self, book: RuleBook, bounds: Bounds, spoken: Spoken) -> None:
        self._book = book
        self._bounds = bounds
        self._spoken = spoken
        self.rate_limit = spoken.rate_limit
        self._here: dict[str, Here] = {}
        self._kept: dict[tuple[str, str], Decision] = {}
        self.level = min(
            bounds.level, self._most(spoken.circles, spoken.agent, book.everywhere).level
        )

    def backend(self, name: str) -> Decision:
        here = self._at(name)
        if here.closed is not None:
            return here.closed
        kinds = [Kind.TOOL] if self._bounds.tools_alone else list(Kind)
        book = self._book
        open_to = [kind for kind in kinds if not here.denies & book.everything[kind]]
        if not open_to:
            return Decision(Level.DENY, book.place(here.denies & book.everything[kinds[0]]))
        circles, agent = here.circles, here.agent
        if len(open_to) < len(Kind):
            bits = reduce(or_, (book.naming[kind] for kind in open_to))
            circles = tuple(one for circle in circles if (one := circle.within(bits)) is not None)
            agent = None if agent is None else agent.within(bits) or Circle(())
        return self._capped(self._most(circles, agent, book.of_all))

    def decide(self, kind: Kind, backend: str, name: str) -> Decision:
        if kind is not Kind.TOOL:
            return self._judged(kind, backend, name, None)
        found = self._kept.get((backend, name))
        if found is None:
            found = self._judged(kind, backend, name, None)
            if len(self._kept) >= MOST_NAMES:
                self._kept.clear()
            if len(backend) + len(name) <= LONGEST_KEPT:
                self._kept[backend, name] = found
        return found

    def seen(self, kind: Kind, backend: str, names: Sequence[str]) -> Sequence[bool]:
        here, bounds = self._at(backend), self._bounds
        if here.closed is not None or bounds.level < Level.READ:
            return [False] * len(names)
        own, agent = _granting(here.circles, self._spoken.base), None
        if here.agent is not None:
            agent = _granting((here.agent,), NO_POLICY_ALLOWS)
        answers: dict[Matching | None, bool] = {None: False}  # few: names are ruled alike
        matching, free, found = self._book.matching, bounds.none, []
        for name in names:
            bits = matching(kind, backend, name)
            answer = answers.get(bits)
            if bits is not None and answer is None:
                answer = not bits.some & here.denies and _sees(own, bits.all)
                answer = answers[bits] = answer and (agent is None or _sees(agent, bits.all))
            found.append(bool(answer and (free or bounds.of_name(kind, backend, name) is None)))
        return found

    def of_call(self, backend: str, tool: str, arguments: JsonObject) -> Decision:
        here = self._here.get(backend)
        if here is None:
            here = self._at(backend)
        if here.unless or here.provided:
            return self._judged(Kind.TOOL, backend, tool, arguments)
        return self.decide(Kind.TOOL, backend, tool)

    def _at(self, backend: str) -> Here:
        found = self._here.get(backend)
        if found is None:
            found = self._found(backend)
            if len(self._here) >= MOST_BACKENDS:
                self._here.clear()
            if len(backend) <= LONGEST_KEPT:
                self._here[backend] = found
        return found

    def _found(self, backend: str) -> Here:
        spoken, book = self._spoken, self._book
        closed = NO_NAME if normal(backend) is None else self._bounds.of_backend(backend)
        for fence in spoken.fences:
            closed = closed or fence.refuses(backend)
        bits = book.of_backend(backend) & spoken.speaking
        denying = bits & book.denies
        within = [circle.within(bits) for circle in spoken.circles]
        agent = None
        if spoken.agent is not None:
            agent = spoken.agent.within(bits) or Circle(())
        return Here(
            closed,
            denying & ~book.conditional,
            denying & book.conditional,
            bits & book.conditional & ~book.denies,
            tuple(circle for circle in within if circle is not None),
            agent,
        )

    def _judged(
        self, kind: Kind, backend: str, name: str, arguments: JsonObject | None
    ) -> Decision:
        here = self._at(backend)
        if here.closed is not None:
            return here.closed
        found = self._book.matching(kind, backend, name)
        if found is None:
            return NO_NAME
        if not self._bounds.none:
            refused = self._bounds.of_name(kind, backend, name)
            if refused is not None:
                return refused
        denying = found.some & here.denies
        if arguments is not None:
            denying |= self._unrefuted(found.some & here.unless, arguments)
        if denying:
            return Decision(Level.DENY, self._book.place(denying))
        return self._capped(self._granted(here, self._counting(found, here, arguments)))

    def _counting(self, found: Matching, here: Here, arguments: JsonObject | None) -> int:
        """The rules that match, and count for these arguments."""
        if arguments is None or not found.all & here.provided:
            return found.all
        failing = 0
        for rule, bit in self._book.bits(found.all & here.provided):
            if _shown(rule, arguments) is not Shown.YES:
                failing |= bit
        return found.all & ~failing

    def _unrefuted(self, bits: int, arguments: JsonObject) -> int:
        """Denying rules that hold: the arguments do not show that they do not."""
        return sum(
            bit for rule, bit in self._book.bits(bits) if _shown(rule, arguments) is not Shown.NO
        )

    def _granted(self, here: Here, matching: int) -> Decision:
        own = self._by(here.circles, matching) or self._spoken.base
        if here.agent is None:
            return own
        agent = self._by((here.agent,), matching) or NO_POLICY_ALLOWS
        return agent if agent.level < own.level else own

    def _by(self, circles: Sequence[Circle], matching: int) -> Decision | None:
        for circle in circles:
            for level, mask in circle.steps:
                if matching & mask:
                    return Decision(level, self._book.place(matching & mask))
            if circle.default is not None:
                return circle.default
        return None

    def _most(self, circles: Sequence[Circle], agent: Circle | None, of_all: int) -> Decision:
        """The most that anything may be granted. `of_all` are the rules that match everything, so
        that no wider circle is asked.
        """
        found = self._spoken.base
        for circle in reversed(circles):
            most = self._most_of(circle)
            ends = circle.default is not None or any(mask & of_all for _, mask in circle.steps)
            found = most if ends or most.level > found.level else found
        if agent is not None:
            most = self._most_of(agent)
            found = most if most.level < found.level else found
        return found

    def _most_of(self, circle: Circle) -> Decision:
        found = circle.default or NO_POLICY_ALLOWS
        for level, mask in circle.steps[:1]:
            if level > found.level:
                return Decision(level, self._book.place(mask))
        return found

    def _capped(self, decision: Decision) -> Decision:
        bounds = self._bounds
        if decision.level <= bounds.level:
            return decision
        return Decision(bounds.level, bounds.of_level)


def _granting(circles: Sequence[Circle], base: Decision) -> Sequence[tuple[int, bool]]:
    """Of each circle the rules that let something be seen, and whether it is seen where none of
    them matches; with the end, where nothing matches.
    """
    found: list[tuple[int, bool]] = []
    for circle in circles:
        bits = sum(mask for _, mask in circle.steps)
        if circle.default is not None:
            return [*found, (bits, circle.default.visible)]
        found.append((bits, False))
    return [*found, (0, base.visible)]


def _sees(granting: Sequence[tuple[int, bool]], matching: int) -> bool:
    return any(matching & bits or otherwise for bits, otherwise in granting)


def _shown(rule: Rule, arguments: JsonObject) -> Shown:
    return all_shown(condition.shown(arguments) for condition in rule.when)
