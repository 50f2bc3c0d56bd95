"""`capgate validate --live`: the examples once more, against the real API, for what has drifted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.app.live import Finding, Live
from gateway.capability.compile import Compiled
from gateway.capability.compiled import CompiledTool
from gateway.capability.examples.checking import dummy_secrets
from gateway.capability.examples.drift import drifts
from gateway.capability.examples.mock import replies_of
from gateway.capability.examples.rehearsal import rehearse, value_of
from gateway.capability.file.model import Example
from gateway.capability.load import Loaded
from gateway.domain.call import Relayed
from gateway.domain.issue import Issue

SECONDS = 60.0  # of one call


@dataclass(slots=True)
class Count:
    """`skipped` would change something there, and `unready` have no secrets here."""

    called: int = 0
    skipped: int = 0
    unready: int = 0

    def __str__(self) -> str:
        parts = [f"{self.called} called live"]
        if self.skipped:
            parts.append(f"{self.skipped} left out, because they change something (--unsafe)")
        if self.unready:
            parts.append(f"{self.unready} left out, because a secret is missing")
        return ", ".join(parts)


def drifted(live: Live, paths: tuple[str, ...], count: Count, *, unsafe: bool) -> Iterator[Issue]:
    """What came otherwise than the examples say, each at its line. Files that are refused: none."""
    for loaded in live.files(paths).values():
        if loaded.capability is None:
            continue
        ready = not loaded.capability.secrets.missing()
        for name, compiled in loaded.tools.items():
            for index, example in enumerate(compiled.tool.examples):
                if example.rejected is None and _wanted(compiled.tool, count, ready, unsafe):
                    count.called += 1
                    found = live.call(loaded, name, example.args, SECONDS)
                    place = ("tools", name, "examples", index)
                    yield from _issues(loaded, compiled, example, place, found)


def _wanted(tool: CompiledTool, count: Count, ready: bool, unsafe: bool) -> bool:  # noqa: FBT001  two facts
    reads = tool.tool.definition["annotations"].get("readOnlyHint")
    if not ready:
        count.unready += 1
    elif not reads and not unsafe:
        count.skipped += 1
    return ready and (bool(reads) or unsafe)


def _issues(
    loaded: Loaded,
    compiled: Compiled,
    example: Example,
    place: tuple[str | int, ...],
    found: Finding,
) -> Iterator[Issue]:
    expected, error = _expected(loaded, compiled, example)
    if found.error is not None:
        if error is None:
            answered = all(exchange.response for exchange in found.tape.exchanges)
            hint = "the arguments may name what is there no more" if answered else None
            yield loaded.parsed.issue(place, f"live, it fails: {found.error}", hint)
        return
    value = _value(found)
    if error is not None:
        yield loaded.parsed.issue(place, f"live, it is no error, as here: {error}")
        return
    for path, message in drifts(expected, value):
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
        yield loaded.parsed.issue(place, f"live, result{where} {message}")


def _expected(loaded: Loaded, compiled: Compiled, example: Example) -> tuple[Any, str | None]:
    """The result that the example says, or the error; neither where it says nothing."""
    if example.error is not None:
        return None, example.error
    if example.result is not msgspec.UNSET:
        return example.result, None
    replies = replies_of(example)
    if not replies:
        return None, None
    secrets = dummy_secrets(loaded.secrets)
    seen = rehearse(compiled, compiled.tool.prepare(example.args), replies, secrets)
    if seen.error is not None:
        return None, str(seen.error)
    return (None if seen.result is None else value_of(seen.result)), None


def _value(found: Finding) -> Any:
    """The result as JSON; a text where it is only that."""
    outcome = found.outcome
    if outcome is None or isinstance(outcome, Relayed):
        return None
    return value_of(outcome)
