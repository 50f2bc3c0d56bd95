"""What the fixture server tells without thinking: contents, resources, prompts, completions."""

import json
import re
from typing import Any

from mcp import types
from mcp.shared.exceptions import MCPError

from tests.peers.conformance_server_asks import Asking, form

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8"
    "z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)
SILENCE = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="

IMAGE = types.ImageContent(type="image", data=PIXEL, mime_type="image/png")
AUDIO = types.AudioContent(type="audio", data=SILENCE, mime_type="audio/wav")


def embedded(uri: str, mime_type: str, text: str) -> types.EmbeddedResource:
    inner = types.TextResourceContents(uri=uri, mime_type=mime_type, text=text)
    return types.EmbeddedResource(type="resource", resource=inner)


EMBEDDED = embedded("test://embedded-resource", "text/plain", "An embedded resource.")
JSON = embedded("test://mixed-content-resource", "application/json", '{"test": "data"}')

TEXT, BINARY, WATCHED = "test://static-text", "test://static-binary", "test://watched-resource"
TEMPLATE = "test://template/{id}/data"
FILLED = re.compile(r"test://template/([^/]+)/data")
MISSING_BEFORE_2026 = -32002

RESOURCES = [
    types.Resource(uri=TEXT, name="static-text", mime_type="text/plain"),
    types.Resource(uri=BINARY, name="static-binary", mime_type="image/png"),
    types.Resource(uri=WATCHED, name="watched-resource", mime_type="text/plain"),
]
TEMPLATES = [
    types.ResourceTemplate(uri_template=TEMPLATE, name="template", mime_type="application/json")
]


def read(uri: str, *, modern: bool) -> types.ReadResourceResult:
    """Raises MCPError for what there is not."""
    contents: types.TextResourceContents | types.BlobResourceContents
    if uri == BINARY:
        contents = types.BlobResourceContents(uri=uri, mime_type="image/png", blob=PIXEL)
    elif uri in {TEXT, WATCHED}:
        told = f"This is the content of {uri}."
        contents = types.TextResourceContents(uri=uri, mime_type="text/plain", text=told)
    elif found := FILLED.fullmatch(uri):
        filled = {"id": found[1], "templateTest": True, "data": f"Data for ID: {found[1]}"}
        told = json.dumps(filled)
        contents = types.TextResourceContents(uri=uri, mime_type="application/json", text=told)
    else:
        code = types.INVALID_PARAMS if modern else MISSING_BEFORE_2026
        raise MCPError(code, "there is no such resource", {"uri": uri})
    return types.ReadResourceResult(contents=[contents])


def _prompt(name: str, *arguments: str) -> types.Prompt:
    said = [types.PromptArgument(name=each, required=True) for each in arguments]
    return types.Prompt(name=name, description=f"{name} of the fixture server", arguments=said)


PROMPTS = [
    _prompt("test_simple_prompt"),
    _prompt("test_prompt_with_arguments", "arg1", "arg2"),
    _prompt("test_prompt_with_embedded_resource", "resourceUri"),
    _prompt("test_prompt_with_image"),
    _prompt("test_input_required_result_prompt"),
]
EXTRA_RESOURCE = types.Resource(uri="test://extra", name="extra")
EXTRA_PROMPT = _prompt("test_extra_prompt")


async def get(name: str, arguments: dict[str, str], asking: Asking) -> types.GetPromptResult:
    """Raises MCPError and MoreNeededError."""
    if name == "test_input_required_result_prompt":
        question = form("Which context?", {"context": {"type": "string"}}, "context")
        answer = (await asking.ask({"user_context": question}))["user_context"]
        return _said(_text(f"Use this context: {answer.get('content', {}).get('context')}"))
    if name == "test_prompt_with_arguments":
        told = f"Prompt with arguments: arg1='{arguments['arg1']}', arg2='{arguments['arg2']}'"
        return _said(_text(told))
    if name == "test_prompt_with_embedded_resource":
        inner = embedded(arguments["resourceUri"], "text/plain", "Embedded for testing.")
        return _said(inner, _text("Please process the embedded resource above."))
    if name == "test_prompt_with_image":
        return _said(IMAGE, _text("Please analyze the image above."))
    if name in {"test_simple_prompt", EXTRA_PROMPT.name}:
        return _said(_text("This is a simple prompt for testing."))
    raise MCPError(types.INVALID_PARAMS, f"there is no prompt {name}")


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)


def _said(*items: types.ContentBlock) -> types.GetPromptResult:
    messages = [types.PromptMessage(role="user", content=item) for item in items]
    return types.GetPromptResult(messages=messages)


WORDS = ("paris", "park", "party", "prague")


def complete(params: types.CompleteRequestParams) -> types.CompleteResult:
    """The words with this beginning, the same for every argument."""
    words: list[Any] = [word for word in WORDS if word.startswith(params.argument.value)]
    return types.CompleteResult(
        completion=types.Completion(values=words, total=len(words), has_more=False)
    )
