"""A REST backend over an API that answers from a script: retries, cache, health."""

import asyncio
import contextlib
import gc
import itertools
import json
import math
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gateway.backends.cache import Cache
from gateway.backends.carrier import Chance
from gateway.backends.rest import RestBackend
from gateway.capability.compiled import CompiledCapability, CompiledTool, Plan, TryAgain
from gateway.credentials.redact import MEMORY, Redactor
from gateway.credentials.secret import Secrets
from gateway.domain.call import Call
from gateway.domain.client import NOBODY, Context
from gateway.domain.identity import Identity
from gateway.domain.listing import Status
from gateway.domain.tool import JsonObject, Tool, ToolRef, ToolResult, text_result
from gateway.errors import (
    BackendUnavailable,
    BadResponse,
    DeadlineExceeded,
    GatewayError,
    InvalidArguments,
    Reached,
    StateRejected,
    ToolNotFound,
    UpstreamFailed,
)
from gateway.http.failures import ConnectionLost, Unreachable
from gateway.http.message import HttpRequest, HttpResponse
from gateway.http.outgoing import Outgoing

PLAN = Plan(
    timeout=5,
    retries=2,
    retry_on=frozenset({429, 503}),
    max_wait=20,
    idempotent=True,
    cache_ttl=None,
    revalidate=False,
    transfer=1000,
)
CACHED = replace(PLAN, cache_ttl=60)
OK = HttpResponse(200, {}, b'"fine"')


@dataclass
class Api:
    """An Exchange: gives the script's answers in turn (the last for ever), or raises them."""

    script: list[HttpResponse | GatewayError]
    requests: list[HttpRequest] = field(default_factory=list)
    gate: asyncio.Event | None = None
    dropped: bool = False

    async def exchange(self, request: HttpRequest, seconds: float, cap: int) -> HttpResponse:
        self.requests.append(request)
        assert (seconds, cap) == (5, 1000)
        if self.gate is not None:
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.dropped = True
                raise
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, GatewayError):
            raise answer
        return answer

    async def aclose(self) -> None:
        pass


def prepare(given: JsonObject) -> dict[str, Any]:
    if "bad" in given:
        raise InvalidArguments("no argument 'bad'")
    return dict(given)


def read(args: JsonObject, response: HttpResponse) -> ToolResult | TryAgain:
    """The body as text; `pick` takes one key of it; `again` in it asks for a retry."""
    if response.status >= 300:
        raise UpstreamFailed(f"HTTP {response.status} from api.t")
    body = json.loads(response.body)
    if body == "again":
        return TryAgain(UpstreamFailed("still not there"))
    return text_result(str(body[args["pick"]] if "pick" in args else body), is_error=body == "no")


def a_backend(
    api: Api,
    plan: Plan = PLAN,
    *,
    waits: list[float] | None = None,
    cache: Cache | None = None,
    **parts: Any,
) -> RestBackend:
    """`parts` are fields of the CompiledCapability that differ from the usual."""
    base = parts.setdefault("origin", "http://127.0.0.1")
    secrets = parts.setdefault("secrets", Secrets({}))

    def request(args: JsonObject) -> HttpRequest:
        key = secrets.get("key") if "key" in args else ""
        query = "".join(f"&{name}={value}" for name, value in args.items() if name != "pick")
        return HttpRequest("GET", f"{base}/x?{query}", (("X-Key", key),) if key else ())

    tool = Tool(ToolRef("api", "t"), {"name": "t", "inputSchema": {"type": "object"}})
    compiled = CompiledTool(tool, plan, prepare, request, read)
    usual = CompiledCapability("api", "An API", "api.yaml", "d1", "", {"t": compiled}, (), secrets)

    async def sleep(seconds: float) -> None:
        if waits is not None:
            waits.append(seconds)

    chance = Chance(sleep=sleep, roll=lambda: 0.5, wall=lambda: 1_800_000_000.0)
    outgoing = Outgoing(public=Api([Unreachable("not public")]), any_address=api)
    return RestBackend(replace(usual, **parts), outgoing, cache or Cache(), chance=chance)


async def ask(
    backend: RestBackend,
    arguments: Mapping[str, Any] | None = None,
    *,
    caller: str = "ann",
    within: float = math.inf,
    name: str = "t",
) -> str:
    tool = Tool(ToolRef("api", name), {"name": name})
    deadline = asyncio.get_running_loop().time() + within
    call = Call("1", tool, arguments or {}, Identity(caller), deadline)
    return str((await backend.call(call)).content[0]["text"])


