"""What is wrong with `paginate`, `poll` and `steps`, as far as it shows without their templates."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from gateway.capability.file import units
from gateway.capability.file.model import (
    BODIES,
    METHODS,
    Counted,
    Cursor,
    PageSize,
    Paginate,
    Poll,
    Response,
    Step,
    ToolSpec,
)
from gateway.capability.file.problem import Problem

Problems = Iterator[Problem]
Placed = Cursor | Counted | PageSize

WAYS = ("cursor", "page", "offset", "next_url", "link")
PLACES = ("query", "form", "json", "variable")
NAMED = ("query", "form")  # those that a name is enough for
CHANGING = ("post", "put", "patch", "delete")
OF_A_RESULT = ("text", "max_bytes")  # keys of a response that a model reads


def flow_problems(spec: ToolSpec) -> Problems:
    """Paths start at the tool. A step's own request is looked at like a tool's, elsewhere."""
    if spec.paginate is not None:
        for found in _paginate(spec, spec.paginate):
            yield found.below("paginate")
    if spec.poll is not None:
        for found in _poll(spec, spec.poll):
            yield found.below("poll")
    if spec.steps:
        yield from _steps(spec)


def _paginate(spec: ToolSpec, given: Paginate) -> Problems:
    ways = [way for way in WAYS if getattr(given, way) is not None]
    if not ways:
        yield Problem((), "how to come to the next page is missing", f"one of {', '.join(WAYS)}")
    for extra in ways[1:]:
        message = f"a second way to the next page: {ways[0]!r} stands here too"
        yield Problem((extra,), message, at_key=True)
    for key in ("cursor", "page", "offset", "size"):
        placed = getattr(given, key)
        if placed is not None:
            yield from (found.below(key) for found in _placed(spec, placed))
    yield from _doubled(spec, given)
    if spec.head is not None:
        yield Problem((), "an answer to 'head' has no items", at_key=True)
    if spec.poll is not None:
        hint = "poll in one tool, and page through the result in another"
        yield Problem((), "'paginate' and 'poll' cannot be combined", hint, at_key=True)
    yield from _data(spec.response, "pages", at_key=True)


def _placed(spec: ToolSpec, given: Placed) -> Problems:
    places = [place for place in PLACES if getattr(given, place) is not None]
    if len(places) != 1:
        what = "where it goes is missing" if not places else "it goes to two places"
        yield Problem((), what, f"exactly one of {', '.join(PLACES)}")
        return
    value, place = getattr(given, places[0]), places[0]
    if not (value if place in NAMED else all(value.split("."))):
        yield Problem((place,), f"{value!r} is no name", "such as page.after")
    if place == "form" and spec.form is None:
        yield Problem((place,), "there is no form", "give it 'form:'")
    if place == "json" and not isinstance(spec.json, dict | str):
        yield Problem((place,), "there is no JSON body that is an object", "give it 'json:'")
    if place == "variable" and spec.graphql is None:
        yield Problem((place,), "there are no GraphQL variables", "give it 'graphql:'")


def _doubled(spec: ToolSpec, given: Paginate) -> Problems:
    """A position is put in the place of the author's pair; a size is said once."""
    turn = given.cursor or given.page or given.offset
    size = given.size
    if size is None:
        return
    for place in PLACES:
        name = getattr(size, place)
        if name is not None and turn is not None and getattr(turn, place) == name:
            yield Problem(("size", place), f"{name!r} takes the position already")
    for key in NAMED:
        name, pairs = getattr(size, key), getattr(spec, key)
        if isinstance(pairs, dict) and name in pairs:
            yield Problem(("size", key), f"{key!r} has {name!r} too", "remove one")


def _poll(spec: ToolSpec, given: Poll) -> Problems:
    for key in ("every", "max_wait"):
        try:
            if not units.seconds(getattr(given, key)):
                yield Problem((key,), "no time at all")
        except ValueError as error:
            yield Problem((key,), str(error))
    if given.message is not None and given.fail_when is None:
        yield Problem(("message",), "'message' needs 'fail_when'", "say when the job has failed")
    if spec.cache is not None and spec.cache != 0:
        hint = "remove 'cache': a job is started anew each time"
        yield Problem((), "'poll' and 'cache' cannot be combined", hint, at_key=True)


def _steps(spec: ToolSpec) -> Problems:
    for key in _beside(spec):
        hint = "it belongs below one of the steps" if key not in ("paginate", "poll") else None
        yield Problem((key,), f"{key!r} cannot stand beside 'steps'", hint, at_key=True)
    for id, count in Counter(step.id for step in spec.steps).items():
        if count > 1:
            last = max(index for index, step in enumerate(spec.steps) if step.id == id)
            yield Problem(("steps", last, "id"), f"a second step called {id!r}")
    changing = any(getattr(step, method) for step in spec.steps for method in CHANGING)
    if (
        changing
        and not spec.annotations.get("readOnlyHint")
        and spec.cache is not None
        and spec.cache != 0
    ):
        message = "a step changes something: its answers cannot be kept"
        yield Problem(("cache",), message, "remove 'cache'", at_key=True)
    if spec.response is not None and spec.response.as_ != "auto":
        hint = "'as' belongs to the response of a step"
        yield Problem(("response", "as"), "there is no one answer to read", hint, at_key=True)
    for index, step in enumerate(spec.steps):
        yield from (found.below("steps", index) for found in _step(step))


def _beside(spec: ToolSpec) -> Iterator[str]:
    for key in (*METHODS, "query", "headers", *BODIES, "paginate", "poll"):
        value: Any = getattr(spec, key)
        if value not in (None, UNSET, {}) or (key == "json" and value is None):
            yield key


def _step(step: Step) -> Problems:
    given = step.response
    if given is None:
        return
    for key in OF_A_RESULT:
        if getattr(given, key) is not None:
            message = f"{key!r} is of what a model reads: a step's answer is for other steps"
            yield Problem(
                ("response", key), message, "it belongs to the tool's response", at_key=True
            )
    yield from _data(given, "steps")


def _data(given: Response | None, what: str, *, at_key: bool = False) -> Problems:
    """Streams apart: `reading.py`."""
    if given is not None and given.as_ == "binary":
        yield Problem((), f"{what} cannot be bytes", "as: json, text or xml", at_key=at_key)
