"""Holds what backends offer to what is pinned: tells of what differs, and offers it or not.

The rule: a tool is judged once for each definition it has; what did not change is the same object
again. Much of it may run in a thread, one call at a time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from gateway.domain.change import Change
from gateway.domain.definition_diff import difference, summary
from gateway.domain.globs import any_of
from gateway.domain.issue import Issue, Severity
from gateway.domain.listing import Listing, Status
from gateway.domain.pins import Pin, Pins, digest
from gateway.domain.text import shown
from gateway.domain.tool import Tool, ToolRef

OnChange = Literal["warn", "hold", "deny"]

MOST = 20  # tools of one backend that are told one by one
NAMED = 5  # tools that are named
MOST_KEPT = 50_000  # backends that are remembered, gone ones among them
MOST_TOLD = 1_000  # different findings
LIVE = ("execution",)  # of a definition: how it is called, which only its server can say
HINT = "read what changed, then: capgate lock"
OFFERED = {
    "warn": "it is offered as it is now",
    "hold": "it is offered as it was pinned",
    "deny": "it is withdrawn",
}
NOTHING: Mapping[str, Pin] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is offered for a tool, if anything; in what it differs, None for one that is new."""

    tool: Tool
    offered: Tool | None
    changes: tuple[Change, ...] | None = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A listing as it came and as it is offered; how its tools fared, by name."""

    came: Listing
    given: Listing
    verdicts: Mapping[str, Verdict]
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class Pinning:
    """Under `pins`, for the backends that `globs` name. `tell` hears of each finding once.

    Two that are equal do the same.
    """

    pins: Pins
    on_change: OnChange
    globs: tuple[str, ...]
    tell: Callable[[Issue], None] = field(default=lambda _: None, compare=False, repr=False)
    most: int = field(default=MOST_KEPT, compare=False)
    _judged: dict[str, Judged] = field(default_factory=dict, compare=False, repr=False)
    _told: set[Issue] = field(default_factory=set, compare=False, repr=False)

    def __call__(self, listing: Listing) -> Listing:
        """What is offered of it. The very listing as before gives the very same again."""
        name = listing.name
        known = self._judged.get(name)
        if known is not None and known.came is listing:
            return known.given
        if known is None and not self.covers(name):
            return listing
        if known is None and len(self._judged) >= self.most:
            self._judged.clear()
        known = self._judged[name] = self._judge(listing, known)
        return known.given

    def covers(self, backend: str) -> bool:
        return _fitting(self.globs)(backend)

    def _judge(self, listing: Listing, known: Judged | None) -> Judged:
        pins = self.pins.backends.get(listing.name, NOTHING)
        strict = self.on_change != "warn"
        if not listing.tools and listing.health.status is not Status.OK:  # not known yet
            tools = self._pinned(listing.name, pins, known) if self.on_change == "hold" else ()
            return Judged(listing, replace(listing, tools=tools, sealed=strict), {})
        if known is not None and known.verdicts and known.came.tools is listing.tools:
            verdicts, issues, tools = known.verdicts, known.issues, known.given.tools
        else:
            before = known.verdicts if known is not None else {}
            verdicts = {tool.ref.name: self._verdict(tool, pins, before) for tool in listing.tools}
            issues = _issues(listing.name, verdicts, pins, self.on_change)
            tools = _offered(listing.tools, verdicts, known)
        self._tell(issues)
        health = listing.health
        if issues:
            health = replace(health, issues=(*health.issues, *issues))
        if not issues and not strict and tools is listing.tools:
            return Judged(listing, listing, verdicts)
        given = replace(listing, tools=tools, health=health, sealed=strict)
        return Judged(listing, given, verdicts, issues)

    def _verdict(
        self, tool: Tool, pins: Mapping[str, Pin], before: Mapping[str, Verdict]
    ) -> Verdict:
        known = before.get(tool.ref.name)
        if known is not None and known.tool is tool:
            return known
        pin = pins.get(tool.ref.name)
        if pin is None:
            return Verdict(tool, tool if self.on_change == "warn" else None, None)
        if pin.sha256 == digest(tool.definition):
            return Verdict(tool, tool)
        changes = difference(pin.definition, tool.definition)
        if self.on_change == "warn":
            return Verdict(tool, tool, changes)
        return Verdict(tool, _held(tool, pin) if self.on_change == "hold" else None, changes)

    def _pinned(
        self, backend: str, pins: Mapping[str, Pin], known: Judged | None
    ) -> tuple[Tool, ...]:
        """What is offered of a backend whose tools are not known yet: it does not flicker."""
        if known is not None and not known.verdicts:
            return known.given.tools
        return tuple(Tool(ToolRef(backend, name), pin.definition) for name, pin in pins.items())

    def _tell(self, issues: tuple[Issue, ...]) -> None:
        for issue in issues:
            if issue not in self._told and len(self._told) < MOST_TOLD:
                self._told.add(issue)
                self.tell(issue)


@lru_cache(maxsize=8)
def _fitting(globs: tuple[str, ...]) -> Callable[[str], bool]:
    return any_of(globs)


def _held(tool: Tool, pin: Pin) -> Tool:
    """The tool in the words it was pinned with; also what only helps to find it is not told."""
    live = {key: tool.definition[key] for key in LIVE if key in tool.definition}
    return Tool(tool.ref, {**pin.definition, **live})


def _offered(
    tools: tuple[Tool, ...], verdicts: Mapping[str, Verdict], known: Judged | None
) -> tuple[Tool, ...]:
    """The same tuple as it came, or as before, where it has the same tools."""
    found = tuple(verdict.offered for verdict in verdicts.values() if verdict.offered is not None)
    for same in (tools, known.given.tools if known is not None else ()):
        if len(same) == len(found) and all(map(_is, same, found)):
            return same
    return found


def _is(one: Tool, other: Tool) -> bool:
    return one is other


# -- what is told -----------------------------------------------------------------------------


def _issues(
    backend: str, verdicts: Mapping[str, Verdict], pins: Mapping[str, Pin], on_change: OnChange
) -> tuple[Issue, ...]:
    changed = {name: one.changes for name, one in verdicts.items() if one.changes}
    new = [name for name, one in verdicts.items() if one.changes is None]
    gone = [name for name in pins if name not in verdicts]
    found = [
        _issue(
            backend,
            f"tool {shown(name)}",
            f"not as pinned: {summary(changes)}; {OFFERED[on_change]}",
        )
        for name, changes in [*changed.items()][:MOST]
    ]
    if len(changed) > MOST:
        names = [*changed][MOST:]
        found.append(_issue(backend, "tools", f"{_many(names)} differ too"))
    if new:
        what = "offered all the same" if on_change == "warn" else "withheld"
        found.append(_issue(backend, "tools", f"not pinned, and {what}: {_many(new)}"))
    if gone:
        found.append(_issue(backend, "tools", f"pinned, and not there any more: {_many(gone)}"))
    return tuple(found)


def _many(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(map(shown, names[:NAMED]))}{more}"


def _issue(backend: str, path: str, message: str) -> Issue:
    return Issue(backend, message, path=path, hint=HINT, severity=Severity.WARNING)
