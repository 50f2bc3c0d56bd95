"""`examples:` run offline: what they say must come of their arguments, and does (§7).

Arguments -> requests, compared with `request` or `requests`; what the API answers in them ->
result, compared with `result` or `error`.
The credential is left out, and every secret has the value `dummy-NAME`, so none needs to be there.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from gateway.capability.compile import Compiled
from gateway.capability.examples.difference import differences, shown
from gateway.capability.examples.mock import reply_of
from gateway.capability.examples.rehearsal import Rehearsal, rehearse, value_of
from gateway.capability.examples.requested import Fault, request_faults
from gateway.capability.expressions.values import Refused
from gateway.capability.file.model import Example
from gateway.capability.load import Loaded
from gateway.credentials.secret import Secrets
from gateway.domain.issue import Issue
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
    replies: list[HttpResponse] = []
    for path, given in _replies(example):
        try:
            replies.append(reply_of(given))
        except ValueError as error:
            yield path, str(error)
            return
    try:
        args = compiled.tool.prepare(example.args)
        seen = rehearse(compiled, args, replies, secrets)
    except Refused as error:
        yield from _refused(example, error)
        return
    if example.rejected is not None:
        sent = shown(seen.requests[0].url)
        yield ("rejected",), f"the arguments are not rejected; this is sent: {sent}"
        return
    yield from _request_faults(example, seen)
    yield from _reply_faults(example, seen, len(replies))


def _replies(example: Example) -> list[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """All of them, each with its place."""
    single = [] if example.reply is None else [(("reply",), example.reply)]
    return [*single, *((("replies", at), each) for at, each in enumerate(example.replies))]


def _request_faults(example: Example, seen: Rehearsal) -> Iterator[Fault]:
    if example.request is not None:
        for path, message in request_faults(seen.requests[0], example.request):
            yield ("request", *path), message
    for index, (sent, wanted) in enumerate(zip(seen.requests, example.requests, strict=False)):
        for path, message in request_faults(sent, wanted):
            yield ("requests", index, *path), message
    for index in range(len(seen.requests), len(example.requests)):
        why = "there is no reply to the one before" if seen.starved else "it is not sent"
        yield ("requests", index), f"this request does not come: {why}"
    if example.requests and len(seen.requests) > len(example.requests):
        more = _sent(seen.requests[len(example.requests)])
        yield ("requests",), f"{len(seen.requests)} requests are sent; the next: {more}"


def _reply_faults(example: Example, seen: Rehearsal, given: int) -> Iterator[Fault]:
    """What came of the replies; and whether all of them, and no more, are asked for."""
    key = "replies" if example.replies else "reply"
    if not given:
        if example.error is not None or example.result is not msgspec.UNSET:
            wanted = "error" if example.error is not None else "result"
            yield (wanted,), f"{wanted!r} needs 'reply': what the API answers"
    elif seen.starved:
        yield (key,), f"more is asked for, and no reply is left: {_sent(seen.requests[-1])}"
    else:
        if seen.left:
            yield (key,), f"only {given - seen.left} of {given} replies are asked for"
        yield from _outcome_faults(example, *_outcome(seen))


def _sent(request: HttpRequest) -> str:
    return f"{request.method} {shown(request.url)}"


def _refused(example: Example, error: Refused) -> Iterator[Fault]:
    if example.rejected is None:
        yield ("args",), f"the arguments are rejected ({error.position}): {error}"
    elif example.rejected != error.position:
        yield ("rejected",), f"they are rejected because of the {error.position}: {error}"


def _outcome_faults(example: Example, result: Any, said: str | None) -> Iterator[Fault]:
    key = "replies" if example.replies else "reply"
    if said is None and example.error is not None:
        yield ("error",), f"the reply is no error; its result: {shown(result)}"
    elif said is None and example.result is not msgspec.UNSET:
        for path, message in differences(example.result, result):
            yield ("result", *path), message
    elif said is not None and example.error is None:
        yield (key,), f"this reply is an error: {shown(said)}"
    elif said is not None:
        for path, message in differences(example.error, said):
            yield ("error", *path), message


def _outcome(seen: Rehearsal) -> tuple[Any, str | None]:
    """The result as a value, and None; or nothing and the error's message."""
    found = seen.result
    return (None, str(seen.error)) if found is None else (value_of(found), None)
