"""A client's list of MCP servers (`.mcp.json` and its like) → `backends:` of gateway.yaml.

The rule: no credential is copied into the text; it becomes a variable, and a note says its name.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.capability.file.yaml import Parsed
from gateway.config import mcp_json
from gateway.importers.base import ImportFailed, Note
from gateway.importers.checking import CONFIG, config_errors
from gateway.importers.literals import Variables, variable
from gateway.importers.writing import comment_lines, yaml_lines
from gateway.transports.stdio import split

SECTIONS = (  # where the servers stand, in the files of one client or another
    ("mcpServers",),
    ("servers",),
    ("mcp", "servers"),
    ("mcp", "mcpServers"),
    ("context_servers",),
)

_ORDER = (
    "description",
    "enabled",
    "command",
    "args",
    "env",
    "cwd",
    "http_url",
    "sse_url",
    "ws_url",
)
_KNOWN = frozenset({*mcp_json.KEPT, *mcp_json.URLS, "type", "transport", "oauth", mcp_json.OFF})
_IGNORED = {  # key → why it is not needed
    "alwaysAllow": "the gateway asks nobody before a call",
    "autoApprove": "the gateway asks nobody before a call",
    "envFile": "write its variables below env:, or set them where the gateway is started",
    "timeout": "its unit differs between clients; write timeout: 30s",
}
_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FOLDERS = {"workspaceFolder": "WORKSPACE_FOLDER", "userHome": "HOME"}


@dataclass(frozen=True, slots=True)
class Servers:
    """`text` is a gateway.yaml with `backends:` alone; the operator sets the `variables`."""

    text: str
    names: tuple[str, ...]
    variables: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    skipped: tuple[Note, ...] = ()


@dataclass(slots=True)
class _Reading:
    variables: Variables = field(default_factory=Variables)
    asked: list[str] = field(default_factory=list)  # by references that were there
    notes: list[Note] = field(default_factory=list)
    skipped: list[Note] = field(default_factory=list)


def read(data: bytes, file: str) -> Servers:
    """Raises ImportFailed when the file as a whole is no such list."""
    reading = _Reading()
    backends: dict[str, dict[str, Any]] = {}
    for given, entry in _section(data, file).items():
        name = _unique(_valid(given), backends)
        if name != given:
            reading.notes.append(Note(given, f"it is called {name} here"))
        if not isinstance(entry, dict):
            reading.skipped.append(Note(given, "is no mapping"))
            continue
        backends[name] = _entry(reading, name, entry)
    backends = dict(_sound(reading, backends))
    wanted = (*reading.variables.asked, *reading.asked)
    return Servers(
        backends_text(backends, file),
        tuple(backends),
        tuple(dict.fromkeys(wanted)),
        tuple(reading.notes),
        tuple(reading.skipped),
    )


def backends_text(backends: Mapping[str, Any], source: str) -> str:
    """`backends:` as a person would write it."""
    comments = comment_lines([f"From {source}; copy what you need into gateway.yaml"])
    entries = [f"  {line}" if line else "" for line in yaml_lines(backends)]
    section = ["backends:", *entries] if entries else ["backends: {}"]
    return "\n".join([*comments, *section]) + "\n"


def _section(data: bytes, file: str) -> Mapping[str, Any]:
    parsed = _parsed(data, file)
    for path in SECTIONS:
        found = parsed.tree
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, dict):
            return {str(name): entry for name, entry in found.items()}
    raise ImportFailed(f"{file} has no mcpServers (nor servers): it lists no MCP servers")


def _parsed(data: bytes, file: str) -> Parsed:
    parsed = mcp_json.parse_json(data.decode("utf-8-sig", "replace").encode(), file)
    if parsed.issues:
        issue = parsed.issues[0]
        raise ImportFailed(f"{issue.where}: {issue.message}")
    return parsed


def _entry(reading: _Reading, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """In our words, without a credential."""
    for key in entry.keys() - _KNOWN:
        why = _IGNORED.get(key)
        reading.notes.append(Note(name, f"{key} is left out{f': {why}' if why else ''}"))
    made = {key: _referring(reading, name, value) for key, value in entry.items() if key in _KNOWN}
    written = mcp_json.translated(made)
    if not str(written.get("http_url", "")).partition("?")[0].rstrip("/").endswith("/sse"):
        written.pop("streamable_http", None)  # says nothing of any other URL
    if entry.get(mcp_json.OFF) is True:
        written["enabled"] = False
    asked = set(reading.variables.asked)
    written |= dict(_concealed(reading.variables, name, written))
    new = [each for each in reading.variables.asked if each not in asked]
    if new:
        text = f"a credential was written out: set {', '.join(new)} where the gateway is started"
        reading.notes.append(Note(name, text))
    return {key: written[key] for key in sorted(written, key=_rank)}


def _rank(key: str) -> int:
    """What it is and how it is reached goes first."""
    return _ORDER.index(key) if key in _ORDER else len(_ORDER)


def _concealed(
    variables: Variables, owner: str, written: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    for key, hide in (("env", variables.in_pair), ("headers", variables.in_header)):
        given = written.get(key)
        if isinstance(given, dict):
            yield (
                key,
                {
                    name: hide(name, value, owner) if isinstance(value, str) else value
                    for name, value in given.items()
                },
            )
    for key in ("args", "command"):
        given = _words(written.get(key))
        if isinstance(given, list) and all(isinstance(word, str) for word in given):
            hidden = variables.in_arguments(given, owner)
            yield key, written[key] if hidden == given else hidden
    for key in ("http_url", "sse_url", "ws_url"):
        if isinstance(written.get(key), str):
            yield key, variables.in_url(written[key], owner)
    oauth = written.get("oauth")
    if isinstance(oauth, dict) and isinstance(oauth.get("client_secret"), str):
        secret = variables.in_pair("client_secret", oauth["client_secret"], owner)
        yield "oauth", {**oauth, "client_secret": secret}


def _words(given: Any) -> Any:
    """A command that is one text, as its words; what cannot be split is refused later."""
    try:
        return list(split(given)) if isinstance(given, str) else given
    except ValueError:
        return None


def _referring(reading: _Reading, name: str, value: Any) -> Any:
    """Clients' references (`${env:X}`, `${input:x}`, `${workspaceFolder}`) as gateway.yaml's."""
    if isinstance(value, dict):
        return {key: _referring(reading, name, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_referring(reading, name, each) for each in value]
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return value
    if not isinstance(value, str):
        return str(value)
    return _REFERENCE.sub(lambda match: _reference(reading, name, match[1]), value)


def _reference(reading: _Reading, name: str, said: str) -> str:
    plain, mark, default = said.partition(":-")
    if _NAME.fullmatch(plain) and plain not in _FOLDERS:
        return f"${{{said}}}"
    kind, _, rest = plain.rpartition(":")
    known = rest if kind == "env" and _NAME.fullmatch(rest) else variable(rest)
    known = _FOLDERS.get(plain, known)
    if kind != "env" and known != "HOME":
        reading.asked.append(known)
        text = f"${{{plain}}} is the variable {known} here: set it where the gateway is started"
        if Note(name, text) not in reading.notes:
            reading.notes.append(Note(name, text))
    return f"${{{known}{mark}{default}}}"


def _valid(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_.-")
    return plain[:64].rstrip("_.-") or "server"


def _unique(name: str, taken: Mapping[str, Any]) -> str:
    number, found = 2, name
    while found in taken:
        found, number = f"{name[:60]}_{number}", number + 1
    return found


def _sound(
    reading: _Reading, backends: Mapping[str, dict[str, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Those that gateway.yaml takes, each tried by itself."""
    for name, entry in backends.items():
        issues = config_errors(backends_text({name: entry}, CONFIG))
        if issues:
            reading.skipped += [Note(name, issue.message) for issue in issues]
        else:
            yield name, entry
