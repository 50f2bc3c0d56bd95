"""The tools of the fixture server, under the names that the official conformance suite calls."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp import types
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
)
from mcp.shared.exceptions import MCPError

from tests.peers.conformance_schema import DIALECT
from tests.peers.conformance_server_asks import Asking, Question, form, prompt, roots, visit
from tests.peers.conformance_server_data import AUDIO, EMBEDDED, IMAGE, JSON, WATCHED

Content = list[types.ContentBlock]
SETTLING = 0.2  # seconds in which a client notices that its stream was closed

URL_ELICITATION_REQUIRED = -32042
PEOPLE = {"name": {"type": "string"}}
LOG = ("started", "working", "finished")

DEFAULTS: dict[str, Any] = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
ENUMS: dict[str, Any] = {
    "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
    "titledSingle": {
        "type": "string",
        "oneOf": [
            {"const": "value1", "title": "First Option"},
            {"const": "value2", "title": "Second Option"},
        ],
    },
    "legacyEnum": {
        "type": "string",
        "enum": ["opt1", "opt2", "opt3"],
        "enumNames": ["Option One", "Option Two", "Option Three"],
    },
    "untitledMulti": {
        "type": "array",
        "items": {"type": "string", "enum": ["option1", "option2", "option3"]},
    },
    "titledMulti": {
        "type": "array",
        "items": {
            "anyOf": [
                {"const": "value1", "title": "First Choice"},
                {"const": "value2", "title": "Second Choice"},
            ]
        },
    },
}


@dataclass
class World:
    """What lasts from call to call, and how to tell everybody that it changed."""

    bus: InMemorySubscriptionBus = field(default_factory=InMemorySubscriptionBus)
    extra_tool: bool = False
    extra_prompt: bool = False
    extra_resource: bool = False
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    counts: Counter[str] = field(default_factory=Counter)
    visited: set[str] = field(default_factory=set)

    async def tell(self, event: ServerEvent) -> None:
        await self.bus.publish(event)


@dataclass
class Run:
    """One call of one tool."""

    world: World
    asking: Asking
    arguments: Mapping[str, Any]

    async def log(self, text: str, level: types.LoggingLevel = "info") -> None:
        context = self.asking.context
        await context.session.send_log_message(
            level, text, "fixture", related_request_id=context.request_id
        )

    async def asked(self, key: str, question: Question) -> dict[str, Any]:
        return (await self.asking.ask({key: question}))[key]


Tool = Callable[[Run], Awaitable[str | Content | types.CallToolResult]]


def _content(*items: types.ContentBlock) -> Tool:
    async def answer(_run: Run) -> Content:
        return list(items)

    return answer


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)


async def _logging(run: Run) -> str:
    for text in LOG:
        await run.log(text)
    return "logged"


async def _progress(run: Run) -> str:
    for done in (0, 50, 100):
        await run.asking.context.session.report_progress(done, 100, f"{done} of 100 done")
    return "progressed"


async def _failing(_run: Run) -> types.CallToolResult:
    told = "This tool intentionally returns an error for testing"
    return types.CallToolResult(content=[_text(told)], is_error=True)


async def _sampling(run: Run) -> str:
    answer = await run.asked("sample", prompt(run.arguments["prompt"]))
    return f"LLM response: {answer['content'].get('text', '?')}"


async def _elicitation(run: Run) -> str:
    fields = {"response": {"type": "string", "description": "User's response"}}
    answer = await run.asked("response", form(run.arguments["message"], fields, "response"))
    return f"User response: {_told(answer)}"


def _filling(fields: Mapping[str, Any]) -> Tool:
    async def fill(run: Run) -> str:
        return f"Elicitation completed: {_told(await run.asked('form', form('Fill in', fields)))}"

    return fill


def _told(answer: Mapping[str, Any]) -> str:
    return f"action={answer['action']}, content={answer.get('content', {})}"


async def _name(run: Run) -> str:
    answer = await run.asked("user_name", form("What is your name?", PEOPLE, "name"))
    return f"Hello, {answer.get('content', {}).get('name', 'stranger')}!"


async def _capital(run: Run) -> str:
    answer = await run.asked("capital_question", prompt("What is the capital of France?"))
    return f"The model says: {answer['content'].get('text', '?')}"


async def _roots(run: Run) -> str:
    answer = await run.asked("client_roots", roots())
    return f"roots: {' '.join(root['uri'] for root in answer['roots'])}"


async def _confirmed(run: Run) -> str:
    question = form("Please confirm", {"ok": {"type": "boolean"}}, "ok")
    await run.asking.ask({"confirm": question}, sealed=True)
    return "state-ok"


async def _many(run: Run) -> str:
    questions: dict[str, Question] = {
        "user_name": form("What is your name?", PEOPLE, "name"),
        "greeting": prompt("Generate a greeting"),
        "client_roots": roots(),
    }
    answers = await run.asking.ask(questions, sealed=True)
    return f"answered: {' '.join(sorted(answers))}"


async def _rounds(run: Run) -> str:
    first = {"step1": form("Step 1: What is your name?", PEOPLE, "name")}
    name = (await run.asking.ask(first, sealed=True))["step1"]
    fields = {"color": {"type": "string"}}
    color = await run.asked("step2", form("Step 2: Which color?", fields, "color"))
    return f"{name['content'].get('name')} likes {color['content'].get('color')}"


async def _offered(run: Run) -> str:
    """Only what the client said it can do is asked; a legacy one may still refuse."""
    questions: dict[str, Question] = {
        "sampling": prompt("Say hello"),
        "elicitation": form("What is your name?", PEOPLE, "name"),
    }
    asked = {key: question for key, question in questions.items() if run.asking.offers(key)}
    if run.asking.modern:
        return f"answered: {' '.join(await run.asking.ask(asked))}"
    asking = (run.asking.ask({key: question}) for key, question in asked.items())
    answers = await asyncio.gather(*asking, return_exceptions=True)
    return f"answered: {sum(isinstance(answer, dict) for answer in answers)}"


async def _needing(run: Run) -> str:
    """Without the client's sampling it is no call at all, in either era."""
    if not run.asking.modern:  # who declares it may still have none behind it
        await run.asked("sample", prompt("Say hello"))
    elif not run.asking.offers("sampling"):
        needed = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, "it takes sampling", needed)
    return "the client samples"


