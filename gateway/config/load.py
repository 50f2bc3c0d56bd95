"""`gateway.yaml` → `Config`, or every reason why not, each at its line.

What counts, from the last word to the first: the command line, `variables.py`, the file, what lies
beside it, the defaults. Without any file everything has its default.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import structs

from gateway.capability.file.shape import shaped
from gateway.capability.file.units import seconds, size
from gateway.capability.file.yaml import NOWHERE, Parsed, dotted, parse, steps
from gateway.capability.file.yaml_trouble import clip
from gateway.config import (
    auditing,
    beside,
    clients,
    directories,
    failsafe,
    policies,
    telemetry,
    variables,
)
from gateway.config.beside import NOTHING, Beside
from gateway.config.env_files import with_files
from gateway.config.expand import expand
from gateway.config.folder import NOT_A_FILE, look, read
from gateway.config.model import ADVICE, Config
from gateway.config.peers import TOOL_POLICY, as_policy
from gateway.config.retype import retype
from gateway.config.servers import problems, relative_to
from gateway.config.variables import FILE_VARIABLE, Settings
from gateway.domain.issue import Issue, Severity

NAME = "gateway.yaml"
HOST = ("server", "host")
DIRECTORIES = ("capabilities", "directories")
STANDARD_OUTPUT = "-"
LISTS = ("backends", "aliases", "policies")  # sections that may be left empty
SHORTEST = 0.1  # seconds between two looks
IS_EMPTY, NOT_TEXT = "is empty", ", not text"  # messages that show nothing of a value
LEVELS = {"trace": "debug", "warn": "warning"}  # other systems' names of ours


def _at_least(shortest: float, value: str | float) -> None:
    if seconds(value) < shortest:
        raise ValueError(f"{value!r} is shorter than {shortest:g} s")


UNITS: Mapping[tuple[str, str], Callable[[Any], object]] = {
    ("server", "request_timeout"): partial(_at_least, SHORTEST),
    ("server", "shutdown_timeout"): seconds,
    ("server", "max_body_size"): size,
    ("meta_mcp", "cache_ttl"): seconds,
    ("capabilities", "poll"): partial(_at_least, SHORTEST),
}


@dataclass(frozen=True, slots=True)
class Source:
    """The file to read. One that nobody asked for by name may be missing."""

    file: str = NAME
    required: bool = False
    beside: Beside = NOTHING


@dataclass(frozen=True, slots=True)
class Loaded:
    """`config` is None when an issue concerns more than a single backend.

    `broken` are the backends that `config` lacks because of issues of their own, by name. `environ`
    is the environment with the files that `config` names. `parsed` knows where what stands.
    """

    config: Config | None
    issues: tuple[Issue, ...] = ()
    broken: Mapping[str, tuple[Issue, ...]] = field(default_factory=lambda: MappingProxyType({}))
    environ: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    parsed: Parsed | None = None


def locate(given: str | None, environ: Mapping[str, str]) -> Source:
    """The file named on the command line, or by the environment, or `gateway.yaml` right here."""
    named = given or environ.get(FILE_VARIABLE)
    file = named or NAME
    return Source(file, required=bool(named), beside=beside.look(file, environ))


def load(source: Source, environ: Mapping[str, str], said: Settings | None = None) -> Loaded:
    """Read and check the file; `said` is what the command line sets. Blocking, for a moment."""
    content = _content(source)
    if isinstance(content, Issue):
        return Loaded(None, (replace(content, severity=Severity.ERROR),))
    return understand(content, source.file, environ, said or {}, source.beside)


def understand(
    data: bytes,
    file: str,
    environ: Mapping[str, str],
    said: Settings,
    lying: Beside = NOTHING,
) -> Loaded:
    """The content of `file`, with the environment and the command line on top, and what lies beside
    it.
    """
    parsed = parse(data, file) if has_content(data) else Parsed(file, {}, ())
    if parsed.issues:
        return Loaded(None, parsed.issues)
    by_environment, issues = variables.settings(environ)
    wrong = [one for one in issues if one.severity is Severity.ERROR]
    wrong += _out_of_bounds(by_environment)
    if wrong:
        return Loaded(None, (*wrong, *understood(parsed, environ, said).issues))
    remarks = tuple(one for one in issues if one not in wrong)
    found = understood(parsed, environ, said, by_environment)
    config = None if found.config is None else lying.onto(found.config)
    return replace(found, config=config, issues=(*found.issues, *remarks))


def understood(
    parsed: Parsed,
    environ: Mapping[str, str],
    said: Settings,
    by_environment: Settings = MappingProxyType({}),
) -> Loaded:
    """What a tree says, with these settings on top: the last ones first."""
    file = parsed.file
    environ, more = with_files(parsed, environ)
    config, issues, broken = _checked(parsed, environ)
    issues += more
    told = tuple(issue for some in broken.values() for issue in some)
    if config is None or issues:
        return Loaded(None, (*issues, *told))
    config = variables.apply(config, {**by_environment, **said})
    try:
        config = _with_tool_policy(config)
    except ValueError as problem:
        return Loaded(None, (parsed.issue(tuple(TOOL_POLICY.split(".")), str(problem)), *told))
    found = (
        *clients.issues(parsed, config.auth),
        *telemetry.issues(parsed, config.telemetry),
        *auditing.issues(parsed, config.audit),
    )
    if any(one.severity is Severity.ERROR for one in found):
        return Loaded(None, (*found, *told))
    told += found
    exposed = exposure(config)
    if exposed:
        place = "MCP_GATEWAY_HOST" if HOST in by_environment else "--host" if HOST in said else ""
        message, hint = exposed
        issue = Issue(place, message, hint=hint) if place else parsed.issue(HOST, message, hint)
        return Loaded(None, (issue,))
    given = {**by_environment, **said}
    return Loaded(_resolved(config, Path(file).parent, given), told, broken, environ, parsed)


def _content(source: Source) -> bytes | Issue:
    found = look([source.file])
    entry = found.entries.get(source.file)
    if entry is not None:
        content = read(entry)
        return Issue(source.file, "is being written just now") if content is None else content
    if source.file in found.missing:
        return Issue(source.file, "no such file") if source.required else b""
    return {**found.unlisted, **found.refused}.get(source.file, Issue(source.file, NOT_A_FILE))


def has_content(data: bytes) -> bool:
    """Whether it says anything: a file of comments alone is like none."""
    return re.search(rb"^[ \t]*[^\s#]", data, re.MULTILINE) is not None


Broken = dict[str, tuple[Issue, ...]]


def _checked(
    parsed: Parsed, environ: Mapping[str, str]
) -> tuple[Config | None, list[Issue], Broken]:
    """The values; what is wrong with the whole; and with single backends, which are left out."""
    ours, others = _parted(parsed.tree)
    found = expand(replace(parsed, tree=ours), environ)
    for path in found.places:
        retype(found.tree, path)
    tree = failsafe.inherited({**found.tree, **others} if others else found.tree)
    config, more = shaped(replace(parsed, tree=tree), Config, advice=ADVICE)
    more = [one for one in more if not _inherited(one, parsed)]
    more += _units(parsed, found.tree)
    from_outside = {dotted(path): text for path, text in found.places.items()}
    unresolved = {issue.path for issue in found.issues}
    more = [_hushed(one, from_outside) for one in more if one.path not in unresolved]
    broken, rest = _by_backend(tree, [*found.issues, *more])
    section = tree.get("backends") if isinstance(tree, dict) else None
    if isinstance(section, dict) and any(one.path == "backends" for one in rest):
        rest = [issue for issue in rest if issue.path != "backends"]
        broken = {**_contradicting(parsed, section), **broken}
    if broken:
        sound = {name: one for name, one in tree["backends"].items() if name not in broken}
        tree = {**tree, "backends": sound}
        config, _ = shaped(replace(parsed, tree=tree), Config, advice=ADVICE)
    if config is not None:
        config = _without_problems(config, parsed, broken, from_outside)
        rest += [
            _hushed(parsed.issue(("policies", *one.path), one.message, one.hint), from_outside)
            for one in policies.problems(config.policies)
        ]
        for place, text in failsafe.problems(config.failsafe):
            rest.append(_hushed(parsed.issue(("failsafe", *place), text), from_outside))
    return config, rest, broken


def _by_backend(tree: Any, issues: Iterable[Issue]) -> tuple[Broken, list[Issue]]:
    """Issues inside one backend's section by its name, and all others."""
    section = tree.get("backends") if isinstance(tree, dict) else None
    names = section if isinstance(section, dict) else {}
    places = {dotted(("backends", name)): name for name in names}
    broken: Broken = {}
    rest: list[Issue] = []
    for issue in issues:
        name = next(
            (name for place, name in places.items() if _is_below(issue.path, place)),
            None,
        )
        if name is None:
            rest.append(issue)
        else:
            broken[name] = (*broken.get(name, ()), issue)
    return broken, rest


