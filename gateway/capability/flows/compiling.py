"""`paginate`, `poll` and `steps`, compiled once -> how the flow of a call begins.

Faults are reported to the kit's `shared.report`; what is faulty is then left out.
"""

import time
from collections.abc import Callable
from typing import Final

from gateway.capability.answers.mapping import path_at
from gateway.capability.answers.reading import streams
from gateway.capability.answers.response import ResponseMap
from gateway.capability.expressions.language import Names, Position
from gateway.capability.expressions.path import Path
from gateway.capability.file.annotations import REPEATABLE
from gateway.capability.file.checks import method_of
from gateway.capability.file.model import Poll, Response, Step, ToolSpec, wanted
from gateway.capability.file.units import seconds
from gateway.capability.flow import Begin
from gateway.capability.flows.kit import Kit, condition
from gateway.capability.flows.paged import compile_paging
from gateway.capability.flows.polling import Polling
from gateway.capability.flows.stepping import CompiledStep, Stepping
from gateway.capability.flows.streams import Streaming
from gateway.capability.plans import looking_plan, step_plan
from gateway.capability.sending.request import Asked, RequestTemplate, compile_request

OF_THE_FIRST: Final = ("content-type", "content-length")  # headers that go with a body

Reads = set[tuple[str, ...]]
StepResponse = Callable[[int, Step], tuple[ResponseMap, Reads]]


def compile_flow(kit: Kit, template: RequestTemplate) -> Begin | None:
    """The flow of a tool whose first request is `template`; None when there is no other."""
    if kit.spec.response is not None and streams(kit.spec.response):
        return _streaming(kit, kit.spec.response, template)
    if kit.spec.paginate is not None:
        return compile_paging(kit, kit.spec.paginate, template)
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
        key = spec.idempotency_key if keyed[index] else None
        template = _step_request(kit, index, key)
        read, reads = response(index, step)
        plan = step_plan(kit.plan, step, keyed=key is not None)
        when = condition(step.when, kit.at("steps", index, "when").knowing(_before(spec, index)))
        steps.append(CompiledStep(step.id, template.render, plan, read.part, when))
        templates.append(template)
        uses |= {*reads, *(("args", name) for name in template.uses)}
    return templates[0], Stepping(tuple(steps), kit.response), uses


def _step_request(kit: Kit, index: int, key: str | None) -> RequestTemplate:
    step = kit.spec.steps[index]
    asked = Asked(step, kit.spec.args, _before(kit.spec, index), wanted(step), key)
    return compile_request(asked, kit.shared, (*kit.path, "steps", index))


def _before(spec: ToolSpec, index: int) -> Names:
    """What a step knows of the others."""
    return {"steps": tuple(one.id for one in spec.steps[:index])}


def _streaming(kit: Kit, given: Response, template: RequestTemplate) -> Begin:
    each = None if given.each is None else path_at(given.each, kit.at("response", "each"))
    join = "" if given.join is True else None if given.join is False else given.join
    return Streaming(template.render, kit.plan, kit.response, each, join)


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