async def _visiting(run: Run) -> str:
    """A page to be visited first: an error to a legacy client, a question to a modern one."""
    identity = run.arguments["id"]
    url, message = f"https://example.com/visit/{identity}", "Please sign in"
    if run.asking.modern:
        answer = await run.asked("visit", visit(message, url, None))
        return f"visited: {answer['action']}"
    if identity not in run.world.visited:
        run.world.visited.add(identity)
        params = visit(message, url, identity).params
        wanted = [params.model_dump(by_alias=True, mode="json", exclude_none=True)]
        raise MCPError(URL_ELICITATION_REQUIRED, message, {"elicitations": wanted})
    return "visited: before"


async def _reconnecting(run: Run) -> str:
    await run.log("before the stream closes")
    if close := run.asking.context.close_sse_stream:
        await close()
        await asyncio.sleep(SETTLING)
    await run.log("after the stream was closed")
    return "reconnected"


async def _changing_tools(run: Run) -> str:
    run.world.extra_tool = not run.world.extra_tool
    if not run.asking.modern:
        await run.asking.context.session.send_tool_list_changed()
    await run.world.tell(ToolsListChanged())
    return "the tools changed"


async def _changing_prompts(run: Run) -> str:
    run.world.extra_prompt = not run.world.extra_prompt
    if not run.asking.modern:
        await run.asking.context.session.send_prompt_list_changed()
    await run.world.tell(PromptsListChanged())
    return "the prompts changed"


async def _changing_resources(run: Run) -> str:
    run.world.extra_resource = not run.world.extra_resource
    if not run.asking.modern:
        await run.asking.context.session.send_resource_list_changed()
    await run.world.tell(ResourcesListChanged())
    return "the resources changed"


