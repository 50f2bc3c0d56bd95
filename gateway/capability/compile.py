"""A checked `Capability` -> what its calls need, and every fault that only compiling shows (§7).

Faults are reported and compiling goes on, so that an author sees all of them at once; what comes
out beside a fault is not for use.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import msgspec

from gateway.capability.answers.mapping import Selection, compile_selection
from gateway.capability.answers.output import Output
from gateway.capability.answers.reading import check_reading
from gateway.capability.answers.response import ResponseMap
from gateway.capability.answers.rules import Rule, Rules, compile_rules, of_graphql
from gateway.capability.answers.xml_lists import listed
from gateway.capability.compiled import CompiledTool
from gateway.capability.expressions.language import Position
from gateway.capability.expressions.place import Key, Place, Report
from gateway.capability.expressions.template import Template
from gateway.capability.expressions.values import to_text
from gateway.capability.file import units
from gateway.capability.file.annotations import annotations, effect
from gateway.capability.file.checks import method_of
from gateway.capability.file.model import (
    METHODS,
    Capability,
    Limits,
    Response,
    Step,
    ToolSpec,
    wanted,
)
from gateway.capability.file.schemas import input_schema
from gateway.capability.flow import Begin
from gateway.capability.flows.compiling import compile_flow, compile_steps
from gateway.capability.flows.kit import Kit
from gateway.capability.plans import plan_of
from gateway.capability.sending.arguments import compile_arguments, compile_constraints
from gateway.capability.sending.request import Asked, RequestTemplate, compile_request, used
from gateway.capability.sending.shared import Shared
from gateway.credentials.redact import Redactor
from gateway.credentials.secret import Secrets
from gateway.domain.tool import Tool, ToolRef

SMALLEST_RESULT: Final = 256  # bytes; less holds no result that is still worth reading
SECRET: Final = re.compile(r"\{\{[^}]*\bsecrets\b")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A tool, and its first request without the credential, as examples are compared with.

    `begin` is its flow, where it has one.
    """

    tool: CompiledTool
    template: RequestTemplate
    begin: Begin | None = None


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
        rules = compile_rules(spec.errors, self._answers((*path, "errors"), spec.args))
        response, reads = self._response(spec, spec, path, rules)
        plan = plan_of(self.capability, spec)
        kit = Kit(spec, path, self.shared, plan, response, reads)
        begin: Begin | None
        if spec.steps:
            template, begin, more = compile_steps(kit, partial(self._of_step, kit, rules))
            reads |= more
        else:
            asked = Asked(spec, spec.args, {}, wanted(spec), spec.idempotency_key)
            template = compile_request(asked, self.shared, path)
            begin = compile_flow(kit, template)
        self._refuse_unused(spec, path, template.uses | used(reads, spec.args))
        self._refuse_secrets(spec, path)
        tool = self._tool(name, spec, response.output)
        constraints = Place((*path, "constraints"), {"args": spec.args}, self.report)
        arguments = compile_arguments(
            tool.definition["inputSchema"], compile_constraints(spec.constraints, constraints)
        )
        compiled = CompiledTool(
            tool,
            plan,
            arguments.prepare,
            template.render,
            response.read,
            spec.examples,
            begin,
        )
        return Compiled(compiled, template, begin)

    def _of_step(
        self, kit: Kit, rules: tuple[Rule, ...], index: int, step: Step
    ) -> tuple[ResponseMap, set[tuple[str, ...]]]:
        """How a step's answer is read: its own rules are asked before those of the tool."""
        path = (*kit.path, "steps", index)
        own = compile_rules(step.errors, self._answers((*path, "errors"), kit.spec.args))
        return self._response(kit.spec, step, path, (*own, *rules))

    def _response(
        self,
        spec: ToolSpec,
        one: ToolSpec | Step,
        path: tuple[Key, ...],
        rules: tuple[Rule, ...],
    ) -> tuple[ResponseMap, set[tuple[str, ...]]]:
        """Of `one`, the tool itself or one of its steps; `path` leads to it."""
        who, given = f"{self.backend}.{path[1]}", one.response or Response()
        if isinstance(one, Step):
            who = f"{who} (step {one.id})"
        names = {"args": spec.args, "vars": self.capability.vars}
        place = Place((*path, "response"), names, self.report)
        selection = compile_selection(given, place, self.shared.hidden_headers)
        check_reading(spec if one is spec else None, given, selection, place)
        last = of_graphql() if one.graphql else ()
        output = Output(spec.output) if one is spec and spec.output is not None else None
        self._check_empty((*rules, *self.rules), selection, output, place)
        response = ResponseMap(
            who=who,
            rules=Rules(who, (*rules, *self.rules, *last), self.capability.vars, self.redactor),
            redactor=self.redactor,
            as_=given.as_,
            selection=selection,
            text=_text(given, place),
            output=output,
            max_bytes=self._max_bytes(spec, given, place),
            optional=tuple(arg for arg, schema in spec.args.items() if not schema.get("required")),
            constants=self.capability.vars,
            lists=listed(spec),
        )
        return response, place.reads

    def _answers(self, path: tuple[Key, ...], args: Mapping[str, Any] | None) -> Place:
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

    def _tool(self, name: str, spec: ToolSpec, output: Output | None) -> Tool:
        """As clients see it."""
        return Tool(
            ToolRef(self.backend, name),
            self._definition(name, spec, output),
            tuple(dict.fromkeys((*self.capability.tags, *spec.tags))),
            tuple(_samples(spec)),
        )

    def _definition(self, name: str, spec: ToolSpec, output: Output | None) -> dict[str, Any]:
        definition: dict[str, Any] = {"name": name}
        if spec.title is not None:
            definition["title"] = spec.title
        definition["description"] = spec.description.strip()
        definition["inputSchema"] = input_schema(spec.args)
        if output is not None:
            definition["outputSchema"] = output.schema
        method = effect(map(method_of, spec.steps)) if spec.steps else method_of(spec)
        definition["annotations"] = annotations(method or METHODS[0], spec.annotations)
        return definition

    def _refuse_unused(self, spec: ToolSpec, path: tuple[str, ...], uses: Collection[str]) -> None:
        """What a model gives must have an effect; `uses` are the arguments that have."""
        for unused in spec.args.keys() - uses:
            hint = (
                f'write {{{{ args.{unused} }}}} into the request; "...": "{{{{ rest }}}}" sends all'
            )
            self.report((*path, "args", unused), f"args.{unused} is used nowhere", hint)

    def _refuse_secrets(self, spec: ToolSpec, path: tuple[str, ...]) -> None:
        """A model reads these texts, and so may anybody (§5)."""
        shown = {"title": spec.title, "description": spec.description}
        for key, text in shown.items():
            if text and SECRET.search(text):
                self.report((*path, key), "a secret may stand in requests only")
        for index, example in enumerate(spec.examples):
            if SECRET.search(msgspec.json.encode(example).decode()):
                self.report((*path, "examples", index), "a secret may stand in requests only")


def _text(given: Response, place: Place) -> Template | None:
    """`text:` of `response:`, which reads the result too."""
    if given.text is None:
        return None
    return place.knowing({"result": None}).at("text").template(given.text, Position.MESSAGE)


def _samples(spec: ToolSpec) -> Iterator[str]:
    """What the example arguments say, for search; what must be refused says nothing."""
    for example in spec.examples:
        if example.rejected is None and example.args:
            yield " ".join(map(to_text, example.args.values()))