def _contradicting(parsed: Parsed, backends: Mapping[str, Any]) -> Broken:
    """Backends with values that contradict each other, which is told of them all together: each is
    tried by itself.
    """
    broken: Broken = {}
    for name, one in backends.items():
        _, found = shaped(replace(parsed, tree={"backends": {name: one}}), Config, advice=ADVICE)
        if found:
            broken[name] = tuple(
                parsed.issue(("backends", name), issue.message, issue.hint) for issue in found
            )
    return broken


def _is_below(path: str, place: str) -> bool:
    return path == place or path.startswith((f"{place}.", f"{place}["))


def _without_problems(
    config: Config, parsed: Parsed, broken: Broken, from_outside: Mapping[str, str]
) -> Config:
    """Take out the backends whose values do not go together."""
    for name, backend in config.backends.items():
        found = [
            _hushed(
                parsed.issue(("backends", name, *one.path), one.message, one.hint), from_outside
            )
            for one in problems(backend)
        ]
        if found:
            broken[name] = tuple(found)
    sound = {name: one for name, one in config.backends.items() if name not in broken}
    return structs.replace(config, backends=sound)


def _parted(tree: Any) -> tuple[Any, Mapping[str, Any]]:
    """Our sections, and what nobody reads or knows: references in that are not followed."""
    if not isinstance(tree, dict):
        return tree, {}
    ours = {
        key: value
        for key, value in tree.items()
        if key in Config.__struct_fields__ and not (value is None and key in LISTS)
    }
    return ours, {key: value for key, value in tree.items() if key not in Config.__struct_fields__}