async def _changing_resource(run: Run) -> str:
    if not run.asking.modern:
        await run.asking.context.session.send_resource_updated(WATCHED)
    await run.world.tell(ResourceUpdated(uri=WATCHED))
    return "the resource changed"


async def _waiting(run: Run) -> str:
    """It never ends by itself; `test_count` tells how often it was cancelled."""
    run.world.counts["waiting"] += 1
    await run.asking.context.session.report_progress(1, 2, "waiting")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        run.world.counts["cancelled"] += 1
        raise
    finally:
        run.world.counts["waiting"] -= 1
    return "never"


async def _count(run: Run) -> str:
    return str(run.world.counts[run.arguments["of"]])


async def _echo(run: Run) -> types.CallToolResult:
    return types.CallToolResult(content=[_text("echoed")], structured_content=dict(run.arguments))


async def _region(run: Run) -> str:
    return f"region={run.arguments['region']}"


async def _ran(_run: Run) -> str:
    return "it ran"


TOOLS: dict[str, Tool] = {
    "test_simple_text": _content(_text("This is a simple text response for testing.")),
    "test_image_content": _content(IMAGE),
    "test_audio_content": _content(AUDIO),
    "test_embedded_resource": _content(EMBEDDED),
    "test_multiple_content_types": _content(_text("Several at once:"), IMAGE, JSON),
    "test_tool_with_logging": _logging,
    "test_logging_tool": _logging,
    "test_tool_with_progress": _progress,
    "test_error_handling": _failing,
    "test_sampling": _sampling,
    "test_elicitation": _elicitation,
    "test_elicitation_sep1034_defaults": _filling(DEFAULTS),
    "test_elicitation_sep1330_enums": _filling(ENUMS),
    "test_streaming_elicitation": _name,
    "test_input_required_result_elicitation": _name,
    "test_input_required_result_sampling": _capital,
    "test_input_required_result_list_roots": _roots,
    "test_input_required_result_request_state": _confirmed,
    "test_input_required_result_tampered_state": _confirmed,
    "test_input_required_result_multiple_inputs": _many,
    "test_input_required_result_multi_round": _rounds,
    "test_input_required_result_capabilities": _offered,
    "test_missing_capability": _needing,
    "test_url_elicitation": _visiting,
    "test_reconnection": _reconnecting,
    "test_trigger_tool_change": _changing_tools,
    "test_trigger_prompt_change": _changing_prompts,
    "test_trigger_resource_change": _changing_resource,
    "test_trigger_resource_list_change": _changing_resources,
    "test_wait": _waiting,
    "test_count": _count,
    "test_echo": _echo,
    "test_x_mcp_header": _region,
    "json_schema_2020_12_tool": _ran,
}
EXTRA = "test_extra"  # comes and goes

SCHEMAS: dict[str, dict[str, Any]] = {
    "test_sampling": {"prompt": {"type": "string"}},
    "test_elicitation": {"message": {"type": "string"}},
    "test_url_elicitation": {"id": {"type": "string"}},
    "test_count": {"of": {"type": "string"}},
    "test_x_mcp_header": {"region": {"type": "string", "x-mcp-header": "Region"}},
}


def input_schema(name: str) -> dict[str, Any]:
    if name == "json_schema_2020_12_tool":
        return DIALECT
    fields = SCHEMAS.get(name, {})
    return {"type": "object", "properties": fields, "required": list(fields)}


def listed(world: World) -> list[types.Tool]:
    names = [*TOOLS, *([EXTRA] if world.extra_tool else [])]
    return [
        types.Tool(
            name=name,
            description=f"{name.replace('_', ' ')} of the fixture server",
            input_schema=input_schema(name),
        )
        for name in names
    ]


async def call(run: Run, name: str) -> types.CallToolResult:
    """Raises MCPError and MoreNeededError."""
    tool = _ran if name == EXTRA and run.world.extra_tool else TOOLS.get(name)
    if tool is None:
        raise MCPError(types.INVALID_PARAMS, f"there is no tool {name}")
    told = await tool(run)
    if isinstance(told, types.CallToolResult):
        return told
    return types.CallToolResult(content=[_text(told)] if isinstance(told, str) else told)
