"""Who may see and do what: one decision for every road. Pure.

The rule: a decision depends on the names that were asked for and on the rules, never on what
exists; so a refusal cannot tell whether there is such a thing.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from gateway.domain.identity import Identity, Level
from gateway.domain.tool import JsonObject
from gateway.errors import GatewayError


class Kind(StrEnum):
    """What of a backend a rule or a request is about. `OTHER` is what has no list: a request of a
    method that no revision of MCP knows, by its name. Only what speaks of a whole backend is about
    that.
    """

    TOOL = "tool"
    PROMPT = "prompt"
    RESOURCE = "resource"
    OTHER = "request"


class Decision(NamedTuple):
    """`rule` is the place of the rule that decided, as an operator finds it in a file:
    `policies.readers.rules[2]`, `agents.researcher.deny.tools.github[0]`. `told`: the caller may
    read it, since it says nothing of what exists.
    """

    level: Level
    rule: str = ""
    told: bool = False

    @property
    def visible(self) -> bool:
        return self.level >= Level.READ

    @property
    def allowed(self) -> bool:
        return self.level >= Level.EXECUTE


class Rights(Protocol):
    """What one identity may do. `whole`: everything, so that nothing need be asked."""

    @property
    def whole(self) -> bool: ...

    @property
    def refusal(self) -> GatewayError | None:
        """Why it may do nothing at all, where it is not for a rule: nobody knows as which agent it
        acts.
        """
        ...

    @property
    def rate_limit(self) -> int:
        """Requests a minute that policies leave it; 0: they say nothing of that."""
        ...

    @property
    def level(self) -> Level:
        """The most it may do to anything at all."""
        ...

    def backend(self, name: str) -> Decision:
        """The most that may be done to anything in it: whether anything in it may be seen."""
        ...

    def decide(self, kind: Kind, backend: str, name: str) -> Decision:
        """Of a tool or prompt by its name, of a resource by its URI, whatever the arguments: what
        may be seen depends on this.
        """
        ...

    def seen(self, kind: Kind, backend: str, names: Sequence[str]) -> Sequence[bool]:
        """Of each whether it may be seen, as `decide` has it: there may be thousands."""
        ...

    def of_call(self, backend: str, tool: str, arguments: JsonObject) -> Decision:
        """Of a call with these arguments."""
        ...


class All:
    """Where no rule says anything. `level` is of what concerns no backend: what the gateway tells
    of itself.
    """

    whole = True
    rate_limit = 0
    refusal: GatewayError | None = None

    def __init__(self, level: Level = Level.ADMIN) -> None:
        self.level = level

    def backend(self, name: str) -> Decision:
        return GRANTED

    def decide(self, kind: Kind, backend: str, name: str) -> Decision:
        return GRANTED

    def seen(self, kind: Kind, backend: str, names: Sequence[str]) -> Sequence[bool]:
        return [True] * len(names)

    def of_call(self, backend: str, tool: str, arguments: JsonObject) -> Decision:
        return GRANTED


GRANTED = Decision(Level.ADMIN, "no rule")
ALL: Rights = All()


class Policy(Protocol):
    """All rules of one snapshot. Two that are equal decide alike."""

    @property
    def agents(self) -> bool:
        """Whether agents have rules, so that a caller is to say as which it acts."""
        ...

    def of(self, who: Identity) -> Rights:
        """What `who` may do."""
        ...

    def expect(self, tools: Iterable[str]) -> None:
        """Work out for these names what does not depend on who asks: in a thread, since there may
        be thousands.
        """
        ...

    def acting(self, who: Identity, agent: str | None) -> Identity:
        """`who` as that agent, or as the one that it acts as unasked. Raises InvalidAgent."""
        ...


class NoPolicy:
    """Everybody may do what its own grant says; here: everything."""

    agents = False

    def of(self, who: Identity) -> Rights:
        return ALL

    def expect(self, tools: Iterable[str]) -> None:
        pass

    def acting(self, who: Identity, agent: str | None) -> Identity:
        return who


NO_POLICY: Policy = NoPolicy()