async def test_a_request_that_says_it_goes_on_is_refused_and_nothing_sent() -> None:
    """I40."""
    api = Api([OK])
    context = Context(NOBODY, {"requestState": "made up"})
    tool = Tool(ToolRef("api", "t"), {"name": "t"})
    with pytest.raises(StateRejected, match="never gave"):
        await a_backend(api).call(Call("1", tool, {}, Identity("ann"), math.inf, context))
    assert api.requests == []


# -- retries --------------------------------------------------------------------------------------


async def test_an_answer_is_read_into_a_result() -> None:
    api = Api([OK])
    assert await ask(a_backend(api), {"a": 1}) == "fine"
    assert api.requests[0].url == "http://127.0.0.1/x?&a=1"


async def test_wrong_arguments_are_not_sent() -> None:
    api = Api([OK])
    with pytest.raises(InvalidArguments):
        await ask(a_backend(api), {"bad": 1})
    assert api.requests == []


async def test_a_tool_that_is_not_there_is_not_found() -> None:
    with pytest.raises(ToolNotFound):
        await ask(a_backend(Api([OK])), name="other")


async def test_a_passing_failure_is_tried_again_with_growing_waits() -> None:
    waits: list[float] = []
    busy = HttpResponse(503, {}, b"")
    api = Api([busy, busy, OK])
    assert await ask(a_backend(api, waits=waits)) == "fine"
    assert waits == [0.125, 0.25]


async def test_the_wait_an_api_asks_for_is_granted() -> None:
    waits: list[float] = []
    api = Api([HttpResponse(429, {"retry-after": "7"}, b""), OK])
    await ask(a_backend(api, waits=waits))
    assert waits == [7]


async def test_a_wait_beyond_the_plan_fails_now_and_says_when_to_come_back() -> None:
    waits: list[float] = []
    api = Api([HttpResponse(429, {"retry-after": "47"}, b"")])
    with pytest.raises(UpstreamFailed, match="HTTP 429") as caught:
        await ask(a_backend(api, waits=waits))
    assert "next: retry after 47 s" in caught.value.explain()
    assert (len(api.requests), waits) == (1, [])


async def test_an_absurd_wait_is_clamped_to_a_day() -> None:
    """I63."""
    api = Api([HttpResponse(429, {"retry-after": "999999999"}, b"")])
    with pytest.raises(UpstreamFailed) as caught:
        await ask(a_backend(api))
    assert caught.value.hint == "retry after 86400 s"


async def test_a_wait_beyond_the_calls_deadline_fails_now() -> None:
    waits: list[float] = []
    api = Api([HttpResponse(429, {"retry-after": "7"}, b"")])
    with pytest.raises(UpstreamFailed) as caught:
        await ask(a_backend(api, waits=waits), within=5)
    assert caught.value.hint == "retry after 7 s"
    assert waits == []


async def test_the_last_error_rises_when_retries_run_out() -> None:
    api = Api([HttpResponse(503, {}, b"")])
    with pytest.raises(UpstreamFailed, match="503"):
        await ask(a_backend(api))
    assert len(api.requests) == 3


TIMEOUT = DeadlineExceeded("timeout after 5 s")
REFUSED = BackendUnavailable("cannot connect to h: connection refused")


@pytest.mark.parametrize(
    ("outcome", "attempts"),
    [
        (HttpResponse(429, {}, b""), 3),
        (HttpResponse(503, {}, b""), 3),
        (HttpResponse(200, {}, b'"again"'), 3),
        (TIMEOUT, 3),
        (ConnectionLost("closed"), 3),
        (REFUSED, 3),
        (HttpResponse(500, {}, b""), 1),
        (HttpResponse(404, {}, b""), 1),
        (BadResponse("too large"), 1),
        (Unreachable("certificate refused"), 1),
    ],
)
async def test_an_idempotent_tool_repeats_what_may_pass(
    outcome: HttpResponse | GatewayError, attempts: int
) -> None:
    api = Api([outcome])
    with pytest.raises(GatewayError):
        await ask(a_backend(api))
    assert len(api.requests) == attempts