def _units(parsed: Parsed, tree: Any) -> Iterator[Issue]:
    """What is no text and no number is told of its shape."""
    sections = tree if isinstance(tree, dict) else {}
    for (section, key), reader in UNITS.items():
        keys = sections.get(section)
        value = keys.get(key) if isinstance(keys, dict) else None
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            continue
        try:
            reader(value)
        except ValueError as error:
            yield parsed.issue((section, key), str(error))


def _out_of_bounds(settings: Settings) -> Iterator[Issue]:
    """Durations and sizes that are none, of the environment."""
    for place, reader in UNITS.items():
        if place in settings:
            try:
                reader(settings[place])
            except ValueError as error:
                yield Issue("the environment", str(error), path=".".join(place))


def _inherited(issue: Issue, parsed: Parsed) -> bool:
    """Whether it is about what a backend's failsafes have of those for all, where it is told."""
    inside = issue.path.startswith("failsafe.backends.")
    return inside and parsed.spot_of(steps(issue.path)) == NOWHERE


def _hushed(issue: Issue, from_outside: Mapping[str, str]) -> Issue:
    """What a reference stands for may be a secret: it is named, never shown."""
    reference = from_outside.get(issue.path)
    if reference is None:
        return issue
    if issue.message == IS_EMPTY or issue.message.endswith(NOT_TEXT):
        return replace(issue, message=f"what {reference} stands for {issue.message}")
    return replace(issue, message=f"what {reference} stands for does not fit here", hint=None)


def exposure(config: Config) -> tuple[str, str] | None:
    """Message and hint when everybody on the network could call every tool."""
    host = config.server.host
    if config.auth.enabled or config.server.allow_unauthenticated or _is_loopback(host):
        return None
    hint = (
        "127.0.0.1, or auth.enabled: true with keys, or server.allow_unauthenticated: true when "
        "something else guards it"
    )
    return f"{clip(host)!r} is reachable from other machines, and nothing asks who calls", hint


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _with_tool_policy(config: Config) -> Config:
    """Raises ValueError for what no policy can say."""
    if config.security is None or not config.security.tool_policy.enabled:
        return config
    policy = as_policy(config.security.tool_policy)
    return structs.replace(config, policies={**config.policies, TOOL_POLICY: policy})


def _resolved(config: Config, folder: Path, said: Settings) -> Config:
    """Folders relative to the file that names them; levels by our own names."""
    level = config.log.level
    capabilities = config.capabilities
    if DIRECTORIES not in said:
        folders = tuple(directories.beside(one, folder) for one in capabilities.directories)
        capabilities = structs.replace(capabilities, directories=folders)
    backends = {name: relative_to(one, folder) for name, one in config.backends.items()}
    log = structs.replace(config.log, level=LEVELS.get(level, level))
    servers, rules, audit, lock = config.mcp_servers, config.agent_rules, config.audit, config.lock
    if audit.enabled and audit.file != STANDARD_OUTPUT:
        audit = structs.replace(audit, file=_beside(folder, audit.file))
    return structs.replace(
        config,
        capabilities=capabilities,
        backends=backends,
        mcp_servers=servers and _beside(folder, servers),
        agent_rules=rules and _beside(folder, rules),
        audit=audit,
        lock=structs.replace(lock, file=_beside(folder, lock.file)),
        log=log,
    )


def _beside(folder: Path, named: str) -> str:
    """A file that another in `folder` names."""
    return str(folder / Path(named).expanduser())
