"""A tool's arguments as they stand on a command line: one JSON object, or NAME=VALUE each.

Where the tool wants base64, `NAME=@FILE` is the file: no text in base64 begins with an @.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def call_options(command: Command) -> Command:
    """SERVER:TOOL, its arguments, `--args` and `--timeout`: a call, written on a command line."""
    tool = click.argument("tool", metavar="SERVER:TOOL")
    arguments = click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
    given = click.option("--args", "given", help="All arguments as one JSON object.")
    timeout = click.option(
        "--timeout", type=click.FloatRange(min=0.001), help="Seconds for the whole call."
    )
    return tool(arguments(given(timeout(command))))


@dataclass(frozen=True, slots=True)
class Given:
    """`whole` is that of `--args`; `pairs` are name and text of each NAME=VALUE."""

    whole: Mapping[str, Any]
    pairs: Sequence[tuple[str, str]]

    def values(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """`properties`: argument name → its JSON Schema, which tells a text from a number.

        Raises click.BadParameter.
        """
        read = {name: _value(text, properties.get(name)) for name, text in self.pairs}
        return {**self.whole, **read}


def given_arguments(whole: str | None, pairs: Sequence[str]) -> Given:
    """Raises click.BadParameter."""
    return Given({} if whole is None else one_object(whole), [_pair(text) for text in pairs])


def server_and_tool(text: str) -> tuple[str, str]:
    """Raises click.BadParameter."""
    server, colon, tool = text.partition(":")
    if not colon:
        raise click.BadParameter("write SERVER:TOOL, such as weather:current_weather")
    return server, tool


def one_object(given: str) -> dict[str, Any]:
    """What `--args` says. Raises click.BadParameter."""
    try:
        found = json.loads(given)
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint="--args") from None
    if not isinstance(found, dict):
        raise click.BadParameter("must be a JSON object", param_hint="--args")
    return found


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE")
    return name, value


def _value(text: str, schema: Any) -> Any:
    """What it says as JSON, else the text; where the tool wants a text, only a text: 007 is one."""
    if (
        text.startswith("@")
        and isinstance(schema, Mapping)
        and schema.get("contentEncoding") == "base64"
    ):
        return _encoded(Path(text[1:]))
    try:
        read = json.loads(text)
    except ValueError:
        return text
    wants_text = isinstance(schema, Mapping) and schema.get("type") == "string"
    return text if wants_text and not isinstance(read, str) else read


def _encoded(file: Path) -> str:
    try:
        return base64.b64encode(file.read_bytes()).decode()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise click.BadParameter(f"{file} cannot be read: {reason}") from None
