"""`capgate call`: one tool call, on the road that every call takes."""

from collections.abc import Mapping
from typing import Any

import click
import msgspec

from gateway.cli.call_arguments import call_options, given_arguments, server_and_tool
from gateway.cli.common import QUIET, config_options, echo_json, json_option, read_config, with_view
from gateway.domain.call import Outcome, Relayed
from gateway.domain.tool import ToolRef
from gateway.errors import GatewayError
from gateway.runtime.view import View


@click.command("call")
@call_options
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
    ref = ToolRef(*server_and_tool(tool))
    wanted = given_arguments(given, arguments)

    async def call(view: View) -> Outcome:
        return await view.call(ref, wanted.values(_properties(view, ref)), timeout)

    result = with_view(read_config(config, QUIET, capabilities), call, ref.backend)
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


def _properties(view: View, ref: ToolRef) -> Mapping[str, Any]:
    try:
        return view.tool(ref).properties
    except GatewayError:  # the call itself tells it
        return {}
