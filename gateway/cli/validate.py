"""`capgate validate`: all that is wrong with capability files, found as the server finds it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click

from gateway.app.live import Live
from gateway.backends.mock import MockBackend
from gateway.capability import load as capability
from gateway.capability.examples.checking import check
from gateway.cli.common import (
    QUIET,
    config_options,
    echo_json,
    json_option,
    mcp_servers,
    read_config,
    tokens_of,
)
from gateway.cli.live_check import Count, drifted
from gateway.config import agent_rules, auditing, directories, lock_file
from gateway.config.folder import look
from gateway.config.issues import as_json, report
from gateway.config.model import Capabilities
from gateway.config.sarif import sarif
from gateway.config.unmet import unmet
from gateway.credentials.redact import Redactor
from gateway.domain.agents import Agents
from gateway.domain.catalog import Catalog
from gateway.domain.issue import Issue, Severity
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.text import counted
from gateway.importers import compat
from gateway.runtime.configured import Configured
from gateway.runtime.followed import untold
from gateway.runtime.shelf import Shelf, Version
from gateway.runtime.trusted import Kept

UNKNOWN = Health(Status.DOWN, "it was not started")


@dataclass(slots=True)
class Tally:
    """What was looked at, for the last line; `tokens` by tool. `listings` are what is on offer."""

    servers: int = 0
    files: int = 0
    examples: int = 0
    tokens: dict[str, int] = field(default_factory=dict)
    live: Count = field(default_factory=Count)
    listings: list[Listing] = field(default_factory=list)


@click.command("validate")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--tokens", is_flag=True, help="Show what each tool costs a model, about.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--live", is_flag=True, help="Call the real APIs too, and tell what has drifted.")
@click.option("--unsafe", is_flag=True, help="With --live, call what changes something as well.")
@click.option("--sarif", "as_sarif", is_flag=True, help="Answer in SARIF, for code hosts.")
@config_options
@json_option
def command(  # noqa: PLR0913 (one parameter an option)
    paths: tuple[str, ...],
    config: str | None,
    capabilities: tuple[str, ...],
    *,
    tokens: bool,
    strict: bool,
    live: bool,
    unsafe: bool,
    as_sarif: bool,
    as_json: bool,
) -> None:
    """Check all files and run their examples.

    By default the files of the configuration: ./capabilities, or the folders that gateway.yaml
    names; its MCP servers, of which none is started; the rules of agents;
    gateway.lock; and which rules come to nothing.

    With --live, each example of a tool that only reads is called for real: values may differ from
    the example's, shapes may not.

    Exit code 0: all good (warnings may be shown), 1: a file or a server is refused or an example
    fails, 2: the command line or gateway.yaml is wrong.
    """
    if unsafe and not live:
        raise click.UsageError("--unsafe goes with --live")
    if as_sarif and as_json:
        raise click.UsageError("--sarif and --json: one of them")
    configured = read_config(config, QUIET, capabilities)
    settings = configured.config.capabilities
    chosen = paths or directories.paths(settings)
    tally = Tally()
    servers = () if paths else _servers(configured, tally)
    missing = [path for path in chosen if not Path(path).exists()]
    if missing and (paths or not configured.needs_no_files):
        raise click.UsageError(f"no such file or folder: {', '.join(missing)}")
    issues = (
        *servers,
        *_validated([path for path in chosen if path not in missing], configured, tally),
    )
    if not paths:
        issues = (*issues, *_rules(configured, tally))
    if live:
        real = Live(settings, configured.environ)
        issues = (*issues, *drifted(real, tuple(chosen), tally.live, unsafe=unsafe))
    found = {issue.severity for issue in issues}
    failed = Severity.ERROR in found or (strict and Severity.WARNING in found)
    if as_sarif:
        echo_json(sarif(issues))
    elif as_json:
        echo_json(_in_json(issues, tally, failed=failed))
    else:
        _show(issues, tally, tokens=tokens)
    raise SystemExit(1 if failed else 0)


def _servers(configured: Configured, tally: Tally) -> tuple[Issue, ...]:
    """What is wrong with the MCP servers of gateway.yaml and `.mcp.json`, of which none is
    started.
    """
    servers = mcp_servers(configured)
    wanted = servers.wanted()
    tally.servers = len(wanted)
    tally.listings += [Listing(name, "", (), UNKNOWN) for name in wanted]
    return (*configured.issues, *servers.issues)


def _rules(configured: Configured, tally: Tally) -> Iterator[Issue]:
    """What is wrong with the rules of agents and with gateway.lock; and what of all rules comes to
    nothing.
    """
    config, catalog = configured.config, Catalog(tally.listings)
    rules: Kept[Agents] = Kept(agent_rules.understand, required=True, observe=untold)
    rules.refresh(config.agent_rules, cold=True)
    yield from rules.issues
    if rules.value is not None and config.agent_rules is not None:
        yield from agent_rules.unmet(rules.value, config.agent_rules, catalog)
        found = agent_rules.fallback(rules.value, config.default_agent, configured.file)
        yield from map(configured.placed, found)
    if config.lock.enabled:
        pins, unreadable = lock_file.load(config.lock.file)
        yield from unreadable
        if not unreadable:
            names = [*catalog.backends]
            yield from lock_file.unmet(pins, config.lock.file, config.lock.on_change, names)
    problem = auditing.unwritable(config.audit)
    if problem is not None:
        yield configured.placed(Issue(configured.file, problem, path="audit.file"))
    yield from map(configured.placed, unmet(config, configured.file, catalog))


def _validated(paths: Iterable[str], configured: Configured, tally: Tally) -> tuple[Issue, ...]:
    """Through the shelf, so that what is between files (two of one name) is found as well."""
    settings = configured.config.capabilities
    shelf = Shelf(partial(_load, configured.environ, settings, tally))
    shelf.refresh(look(paths), cold=True)
    return shelf.desired().issues


def _load(
    environ: Mapping[str, str], settings: Capabilities, tally: Tally, data: bytes, file: str
) -> Version:
    loaded = compat.load(data, file, settings, environ=environ, redactor=Redactor())
    tally.files += 1
    for compiled in loaded.tools.values():
        tally.examples += len(compiled.tool.examples)
        tool = compiled.tool.tool
        tally.tokens[str(tool.ref)] = tokens_of(tool)
    issues = (*loaded.issues, *_unresolved(loaded), *check(loaded))
    if loaded.capability is None:
        return Version(None, None, issues)
    tools = tuple(compiled.tool.tool for compiled in loaded.tools.values())
    tally.listings.append(Listing(loaded.capability.name, "", tools))
    made = partial(MockBackend, loaded.capability)
    return Version(loaded.capability.name, made, issues, loaded.parsed.where(("name",)))


def _unresolved(loaded: capability.Loaded) -> Iterable[Issue]:
    """A missing secret keeps a file from working here, not from being right."""
    if loaded.capability is None:
        return
    health = loaded.capability.health()
    if health.reason:
        place = loaded.parsed.where(("secrets",), at_key=True)
        yield Issue(
            loaded.capability.file,
            health.reason,
            *place,
            path="secrets",
            hint="set it where the gateway runs; until then calls fail and tools stay listed",
            severity=Severity.DEGRADED,
        )


def _show(issues: tuple[Issue, ...], tally: Tally, *, tokens: bool) -> None:
    if tokens:
        for name, count in sorted(tally.tokens.items()):
            click.echo(f"{count:6d} tokens  {name}")
    parts = {"file": tally.files, "tool": len(tally.tokens), "example": tally.examples}
    if tally.servers:
        parts = {"server": tally.servers, **parts}
    what = ", ".join(counted(number, noun) for noun, number in parts.items())
    if tally.live != Count():
        what = f"{what} ({tally.live})"
    if issues:
        click.echo(f"{report(issues)} in {what}")
    else:
        click.secho(f"{what}: all good", fg="green")


def _in_json(issues: tuple[Issue, ...], tally: Tally, *, failed: bool) -> dict[str, Any]:
    return {
        "ok": not failed,
        "servers": tally.servers,
        "files": tally.files,
        "tools": len(tally.tokens),
        "examples": tally.examples,
        "tokens": tally.tokens,
        "live": asdict(tally.live),
        "issues": [as_json(issue) for issue in issues],
    }
