"""What each agent may use, as agent-mcp-gateway's rules say it. Pure.

A deny goes before every allow, a name before a glob; who may use a server may use all of it, unless
the rules name its tools. Rules know names alone, so every decision may be told.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from gateway.domain.globs import Glob, glob, normal
from gateway.domain.identity import Level
from gateway.domain.policy import Decision, Kind
from gateway.domain.tool import JsonObject
from gateway.errors import GatewayError

LONGEST = 128  # characters of an agent's name, and of others that are kept
MOST_KEPT = 2_048  # servers and tools asked for, which need not exist

Names = tuple[str, ...]  # and globs
Found = Callable[[str], Decision | None]

NOTHING: Mapping[str, Names] = MappingProxyType({})


class Part(NamedTuple):
    """`allow` or `deny` of an agent. `tools`: server, or a glob of servers → tools of it."""

    servers: Names = ()
    tools: Mapping[str, Names] = NOTHING


class Agent(NamedTuple):
    allow: Part = Part()
    deny: Part = Part()


@dataclass(frozen=True, slots=True)
class Agents:
    """The rules of all agents, by name. Two that are equal decide alike.

    `deny_on_missing`: whoever names no agent is refused. `spots`: the place of each server that a
    rule names → line and column.
    """

    rules: Mapping[str, Agent]
    deny_on_missing: bool = True
    spots: Mapping[str, tuple[int, int]] = field(
        default_factory=dict, compare=False, hash=False, repr=False
    )

    def rights(self, name: str) -> "AgentRights":
        """Of an agent that has rules."""
        return AgentRights(f"agents.{name}", self.rules[name])


class _Server(NamedTuple):
    """What is decided of one server: of itself, and of its tools where it may be used at all."""

    itself: Decision
    others: Decision  # its prompts and resources, and tools that no list names
    lists: tuple[Found, ...] = ()

    def tool(self, given: str) -> Decision:
        name = normal(given)
        if name is None:  # of no tool
            return Decision(Level.DENY, self.others.rule, told=True)
        for found in self.lists:
            if decision := found(name):
                return decision
        return self.others


class AgentRights:
    """Rights that never give a caller more than its own: they are what an agent leaves of them.

    `place` is where the agent's rules stand.
    """

    whole = False  # so that each decision names its rule
    rate_limit = 0
    refusal: GatewayError | None = None
    level = Level.ADMIN

    def __init__(self, place: str, agent: Agent) -> None:
        allow, deny = agent
        self._place = place
        self._agent = agent
        self._denied = _found(f"{place}.deny.servers", deny.servers, Level.DENY)
        self._allowed = _found(f"{place}.allow.servers", allow.servers, Level.ADMIN)
        self._unlisted = _decision(f"{place}.allow.servers", Level.DENY)
        self._kept: dict[str, _Server] = {}
        self._tools: dict[tuple[str, str], Decision] = {}

    def backend(self, name: str) -> Decision:
        return self._server(name).itself

    def decide(self, kind: Kind, backend: str, name: str) -> Decision:
        return self._tool(backend, name) if kind is Kind.TOOL else self._server(backend).others

    def seen(self, kind: Kind, backend: str, names: Sequence[str]) -> Sequence[bool]:
        return [self.decide(kind, backend, name).visible for name in names]

    def of_call(self, backend: str, tool: str, arguments: JsonObject) -> Decision:
        return self._tool(backend, tool)

    def _tool(self, backend: str, name: str) -> Decision:
        """Remembered: it is asked more than once for each call."""
        found = self._tools.get((backend, name))
        if found is None:
            found = self._server(backend).tool(name)
            if len(backend) + len(name) <= LONGEST:
                if len(self._tools) >= MOST_KEPT:
                    self._tools.clear()
                self._tools[backend, name] = found
        return found

    def _server(self, name: str) -> _Server:
        server = self._kept.get(name)
        if server is None:
            server = self._decided(name)
            if len(name) <= LONGEST:
                if len(self._kept) >= MOST_KEPT:
                    self._kept.clear()
                self._kept[name] = server
        return server

    def _decided(self, given: str) -> _Server:
        name = normal(given)
        itself = self._unlisted
        if name is not None:
            itself = self._denied(name) or self._allowed(name) or itself
        if name is None or not itself.allowed:
            return _Server(itself, itself)
        allow, deny = self._agent
        denied = _tools(f"{self._place}.deny.tools", deny.tools, name, Level.DENY)
        place, tools = f"{self._place}.allow.tools", allow.tools
        named = {key: tools[key] for key in tools if glob(key) == Glob(name, exact=True)} or tools
        keys = [key for key in named if glob(key).matches(name)]
        if not keys:
            return _Server(itself, itself, denied)
        rest = _decision(f"{place}.{keys[0]}", Level.DENY)
        return _Server(itself, rest, (*denied, *_tools(place, named, name, Level.ADMIN)))


def _tools(place: str, tools: Mapping[str, Names], server: str, level: Level) -> tuple[Found, ...]:
    """What the lists of that server say of its tools."""
    return tuple(
        _found(f"{place}.{key}", names, level)
        for key, names in tools.items()
        if glob(key).matches(server)
    )


def _found(place: str, entries: Iterable[str], level: Level) -> Found:
    """What a list says of a name: by the entry that is that name, else by the first glob."""
    exact: dict[str, Decision] = {}
    globs: list[tuple[Callable[[str], bool], Decision]] = []
    for index, entry in enumerate(entries):
        decision, fitting = _decision(f"{place}[{index}]", level), glob(entry)
        if fitting.exact:
            exact.setdefault(fitting.head, decision)
        else:
            globs.append((fitting.matches, decision))

    def found(name: str) -> Decision | None:
        decision = exact.get(name)
        if decision is not None:
            return decision
        return next((decision for fits, decision in globs if fits(name)), None)

    return found


def _decision(place: str, level: Level) -> Decision:
    return Decision(level, place, told=True)


def is_glob(entry: str) -> bool:
    return not glob(entry).exact
