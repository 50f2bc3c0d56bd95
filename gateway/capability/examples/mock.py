"""What an API answers by its file's examples: for `capgate serve --mock`, and for running them."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from gateway.capability.compiled import CompiledTool, TryAgain
from gateway.capability.expressions.path_walk import same
from gateway.capability.file.model import Example
from gateway.capability.flow import Read
from gateway.http.message import HttpResponse

BODIES: Final = {  # key of `reply` -> content type
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
    "base64": "application/octet-stream",
}
OK: Final = 200
NOT_IMPLEMENTED: Final = 501


def reply_of(given: Mapping[str, Any]) -> HttpResponse:
    """The response that `reply:` describes. Raises ValueError when it is none."""
    kinds = [key for key in BODIES if key in given]
    if len(kinds) > 1:
        raise ValueError(f"a reply has one body, not {' and '.join(kinds)}")
    status = given.get("status", OK)
    if type(status) is not int or not 100 <= status <= 599:  # noqa: PLR2004  HTTP's own bounds
        raise ValueError("'status' is a number from 100 to 599")
    headers = given.get("headers", {})
    if not isinstance(headers, Mapping):
        raise ValueError("'headers' is a mapping")  # noqa: TRY004  an author's fault, not a type's
    told = {name.lower(): str(value) for name, value in headers.items()}
    if not kinds:
        return HttpResponse(status, told, b"")
    body = _body(kinds[0], given[kinds[0]])
    return HttpResponse(status, {"content-type": BODIES[kinds[0]], **told}, body)


class Replies:
    """The answers to one call, given one after the other; then the last one again and again.

    `ending`: then an empty one, because the last page of a list comes but once.
    """

    def __init__(self, replies: Sequence[HttpResponse], *, ending: bool = False) -> None:
        self._left = [*replies, HttpResponse(OK, {}, b"")] if ending else list(replies)

    def next(self) -> HttpResponse:
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]

    def read(self, read: Read) -> Any:
        """What `read` makes of the next one. Raises what it raises, and the error of TryAgain."""
        result = read(self.next())
        if isinstance(result, TryAgain):
            raise result.error
        return result


def replies_of(example: Example) -> list[HttpResponse]:
    """All that the API answers in it. Raises ValueError when one is none."""
    given = example.replies or (() if example.reply is None else (example.reply,))
    return [reply_of(each) for each in given]


def mock_replies(tool: CompiledTool, args: Mapping[str, Any]) -> list[HttpResponse]:
    """The replies of the example whose arguments are most like `args`; 501 when there is none.

    Among equals a success comes before an error, then the file's order counts.
    """
    best: Example | None = None
    most = (-1_000, False)
    for example in tool.examples:
        if not (example.reply or example.replies) or example.rejected is not None:
            continue
        likeness = (_likeness(example.args, args), example.error is None)
        if best is None or likeness > most:
            best, most = example, likeness
    try:
        if best is not None:
            return replies_of(best)
        text = f"no example of {tool.tool.ref.name!r} has a reply"
    except ValueError as error:
        text = f"the example's reply is wrong: {error}"
    body = msgspec.json.encode({"message": text})
    return [HttpResponse(NOT_IMPLEMENTED, {"content-type": BODIES["json"]}, body)]


def _likeness(wanted: Mapping[str, Any], given: Mapping[str, Any]) -> int:
    alike = sum(1 for name, value in wanted.items() if name in given and same(given[name], value))
    return 2 * alike - len(wanted)


def _body(kind: str, value: Any) -> bytes:
    if kind == "json":
        return msgspec.json.encode(value)
    if not isinstance(value, str):
        raise ValueError(f"{kind!r} is a text")  # noqa: TRY004  an author's fault, not a type's
    if kind == "text":
        return value.encode()
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("'base64' is not base64") from None
