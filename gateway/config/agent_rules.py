"""`.mcp-gateway-rules.json` → the rules of agents, or every reason why not.

It is one thing: a file with anything wrong in it counts for nothing, and its last good version
stays. Keys that are nobody's business but the author's (`_…`, `x-…`, `$schema`, `description`) are
passed over.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from msgspec import Meta, field

from gateway.capability.file.model import Strict, Text
from gateway.capability.file.shape import shaped
from gateway.capability.file.yaml import Key, Parsed, dotted, parse
from gateway.config.mcp_json import without_comments
from gateway.domain.agents import LONGEST, NOTHING, Agent, Agents, Part, is_glob
from gateway.domain.catalog import Catalog
from gateway.domain.issue import Issue, Severity
from gateway.domain.names import did_you_mean

Name = Annotated[
    str,
    Meta(
        pattern=rf"^[A-Za-z0-9_.-]{{1,{LONGEST}}}$",
        extra={"hint": "letters, digits and - _ . name an agent, such as backend.database"},
    ),
]

SIDES = ("allow", "deny")
_BYTE = re.compile(r"\(byte (\d+)\)")
FREE = ("_", "x-")
FREE_KEYS = frozenset({"$schema", "description"})
ADVICE = {
    "agents": 'each agent by its name, such as "agents": {"researcher": {"allow": {…}}}',
    "agents.*.servers": 'below "allow" or "deny"',
    "agents.*.tools": 'below "allow" or "deny"',
    "agents.*.allow.tools": 'each server with a list, such as {"github": ["get_*"]}',
    "agents.*.deny.tools": 'each server with a list, such as {"github": ["delete_*"]}',
    "deny_on_missing_agent": 'below "defaults"',
}


class _Side(Strict, frozen=True):
    servers: tuple[Text, ...] = ()
    tools: dict[Text, tuple[Text, ...]] = field(default_factory=dict)


class _Agent(Strict, frozen=True):
    allow: _Side = _Side()
    deny: _Side = _Side()


class _Defaults(Strict, frozen=True):
    deny_on_missing_agent: bool = True


class _Rules(Strict, frozen=True):
    agents: dict[Name, _Agent]
    defaults: _Defaults = _Defaults()


def understand(data: bytes, file: str) -> tuple[Agents | None, tuple[Issue, ...]]:
    """The content of `file`. Never raises, whatever the bytes."""
    data = without_comments(data)
    parsed = parse(data, file)
    wrong = _not_json(data, file) if data.strip() else None
    if wrong is not None or parsed.issues:
        return None, parsed.issues if wrong is None else (wrong,)
    parsed = replace(parsed, tree=_plain(parsed.tree))
    rules, issues = shaped(parsed, _Rules, ADVICE)
    if rules is None:
        return None, tuple(issues)
    agents = {name: Agent(_part(one.allow), _part(one.deny)) for name, one in rules.agents.items()}
    spots = {dotted(path): parsed.where(path, at_key=key) for path, _, key in _named(agents)}
    found = Agents(agents, rules.defaults.deny_on_missing_agent, spots)
    return found, tuple(_vain(found, parsed))


def unmet(agents: Agents, file: str, catalog: Catalog) -> Iterator[Issue]:
    """Warnings about servers that rules name and nobody offers; the rules stay."""
    for path, server, _ in _named(agents.rules):
        if server not in catalog.backends and not is_glob(server):
            place = dotted(path)
            line, column = agents.spots.get(place, (0, 0))
            text = f"no server {server!r} is on offer: the rule waits for it"
            hint = did_you_mean(server, catalog.backends)
            yield Issue(file, text, line, column, place, hint, Severity.WARNING)


def fallback(agents: Agents, default_agent: str | None, file: str) -> Iterator[Issue]:
    """A warning, where whoever names no agent would act as one without rules; `file` says so."""
    if default_agent is not None and default_agent not in agents.rules:
        text = f"no agent {default_agent!r} has rules: calls that name no agent are refused"
        hint = did_you_mean(default_agent, agents.rules)
        yield Issue(file, text, path="default_agent", hint=hint, severity=Severity.WARNING)


def _not_json(data: bytes, file: str) -> Issue | None:
    """YAML takes more than JSON does."""
    try:
        json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        text = f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        return Issue(file, text, error.lineno, error.colno)
    except _NotANumber as error:
        text, before = str(error), data[: _first_wrong(data)]
        line = before.count(b"\n") + 1
        return Issue(file, text, line, len(before) - before.rfind(b"\n"))
    except (ValueError, RecursionError):  # the parser knows why
        return None
    return None


class _NotANumber(ValueError):
    """JSON has no such number."""


def _refuse(constant: str) -> None:
    raise _NotANumber(f"not JSON: {constant} is no number")


def _first_wrong(data: bytes) -> int:
    """The byte at which a strict parser stops."""
    try:
        msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        if found := _BYTE.search(str(error)):
            return int(found[1])
    return 0


def _plain(tree: Any) -> Any:
    """Without the author's own keys. What is of a wrong shape stays as it is, to be told of."""
    if not isinstance(tree, dict):
        return tree
    kept = {key: one for key, one in tree.items() if not _free(key)}
    agents = kept.get("agents")
    if "defaults" in kept:
        kept["defaults"] = _without_free(kept["defaults"])
    if isinstance(agents, dict):
        kept["agents"] = {
            name: _agent(one)
            for name, one in agents.items()
            if isinstance(one, dict) or not _free(name)
        }
    return kept


def _agent(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    kept = {key: _without_free(one) for key, one in tree.items() if not _free(key)}
    for side in SIDES:
        part = kept.get(side)
        tools = part.get("tools") if isinstance(part, dict) else None
        if isinstance(tools, dict):
            notes = {key for key in tools if _free(key) and not isinstance(tools[key], list)}
            kept[side] = {
                **kept[side],
                "tools": {key: one for key, one in tools.items() if key not in notes},
            }
    return kept


def _without_free(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    return {key: one for key, one in tree.items() if not _free(key)}


def _free(key: str) -> bool:
    return key.startswith(FREE) or key in FREE_KEYS


def _part(side: _Side) -> Part:
    return Part(side.servers, side.tools or NOTHING)


def _named(agents: Any) -> Iterator[tuple[tuple[Key, ...], str, bool]]:
    """Where rules name a server, that name, and whether it is a key there."""
    for name, agent in agents.items():
        for side, part in zip(SIDES, agent, strict=True):
            for index, server in enumerate(part.servers):
                yield ("agents", name, side, "servers", index), server, False
            for server in part.tools:
                yield ("agents", name, side, "tools", server), server, True


def _vain(agents: Agents, parsed: Parsed) -> Iterator[Issue]:
    """Warnings about rules that allow nothing, where somebody may think they do."""
    for name, agent in agents.rules.items():
        rights = agents.rights(name)
        for server, tools in agent.allow.tools.items():
            path = ("agents", name, "allow", "tools", server)
            if not tools:
                text = "an empty list allows no tool of the server"
                hint = 'without the key all of them are allowed, as with ["*"]'
                yield parsed.issue(path, text, hint, at_key=True, severity=Severity.WARNING)
            elif not is_glob(server) and not rights.backend(server).allowed:
                text = f"allow.servers does not let the agent use {server!r}: the list is in vain"
                yield parsed.issue(path, text, at_key=True, severity=Severity.WARNING)
