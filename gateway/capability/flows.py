"""`paginate`, `poll` and `steps`, compiled once -> how the flow of a call begins.

Faults are reported to the kit's `shared.report`; what is faulty is then left out.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.capability.annotations import REPEATABLE
from gateway.capability.checks import method_of
from gateway.capability.compiled import Plan
from gateway.capability.flow import Begin
from gateway.capability.language import Expression, Position
from gateway.capability.mapping import path_at
from gateway.capability.model import Counted, Cursor, PageSize, Poll, Response, Step, ToolSpec
from gateway.capability.paging import Paging, Size
from gateway.capability.path import Path, compile_path
from gateway.capability.place import Key, Place
from gateway.capability.plans import looking_plan, step_plan
from gateway.capability.polling import Polling
from gateway.capability.positions import InBody, InForm, InQuery
from gateway.capability.positions import Position as At
from gateway.capability.reading import streams
from gateway.capability.request import Asked, RequestTemplate, compile_request
from gateway.capability.response import ResponseMap
from gateway.capability.shared import Shared
from gateway.capability.stepping import CompiledStep, Stepping
from gateway.capability.streams import Streaming
from gateway.capability.template import Template, compile_expression, compile_template
from gateway.capability.tree import SPLICE
from gateway.capability.turning import ByCursor, ByLink, ByNumber, Turn
from gateway.capability.units import seconds
from gateway.capability.values import TemplateError

OF_THE_FIRST: Final = ("content-type", "content-length")  # headers that go with a body
WHOLE: Final = compile_path("$")

Reads = set[tuple[str, ...]]
StepResponse = Callable[[int, Step], tuple[ResponseMap, Reads]]


@dataclass(frozen=True, slots=True)
class Kit:
    """What a tool's flow is compiled of. `path` leads to the tool, `reads` gathers what is read."""

    spec: ToolSpec
    path: tuple[Key, ...]
    shared: Shared
    plan: Plan
    response: ResponseMap
    reads: Reads

    def at(self, *keys: Key) -> Place:
        """Where arguments and constants can be read."""
        names = {"args": self.spec.args, "vars": self.shared.vars}
        return Place((*self.path, *keys), names, self.shared.report, self.reads)

    def answers(self, *keys: Key) -> Place:
        """Where an answer can be read too."""
        place = self.at(*keys)
        names = {**place.names, "status": None, "headers": None, "body": None}
        return Place(place.path, names, place.report, self.reads)


def compile_flow(kit: Kit, template: RequestTemplate) -> Begin | None:
    """The flow of a tool whose first request is `template`; None when there is no other."""
    if kit.spec.response is not None and streams(kit.spec.response):
        return _streaming(kit, kit.spec.response, template)
    if kit.spec.paginate is not None:
        return _paging(kit, template)
    return _polling(kit, kit.spec.poll, template) if kit.spec.poll is not None else None


def compile_steps(kit: Kit, response: StepResponse) -> tuple[RequestTemplate, Begin, Reads]:
    """The first step's request, the flow of all, and which of the arguments the steps read."""
    spec = kit.spec
    uses: Reads = set()
    templates: list[RequestTemplate] = []
    steps: list[CompiledStep] = []
    keyed = [method_of(step) not in REPEATABLE for step in spec.steps]
    if spec.idempotency_key is not None and not any(keyed):
        kit.at("idempotency_key").fault("no step needs one: all can be repeated", "remove it")
    for index, step in enumerate(spec.steps):
        before = {"steps": tuple(one.id for one in spec.steps[:index])}
        key = spec.idempotency_key if keyed[index] else None
        wanted = step.response.as_ if step.response else "auto"
        asked = Asked(step, spec.args, before, wanted, key)
        template = compile_request(asked, kit.shared, (*kit.path, "steps", index))
        uses |= {("args", name) for name in template.uses}
        read, reads = response(index, step)
        place = kit.at("steps", index, "when")
        place = Place(place.path, {**place.names, **before}, place.report, kit.reads)
        plan = step_plan(kit.plan, step, keyed=key is not None)
        when = condition(step.when, place)
        steps.append(CompiledStep(step.id, template.render, plan, read.part, when))
        templates.append(template)
        uses |= reads
    return templates[0], Stepping(tuple(steps), kit.response), uses


def condition(source: str | None, place: Place) -> Expression | None:
    if source is None:
        return None
    try:
        found = compile_expression(source, names=place.names)
    except TemplateError as error:
        place.unread(error)
        return None
    place.reads.update(found.reads)
    return found


def _paging(kit: Kit, template: RequestTemplate) -> Begin | None:
    given, spec = kit.spec.paginate, kit.spec
    turn = _turn(kit, spec)
    if given is None or turn is None:
        return None
    size = None
    if given.size is not None:
        place = kit.at("paginate", "size", "value")
        value: Template | int = (
            place.template(given.size.value, Position.QUERY)
            if isinstance(given.size.value, str)
            else given.size.value
        )
        size = Size(_position(given.size, kit.shared, kit.at("paginate", "size")), value)
    return Paging(
        render=template.render,
        plan=kit.plan,
        response=kit.response,
        items=path_at(given.items, kit.at("paginate", "items")) or WHOLE,
        turn=turn,
        size=size,
        goes_on=condition(given.while_, kit.answers("paginate", "while")),
        max_pages=given.max_pages,
        max_items=given.max_items,
        feeds=_feeds(kit, turn),
    )


