"""`capgate record`: a live call becomes an example in its capability file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from gateway.app.live import Finding, Live, broken
from gateway.capability.examples.checking import check
from gateway.capability.examples.recording import NotRecorded, example_of
from gateway.capability.file.example_urls import brought_home
from gateway.capability.file.units import size
from gateway.capability.load import Loaded
from gateway.cli.call_arguments import call_options, given_arguments, server_and_tool
from gateway.cli.common import QUIET, config_options, read_config
from gateway.cli.writing import FEW, write
from gateway.config import directories
from gateway.config.issues import report
from gateway.domain.issue import Issue, Severity
from gateway.domain.names import did_you_mean
from gateway.errors import GatewayError
from gateway.importers.inserting import NotInserted, with_example
from gateway.importers.writing import item_lines


@click.command("record")
@call_options
@click.option("--dry-run", is_flag=True, help="Show the example, and write nothing.")
@click.option(
    "--max-reply", default="2k", show_default=True, help="Longer replies are cut to this size."
)
@config_options
def command(  # noqa: PLR0913 (one parameter an option)
    tool: str,
    arguments: tuple[str, ...],
    given: str | None,
    timeout: float | None,
    config: str | None,
    capabilities: tuple[str, ...],
    *,
    dry_run: bool,
    max_reply: str,
) -> None:
    """Write a live call into its file, as an example.

    Secrets are masked, long replies cut, and comments stay; look at the
    example before you commit it. An error of the API makes an example too.
    """
    server, name = server_and_tool(tool)
    most = _most(max_reply)
    configured = read_config(config, QUIET, capabilities)
    live = Live(configured.config.capabilities, configured.environ)
    wanted = given_arguments(given, arguments)
    source = _source(live, server, directories.paths(configured.config.capabilities))
    args, found = _called(live, source, name, wanted, timeout)
    try:
        example = example_of(source.loaded, name, args, found.tape, live.redactor, most)
    except NotRecorded as error:
        why = f"\n{found.error.explain()}" if found.error else ""
        raise click.ClickException(f"nothing is recorded: {error}{why}") from None
    example = brought_home(example, source.base_url, configured.environ)
    shown = "\n".join(item_lines(example, "  "))
    text = _amended(live, source.path, name, example, shown)
    click.echo(shown)
    if dry_run:
        return
    write({source.path: text})
    click.secho(f"added to {source.path}", fg="green", err=True)


@dataclass(frozen=True, slots=True)
class _Source:
    """The file that a server is described by."""

    path: Path
    loaded: Loaded

    @property
    def base_url(self) -> str:
        """As it stands there."""
        return str(self.loaded.parsed.tree["base_url"])


def _most(text: str) -> int:
    try:
        return size(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--max-reply") from None


def _source(live: Live, server: str, paths: tuple[str, ...]) -> _Source:
    found = live.files(paths)
    for path, loaded in found.items():
        if loaded.capability is not None and loaded.capability.name == server:
            if "tools" not in loaded.parsed.tree:
                text = f"{path} is a file of mcp-gateway, which has no examples: convert it first"
                raise click.ClickException(text)
            return _Source(Path(path), loaded)
    names = [one.capability.name for one in found.values() if one.capability]
    hint = did_you_mean(server, names) or "'capgate tools' names them"
    refused = [
        f"\n{path} is not served: {broken(one.issues)}"
        for path, one in found.items()
        if one.capability is None
    ]
    text = f"no capability file describes a server {server!r}; {hint}{''.join(refused[:FEW])}"
    raise click.ClickException(text)


def _called(
    live: Live, source: _Source, name: str, wanted: Any, timeout: float | None
) -> tuple[Mapping[str, Any], Finding]:
    tools = source.loaded.tools
    if name not in tools:
        hint = did_you_mean(name, tools) or f"there are {', '.join(tools)}"
        raise click.ClickException(f"{source.path} has no tool {name!r}; {hint}")
    args = wanted.values(tools[name].tool.tool.properties)
    try:
        tools[name].tool.prepare(args)
    except GatewayError as error:
        raise click.ClickException(error.explain()) from None
    return args, live.call(source.loaded, name, args, timeout)


def _amended(live: Live, path: Path, name: str, example: Any, shown: str) -> str:
    """The file's text with the example, which holds in it; as it is now, long after the call."""
    try:
        text = with_example(path.read_bytes().decode(), name, example)
    except (NotInserted, OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{error}\nThis is the example:\n{shown}") from None
    loaded = live.load(text.encode(), str(path))
    last = len(loaded.tools[name].tool.examples) - 1 if name in loaded.tools else 0
    mark = f"tools.{name}.examples[{last}]"
    faults = [issue for issue in (*loaded.issues, *check(loaded)) if _of(issue, mark)]
    if loaded.capability is None or faults:
        why = report(tuple(faults) or loaded.issues)
        raise click.ClickException(f"the example would not hold:\n{why}\nThis is it:\n{shown}")
    return text


def _of(issue: Issue, mark: str) -> bool:
    return issue.path.startswith(mark) and issue.severity is Severity.ERROR