@pytest.mark.parametrize(
    ("outcome", "attempts"),
    [
        (HttpResponse(429, {}, b""), 1),
        (HttpResponse(503, {}, b""), 1),
        (HttpResponse(200, {}, b'"again"'), 1),
        (TIMEOUT, 1),
        (ConnectionLost("closed"), 1),
        (REFUSED, 3),
        (DeadlineExceeded("timeout while connecting", reached=Reached.NOT_SENT), 3),
        (ConnectionLost("closed before it was sent", reached=Reached.NOT_SENT), 3),
    ],
)
async def test_any_other_tool_repeats_only_what_was_never_sent(
    outcome: HttpResponse | GatewayError, attempts: int
) -> None:
    api = Api([outcome])
    with pytest.raises(GatewayError):
        await ask(a_backend(api, replace(PLAN, idempotent=False)))
    assert len(api.requests) == attempts


async def test_a_refused_repeat_still_says_when_to_come_back() -> None:
    api = Api([HttpResponse(429, {"retry-after": "3"}, b"")])
    with pytest.raises(UpstreamFailed) as caught:
        await ask(a_backend(api, replace(PLAN, idempotent=False)))
    assert caught.value.hint == "retry after 3 s"


async def test_a_large_answer_is_read_off_the_loop_and_the_collector_comes_back() -> None:
    """F4."""
    readers: list[tuple[int, bool]] = []

    def noticing(_: JsonObject, response: HttpResponse) -> ToolResult:
        readers.append((threading.get_ident(), gc.isenabled()))
        return text_result(str(len(response.body)))

    api = Api([HttpResponse(200, {}, b"x" * 10), HttpResponse(200, {}, b"x" * 1_000_000)])
    backend = a_backend(api)
    tool = backend._compiled.tools["t"]
    backend._compiled = replace(backend._compiled, tools={"t": replace(tool, read=noticing)})
    assert [await ask(backend), await ask(backend)] == ["10", "1000000"]
    here = threading.get_ident()
    assert readers[0] == (here, True)
    assert readers[1][0] != here
    assert not readers[1][1]
    assert gc.isenabled()


# -- the cache ------------------------------------------------------------------------------------


def numbered() -> Iterator[HttpResponse | GatewayError]:
    for n in itertools.count():
        yield HttpResponse(200, {"etag": f'"{n}"'}, json.dumps({"n": n, "m": -n}).encode())


async def test_a_kept_answer_is_read_anew_by_each_call() -> None:
    api = Api(list(itertools.islice(numbered(), 3)))
    backend = a_backend(api, CACHED)
    assert [await ask(backend, {"pick": key}) for key in ("n", "m", "n")] == ["0", "0", "0"]
    assert len(api.requests) == 1


async def test_callers_share_no_answer() -> None:
    """I38."""
    api = Api(list(itertools.islice(numbered(), 3)))
    backend = a_backend(api, CACHED)
    assert [await ask(backend, {"pick": "n"}, caller=name) for name in ("ann", "bob", "ann")] == [
        "0",
        "1",
        "0",
    ]


async def test_callers_at_once_share_no_request() -> None:
    """I38."""
    api = Api(list(itertools.islice(numbered(), 3)), gate=asyncio.Event())
    backend = a_backend(api, CACHED)
    names = ("ann", "bob", "ann")
    calls = [asyncio.create_task(ask(backend, {"pick": "n"}, caller=name)) for name in names]
    while len(api.requests) < 2:
        await asyncio.sleep(0)
    assert api.gate is not None
    api.gate.set()
    assert await asyncio.gather(*calls) == ["0", "1", "0"]


async def test_a_changed_file_does_not_see_the_old_ones_answers() -> None:
    cache = Cache()
    api = Api(list(itertools.islice(numbered(), 3)))
    assert await ask(a_backend(api, CACHED, cache=cache), {"pick": "n"}) == "0"
    assert await ask(a_backend(api, CACHED, cache=cache, digest="d2"), {"pick": "n"}) == "1"


@pytest.mark.parametrize(
    "outcome", [HttpResponse(404, {}, b""), HttpResponse(200, {}, b'"no"'), TIMEOUT]
)
async def test_failures_are_not_kept(outcome: HttpResponse | GatewayError) -> None:
    api = Api([outcome, outcome, outcome, OK])
    backend = a_backend(api, replace(CACHED, retries=0))
    for _ in range(3):
        with contextlib.suppress(GatewayError):
            assert await ask(backend) == "no"
    assert await ask(backend) == "fine"
    assert await ask(backend) == "fine"
    assert len(api.requests) == 4


