"""Flows and credentials that are closed, cancelled and refused in the worst moments."""

import asyncio
import time
from typing import Any

import pytest
from aiohttp import web

from gateway.errors import BackendUnavailable, GatewayError
from tests.peers.rest_files import Desk
from tests.peers.web import serving

SECRET = {"KEY": "canary-key-4711"}
FILE = """\
capability: 1
name: api
description: An API
base_url: http://127.0.0.1:{port}
secrets: {{key: env:KEY}}
auth: {auth}
tools:
  get: {{description: Get., get: /x}}
  pages:
    description: Get all.
    get: /pages
    paginate: {{items: $.items, cursor: {{from: $.next, query: at}}}}
  made:
    description: Make two.
    steps: [{{id: a, post: /hold}}, {{id: b, post: /x}}]
"""
AUTHS = {
    "oauth2": (
        "{{oauth2: {{grant: client_credentials, token_url: 'http://127.0.0.1:{port}/token',"
        " client_id: me, client_secret: '{{{{ secrets.key }}}}'}}}}"
    ),
    "session": (
        "{{session: {{login: {{post: /token, json: {{key: '{{{{ secrets.key }}}}'}}}},"
        " token: $.access_token}}}}"
    ),
    "bearer": "{{bearer: '{{{{ secrets.key }}}}'}}",
}
both = pytest.mark.parametrize("kind", ["oauth2", "session"])


class Api:
    """Gives tokens and takes them. `gate` closed: `/token` and `/hold` do not answer yet."""

    def __init__(self) -> None:
        self.given = 0
        self.good: set[str] = set()
        self.shown: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        if request.path in ("/token", "/hold"):
            self.entered.set()
            await self.gate.wait()
        if request.path == "/token":
            self.given += 1
            token = f"token-{self.given}-of-it"
            self.good.add(f"Bearer {token}")
            return web.json_response({"access_token": token, "token_type": "bearer"})
        self.shown.append(request.headers.get("Authorization", ""))
        if self.good and self.shown[-1] not in self.good:
            return web.json_response({"message": "no"}, status=401)
        return web.json_response({"items": [1], "next": request.query.get("at", "") + "x"})


def written(kind: str, port: int) -> str:
    return FILE.format(port=port, auth=AUTHS[kind].format(port=port))


async def outcome(call: "asyncio.Task[Any]") -> str:
    try:
        await call
    except (GatewayError, asyncio.CancelledError) as error:
        return type(error).__name__
    return "ok"


@both
async def test_fifty_calls_with_a_token_that_is_no_good_any_more_ask_for_one(kind: str) -> None:
    api = Api()
    async with serving(api.answer) as port, Desk() as desk:
        backend = await desk.open(written(kind, port), SECRET)
        await desk.call(backend, "get")
        api.good.clear()
        api.good.add("none")
        api.gate.clear()
        calls = [asyncio.create_task(desk.call(backend, "get")) for _ in range(50)]
        await api.entered.wait()
        api.entered.clear()
        api.gate.set()
        assert [await outcome(call) for call in calls] == ["ok"] * 50
        assert api.given == 2


@both
@pytest.mark.parametrize("leaving", [1, 20])
async def test_who_began_a_login_may_leave_and_so_may_all(kind: str, leaving: int) -> None:
    """The run goes on for the others, and is there for the next call."""
    api = Api()
    async with serving(api.answer) as port, Desk() as desk:
        backend = await desk.open(written(kind, port), SECRET)
        api.gate.clear()
        calls = [asyncio.create_task(desk.call(backend, "get")) for _ in range(20)]
        await api.entered.wait()
        for call in calls[:leaving]:
            call.cancel()
        async with asyncio.timeout(1):
            left = [await outcome(call) for call in calls[:leaving]]
        assert left == ["CancelledError"] * leaving
        api.gate.set()
        assert {await outcome(call) for call in calls[leaving:]} <= {"ok"}
        await desk.call(backend, "get")
        assert api.given == 1


@both
async def test_two_hundred_refusals_cost_one_token(kind: str) -> None:
    api = Api()
    async with serving(api.answer) as port, Desk() as desk:
        backend = await desk.open(written(kind, port), SECRET)
        await desk.call(backend, "get")
        for _ in range(20):
            api.good = {"none"}
            calls = [asyncio.create_task(desk.call(backend, "get")) for _ in range(10)]
            for call in calls:
                await outcome(call)
        assert api.given == 2
        assert len(api.shown) <= 1 + 200 + 10


