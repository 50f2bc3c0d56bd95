"""Prompts, resources, completion and extensions, from a request to what its server was asked."""

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.listing import Listing
from gateway.errors import BackendUnavailable, RemoteError
from gateway.meta import META_TOOLS
from gateway.protocol.eras import LATEST_LEGACY, MODERN, Revision
from gateway.protocol.jsonrpc import Request
from gateway.runtime.snapshot import Current
from gateway.server.asked import Asked
from gateway.server.endpoint import Endpoint
from gateway.server.surface import BackendSurface, MetaSurface, Surface
from tests.peers.offering import OFFERED, Servers, offering, prompt, resource, template

META: Surface = MetaSurface(META_TOOLS)
FS = offering(
    "fs",
    prompts=[prompt("review")],
    resources=[resource("file:///a"), resource("x:shared")],
    templates=[template("file:///docs/{name}")],
    instructions="Read before you write.",
)
OLD = offering("old", era="legacy", prompts=[prompt("ask")], resources=[resource("x:shared")])
DIRECT: Surface = BackendSurface("fs")
MESSAGES = {"messages": [{"role": "user", "content": {"type": "text", "text": "hi"}}]}
CONTENTS = {"contents": [{"uri": "file:///a", "text": "hello"}]}
PROGRESS = {"progressToken": 7}


class Fixture:
    def __init__(self, *listings: Listing) -> None:
        self.servers = Servers(*(listings or (FS, OLD)))
        self.servers.answers |= {
            "prompts/get": lambda _: MESSAGES,
            "resources/read": lambda _: CONTENTS,
            "completion/complete": lambda _: {"completion": {"values": ["py"]}},
        }
        self.endpoint = Endpoint(Current(self.servers.snapshot()), lambda _: None)

    async def ask(
        self,
        method: str,
        params: dict[str, Any],
        surface: Surface = DIRECT,
        revision: Revision = MODERN,
    ) -> dict[str, Any]:
        asked = Asked(surface, Request(1, method, params), revision)
        return dict(json.loads((await self.endpoint.answer(asked)).body))

    async def result(self, *args: Any) -> dict[str, Any]:
        return dict((await self.ask(*args))["result"])

    async def error(self, *args: Any) -> dict[str, Any]:
        return dict((await self.ask(*args))["error"])


async def test_a_url_introduces_itself_with_its_servers_own_words() -> None:
    found = await Fixture().result("server/discover", {})
    assert found["instructions"] == "Read before you write."
    assert found["capabilities"]["completions"] == {}
    assert found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "capgate"


async def test_a_prompt_is_asked_of_its_server_with_everything_the_client_sent() -> None:
    fixture = Fixture()
    params = {"name": "review", "arguments": {"a": "b"}, "_meta": PROGRESS, "future": 1}
    assert (await fixture.result("prompts/get", params))["messages"] == MESSAGES["messages"]
    assert fixture.servers.said == [("fs", "prompts/get", params)]


async def test_at_the_common_url_a_prompts_name_leads_to_its_server() -> None:
    fixture = Fixture()
    found = await fixture.result("prompts/get", {"name": "old__ask", "_meta": PROGRESS}, META)
    assert found["resultType"] == "complete"  # which its server does not know of
    assert fixture.servers.said == [("old", "prompts/get", {"name": "ask", "_meta": PROGRESS})]


async def test_an_unknown_prompt_of_the_common_url_is_nobodys() -> None:
    fixture = Fixture()
    assert (await fixture.error("prompts/get", {"name": "ask"}, META))["code"] == -32602
    assert fixture.servers.said == []


async def test_answers_and_state_of_a_retry_reach_the_server_that_asked() -> None:
    fixture = Fixture()
    retried = {"name": "fs__review", "inputResponses": {"k": {}}, "requestState": "s"}
    await fixture.result("prompts/get", retried, META)
    assert fixture.servers.said[0][2] == {**retried, "name": "review"}


