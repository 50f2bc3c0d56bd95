"""`gateway.yaml` → `Config`, or every reason why not, each at its line.

What counts, from the last word to the first: the command line, `variables.py`, the file, what lies
beside it, the defaults. Without any file everything has its default.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from msgspec import structs

from gateway.capability.file.yaml import Parsed, parse
from gateway.config import auditing, beside, clients, directories, telemetry, variables
from gateway.config.beside import NOTHING, Beside
from gateway.config.checked import UNITS, checked
from gateway.config.env_files import with_files
from gateway.config.exposure import exposure
from gateway.config.folder import NOT_A_FILE, look, read
from gateway.config.model import Config
from gateway.config.peers import TOOL_POLICY, as_policy
from gateway.config.servers import relative_to
from gateway.config.variables import FILE_VARIABLE, Settings
from gateway.domain.issue import Issue, Severity

NAME = "gateway.yaml"
HOST = ("server", "host")
DIRECTORIES = ("capabilities", "directories")
STANDARD_OUTPUT = "-"
LEVELS = {"trace": "debug", "warn": "warning"}  # other systems' names of ours


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
    config, issues, broken = checked(parsed, environ)
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


def _out_of_bounds(settings: Settings) -> Iterator[Issue]:
    """Durations and sizes that are none, of the environment."""
    for place, reader in UNITS.items():
        if place in settings:
            try:
                reader(settings[place])
            except ValueError as error:
                yield Issue("the environment", str(error), path=".".join(place))


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
