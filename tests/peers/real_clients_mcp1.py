"""The `mcp` SDK 1.x at one URL, doing everything once; a script for an environment of its own.

real_clients_mcp1.py URL [BACKEND]     with a backend its tools are called through gateway_invoke

It prints what it saw as JSON, as the clients in other languages do.
"""

import asyncio
import json
import sys

NAME, URI = "test_prompt_with_arguments", "static-text"


def first(result):
    return result.content[0].text


class Seen:
    """What the server asked and told."""

    def __init__(self, types):
        self.types, self.asked, self.logged, self.progress = types, [], [], []

    async def elicit(self, _context, params):
        self.asked.append("elicitation/create")
        fields = params.requestedSchema["properties"]
        return self.types.ElicitResult(action="accept", content=dict.fromkeys(fields, "Ada"))

    async def sample(self, _context, params):
        self.asked.append("sampling/createMessage")
        text = f"re: {params.messages[0].content.text}"
        said = self.types.TextContent(type="text", text=text)
        return self.types.CreateMessageResult(role="assistant", model="none", content=said)

    async def roots(self, _context):
        self.asked.append("roots/list")
        return self.types.ListRootsResult(roots=[{"uri": "file:///srv", "name": "srv"}])

    async def log(self, params):
        self.logged.append(params.data)

    async def progressed(self, progress, _total, _message):
        self.progress.append(progress)


async def drive(session, seen, backend):
    async def call(tool, arguments, told=None):
        name, given = tool, arguments
        if backend:
            given = {"server": backend, "tool": tool, "arguments": arguments}
            name = "gateway_invoke"
        return await session.call_tool(name, given, progress_callback=told)

    told = {"tools": [tool.name for tool in (await session.list_tools()).tools]}
    told["text"] = first(await call("test_simple_text", {}))
    told["failed"] = (await call("test_error_handling", {})).isError
    await call("test_tool_with_progress", {}, seen.progressed)
    told["progress"] = seen.progress
    told["elicited"] = first(await call("test_elicitation", {"message": "Who?"}))
    told["sampled"] = first(await call("test_sampling", {"prompt": "Hello"}))
    told["roots"] = first(await call("test_input_required_result_list_roots", {}))
    told["several"] = first(await call("test_input_required_result_multiple_inputs", {}))
    await call("test_tool_with_logging", {})
    told["logged"] = seen.logged
    return told


async def browse(session, types):
    prompts = [prompt.name for prompt in (await session.list_prompts()).prompts]
    resources = [str(one.uri) for one in (await session.list_resources()).resources]
    templates = (await session.list_resource_templates()).resourceTemplates
    prompt = next(name for name in prompts if name.endswith(NAME))
    got = await session.get_prompt(prompt, {"arg1": "one", "arg2": "two"})
    read = await session.read_resource(next(uri for uri in resources if uri.endswith(URI)))
    ref = types.PromptReference(type="ref/prompt", name=prompt)
    completed = await session.complete(ref, {"name": "arg1", "value": "par"})
    return {
        "prompts": prompts,
        "resources": resources,
        "templates": [template.uriTemplate for template in templates],
        "prompt": got.messages[0].content.text,
        "read": read.contents[0].text,
        "completed": completed.completion.values,
    }


async def main(url, backend):
    # Only in the other environment do these exist in this shape.
    from mcp import ClientSession, types  # noqa: PLC0415
    from mcp.client.streamable_http import streamablehttp_client  # noqa: PLC0415

    seen = Seen(types)
    async with (
        streamablehttp_client(url) as streams,
        ClientSession(
            *streams[:2],
            sampling_callback=seen.sample,
            elicitation_callback=seen.elicit,
            list_roots_callback=seen.roots,
            logging_callback=seen.log,
        ) as session,
    ):
        await session.initialize()
        await session.set_logging_level("debug")
        told = await drive(session, seen, backend)
        found = await browse(session, types)
    print(json.dumps({**told, **found, "asked": seen.asked}))  # noqa: T201  for whoever started us


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2] if sys.argv[2:] else None))
