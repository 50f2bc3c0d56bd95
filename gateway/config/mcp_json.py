"""`.mcp.json`, as MCP clients have it → servers by name. One that is wrong costs itself alone.

Clients add keys of their own to it: what is not about reaching a server is passed over. They also
ask a person by themselves where a server wants that, so one at a URL without headers has `oauth`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gateway.capability.file.model import Strict
from gateway.capability.file.shape import shaped
from gateway.capability.file.yaml import Parsed, parse
from gateway.capability.file.yaml_build import Spot
from gateway.config.backends import Backend, ServerName
from gateway.config.expand import expand
from gateway.config.servers import WAYS, problems, relative_to
from gateway.domain.issue import Issue
from gateway.domain.names import nearest

SECTIONS = ("mcpServers", "servers")  # the second is VS Code's
WEBSOCKET = ("ws", "websocket")
KEPT = ("command", "args", "env", "cwd", "headers", "description", "idle_timeout", "tools")
URLS = ("url", "httpUrl", "serverUrl", "http_url")
NEEDED = ("command", "url")  # one of them, in the words of these files
OAUTH = {  # Claude Code's words → ours
    "clientId": "client_id",
    "clientSecret": "client_secret",
    "callbackPort": "callback_port",
    "scopes": "scopes",
}
OFF = "disabled"
_COMMENT = re.compile(rb'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


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
    parsed = parse_json(data, file)
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


def parse_json(data: bytes, file: str) -> Parsed:
    """JSON, with the comments that editors allow in it. JSON is YAML, nearly: tabs between tokens,
    and halves of surrogate pairs, are not.

    What is wrong with it is said in JSON's words.
    """
    data = without_comments(data)
    parsed = parse(data, file)
    if not parsed.issues:
        return parsed
    try:
        return Parsed(file, json.loads(data), ())
    except json.JSONDecodeError as error:
        text = f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        return Parsed(file, None, (Issue(file, text, error.lineno, error.colno),))
    except (ValueError, RecursionError):
        return parsed


def without_comments(data: bytes) -> bytes:
    """With spaces in their place, and in that of tabs, so that all else stays where it is."""
    data = _COMMENT.sub(lambda match: match[1] or re.sub(rb"[^\n]", b" ", match[0]), data)
    return data.replace(b"\t", b" ")


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
    written = translated(entry) if isinstance(entry, dict) else entry
    tree, spot = {"backends": {name: written}}, _spot(parsed, path, entry)
    placed = replace(parsed, tree=tree, spot=spot)
    expanded = expand(placed, environ)
    server, more = shaped(replace(placed, tree=expanded.tree), _Section)
    unresolved = {issue.path for issue in expanded.issues}
    more = [issue for issue in more if issue.path not in unresolved]
    issues = [*expanded.issues, *more]
    backend = server.backends[name] if server is not None else None
    if backend is not None and not issues:
        issues += _problems(placed, name, entry, backend)
    if issues or backend is None:
        found.broken[name] = tuple(_in_its_words(issue, path, entry) for issue in issues)
    else:
        found.backends[name] = relative_to(backend, Path(parsed.file).parent)


def _problems(
    placed: Parsed, name: str, entry: Mapping[str, Any], backend: Backend
) -> Iterator[Issue]:
    if any(getattr(backend, way) is not None for way in WAYS):
        for problem in problems(backend):
            yield placed.issue(("backends", name, *problem.path), problem.message, problem.hint)
        return
    meant = ((key, near) for key in entry if (near := nearest(key, (*NEEDED, *URLS), 1)))
    wrong, near = next(meant, ("", []))
    hint = f"did you mean {near[0]!r} by {wrong!r}?" if near else f"write {' or '.join(NEEDED)}"
    yield placed.issue(("backends", name), "neither a command nor a URL is given", hint)


def translated(entry: Mapping[str, Any]) -> dict[str, Any]:
    """In the words of `backends:`."""
    made = {key: entry[key] for key in KEPT if key in entry}
    url = _url(entry)
    if url is None:
        return made
    if not made.get("headers"):
        made["oauth"] = _oauth(entry.get("oauth"))
    transport = str(entry.get("type") or entry.get("transport") or "").lower()
    if transport in WEBSOCKET or str(entry[url]).startswith(("ws://", "wss://")):
        return {**made, "ws_url": entry[url]}
    if transport == "sse":
        return {**made, "sse_url": entry[url]}
    return {**made, "http_url": entry[url], "streamable_http": bool(transport)}


def _oauth(given: Any) -> Any:
    if given is False:
        return {"enabled": False}
    if not isinstance(given, dict):
        return {}
    return {OAUTH[key]: value for key, value in given.items() if key in OAUTH}


def _url(entry: Mapping[str, Any]) -> str | None:
    """The key that has the URL."""
    return next((key for key in URLS if key in entry), None)


def _spot(parsed: Parsed, path: tuple[str, str], entry: Any) -> Spot:
    """Where everything stands, for an entry seen as one of `backends:`."""
    key, value, children = parsed.spot_of(path)
    url = _url(entry) if isinstance(entry, dict) else None
    if url and isinstance(children, dict):
        children = {**children, **dict.fromkeys(WAYS[1:], children.get(url))}
    return None, None, {"backends": (key, value, {path[1]: (key, value, children)})}


def _in_its_words(issue: Issue, path: tuple[str, str], entry: Any) -> Issue:
    """With the place as this file calls it."""
    place = f"{path[0]}{issue.path.removeprefix('backends')}"
    url = _url(entry) if isinstance(entry, dict) else None
    for way in WAYS[1:]:
        if url and place.endswith(f".{way}"):
            place = f"{place.removesuffix(way)}{url}"
    return replace(issue, path=place)