def _streaming(kit: Kit, given: Response, template: RequestTemplate) -> Begin:
    each = None if given.each is None else path_at(given.each, kit.at("response", "each"))
    join = "" if given.join is True else None if given.join is False else given.join
    return Streaming(template.render, kit.plan, kit.response, each, join)


def _turn(kit: Kit, spec: ToolSpec) -> Turn | None:
    given = spec.paginate
    if given is None:
        return None
    hidden = kit.shared.auth_query
    for key, counted, first in (("page", given.page, 1), ("offset", given.offset, 0)):
        if counted is not None:
            start = first if counted.start is None else counted.start
            at = _position(counted, kit.shared, kit.at("paginate", key))
            return ByNumber(at, start, by_items=key == "offset")
    if given.cursor is not None:
        place = kit.at("paginate", "cursor")
        source = path_at(given.cursor.from_, place.at("from"))
        return ByCursor(_position(given.cursor, kit.shared, place), source or WHOLE)
    if given.next_url is not None:
        return ByLink(path_at(given.next_url, kit.at("paginate", "next_url")), hidden)
    return ByLink(None, hidden) if given.link else None


def _position(given: Cursor | Counted | PageSize, shared: Shared, place: Place) -> At:
    """That it stands in exactly one place is known by then: `flow_checks.py`."""
    if given.query is not None:
        if given.query in shared.auth_query:
            place.at("query").fault(f"query {given.query!r} is set by auth", "rename or remove it")
        return InQuery(given.query)
    if given.form is not None:
        return InForm(given.form)
    if given.variable is not None:
        return InBody(("variables", *given.variable.split(".")))
    return InBody(tuple((given.json or "").split(".")))


def _feeds(kit: Kit, turn: Turn) -> dict[str, str]:
    """See `Paging.feeds`."""
    args, query = kit.spec.args, kit.spec.query
    if isinstance(turn, ByLink):
        names = query if isinstance(query, dict) else dict.fromkeys(args)
        found = {name: _feeding(query, name, kit) for name in (*names, *args)}
        return {name: arg for name, arg in found.items() if arg is not None}
    at = turn.place  # type: ignore[attr-defined]
    if isinstance(at, InBody):
        arg = _in_body(kit, at.keys)
    else:
        arg = _feeding(query if isinstance(at, InQuery) else kit.spec.form, at.name, kit)
    return {} if arg is None else {"": arg}


def _in_body(kit: Kit, keys: tuple[str, ...]) -> str | None:
    graphql = kit.spec.graphql
    value: Any = {"variables": graphql.variables} if graphql else kit.spec.json
    for key in keys[:-1]:
        value = value.get(key) if isinstance(value, Mapping) else None
    return _feeding(value, keys[-1], kit)


def _feeding(value: Any, name: str, kit: Kit) -> str | None:
    """The argument that alone fills `name` of the mapping `value`, or is spliced into it so."""
    if isinstance(value, str):
        value = {SPLICE: value}
    if not isinstance(value, Mapping):
        return None
    source = value.get(name)
    if source is None:
        return name if SPLICE in value and name in kit.spec.args else None
    names = {"args": kit.spec.args, "rest": (), **kit.shared.names}
    try:
        found = compile_template(str(source), position=Position.MESSAGE, names=names)
    except TemplateError:
        return None  # told where the request is compiled
    roots, names_read = {read[0] for read in found.reads}, [read[-1] for read in found.reads]
    alone = found.single is not None and roots == {"args"} and len(names_read) == 1
    return names_read[0] if alone and names_read[0] in kit.spec.args else None


def _polling(kit: Kit, given: Poll, template: RequestTemplate) -> Begin:
    def path(source: str | None, key: str) -> Path | None:
        return None if source is None else path_at(source, kit.at("poll", key))

    message = None
    if given.message is not None:
        message = kit.answers("poll", "message").template(given.message, Position.MESSAGE)
    key = kit.spec.idempotency_key
    return Polling(
        render=template.render,
        plan=kit.plan,
        looking=looking_plan(kit.plan),
        response=kit.response,
        url=path(given.url, "url"),
        every=seconds(given.every),
        max_wait=seconds(given.max_wait),
        until=condition(given.until, kit.answers("poll", "until")),
        fail_when=condition(given.fail_when, kit.answers("poll", "fail_when")),
        message=message,
        progress=path(given.progress, "progress"),
        then=path(given.then, "then"),
        own=frozenset((*OF_THE_FIRST, *([key.lower()] if key else ()))),
        hidden=frozenset(kit.shared.auth_query),
        wall=time.time,
    )
