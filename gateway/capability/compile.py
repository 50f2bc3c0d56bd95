"""A checked `Capability` -> what its calls need, and every fault that only compiling shows (§7).

Faults are reported and compiling goes on, so that an author sees all of them at once; what comes
out beside a fault is not for use.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from gateway.capability import units
from gateway.capability.annotations import READS, annotations
from gateway.capability.arguments import compile_arguments, compile_constraints
from gateway.capability.checks import method_of
from gateway.capability.compiled import CompiledTool, Plan
from gateway.capability.language import Position
from gateway.capability.mapping import Selection, compile_selection
from gateway.capability.model import (
    METHODS,
    As,
    Cache,
    Capability,
    Limits,
    Response,
    Retry,
    ToolSpec,
)
from gateway.capability.output import Output
from gateway.capability.place import Place, Report
from gateway.capability.request import Asked, RequestTemplate, compile_request, used
from gateway.capability.response import ResponseMap
from gateway.capability.rules import Rule, Rules, compile_rules
from gateway.capability.schemas import input_schema
from gateway.capability.shared import Shared
from gateway.capability.values import to_text
from gateway.credentials.redact import Redactor
from gateway.credentials.secret import Secrets
from gateway.domain.tool import Tool, ToolRef

SMALLEST_RESULT: Final = 256  # bytes; less holds no result that is still worth reading
SECRET: Final = re.compile(r"\{\{[^}]*\bsecrets\b")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A tool, and its request without the credential, as examples are compared with."""

    tool: CompiledTool
    template: RequestTemplate


