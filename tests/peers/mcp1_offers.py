"""What an `mcp` 1.x client sees of prompts and resources; run in the environment of `mcp1.py`.

It lists, gets, reads and completes whatever is there, subscribes to the first resource, reads it
and waits until it is told that it changed. It prints what it saw as JSON.
"""

import asyncio
import json
import sys


async def main(url: str) -> None:
    # Only in the other environment do these exist in this shape.
    from mcp import ClientSession, types  # noqa: PLC0415
    from mcp.client.streamable_http import streamablehttp_client  # noqa: PLC0415

    told: asyncio.Queue[str] = asyncio.Queue()

    async def hear(message) -> None:
        root = getattr(message, "root", None)
        if isinstance(root, types.ResourceUpdatedNotification):
            await told.put(str(root.params.uri))

    async with (
        streamablehttp_client(url) as streams,
        ClientSession(*streams[:2], message_handler=hear) as session,
    ):
        initialized = await session.initialize()
        prompts = (await session.list_prompts()).prompts
        resources = (await session.list_resources()).resources
        templates = (await session.list_resource_templates()).resourceTemplates
        texts = [await session.get_prompt(prompt.name, {}) for prompt in prompts]
        ref = types.PromptReference(type="ref/prompt", name=prompts[0].name)
        completed = await session.complete(ref, {"name": "language", "value": "p"})
        uri = resources[0].uri
        await session.subscribe_resource(uri)
        read = [await session.read_resource(resource.uri) for resource in resources]
        async with asyncio.timeout(20):
            updated = await told.get()
        await session.unsubscribe_resource(uri)
    seen = {
        "subscribe": initialized.capabilities.resources.subscribe,
        "prompts": [prompt.name for prompt in prompts],
        "texts": [got.messages[0].content.text for got in texts],
        "resources": [str(resource.uri) for resource in resources],
        "templates": [template.uriTemplate for template in templates],
        "read": [got.contents[0].text for got in read],
        "completed": completed.completion.values,
        "updated": updated,
    }
    print(json.dumps(seen))  # noqa: T201  for whoever started us


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