@pytest.mark.parametrize(
    ("uri", "backend", "own"),
    [
        ("file:///a", "fs", "file:///a"),
        ("file:///docs/x", "fs", "file:///docs/x"),
        ("capgate://old/x:shared", "old", "x:shared"),
        ("capgate://fs/any:thing", "fs", "any:thing"),
    ],
)
async def test_at_the_common_url_a_uri_leads_to_its_server(
    uri: str, backend: str, own: str
) -> None:
    fixture = Fixture()
    assert (await fixture.result("resources/read", {"uri": uri}, META))["contents"]
    assert fixture.servers.said == [(backend, "resources/read", {"uri": own})]


async def test_an_alias_of_a_server_is_understood_in_a_uri_too() -> None:
    fixture = Fixture()
    aliased = replace(fixture.servers.snapshot(), aliases={"disk": "fs"})
    fixture.endpoint = Endpoint(Current(aliased), lambda _: None)
    await fixture.result("resources/read", {"uri": "capgate://disk/x:shared"}, META)
    assert fixture.servers.said == [("fs", "resources/read", {"uri": "x:shared"})]


async def test_a_uri_of_two_servers_is_refused_with_what_to_ask_for() -> None:
    fixture = Fixture()
    found = await fixture.error("resources/read", {"uri": "x:shared"}, META)
    assert found["code"] == -32602
    assert "capgate://fs/x:shared or capgate://old/x:shared" in found["message"]
    assert fixture.servers.said == []


@pytest.mark.parametrize(("revision", "code"), [(MODERN, -32602), (LATEST_LEGACY, -32002)])
async def test_a_uri_of_nobody_is_a_missing_resource(revision: Revision, code: int) -> None:
    found = await Fixture().error("resources/read", {"uri": "no:one"}, META, revision)
    assert (found["code"], found["data"]) == (code, {"uri": "no:one"})


async def test_a_resource_that_its_server_does_not_list_is_asked_for_all_the_same() -> None:
    fixture = Fixture()
    missing = RemoteError(-32602, "gone", {"uri": "new:1"})
    fixture.servers.answers["resources/read"] = missing
    found = await fixture.error("resources/read", {"uri": "new:1"}, DIRECT, LATEST_LEGACY)
    assert (found["code"], found["message"], found["data"]) == (-32002, "gone", {"uri": "new:1"})


async def test_only_modern_clients_hear_for_how_long_to_keep_a_resource() -> None:
    fixture = Fixture()
    old = BackendSurface("old")
    modern = await fixture.result("resources/read", {"uri": "x:shared"}, old)
    assert (modern["ttlMs"], modern["cacheScope"]) == (0, "private")
    legacy = await fixture.result("resources/read", {"uri": "x:shared"}, old, LATEST_LEGACY)
    assert legacy == CONTENTS
    fixture.servers.answers["resources/read"] = lambda _: {**CONTENTS, "ttlMs": 5}
    kept = await fixture.result("resources/read", {"uri": "x:shared"}, old)
    assert (kept["ttlMs"], kept["cacheScope"]) == (5, "private")


async def test_what_a_modern_server_says_of_keeping_stays() -> None:
    fixture = Fixture()
    said = {**CONTENTS, "ttlMs": 9, "cacheScope": "public"}
    fixture.servers.answers["resources/read"] = lambda _: said
    found = await fixture.result("resources/read", {"uri": "file:///a"})
    assert found["ttlMs"] == 9


async def test_completion_asks_the_owner_in_its_own_words() -> None:
    fixture = Fixture()
    argument = {"name": "language", "value": "p"}
    for ref, own in (
        ({"type": "ref/prompt", "name": "fs__review", "title": "R"}, {"name": "review"}),
        ({"type": "ref/resource", "uri": "file:///docs/{name}"}, {}),
        (
            {"type": "ref/resource", "uri": "capgate://fs/file:///docs/{name}"},
            {"uri": "file:///docs/{name}"},
        ),
    ):
        params = {"ref": ref, "argument": argument, "context": {"arguments": {}}}
        found = await fixture.result("completion/complete", params, META)
        assert found["completion"]["values"] == ["py"]
        assert fixture.servers.said[-1] == (
            "fs",
            "completion/complete",
            {**params, "ref": {**ref, **own}},
        )


@pytest.mark.parametrize(
    "ref", [None, [], {"type": "ref/other"}, {"type": "ref/prompt"}, {"type": "ref/resource"}]
)
async def test_a_malformed_reference_is_refused(ref: object) -> None:
    found = await Fixture().error("completion/complete", {"ref": ref}, META)
    assert found["code"] == -32602


