"""The `mcp` SDK 2.x at one URL, of either era, doing everything once.

real_clients_mcp2.py URL|PROGRAM legacy|modern [BACKEND]     a program as a JSON list

It prints what it saw as JSON, as the clients in other languages do.
"""

import asyncio
import json
import sys
import warnings

from mcp import Client, StdioServerParameters, types
from mcp.shared.exceptions import MCPDeprecationWarning

NAME, URI = "test_prompt_with_arguments", "static-text"


def first(result):
    return result.content[0].text


class Seen:
    """What the server asked and told."""

    def __init__(self):
        self.asked, self.logged, self.progress = [], [], []

    async def elicit(self, _context, params):
        self.asked.append("elicitation/create")
        fields = params.requested_schema["properties"]
        return types.ElicitResult(action="accept", content=dict.fromkeys(fields, "Ada"))

    async def sample(self, _context, params):
        self.asked.append("sampling/createMessage")
        said = types.TextContent(type="text", text=f"re: {params.messages[0].content.text}")
        return types.CreateMessageResult(role="assistant", model="none", content=said)

    async def roots(self, _context):
        self.asked.append("roots/list")
        return types.ListRootsResult(roots=[{"uri": "file:///srv", "name": "srv"}])

    async def log(self, params):
        self.logged.append(params.data)

    async def progressed(self, progress, _total, _message):
        self.progress.append(progress)


async def drive(client, seen, backend):
    async def call(tool, arguments, told=None):
        name, given = tool, arguments
        if backend:
            given = {"server": backend, "tool": tool, "arguments": arguments}
            name = "gateway_invoke"
        return await client.call_tool(name, given, progress_callback=told)

    told = {"tools": [tool.name for tool in (await client.list_tools()).tools]}
    told["text"] = first(await call("test_simple_text", {}))
    told["failed"] = (await call("test_error_handling", {})).is_error
    await call("test_tool_with_progress", {}, seen.progressed)
    told["progress"] = seen.progress
    told["elicited"] = first(await call("test_elicitation", {"message": "Who?"}))
    told["sampled"] = first(await call("test_sampling", {"prompt": "Hello"}))
    told["roots"] = first(await call("test_input_required_result_list_roots", {}))
    told["several"] = first(await call("test_input_required_result_multiple_inputs", {}))
    await call("test_tool_with_logging", {})
    told["logged"] = seen.logged
    return told


async def browse(client):
    prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
    resources = [str(one.uri) for one in (await client.list_resources()).resources]
    templates = (await client.list_resource_templates()).resource_templates
    prompt = next(name for name in prompts if name.endswith(NAME))
    got = await client.get_prompt(prompt, {"arg1": "one", "arg2": "two"})
    read = await client.read_resource(next(uri for uri in resources if uri.endswith(URI)))
    ref = types.PromptReference(type="ref/prompt", name=prompt)
    completed = await client.complete(ref, {"name": "arg1", "value": "par"})
    return {
        "prompts": prompts,
        "resources": resources,
        "templates": [template.uri_template for template in templates],
        "prompt": got.messages[0].content.text,
        "read": read.contents[0].text,
        "completed": completed.completion.values,
    }


async def connected(client, backend):
    """A gateway that we have just started may still be starting the server."""
    while True:
        told = json.loads(first(await client.call_tool("gateway_list_servers", {})))
        if {"ok"} == {one["status"] for one in told["servers"] if one["name"] == backend}:
            return
        await asyncio.sleep(0.05)


async def main(target, era, backend):
    seen = Seen()
    if not target.startswith("http"):
        program, *arguments = json.loads(target)
        target = StdioServerParameters(command=program, args=arguments)
    client = Client(
        target,
        mode="legacy" if era == "legacy" else "2026-07-28",
        sampling_callback=seen.sample,
        elicitation_callback=seen.elicit,
        list_roots_callback=seen.roots,
        logging_callback=seen.log,
        log_level="debug" if era == "modern" else None,
    )
    async with client:
        if era == "legacy":
            await client.set_logging_level("debug")
        if backend:
            await connected(client, backend)
        told = await drive(client, seen, backend)
        found = await browse(client)
    print(json.dumps({**told, **found, "asked": seen.asked}))  # noqa: T201  for whoever started us


if __name__ == "__main__":
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    asyncio.run(main(*sys.argv[1:3], sys.argv[3] if sys.argv[3:] else None))
