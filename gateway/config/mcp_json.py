"""`.mcp.json`, as MCP clients have it → servers by name. One that is wrong costs itself alone.

Clients add keys of their own to it: what is not about reaching a server is passed over.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gateway.capability.model import Strict
from gateway.capability.shape import shaped
from gateway.capability.yaml import Parsed, parse
from gateway.config.backends import Backend, ServerName
from gateway.config.expand import expand
from gateway.config.servers import problems, relative_to
from gateway.domain.issue import Issue, Severity

SECTIONS = ("mcpServers", "servers")  # the second is VS Code's
WEBSOCKET = ("ws", "websocket")
KEPT = ("command", "args", "env", "cwd", "headers", "description", "idle_timeout", "tools")
URLS = ("url", "httpUrl", "serverUrl", "http_url")
OFF = "disabled"


class _Section(Strict, frozen=True):
    backends: dict[ServerName, Backend]


@dataclass(slots=True)
class Servers:
    """`broken` are those that cannot be used as they stand, by name; `issues` has theirs too."""

    backends: dict[str, Backend] = field(default_factory=dict)
    broken: dict[str, tuple[Issue, ...]] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()
    readable: bool = True  # False: nothing of it counts, and the last good version stays


def understand(data: bytes, file: str, environ: Mapping[str, str]) -> Servers:
    """Never raises, whatever the bytes."""
    parsed = _parsed(data, file)
    if parsed.issues:
        return Servers(issues=parsed.issues, readable=False)
    tree = parsed.tree if isinstance(parsed.tree, dict) else {}
    section = next((name for name in SECTIONS if isinstance(tree.get(name), dict)), None)
    if section is None:
        issue = parsed.issue((), "has no mcpServers", 'such as {"mcpServers": {"time": {…}}}')
        return Servers(issues=(issue,), readable=not data.strip())
    found = Servers()
    for name, entry in tree[section].items():
        _take(found, parsed, (section, str(name)), entry, environ)
    found.issues = tuple(issue for issues in found.broken.values() for issue in issues)
    return found


def _parsed(data: bytes, file: str) -> Parsed:
    """JSON is YAML, nearly: tabs between tokens, and halves of surrogate pairs, are not."""
    parsed = parse(data.replace(b"\t", b" "), file)
    if parsed.issues:
        try:
            return Parsed(file, json.loads(data), ())
        except (ValueError, RecursionError):
            return parsed
    return parsed


def _take(
    found: Servers,
    parsed: Parsed,
    path: tuple[str, str],
    entry: Any,
    environ: Mapping[str, str],
) -> None:
    name = path[1]
    if isinstance(entry, dict) and entry.get(OFF) is True:
        return
    written = _translated(entry) if isinstance(entry, dict) else entry
    expanded = expand(replace(parsed, tree=written), environ)
    issues = [_moved(parsed, path, issue) for issue in expanded.issues]
    placed = {"backends": {name: expanded.tree}}
    server, more = shaped(replace(parsed, tree=placed), _Section)
    issues += [_moved(parsed, path, issue) for issue in more]
    backend = server.backends[name] if server is not None else None
    if backend is not None and not issues:
        issues += [
            parsed.issue((*path, *problem.path), problem.message, problem.hint)
            for problem in problems(backend)
        ]
    if issues or backend is None:
        found.broken[name] = tuple(issues)
    else:
        found.backends[name] = relative_to(backend, Path(parsed.file).parent)


def _translated(entry: Mapping[str, Any]) -> dict[str, Any]:
    """In the words of `backends:`."""
    made = {key: entry[key] for key in KEPT if key in entry}
    url = next((entry[key] for key in URLS if key in entry), None)
    if url is None:
        return made
    transport = str(entry.get("type") or entry.get("transport") or "").lower()
    if transport in WEBSOCKET or str(url).startswith(("ws://", "wss://")):
        return {**made, "ws_url": url}
    if transport == "sse":
        return {**made, "sse_url": url}
    return {**made, "http_url": url, "streamable_http": bool(transport)}


def _moved(parsed: Parsed, path: tuple[str, str], issue: Issue) -> Issue:
    line, column = parsed.where(path)
    text = f"server {path[1]!r}: {issue.message}"
    return replace(issue, message=text, line=line, column=column, severity=Severity.ERROR)
