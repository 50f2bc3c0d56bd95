"""`capgate call`: one tool call, on the road that every call takes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from gateway.cli.call_arguments import call_options, given_arguments, server_and_tool
from gateway.cli.call_file import AnsweredFile, file_of
from gateway.cli.common import QUIET, config_options, echo_json, json_option, read_config, with_view
from gateway.cli.writing import write
from gateway.domain.call import Outcome, Relayed
from gateway.domain.tool import ToolRef
from gateway.errors import GatewayError
from gateway.runtime.view import View


@click.command("call")
@call_options
@click.option(
    "-o", "output", metavar="FILE", help="Write the file in the answer there: a picture, any bytes."
)
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
    output: str | None,
    as_json: bool,
) -> None:
    """Call a tool; values may be JSON, anything else is text.

    NAME=@FILE gives a file where the tool wants base64. Exits with 1 when
    the tool fails.
    """
    ref = ToolRef(*server_and_tool(tool))
    wanted = given_arguments(given, arguments)

    async def call(view: View) -> tuple[Outcome, AnsweredFile | None]:
        result = await view.call(ref, wanted.values(_properties(view, ref)), timeout)
        if output is None or result.is_error:
            return result, None
        return result, await file_of(view, ref.backend, _answer(result)["content"])

    result, file = with_view(read_config(config, QUIET, capabilities), call, ref.backend)
    if file is not None and output is not None:
        write({Path(output): file.data})
        click.secho(f"wrote {output}: {len(file.data)} bytes of {file.type}", fg="green", err=True)
        return
    _show(_answer(result), as_json=as_json)
    if result.is_error:
        raise SystemExit(1)
    if output is not None:
        raise click.ClickException(f"the answer has no file: {output} was not written")


def _answer(result: Outcome) -> Mapping[str, Any]:
    if isinstance(result, Relayed):
        answer: dict[str, Any] = msgspec.json.decode(result.raw)
        return answer
    structured = msgspec.Raw(result.structured) if result.structured else None
    return {
        "content": result.content,
        "structuredContent": structured,
        "isError": result.is_error,
    }


def _show(answer: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        echo_json(answer)
        return
    for block in answer.get("content", ()):
        click.echo(_readable(block), err=bool(answer.get("isError")))


def _readable(block: Any) -> str:
    if block["type"] != "text":
        said = block.get("resource", block).get("mimeType", "no type given")
        return f"[{block['type']}: {said}; -o FILE writes it]"
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
