"""How a tool's definition differs from what it was, for whoever has to agree to it. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from gateway.domain.change import (
    MISSING,
    RANK,
    Change,
    Sort,
    in_json,
    members,
    reworded,
    same,
    word,
    wording,
)
from gateway.domain.schema_diff import Input, bare
from gateway.domain.text import counted
from gateway.domain.tool import JsonObject

MOST = 40  # changes of one tool that are told
FEW = 5  # that a summary tells
SAFER = {
    "readOnlyHint": True,
    "destructiveHint": False,
    "idempotentHint": True,
    "openWorldHint": False,
}  # what a host may let pass without asking anybody


def difference(before: JsonObject, after: JsonObject) -> tuple[Change, ...]:
    """From one definition to another that is not equal to it; the worst first, and at least one."""
    found = [
        *reworded(before, after, ""),
        *_annotations(members(before, "annotations"), members(after, "annotations")),
        *_output(before.get("outputSchema"), after.get("outputSchema")),
        *Input(before, after).changes(),
    ]
    found.sort(key=lambda change: RANK[change.sort])
    if not found:
        return (Change(Sort.CHANGED, "defined in another way"),)
    if len(found) > MOST:
        more = f"{len(found) - MOST} more changes"
        return (*found[:MOST], Change(found[MOST].sort, more))
    return tuple(found)


def summary(changes: Sequence[Change]) -> str:
    """The worst few, in a line that holds names and plain values of its server at most."""
    told = "; ".join(map(str, changes[:FEW]))
    more = len(changes) - FEW
    return f"{told}; {counted(more, 'more change')}" if more > 0 else told


def _annotations(before: JsonObject, after: JsonObject) -> Iterator[Change]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key, MISSING), after.get(key, MISSING)
        if same(old, new):
            continue
        if key == "title":
            yield wording("title of the annotations", old, new)
            continue
        loud = key in SAFER and old is SAFER[key]
        text = f"{word(key)}: {in_json(old)} → {in_json(new)}"
        yield Change(Sort.LOUD if loud else Sort.ANNOTATIONS, text)


def _output(old: Any, new: Any) -> Iterator[Change]:
    if same(old, new):
        return
    if old is None or new is None:
        yield Change(Sort.OUTPUT, f"output: {'described now' if old is None else 'not described'}")
    elif same(bare(old), bare(new)):
        yield Change(Sort.WORDING, "wording: output")
    else:
        yield Change(Sort.OUTPUT, "output: another schema")