@pytest.mark.parametrize("kind", AUTHS)
async def test_a_call_that_outlives_its_backend_sends_nothing_without_its_credential(
    kind: str,
) -> None:
    """The second step went out naked, after the backend had been closed in the first."""
    api = Api()
    async with serving(api.answer) as port, Desk() as desk:
        backend = await desk.open(written(kind, port), SECRET)
        api.gate.set()
        await desk.call(backend, "get")
        api.entered.clear()
        api.gate.clear()
        call = asyncio.create_task(desk.call(backend, "made"))
        await api.entered.wait()
        await backend.aclose()
        api.gate.set()
        with pytest.raises(BackendUnavailable, match=r"closed \(step b; completed: a\)"):
            await call
        assert all(api.shown)
        assert repr(desk.shared.tokens()) == "<Tokens 0>"


ECHOES = """\
capability: 1
name: api
description: An API
base_url: http://127.0.0.1:{port}
secrets: {{key: env:KEY}}
auth: {{header: {{X-Api-Key: "{{{{ secrets.key }}}}"}}}}
tools:
  redirect: {{description: Get., get: /redirect}}
  linked: {{description: Get., get: /linked, paginate: {{items: $.items, link: true}}}}
  paged: {{description: Get., get: /linked, paginate: {{items: $.items, next_url: $.next}}}}
  job: {{description: Get., post: /job, poll: {{}}}}
  bytes: {{description: Get., get: /bytes}}
"""


@pytest.mark.parametrize("tool", ["redirect", "linked", "paged", "job", "bytes"])
async def test_what_an_api_makes_of_our_key_in_its_links_is_not_shown(tool: str) -> None:
    """I43: as the host of another origin, and where it is written small."""
    key = "CanaryKey4711Aa"

    async def echo(request: web.Request) -> web.Response:
        url = f"https://{request.headers['X-Api-Key']}.example/"
        headers = {"Link": f'<{url}>; rel="next"'}
        if request.path == "/redirect":
            return web.Response(status=302, headers={"Location": url})
        if request.path == "/job":
            return web.Response(status=202, headers={"Location": url})
        if request.path == "/bytes":
            return web.Response(body=b"\0\xff", headers={"Content-Type": f"application/{url[8:]}"})
        return web.json_response({"items": [1], "next": url}, headers=headers)

    async with serving(echo) as port, Desk() as desk:
        backend = await desk.open(ECHOES.format(port=port), {"KEY": key})
        try:
            said = repr(await desk.call(backend, tool))
        except GatewayError as error:
            said = error.explain()
        assert key.lower() not in said.lower()
        assert "***.example" in said or tool == "bytes"


LARGE = """\
capability: 1
name: api
description: An API
base_url: http://127.0.0.1:{port}
tools:
  path:
    description: Get.
    args: &args {{v: {{type: string, required: true}}}}
    get: "/{{{{ args.v }}}}"
  segments: {{description: Get., args: *args, get: "/{{{{ args.v | segments }}}}"}}
  query: {{description: Get., args: *args, get: /x, query: {{v: "{{{{ args.v }}}}"}}}}
  form: {{description: Add., args: *args, post: /x, form: {{v: "{{{{ args.v }}}}"}}}}
  xml: {{description: Add., args: *args, post: /x, xml: "<a>{{{{ args.v }}}}</a>"}}
  step:
    description: Add.
    args: *args
    steps: [{{id: a, post: /x, form: {{v: "{{{{ args.v }}}}"}}}}]
"""


@pytest.mark.parametrize("tool", ["path", "segments", "query", "form", "xml", "step"])
async def test_very_large_arguments_do_not_stop_others_f4(tool: str) -> None:
    """Nine megabytes of `%25` in a path held the loop for four seconds."""

    async def length(request: web.Request) -> web.Response:
        return web.json_response(len(await request.read()))

    turns = 0

    async def turning() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with serving(length) as port, Desk() as desk:
        backend = await desk.open(LARGE.format(port=port))
        other = asyncio.create_task(turning())
        started = time.process_time()
        call = asyncio.create_task(desk.call(backend, tool, {"v": "%25" * 3_000_000}))
        assert await outcome(call) in ("ok", "Refused")
        spent = time.process_time() - started
        other.cancel()
        assert turns > 20 or spent < 0.5
