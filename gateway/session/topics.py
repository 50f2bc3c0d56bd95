"""What a listen stream can tell of a modern server: its lists and resources, or its tasks.

Each has a stream of its own, so that a server that minds one of them still tells of the other.
Source: 2026-07-28, basic/patterns "Subscriptions"; SEP-2663.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from gateway.domain.client import NOBODY, NOTHING, Client, Nobody
from gateway.domain.tool import JsonObject
from gateway.errors import Unsupported
from gateway.protocol import mcp
from gateway.protocol.answers import read
from gateway.protocol.envelope import META
from gateway.protocol.task_ids import TASK_ID
from gateway.session.line import Line

FLAGS = {
    "tools": ("toolsListChanged", mcp.TOOLS_CHANGED),
    "prompts": ("promptsListChanged", mcp.PROMPTS_CHANGED),
    "resources": ("resourcesListChanged", mcp.RESOURCES_CHANGED),
}  # by the capability whose `listChanged` allows it


class Topics(Protocol):
    """`member` is the one of `notifications` that holds the names of what is watched."""

    member: str
    client: Client  # in whose name it is asked

    @property
    def always(self) -> JsonObject:
        """What is asked for beside names."""
        ...

    def allow(self) -> None:
        """Raises Unsupported where the server tells nobody of anything that has a name."""
        ...

    def missed(self, names: frozenset[str], /) -> None:
        """Nothing was heard for a while: whatever is told may have changed."""
        ...


class Lists:
    """Lists, and resources by their URIs. `changed` is told of what may have been missed."""

    member = "resourceSubscriptions"
    client: Client = NOBODY

    def __init__(self, line: Line, changed: Callable[[str], None]) -> None:
        self._line = line
        self._changed = changed

    @property
    def always(self) -> JsonObject:
        return {flag: True for flag, _ in self._told}

    def allow(self) -> None:
        if not self._line.introduction.has("resources", "subscribe"):
            raise Unsupported("the server tells nobody when its resources change")

    def missed(self, _names: frozenset[str]) -> None:
        for _, notification in self._told:
            self._changed(notification)

    @property
    def _told(self) -> list[tuple[str, str]]:
        """Flag and notification of each list of which the server tells."""
        has = self._line.introduction.has
        return [FLAGS[kind] for kind in FLAGS if has(kind, "listChanged")]


class KnowingTasks(Nobody):
    """The gateway itself, where only who knows tasks is answered."""

    def __init__(self) -> None:
        self.capabilities: JsonObject = {"extensions": {mcp.TASKS_EXTENSION: {}}}


class Tasks:
    """Tasks by their ids. `said` is told how those fare of which something may have been missed."""

    member = "taskIds"
    client: Client = KnowingTasks()
    always: JsonObject = NOTHING

    def __init__(self, line: Line, said: Callable[[str, JsonObject], None]) -> None:
        self._line = line
        self._said = said

    def allow(self) -> None:
        extensions = self._line.introduction.capabilities.get("extensions")
        if not isinstance(extensions, Mapping) or mcp.TASKS_EXTENSION not in extensions:
            raise Unsupported("the server has no tasks")

    def missed(self, names: frozenset[str]) -> None:
        self._line.errand(lambda: self._look(sorted(names)))

    async def _look(self, names: list[str]) -> None:
        for name in names:
            answer = await self._line.own(mcp.TASKS_GET, {TASK_ID: name}, self.client)
            if answer.error is None:
                self._said(mcp.TASK_TOLD, _told(read(answer)))


def _told(task: dict[str, Any]) -> JsonObject:
    """A result of tasks/get as the notification that carries the same."""
    return {key: value for key, value in task.items() if key not in ("resultType", META)}
