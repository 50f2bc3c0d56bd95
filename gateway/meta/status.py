"""`gateway_status`: how the files fare that are followed, the rules of agents, and the backends.

Only where the operator wants it. What names other callers, or places on the disk, is for those
alone who may see how the gateway fares: administrators, and everybody where nobody is asked.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import msgspec

from gateway.domain.combined import Combined
from gateway.domain.identity import Level
from gateway.domain.listing import Listing
from gateway.domain.listing import Status as Health
from gateway.domain.tool import JsonObject, ToolResult
from gateway.meta.base import json_answer, read, schema
from gateway.observe.ledger import FileStatus, Ledger
from gateway.runtime.view import View
from gateway.version import __version__

Files = Callable[[], Mapping[str, str]]  # what a file is for → its path, as configured now

HIDDEN = "the operator's log says what"


class Arguments(msgspec.Struct):
    pass


class Status:
    definition: ClassVar[JsonObject] = {
        "name": "gateway_status",
        "description": "How this gateway fares: its files' last reloads, rules, servers, circuits.",
        "inputSchema": schema(),
    }

    def __init__(self, ledger: Ledger, files: Files) -> None:
        self._ledger = ledger
        self._files = files

    async def call(self, view: View, arguments: JsonObject) -> ToolResult:
        read(arguments, Arguments, self.definition)
        snapshot = view.snapshot
        whole = not snapshot.access.required or view.rights.level >= Level.ADMIN
        files = self._files()
        known = {what: self._ledger.files.get(path) for what, path in files.items()}
        answer: dict[str, Any] = {
            "version": __version__,
            "message": _message(known.values(), view),
            "reload_status": {
                what: _file(status, whole=whole) for what, status in known.items() if status
            },
            "policy_state": _policy(snapshot.policy, whole=whole),
            "available_servers": list(view.backends),
            "circuits": {name: _circuit(view, name) for name in view.backends},
        }
        if whole:
            answer["config_paths"] = files
        return json_answer(answer)


def _file(status: FileStatus, *, whole: bool) -> JsonObject:
    error = status.last_error
    return {
        "last_attempt": status.last_attempt,
        "last_success": status.last_success,
        "last_error": error if whole or error is None else HIDDEN,
        "attempt_count": status.attempt_count,
        "success_count": status.success_count,
        "last_warnings": status.warnings if whole else [HIDDEN] * bool(status.warnings),
    }


def _policy(policy: object, *, whole: bool) -> JsonObject:
    if not isinstance(policy, Combined):
        return {"total_agents": 0}
    rules = policy.rules
    found: dict[str, Any] = {
        "total_agents": len(rules.rules),
        "defaults": {"deny_on_missing_agent": rules.deny_on_missing},
    }
    if whole:
        found |= {"agent_ids": list(rules.rules), "default_agent": policy.default_agent}
    return found


def _circuit(view: View, name: str) -> JsonObject:
    guard = view.snapshot.guards.get(name)
    if guard is None:
        return {"state": "disabled"}
    return {"state": guard.state, **({"retry_in": round(guard.after, 1)} if guard.after else {})}


def _message(files: Iterable[FileStatus | None], view: View) -> str:
    broken = any(status is not None and status.last_error for status in files)
    down = [one.name for one in view.backends.values() if _is_down(one)]
    said = ["a file could not be read anew: its last good version counts"] if broken else []
    if down:
        said.append(f"down: {', '.join(down)}")
    return "; ".join(said) or "all is well"


def _is_down(listing: Listing) -> bool:
    return listing.health.status is Health.DOWN
