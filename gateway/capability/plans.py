"""How a tool's requests are carried out: what the file and the tool say, and the method implies."""

from dataclasses import replace

from gateway.capability.answers.reading import streams
from gateway.capability.compiled import Plan
from gateway.capability.file import units
from gateway.capability.file.annotations import READS, REPEATABLE, annotations, effect
from gateway.capability.file.checks import method_of
from gateway.capability.file.model import METHODS, Cache, Capability, Limits, Retry, Step, ToolSpec


def plan_of(capability: Capability, spec: ToolSpec) -> Plan:
    """Of the request of a tool, or of the one of its steps that does most."""
    method = method_of(spec) or METHODS[0]
    if spec.steps:
        method = effect(method_of(step) for step in spec.steps)
    retry = spec.retry or capability.retry or Retry()
    limits = spec.limits or capability.limits or Limits()
    told = annotations(method, spec.annotations)
    ttl, revalidate = _cache(capability, spec, method)
    timeout = capability.timeout if spec.timeout is None else spec.timeout
    return Plan(
        timeout=units.seconds(timeout),
        retries=retry.max,
        retry_on=frozenset(retry.on),
        max_wait=units.seconds(retry.max_wait),
        idempotent=bool(spec.idempotency_key or told["idempotentHint"]),
        # a job is started anew each time, and a stream is told while it comes
        cache_ttl=None if spec.poll or streams(spec.response) else ttl or None,
        revalidate=revalidate,
        transfer=units.size(limits.transfer),
    )


def step_plan(whole: Plan, step: Step, *, keyed: bool) -> Plan:
    """Of one step of a tool whose plan is `whole`. `keyed`: it sends a key of idempotency.

    A step is repeated by what its own method allows; answers are kept only where no step changes
    anything, else a later one would read what was before.
    """
    idempotent = keyed or method_of(step) in REPEATABLE
    timeout = whole.timeout if step.timeout is None else units.seconds(step.timeout)
    return replace(whole, timeout=timeout, idempotent=idempotent)


def looking_plan(whole: Plan) -> Plan:
    """Of the requests that ask after a job."""
    return replace(whole, idempotent=True, cache_ttl=None)


def _cache(capability: Capability, spec: ToolSpec, method: str) -> tuple[float, bool]:
    """Seconds, and whether to ask after an old answer. The file's default is for GET and HEAD."""
    given = spec.cache
    if given is None and method in READS:
        given = capability.cache
    if isinstance(given, Cache):
        return units.seconds(given.ttl), given.revalidate
    return (0.0 if given is None else units.seconds(given)), False
