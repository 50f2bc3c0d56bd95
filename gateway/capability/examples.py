"""`examples:` run offline: what they say must come of their arguments, and does (§7).

Arguments -> request, compared with `request`; `reply` -> result, compared with `result` or `error`.
The credential is left out, and every secret has the value `dummy-NAME`, so none needs to be there.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from gateway.capability.compile import Compiled
from gateway.capability.compiled import TryAgain
from gateway.capability.difference import differences, shown
from gateway.capability.load import Loaded
from gateway.capability.mock import reply_of
from gateway.capability.model import Example
from gateway.capability.requested import Fault, request_faults
from gateway.capability.values import Refused
from gateway.credentials.secret import Secrets
from gateway.domain.issue import Issue
from gateway.errors import BackendError
from gateway.http.message import HttpRequest, HttpResponse


def check(loaded: Loaded) -> tuple[Issue, ...]:
    """Every difference between what the examples say and what comes of them, at its line."""
    secrets = dummy_secrets(loaded.secrets)
    return tuple(
        loaded.parsed.issue(("tools", name, "examples", index, *path), message)
        for name, compiled in loaded.tools.items()
        for index, example in enumerate(compiled.tool.examples)
        for path, message in run(compiled, example, secrets)
    )


def dummy_secrets(names: Mapping[str, str]) -> Secrets:
    values = {name: f"dummy-{name}" for name in names}
    return Secrets({name: f"env:{name}" for name in names}, values)


def run(compiled: Compiled, example: Example, secrets: Secrets) -> Iterator[Fault]:
    """The differences of one example."""
    request: HttpRequest | None = None
    args: dict[str, Any] = {}
    try:
        args = compiled.tool.prepare(example.args)
        request = compiled.template.render(args, secrets)
    except Refused as error:
        yield from _refused(example, error)
        return
    if example.rejected is not None:
        yield ("rejected",), f"the arguments are not rejected; this is sent: {shown(request.url)}"
        return
    for path, message in request_faults(request, example.request or {}):
        yield ("request", *path), message
    if example.reply is not None:
        yield from _reply_faults(compiled, example, args)
    elif example.error is not None or example.result is not msgspec.UNSET:
        key = "error" if example.error is not None else "result"
        yield (key,), f"{key!r} needs 'reply': what the API answers"


def _refused(example: Example, error: Refused) -> Iterator[Fault]:
    if example.rejected is None:
        yield ("args",), f"the arguments are rejected ({error.position}): {error}"
    elif example.rejected != error.position:
        yield ("rejected",), f"they are rejected because of the {error.position}: {error}"


def _reply_faults(compiled: Compiled, example: Example, args: dict[str, Any]) -> Iterator[Fault]:
    try:
        response = reply_of(example.reply or {})
    except ValueError as error:
        yield ("reply",), str(error)
        return
    result, said = _outcome(compiled, args, response)
    if said is None and example.error is not None:
        yield ("error",), f"the reply is no error; its result: {shown(result)}"
    elif said is None and example.result is not msgspec.UNSET:
        for path, message in differences(example.result, result):
            yield ("result", *path), message
    elif said is not None and example.error is None:
        yield ("reply",), f"this reply is an error: {shown(said)}"
    elif said is not None:
        for path, message in differences(example.error, said):
            yield ("error", *path), message


def _outcome(
    compiled: Compiled, args: dict[str, Any], response: HttpResponse
) -> tuple[Any, str | None]:
    """The result as a value, and None; or nothing and the error's message."""
    try:
        outcome = compiled.tool.read(args, response)
    except BackendError as error:
        return None, str(error)
    if isinstance(outcome, TryAgain):
        return None, str(outcome.error)
    if outcome.structured is not None:
        return msgspec.json.decode(outcome.structured), None
    block = outcome.content[0]
    return block.get("text", block), None