async def test_a_server_that_completes_nothing_gives_no_values_beside_one_that_does() -> None:
    silent = offering("silent", prompts=[prompt("p")], capabilities={"prompts": {}})
    fixture = Fixture(FS, silent)
    ref = {"ref": {"type": "ref/prompt", "name": "silent__p"}}
    found = await fixture.result("completion/complete", ref, META)
    assert found["completion"] == {"values": []}
    assert fixture.servers.said == []


@pytest.mark.parametrize("revision", [MODERN, LATEST_LEGACY])
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("prompts/list", {}),
        ("prompts/get", {"name": "x"}),
        ("resources/list", {}),
        ("resources/templates/list", {}),
        ("resources/read", {"uri": "x:y"}),
        ("completion/complete", {}),
    ],
)
async def test_what_a_server_does_not_declare_is_not_found(
    method: str, params: dict[str, Any], revision: Revision
) -> None:
    fixture = Fixture(offering("fs", capabilities={"tools": {}}))
    assert (await fixture.error(method, params, DIRECT, revision))["code"] == -32601
    assert fixture.servers.said == []


async def test_a_server_that_is_not_reached_yet_is_waited_for_not_denied() -> None:
    fixture = Fixture(offering("fs", capabilities={}, era=None))
    fixture.servers.answers["prompts/get"] = BackendUnavailable("not connected yet")
    assert (await fixture.result("prompts/list", {}))["prompts"] == []
    found = await fixture.error("prompts/get", {"name": "x"})
    assert (found["code"], found["data"]["code"]) == (-32603, "backend_unavailable")


EXTENDED = {**OFFERED, "extensions": {"org.example/skills": {}}}


async def test_a_method_of_an_extension_goes_to_the_server_that_declares_one() -> None:
    fixture = Fixture(offering("fs", capabilities=EXTENDED))
    fixture.servers.answers["skills/list"] = lambda _: {"skills": [1]}
    assert (await fixture.result("skills/list", {"x": 1}))["skills"] == [1]
    assert fixture.servers.said == [("fs", "skills/list", {"x": 1})]


@pytest.mark.parametrize("method", ["__class__", "../../x", "x" * 200 + "/y", "skills/../x", ""])
async def test_nothing_that_only_resembles_a_method_goes_anywhere(method: str) -> None:
    """I17."""
    fixture = Fixture(offering("fs", capabilities=EXTENDED))
    for revision in (MODERN, LATEST_LEGACY):
        assert (await fixture.error(method, {}, DIRECT, revision))["code"] == -32601
    assert fixture.servers.said == []


async def test_an_extension_stays_in_its_era_and_at_its_own_url() -> None:
    fixture = Fixture(offering("fs", capabilities=EXTENDED), OLD)
    assert (await fixture.error("skills/list", {}, DIRECT, LATEST_LEGACY))["code"] == -32601
    assert (await fixture.error("skills/list", {}, META))["code"] == -32601
    assert (await fixture.error("skills/list", {}, BackendSurface("old")))["code"] == -32601


async def test_lists_of_the_common_url_are_those_of_all_servers() -> None:
    fixture = Fixture()
    prompts = (await fixture.result("prompts/list", {}, META))["prompts"]
    assert [one["name"] for one in prompts] == ["fs__review", "old__ask"]
    resources = (await fixture.result("resources/list", {}, META, LATEST_LEGACY))["resources"]
    assert [one["uri"] for one in resources] == [
        "file:///a",
        "capgate://fs/x:shared",
        "capgate://old/x:shared",
    ]
    found = await fixture.result("resources/templates/list", {}, META)
    assert [one["uriTemplate"] for one in found["resourceTemplates"]] == ["file:///docs/{name}"]


async def test_lists_of_one_server_are_unchanged() -> None:
    icons = resource("x:y", icons=[{"src": "data:x"}], annotations={"priority": 1}, future=[1])
    fixture = Fixture(offering("fs", resources=[icons]))
    assert (await fixture.result("resources/list", {}))["resources"] == [icons]
