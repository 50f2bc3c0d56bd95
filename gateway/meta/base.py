"""What every meta-tool is: a definition, and a call over a `View`.

So none can see past what its caller may see.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from gateway.domain.call import Outcome
from gateway.domain.names import did_you_mean
from gateway.domain.signature import takes
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject, ToolResult, text_result
from gateway.errors import InvalidArguments
from gateway.runtime.view import View


class MetaTool(Protocol):
    """`definition` is the MCP Tool object as listed. `call` raises GatewayError, like any tool."""

    definition: ClassVar[JsonObject]

    async def call(self, view: View, arguments: JsonObject) -> Outcome: ...


T = TypeVar("T", bound=msgspec.Struct)

AGENT_ID = "agent_id"  # an argument of every meta-tool, where agents have rules
NAMED: JsonObject = {"type": "string", "description": "your agent's name, if you were told one"}

KINDS = {"string": "text", "integer": "a whole number", "array": "a list", "object": "an object"}
MISSING = re.compile(r"Object missing required field `(\w+)`")
MISFIT = re.compile(r"`\$\.(\w+)")


def read(arguments: JsonObject, into: type[T], definition: JsonObject) -> T:
    """The arguments as a Struct; numbers in strings are accepted, since models write them.

    `definition` is the meta-tool's: what it takes is told to whoever gave it something else.
    """
    known = into.__struct_encode_fields__  # not structs.fields(): that costs 17 µs a call
    given = {name: value for name, value in arguments.items() if value is not None}
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known) or takes(definition["inputSchema"])
            raise InvalidArguments(f"no argument {shown(name)}", hint=hint)
    try:
        return msgspec.convert(given, into, strict=False)
    except msgspec.ValidationError as error:
        wanted = definition["inputSchema"]
        raise InvalidArguments(_in_words(str(error), wanted), hint=takes(wanted)) from None


def for_agents(definition: JsonObject) -> JsonObject:
    """The definition with `agent_id`, as it is listed where agents have rules."""
    wanted = definition["inputSchema"]
    properties = {**wanted.get("properties", {}), AGENT_ID: NAMED}
    return {**definition, "inputSchema": {**wanted, "properties": properties}}


def json_answer(value: Any) -> ToolResult:
    """One text block of compact JSON and no second copy in `structuredContent`."""
    return text_result(msgspec.json.encode(value).decode())


def schema(required: tuple[str, ...] = (), **properties: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object"}
    if properties:
        found["properties"] = properties
    if required:
        found["required"] = list(required)
    return found


def _in_words(problem: str, wanted: JsonObject) -> str:
    """Turns "Expected `int`, got `str` - at `$.limit`" into "limit must be a whole number"."""
    if missing := MISSING.match(problem):
        return f"{missing[1]} is required"
    if misfit := MISFIT.search(problem):
        kind = wanted["properties"][misfit[1]]["type"]
        return f"{misfit[1]} must be {KINDS[kind]}"
    return problem[:1].lower() + problem[1:]
