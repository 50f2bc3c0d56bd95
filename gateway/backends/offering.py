"""What one MCP server offers, as far as it is taken: its lists, fetched, judged and overridden.

The rule: a list that cannot be had is as it was before, with an issue; what did not change is the
same object as before, so that nobody downstream has to look at it.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from gateway.backends import admit
from gateway.backends.admit import Kind, Taken
from gateway.backends.overrides import Overridden, Target, overridden
from gateway.backends.remarks import Remarks
from gateway.backends.settings import McpSettings
from gateway.domain import definition_diff
from gateway.domain.issue import Issue
from gateway.domain.tool import JsonObject, Tool
from gateway.errors import GatewayError
from gateway.protocol import mcp
from gateway.session.session import Session

log = logging.getLogger(__name__)

INLINE = 200  # items up to which the loop judges a list itself
LIST_SECONDS = 20.0  # for all pages of one list
MOST_LINES = 20  # in the log, about one refresh
MOST_LOGGED = 1_000  # different findings

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class List:
    """One list of a server: the method that gives it, and the capability it is declared under."""

    kind: Kind
    method: str
    capability: str


TOOLS = List(admit.TOOLS, mcp.TOOLS_LIST, "tools")
PROMPTS = List(admit.PROMPTS, mcp.PROMPTS_LIST, "prompts")
RESOURCES = List(admit.RESOURCES, mcp.RESOURCES_LIST, "resources")
TEMPLATES = List(admit.TEMPLATES, mcp.TEMPLATES_LIST, "resources")
ALL = (TOOLS, PROMPTS, RESOURCES, TEMPLATES)

CHANGED: Mapping[str, tuple[List, ...]] = MappingProxyType(
    {
        mcp.TOOLS_CHANGED: (TOOLS,),
        mcp.PROMPTS_CHANGED: (PROMPTS,),
        mcp.RESOURCES_CHANGED: (RESOURCES, TEMPLATES),
    }
)


@dataclass(slots=True)
class Shelf:
    """One list as it stands. `failed` says why it is older than it should be."""

    taken: Taken = field(default_factory=Taken)
    failed: Issue | None = None


class Offering:
    """`tools` as they are offered; `targets` of those that are overridden."""

    def __init__(self, settings: McpSettings) -> None:
        self.tools: tuple[Tool, ...] = ()
        self.targets: Mapping[str, Target] = {}
        self._settings = settings
        self._shelves = {each: Shelf() for each in ALL}
        self._overridden: tuple[Issue, ...] = ()
        self._logged: set[tuple[str, str]] = set()

    def items(self, which: List) -> tuple[JsonObject, ...]:
        return self._shelves[which].taken.items

    @property
    def failed(self) -> tuple[List, ...]:
        """Those that are older than they should be."""
        return tuple(each for each, shelf in self._shelves.items() if shelf.failed is not None)

    @property
    def problem(self) -> str | None:
        """Why the first of these is."""
        found = (shelf.failed for shelf in self._shelves.values())
        return next((issue.message for issue in found if issue is not None), None)

    @property
    def issues(self) -> tuple[Issue, ...]:
        found: list[Issue] = [*self._overridden]
        for shelf in self._shelves.values():
            found += shelf.taken.issues
            if shelf.failed is not None:
                found.append(shelf.failed)
        return tuple(found)

    async def refresh(self, session: Session, lists: Iterable[List] = ALL) -> None:
        """Fetch and judge these lists, all at once."""
        await asyncio.gather(*(self._refresh(session, each) for each in lists))
        self._log_issues()

    async def _refresh(self, session: Session, which: List) -> None:
        shelf = self._shelves[which]
        try:
            came = await self._fetched(session, which)
        except (GatewayError, TimeoutError) as error:
            why = str(error) or f"no answer within {LIST_SECONDS:g} s"
            remarks = Remarks(self._settings.name, which.kind.noun)
            remarks.add("", f"{which.method} failed: {why}")
            shelf.failed = remarks.issues[0]
            return
        shelf.failed = None
        before = shelf.taken
        name = self._settings.name
        shelf.taken = await _aside(len(came), lambda: admit.taken(name, which.kind, came, before))
        if which is TOOLS:
            await self._take_tools(shelf.taken)
            self._log_changes(before, shelf.taken)

    async def _fetched(self, session: Session, which: List) -> Sequence[JsonObject]:
        if which.capability not in session.capabilities:
            return ()
        async with asyncio.timeout(LIST_SECONDS):
            return await session.list_all(which.method)

    async def _take_tools(self, taken: Taken) -> None:
        settings, before = self._settings, self.tools

        def work() -> tuple[Overridden, tuple[Tool, ...]]:
            changed = overridden(settings.name, taken.items, settings.tools)
            return changed, admit.tools(settings.name, changed.items, before)

        changed, tools = await _aside(len(taken.items), work)
        if tools != before:
            self.tools = tools
        self.targets, self._overridden = changed.targets, changed.issues

    # -- log lines ------------------------------------------------------------------------------

    def _log_changes(self, before: Taken, after: Taken) -> None:
        """A tool that is another than when it was first seen may do another thing (I55)."""
        changed = {
            name: fields
            for name, (came, _) in after.sources.items()
            if name in before.sources and (fields := difference(before.sources[name][0], came))
        }
        for name, fields in [*changed.items()][:MOST_LINES]:
            pair = (each.sources[name][0] for each in (before, after))
            facts = {
                "backend": self._settings.name,
                "tool": name,
                "fields": ", ".join(fields),
                "change": definition_diff.summary(definition_diff.difference(*pair)),
            }
            log.warning("definition_changed", extra=facts)
        if len(changed) > MOST_LINES:
            more = {"backend": self._settings.name, "tools": len(changed)}
            log.warning("definitions_changed", extra=more)

    def _log_issues(self) -> None:
        """Each once, however often the list is fetched."""
        new = [issue for issue in self.issues if (issue.path, issue.message) not in self._logged]
        for issue in new[: max(0, MOST_LOGGED - len(self._logged))]:
            self._logged.add((issue.path, issue.message))
            facts = {"backend": issue.file, "what": issue.path, "problem": issue.message}
            log.warning("listing_odd", extra=facts)


def difference(before: JsonObject, after: JsonObject) -> list[str]:
    """The fields that are not what they were."""
    if before is after:
        return []
    missing = object()
    names = {*before, *after}
    return sorted(n for n in names if before.get(n, missing) != after.get(n, missing))


async def _aside(size: int, work: Callable[[], Done]) -> Done:
    """In a thread when there is much to do, so that the loop stays free."""
    return await asyncio.to_thread(work) if size > INLINE else work()
