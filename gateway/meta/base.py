"""What every meta-tool is: a definition, and a call over a `View`.

So none can see past what its caller may see.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from gateway.domain.names import did_you_mean
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject, ToolResult, text_result
from gateway.errors import InvalidArguments
from gateway.runtime.view import View


class MetaTool(Protocol):
    """`definition` is the MCP Tool object as listed. `call` raises GatewayError, like any tool."""

    definition: ClassVar[JsonObject]

    async def call(self, view: View, arguments: JsonObject) -> ToolResult: ...


T = TypeVar("T", bound=msgspec.Struct)


def read(arguments: JsonObject, into: type[T]) -> T:
    """The arguments as a Struct; numbers in strings are accepted, since models write them."""
    known = into.__struct_encode_fields__  # not structs.fields(): that costs 17 µs a call
    given = {name: value for name, value in arguments.items() if value is not None}
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known) or f"it takes {', '.join(sorted(known))}"
            raise InvalidArguments(f"unknown argument {shown(name)}", hint=hint)
    try:
        return msgspec.convert(given, into, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidArguments(_in_words(str(error))) from None


def json_answer(value: Any) -> ToolResult:
    """One text block of compact JSON and no second copy in `structuredContent`."""
    return text_result(msgspec.json.encode(value).decode())


def estimate_tokens(text_bytes: int) -> int:
    """Tokens that `text_bytes` bytes of JSON cost a model, at four bytes a token."""
    return (text_bytes + 3) // 4


def schema(required: tuple[str, ...] = (), **properties: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object"}
    if properties:
        found["properties"] = properties
    if required:
        found["required"] = list(required)
    return found


def _in_words(problem: str) -> str:
    """Turns "Expected `int`, got `str` - at `$.limit`" into "argument limit: expected …"."""
    what, _, where = problem.partition(" - at `$.")
    if where:
        return f"argument {where.rstrip('`')}: {what[:1].lower()}{what[1:]}"
    return what[:1].lower() + what[1:]
