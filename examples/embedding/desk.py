"""A program with the gateway inside: an MCP server and a REST API, found and called alike.

    python examples/embedding/desk.py

It reaches no network: the API answers from the example in its file.
"""

import asyncio
import sys
from pathlib import Path

import gateway

HERE = Path(__file__).parent
WEATHER = {
    "capability": 1,
    "name": "weather",
    "description": "Weather anywhere",
    "base_url": "https://api.open-meteo.com",
    "tools": {
        "temperature": {
            "description": "The temperature at a place, now.",
            "args": {"latitude": {"type": "number", "required": True}},
            "get": "/v1/forecast",
            "query": {"latitude": "{{ args.latitude }}", "current": "temperature_2m"},
            "response": {"map": {"celsius": "$.current.temperature_2m"}},
            "examples": [
                {"args": {"latitude": 52.4}, "reply": {"json": {"current": {"temperature_2m": 11}}}}
            ],
        }
    },
}
RULES = {"visitors": {"keys": ["visitor"], "rules": [{"backend": "weather", "level": "execute"}]}}


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")


async def main() -> None:
    async with gateway.open({"policies": RULES}, mock=True) as gw:
        await gw.register_capability(WEATHER)
        say("offered:", [str(tool.ref) for tool in gw.tools()])
        best = gw.search("what is the temperature")[0]
        result = await gw.call(*best.ref, {"latitude": 52.4})
        say(best.ref, "says", result.structured_content)

    async with gateway.open({"policies": RULES}) as gw:
        clock = await gw.register("clock", {"command": [sys.executable, str(HERE / "clock.py")]})
        say(clock.name, "is", clock.status)
        await gw.alias("watch", "clock")
        say("in Tokyo it is", (await gw.call("watch", "time_in", {"city": "Tokyo"})).text)
        try:
            await gw.call("clock", "time_in", {"city": "Atlantis"})
        except gateway.ToolFailed as failed:
            say("it failed:", failed.result.text)
        visitor = gw.acting(gateway.Identity("visitor"))
        say("a visitor sees", [server.name for server in visitor.servers()])
        say("for OpenAI:", [tool["function"]["name"] for tool in gw.openai_tools()])


if __name__ == "__main__":
    asyncio.run(main())