class Compiler:
    """What the tools of one file share while they are compiled."""

    def __init__(
        self, capability: Capability, secrets: Secrets, redactor: Redactor, report: Report
    ) -> None:
        self.capability = capability
        self.backend = capability.name or ""
        self.redactor = redactor
        self.report = report
        self.shared = Shared(capability, secrets, report)
        # a rule of the file stands for every tool, so any argument may be meant
        self.rules = compile_rules(capability.errors, self._answers(("errors",), None))

    def tool(self, name: str) -> Compiled:
        spec = self.capability.tools[name]
        path = ("tools", name)
        asked = Asked(spec, spec.args, {}, _wanted(spec), spec.idempotency_key)
        template = compile_request(asked, self.shared, path)
        response, reads = self._response(name, spec)
        for unused in spec.args.keys() - template.uses - used(reads, spec.args):
            hint = (
                f'write {{{{ args.{unused} }}}} into the request; "...": "{{{{ rest }}}}" sends all'
            )
            self.report((*path, "args", unused), f"args.{unused} is used nowhere", hint)
        self._refuse_secrets(spec, path)
        definition = self._definition(name, spec, response.output)
        tool = Tool(
            ToolRef(self.backend, name),
            definition,
            tuple(dict.fromkeys((*self.capability.tags, *spec.tags))),
            tuple(_samples(spec)),
        )
        constraints = Place((*path, "constraints"), {"args": spec.args}, self.report)
        arguments = compile_arguments(
            definition["inputSchema"], compile_constraints(spec.constraints, constraints)
        )
        compiled = CompiledTool(
            tool,
            _plan(self.capability, spec),
            arguments.prepare,
            template.render,
            response.read,
            spec.examples,
        )
        return Compiled(compiled, template)

    def _response(self, name: str, spec: ToolSpec) -> tuple[ResponseMap, set[tuple[str, ...]]]:
        given = spec.response or Response()
        names = {"args": spec.args, "vars": self.capability.vars}
        place = Place(("tools", name, "response"), names, self.report)
        selection = compile_selection(given, place)
        if given.as_ == "text" and not selection.whole:
            place.at("as").fault("text has nothing to select or map", "remove 'as: text'")
        text = None
        if given.text is not None:
            names_too = {**names, "result": None}
            saying = Place(place.path, names_too, self.report, place.reads).at("text")
            text = saying.template(given.text, Position.MESSAGE)
        rules = compile_rules(spec.errors, self._answers(("tools", name, "errors"), spec.args))
        output = Output(spec.output) if spec.output is not None else None
        self._check_empty((*rules, *self.rules), selection, output, place)
        response = ResponseMap(
            who=f"{self.backend}.{name}",
            rules=Rules(
                f"{self.backend}.{name}",
                (*rules, *self.rules),
                self.capability.vars,
                self.redactor,
            ),
            redactor=self.redactor,
            as_=given.as_,
            selection=selection,
            text=text,
            output=output,
            max_bytes=self._max_bytes(spec, given, place),
            optional=tuple(arg for arg, schema in spec.args.items() if not schema.get("required")),
            constants=self.capability.vars,
        )
        return response, place.reads

    def _answers(self, path: tuple[str, ...], args: Mapping[str, Any] | None) -> Place:
        """Where rules about answers stand."""
        names = {"args": args, "vars": self.capability.vars, "status": None}
        return Place(path, {**names, "headers": None, "body": None}, self.report)

    def _check_empty(
        self, rules: tuple[Rule, ...], selection: Selection, output: Output | None, place: Place
    ) -> None:
        if output is None or all(rule.then != "empty" for rule in rules):
            return
        if not output.allows(selection.empty):
            place.fault(
                "a rule says 'then: empty', but 'output' allows no empty result",
                "loosen 'output', or use 'then: fail'",
            )

    def _max_bytes(self, spec: ToolSpec, given: Response, place: Place) -> int:
        limits = spec.limits or self.capability.limits or Limits()
        most = units.size(limits.max_bytes if given.max_bytes is None else given.max_bytes)
        if most < SMALLEST_RESULT:
            place.fault(f"max_bytes is {most}; the least is {SMALLEST_RESULT}")
        return most

    def _definition(self, name: str, spec: ToolSpec, output: Output | None) -> dict[str, Any]:
        definition: dict[str, Any] = {"name": name}
        if spec.title is not None:
            definition["title"] = spec.title
        definition["description"] = spec.description.strip()
        definition["inputSchema"] = input_schema(spec.args)
        if output is not None:
            definition["outputSchema"] = output.schema
        definition["annotations"] = annotations(method_of(spec) or METHODS[0], spec.annotations)
        return definition

    def _refuse_secrets(self, spec: ToolSpec, path: tuple[str, ...]) -> None:
        """A model reads these texts, and so may anybody (§5)."""
        shown = {"title": spec.title, "description": spec.description}
        for key, text in shown.items():
            if text and SECRET.search(text):
                self.report((*path, key), "a secret may stand in requests only")
        for index, example in enumerate(spec.examples):
            if SECRET.search(msgspec.json.encode(example).decode()):
                self.report((*path, "examples", index), "a secret may stand in requests only")


def _wanted(spec: ToolSpec) -> As:
    return spec.response.as_ if spec.response else "auto"


def _plan(capability: Capability, spec: ToolSpec) -> Plan:
    method = method_of(spec) or METHODS[0]
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
        cache_ttl=ttl or None,
        revalidate=revalidate,
        transfer=units.size(limits.transfer),
    )


def _cache(capability: Capability, spec: ToolSpec, method: str) -> tuple[float, bool]:
    """Seconds, and whether to ask after an old answer. The file's default is for GET and HEAD."""
    given = spec.cache
    if given is None and method in READS:
        given = capability.cache
    if isinstance(given, Cache):
        return units.seconds(given.ttl), given.revalidate
    return (0.0 if given is None else units.seconds(given)), False


def _samples(spec: ToolSpec) -> Iterator[str]:
    """What the example arguments say, for search; what must be refused says nothing."""
    for example in spec.examples:
        if example.rejected is None and example.args:
            yield " ".join(map(to_text, example.args.values()))