async def test_a_stale_answer_that_still_holds_is_read_again() -> None:
    now = [0.0]
    api = Api([HttpResponse(200, {"etag": '"1"'}, b'"fine"'), HttpResponse(304, {}, b"")])
    backend = a_backend(api, replace(CACHED, revalidate=True), cache=Cache(clock=lambda: now[0]))
    assert await ask(backend) == "fine"
    now[0] = 61
    assert await ask(backend) == "fine"
    assert api.requests[1].headers == (("If-None-Match", '"1"'),)


async def test_a_304_nobody_asked_for_is_an_error() -> None:
    with pytest.raises(UpstreamFailed, match="304"):
        await ask(a_backend(Api([HttpResponse(304, {}, b"")]), CACHED))


async def test_what_asks_for_a_retry_is_an_error_to_those_who_shared_it() -> None:
    """The answer brought by another call, read with other arguments."""
    api = Api([HttpResponse(200, {}, b'"again"')], gate=asyncio.Event())
    backend = a_backend(api, replace(CACHED, retries=0))
    calls = [asyncio.create_task(ask(backend)) for _ in range(2)]
    while not api.requests:
        await asyncio.sleep(0)
    assert api.gate is not None
    api.gate.set()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [UpstreamFailed] * 2
    assert len(api.requests) == 1


@pytest.mark.parametrize("plan", [PLAN, CACHED])
async def test_a_cancelled_call_drops_its_request(plan: Plan) -> None:
    """I21."""
    api = Api([OK], gate=asyncio.Event())
    call = asyncio.create_task(ask(a_backend(api, plan)))
    while not api.requests:
        await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    async with asyncio.timeout(1):
        while not api.dropped:
            await asyncio.sleep(0)


# -- addresses and health -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "allowed"),
    [
        ("http://127.0.0.1:9", True),
        ("http://localhost", True),
        ("http://[::1]:9", True),
        ("http://10.0.0.1", True),
        ("https://api.example.com", False),
        ("http://0x7f.1", False),
    ],
)
async def test_only_a_base_url_that_names_it_opens_a_private_address(
    base: str, *, allowed: bool
) -> None:
    """I48."""
    backend = a_backend(Api([OK]), origin=base)
    if allowed:
        assert await ask(backend) == "fine"
    else:
        with pytest.raises(Unreachable):
            await ask(backend)


async def test_a_missing_secret_degrades_the_backend_until_it_is_there(tmp_path: Path) -> None:
    now = [0.0]
    path = tmp_path / "key"
    secrets = Secrets({"key": f"file:{path}"}, {}, clock=lambda: now[0])
    backend = a_backend(Api([OK]), secrets=secrets)
    changes: list[str] = []
    await backend.start(lambda: changes.append(str(backend.listing.health)), print)
    assert str(backend.listing.health) == f"degraded (missing secret file:{path})"
    assert await ask(backend) == "fine"  # this call needs no secret
    with pytest.raises(BackendUnavailable, match="missing secret"):
        await ask(backend, {"key": 1})
    path.write_text("abcdef")
    now[0] = 2.0
    assert await ask(backend, {"key": 1}) == "fine"
    backend._looking.look()
    assert backend.listing.health.status is Status.OK
    path.unlink()
    now[0] = 4.0
    with pytest.raises(BackendUnavailable):
        await ask(backend, {"key": 1})
    assert changes == ["ok", f"degraded (missing secret file:{path})"]
    await backend.aclose()


async def test_a_closed_backend_lets_go_of_its_secrets() -> None:
    now = [0.0]
    redactor = Redactor(clock=lambda: now[0])
    secrets = Secrets({"key": "env:KEY"}, {"KEY": "value-of-key"}, learner=redactor)
    backend = a_backend(Api([OK]), secrets=secrets)
    await backend.start(lambda: None, print)
    await backend.aclose()
    assert redactor.text("value-of-key") == "***", "answers and logs lag behind"
    now[0] += MEMORY + 1
    redactor.learn("another-value")
    assert redactor.text("value-of-key") == "value-of-key"


async def test_a_listing_keeps_its_tools_when_its_health_changes(tmp_path: Path) -> None:
    now = [0.0]
    path = tmp_path / "key"
    backend = a_backend(
        Api([OK]), secrets=Secrets({"key": f"file:{path}"}, {}, clock=lambda: now[0])
    )
    before = backend.listing
    path.write_text("abcdef")
    now[0] = 2.0
    await backend.start(lambda: None, print)
    assert backend.listing.health.status is Status.OK
    assert backend.listing.tools is before.tools
    assert before.transport == "rest"
    await backend.aclose()
