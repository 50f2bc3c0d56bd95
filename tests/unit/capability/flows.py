"""A flow without its driver: what it asks for is answered by hand, one effect after the other."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.capability.compiled import CompiledTool, TryAgain
from gateway.capability.flow import Send, Tell, Wait, Work
from gateway.capability.load import Loaded, load
from gateway.credentials.redact import Redactor
from gateway.domain.issue import Severity
from gateway.domain.tool import ToolResult
from gateway.errors import GatewayError
from gateway.http.message import HttpRequest, HttpResponse

HEAD = """\
capability: 1
name: api
description: An API
base_url: https://api.example.com/v1
secrets: {key: env:KEY}
auth: {query: {key: "{{ secrets.key }}"}}
tools:
  t:
    description: Create and list things.
"""
SECRET = "s3cret-of-the-api"


def loaded(tool: str) -> Loaded:
    lines = "".join(f"    {line}\n" for line in tool.strip("\n").split("\n"))
    redactor = Redactor()
    return load((HEAD + lines).encode(), "api.yaml", environ={"KEY": SECRET}, redactor=redactor)


def tool_of(text: str) -> CompiledTool:
    found = loaded(text)
    assert found.capability, [str(issue) for issue in found.issues]
    return found.capability.tools["t"]


def faults(text: str) -> dict[str, str]:
    """Path below the tool -> message."""
    found = loaded(text)
    assert found.capability is None
    wrong = [issue for issue in found.issues if issue.severity is Severity.ERROR]
    return {issue.path.removeprefix("tools.t").lstrip("."): issue.message for issue in wrong}


def answer(body: Any = None, status: int = 200, **headers: str) -> HttpResponse:
    told = {"content-type": "application/json"}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status, told, b"" if body is None else msgspec.json.encode(body))


class Played:
    """One call, played to its end. `answers` may hold errors: they are thrown in."""

    def __init__(
        self,
        tool: CompiledTool,
        answers: list[HttpResponse | GatewayError],
        left: Callable[[], float] = lambda: math.inf,
        **args: Any,
    ) -> None:
        assert tool.run is not None
        self.requests: list[HttpRequest] = []
        self.sends: list[Send] = []
        self.waits: list[float] = []
        self.told: list[Tell] = []
        self.error: GatewayError | None = None
        self._answers = list(answers)
        self._flow = tool.run(tool.prepare(args), left)
        self.result = self._play()
        self.unused = len(self._answers)

    def _play(self) -> ToolResult | None:
        came: Any = None
        error: GatewayError | None = None
        while True:
            try:
                effect = self._flow.send(came) if error is None else self._flow.throw(error)
            except StopIteration as stop:
                result: ToolResult = stop.value
                return result
            except GatewayError as failed:
                self.error = failed
                return None
            came = error = None
            try:
                came = self._carried_out(effect)
            except GatewayError as failed:
                error = failed

    def _carried_out(self, effect: Any) -> Any:
        match effect:
            case Work():
                return effect.do()
            case Wait(seconds):
                self.waits.append(seconds)
            case Tell():
                self.told.append(effect)
            case Send():
                self.sends.append(effect)
                self.requests.append(effect.request)
                given = self._answers.pop(0)
                if isinstance(given, GatewayError):
                    raise given
                found = effect.read(given)
                if isinstance(found, TryAgain):
                    raise found.error
                return found
        return None

    @property
    def urls(self) -> list[str]:
        """Behind the base."""
        return [url.removeprefix("https://api.example.com/v1") for url in self._urls]

    @property
    def _urls(self) -> list[str]:
        return [request.url for request in self.requests]

    @property
    def value(self) -> Any:
        assert self.result is not None, self.error
        return msgspec.json.decode(self.result.structured or b"null")

    @property
    def meta(self) -> Mapping[str, Any]:
        assert self.result is not None, self.error
        return self.result.meta or {}

    @property
    def notice(self) -> str | None:
        """What a model is told beside the result."""
        assert self.result is not None, self.error
        return self.result.content[1]["text"] if len(self.result.content) > 1 else None
