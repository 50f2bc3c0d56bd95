"""`capgate call`: one tool call, on the road that every call takes."""

import json
from collections.abc import Mapping
from typing import Any

import click
import msgspec

from gateway.cli.common import QUIET, config_options, echo_json, json_option, read_config, with_view
from gateway.domain.call import Outcome, Relayed
from gateway.domain.tool import ToolRef
from gateway.errors import GatewayError
from gateway.runtime.view import View


@click.command("call")
@click.argument("tool", metavar="SERVER:TOOL")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--args", "given", help="All arguments as one JSON object.")
@click.option("--timeout", type=click.FloatRange(min=0.001), help="Seconds for the whole call.")
@config_options
@json_option
def command(  # noqa: PLR0913 (one parameter an option)
    tool: str,
    arguments: tuple[str, ...],
    given: str | None,
    timeout: float | None,
    config: str | None,
    capabilities: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Call a tool; values may be JSON, anything else is text. Exits with 1 when the tool fails."""
    backend, colon, name = tool.partition(":")
    if not colon:
        raise click.BadParameter("write SERVER:TOOL, such as weather:current_weather")
    whole, pairs, ref = _object(given), [_pair(text) for text in arguments], ToolRef(backend, name)

    async def call(view: View) -> Outcome:
        known = _properties(view, ref)
        wanted = {name: _value(text, known.get(name)) for name, text in pairs}
        return await view.call(ref, {**whole, **wanted}, timeout)

    result = with_view(read_config(config, QUIET, capabilities), call, backend)
    _show(result, as_json=as_json)
    if result.is_error:
        raise SystemExit(1)


def _show(result: Outcome, *, as_json: bool) -> None:
    if isinstance(result, Relayed):
        _show_relayed(msgspec.json.decode(result.raw), as_json=as_json)
        return
    if as_json:
        structured = msgspec.Raw(result.structured) if result.structured else None
        echo_json(
            {
                "content": result.content,
                "structuredContent": structured,
                "isError": result.is_error,
            }
        )
        return
    for block in result.content:
        click.echo(_readable(block), err=result.is_error)


def _show_relayed(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        echo_json(result)
        return
    for block in result.get("content", ()):
        click.echo(_readable(block), err=bool(result.get("isError")))


def _readable(block: Any) -> str:
    if block["type"] != "text":
        return f"[{block['type']}: {block.get('mimeType', 'no type given')}]"
    text = str(block["text"])
    if text[:1] in "{[":
        try:
            return msgspec.json.format(text, indent=2)
        except msgspec.DecodeError:
            return text
    return text


def _object(given: str | None) -> dict[str, Any]:
    if given is None:
        return {}
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


def _properties(view: View, ref: ToolRef) -> Mapping[str, Any]:
    try:
        return view.tool(ref).properties
    except GatewayError:  # the call itself tells it
        return {}


def _value(text: str, schema: Any) -> Any:
    """What it says as JSON, else the text; where the tool wants a text, only a text: 007 is one."""
    try:
        read = json.loads(text)
    except ValueError:
        return text
    wants_text = isinstance(schema, Mapping) and schema.get("type") == "string"
    return text if wants_text and not isinstance(read, str) else read
