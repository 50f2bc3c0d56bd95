"""Capability files with `auth: {session: …}`, from their YAML to an API that wants a login."""

import asyncio
import contextlib
import json

import pytest
from aiohttp import encode_basic_auth, web

from gateway.credentials.session_credential import cookies
from gateway.errors import BackendUnavailable, UpstreamFailed
from tests.peers.rest_files import Desk, faults
from tests.peers.web import serving

SECRETS = {"PASSWORD": "canary-password"}
FILE = """\
capability: 1
name: api
description: Wants a login
base_url: {base}
secrets: {{password: env:PASSWORD}}
vars: {{user: ann}}
auth:
  session: {session}
retry: {{max: 0}}
tools:
  ask: {{description: Reads., get: /data, query: {{q: "1"}}}}
  add: {{description: Adds., post: /data, json: {{a: 1}}}}
"""
LOGIN = (
    '{login: {post: /login, json: {user: "{{ vars.user }}", password: "{{ secrets.password }}"}}'
)


class Peer:
    """An API whose sessions are `session-1`, …; `proof` reads one from a request."""

    def __init__(self, proof):
        self.proof = proof
        self.logins = []
        self.valid = set()
        self.asked = []
        self.status = 401
        self.gate = asyncio.Event()
        self.gate.set()
        self.accept = True
        self.cuts = False

    def answer(self, name):
        return web.json_response({"auth": {"key": name}}, headers={"X-Key": name})

    async def handle(self, request):
        if request.path == "/login":
            self.logins.append((request.headers.get("Authorization"), await request.text()))
            await self.gate.wait()
            if self.cuts:
                request.transport.abort()
            if not self.accept:
                return web.json_response({"said": SECRETS["PASSWORD"]}, status=403)
            name = f"session-{len(self.logins)}"
            self.valid.add(name)
            return self.answer(name)
        shown = self.proof(request)
        self.asked.append(shown)
        if shown not in self.valid:
            return web.Response(status=self.status)
        return web.json_response({"as": int(shown.rpartition("-")[2])})


@contextlib.asynccontextmanager
async def bench(proof, session, **environ):
    peer = Peer(proof)
    async with (
        asyncio.timeout(20),
        serving(peer.handle) as port,
        Desk() as desk,
    ):
        text = FILE.format(base=f"http://127.0.0.1:{port}", session=session)
        yield peer, desk, await desk.open(text, {**SECRETS, **environ})


def bearer(request):
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def cookie(request):
    return request.cookies.get("sid")


async def said(desk, backend, tool="ask"):
    return json.loads((await desk.call(backend, tool)).structured)["as"]


@pytest.mark.parametrize(
    ("more", "proof"),
    [
        ("token: $.auth.key", bearer),
        ("token_header: X-Key", bearer),
        (
            'token: $.auth.key, header: {X-Session: "s {{ token }}"}',
            lambda request: request.headers.get("X-Session", "").removeprefix("s "),
        ),
        ('token: $.auth.key, query: {sid: "{{ token }}"}', lambda request: request.query["sid"]),
        ('token: $.auth.key, cookie: {sid: "{{ token }}"}', cookie),
    ],
)
async def test_a_token_goes_where_it_is_sent(more, proof):
    async with bench(proof, f"{LOGIN}, {more}}}") as (peer, desk, backend):
        assert [await said(desk, backend) for _ in range(3)] == [1, 1, 1]
        assert await said(desk, backend, "add") == 1
        assert peer.logins == [(None, '{"user":"ann","password":"canary-password"}')]
        assert desk.redactor.text("see session-1") == "see ***"


async def test_many_calls_log_in_once_and_once_more_when_the_session_ends():
    async with bench(bearer, f"{LOGIN}, token: $.auth.key}}") as (peer, desk, backend):
        peer.gate.clear()
        calls = [asyncio.ensure_future(said(desk, backend)) for _ in range(8)]
        while not peer.logins:
            await asyncio.sleep(0)
        peer.gate.set()
        assert set(await asyncio.gather(*calls)) == {1}
        peer.valid.clear()
        told = await asyncio.gather(*(said(desk, backend) for _ in range(8)))
        assert set(told) == {2}
        assert len(peer.logins) == 2


async def test_a_refusal_that_a_login_does_not_mend_is_the_tools():
    async with bench(bearer, f"{LOGIN}, token: $.auth.key, renew_on: [403]}}") as bits:
        peer, desk, backend = bits
        await said(desk, backend)
        peer.valid.clear()
        with pytest.raises(UpstreamFailed, match="401"):
            await said(desk, backend)
        peer.status = 403
        peer.answer = lambda _name: web.json_response({"auth": {"key": "worthless"}})
        for _ in range(3):
            with pytest.raises(UpstreamFailed, match="403"):
                await said(desk, backend)
        assert len(peer.logins) == 2


async def test_a_session_that_expires_is_renewed_before_it_is_used():
    async with bench(bearer, f"{LOGIN}, token: $.auth.key, expires: 30m}}") as bits:
        peer, desk, backend = bits
        now = [0.0]
        backend._carrier.credential._clock = lambda: now[0]
        await said(desk, backend)
        now[0] += 1799
        assert await said(desk, backend) == 1
        now[0] += 1
        assert await said(desk, backend) == 2
        assert peer.asked == ["session-1", "session-1", "session-2"]


async def test_a_refused_login_is_told_without_its_answer_and_not_repeated():
    async with bench(bearer, f"{LOGIN}, token: $.auth.key}}") as (peer, desk, backend):
        peer.accept = False
        for _ in range(3):
            with pytest.raises(BackendUnavailable, match="login is refused: HTTP 403") as caught:
                await said(desk, backend)
            assert "canary" not in caught.value.explain()
        assert len(peer.logins) == 1
        assert peer.asked == []


async def test_a_changed_password_is_tried_at_once(tmp_path):
    path = tmp_path / "password"
    path.write_text("first-password")
    peer = Peer(bearer)
    async with serving(peer.handle) as port, Desk() as desk:
        text = FILE.format(base=f"http://127.0.0.1:{port}", session=f"{LOGIN}, token: $.auth.key}}")
        backend = await desk.open(text.replace("env:PASSWORD", f"file:{path}"))
        peer.accept = False
        with pytest.raises(BackendUnavailable):
            await said(desk, backend)
        peer.accept = True
        path.write_text("second-password")
        desk.clock[0] += 5
        assert await said(desk, backend) == 2


@pytest.mark.parametrize("answer", [web.Response, lambda: web.json_response({"auth": []})])
async def test_a_login_without_a_token_says_where_it_was_looked_for(answer):
    async with bench(bearer, f"{LOGIN}, token: $.auth.key}}") as (peer, desk, backend):
        peer.answer = lambda _name: answer()
        with pytest.raises(BackendUnavailable, match=r"no token at \$\.auth\.key"):
            await said(desk, backend)


async def test_a_login_that_does_not_answer_reached_nothing():
    async with bench(bearer, f"{LOGIN}, token: $.auth.key}}") as (peer, desk, backend):
        peer.cuts = True
        with pytest.raises(BackendUnavailable, match="the login failed") as caught:
            await desk.call(backend, "add")
        assert caught.value.reached == "not_sent"


@pytest.mark.parametrize("more", ["", ", cookie: true", ", cookie: [sid]"])
async def test_cookies_of_the_login_are_sent_back(more):
    async with bench(cookie, f"{LOGIN}{more}}}") as (peer, desk, backend):
        seen = []

        def proof(request):
            seen.append(request.headers["Cookie"])
            return cookie(request)

        def answer(name):
            made = web.Response(status=302, headers={"Location": "/elsewhere"})
            made.set_cookie("sid", name, path="/other", domain="other.example", max_age=0)
            made.set_cookie("theme", "dark", expires="Wed, 21 Oct 2026 07:28:00 GMT")
            return made

        peer.proof, peer.answer = proof, answer
        assert await said(desk, backend) == 1
        assert seen == ["sid=session-1" if "sid" in more else "sid=session-1; theme=dark"]


async def test_of_any_cookies_only_what_may_be_a_secret_is_masked():
    """`language=english` would blot out a word of every backend."""
    async with bench(cookie, f"{LOGIN}}}") as (peer, desk, backend):

        def answer(name):
            made = web.Response()
            for key, value in (("sid", name), ("language", "english"), ("since", "2026-11-21")):
                made.set_cookie(key, value)
            return made

        peer.answer = answer
        assert await said(desk, backend) == 1
        told = desk.redactor.text("session-1 in english since 2026-11-21")
        assert told == "*** in english since 2026-11-21"


@pytest.mark.parametrize("token", ["a; admin=1", "a b", "a,b=c", "é"])
async def test_a_token_cannot_add_a_cookie(token):
    session = f'{LOGIN}, token: $.auth.key, cookie: {{sid: "{{{{ token }}}}"}}}}'
    async with bench(cookie, session) as (peer, desk, backend):
        peer.answer = lambda _name: web.json_response({"auth": {"key": token}})
        with pytest.raises(BackendUnavailable, match="a token that cannot be a cookie"):
            await said(desk, backend)
        assert peer.asked == []


async def test_a_login_without_the_cookie_names_it():
    async with bench(cookie, f"{LOGIN}, cookie: [sid, other]}}") as (peer, desk, backend):
        peer.answer = lambda _name: web.Response(headers={"Set-Cookie": "sid=1"})
        with pytest.raises(BackendUnavailable, match="no cookie other"):
            await said(desk, backend)


async def test_basic_is_for_the_login_alone():
    session = (
        "{login: {get: /login}, token: $.auth.key, "
        'basic: {username: ann, password: "{{ secrets.password }}"}}'
    )
    async with bench(bearer, session) as (peer, desk, backend):
        assert await said(desk, backend) == 1
        assert peer.logins == [(encode_basic_auth("ann", SECRETS["PASSWORD"]), "")]


async def test_a_handshake_is_learnt_from_the_refusal_beside_basic():
    known = ["first-id"]
    seen = []

    async def handle(request):
        seen.append((request.headers.get("X-Id"), request.headers["Authorization"][:6]))
        if request.headers.get("X-Id") != known[0]:
            return web.Response(status=409, headers={"X-Id": known[0]})
        return web.json_response({"as": known[0] == "first-id"})

    session = '{handshake: {status: 409, header: X-Id}, basic: {username: a, password: "b"}}'
    async with serving(handle) as port, Desk() as desk:
        text = FILE.format(base=f"http://127.0.0.1:{port}", session=session)
        backend = await desk.open(text, SECRETS)
        assert await said(desk, backend, "add") is True
        assert await said(desk, backend, "add") is True
        known[0] = "second-id"
        assert await said(desk, backend, "add") is False
        ids = [None, "first-id", "first-id", "first-id", "second-id"]
        assert seen == [(each, "Basic ") for each in ids]


@pytest.mark.parametrize("value", ["", "same", "x" * 5000])
async def test_a_handshake_that_leads_nowhere_is_the_tools_error(value):
    asked = []

    async def handle(_request):
        asked.append(1)
        return web.Response(status=409, headers={"X-Id": value})

    async with serving(handle) as port, Desk() as desk:
        session = "{handshake: {status: 409, header: X-Id}}"
        text = FILE.format(base=f"http://127.0.0.1:{port}", session=session)
        backend = await desk.open(text, SECRETS)
        with pytest.raises(UpstreamFailed, match="409"):
            await desk.call(backend, "add")
        assert len(asked) == (2 if value == "same" else 1)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("a=1", {"a": "1"}),
        ("a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/, b=2; HttpOnly", {"a": "1", "b": "2"}),
        ("a=1, a=2", {"a": "2"}),
        ("a=, =b, c, d d=1", {}),
        ('a="x y"', {"a": '"x'}),
        ("a=1; Domain=evil.example, b=2", {"a": "1", "b": "2"}),
        ("", {}),
    ],
)
def test_of_a_cookie_only_name_and_value_count(header, found):
    assert dict(cookies(header)) == found


@pytest.mark.parametrize(
    ("session", "message"),
    [
        ("{}", "either login or handshake"),
        ("{login: {get: /l}, handshake: {status: 409, header: X}}", "either login or handshake"),
        ("{login: {get: /l}, token: $.a, token_header: X}", "one of token and token_header"),
        ("{login: {get: /l}, token: $.a, cookie: true}", "one of token and cookie"),
        ('{login: {get: /l}, header: {X: "{{ token }}"}}', "needs token or token_header"),
        ('{login: {get: /l}, cookie: {X: "{{ token }}"}}', "needs token or token_header"),
        ("{login: {get: /l}, cookie: false}", "cookie is true, a list"),
        ("{login: {get: /l}, cookie: ['a b']}", "cookie's name"),
        ("{handshake: {status: 409, header: X}, token: $.a}", "handshake takes no token"),
        ("{handshake: {status: 409, header: Host}}", "belongs to the connection"),
        ("{login: {get: /l, post: /m}}", "a second method"),
        ("{login: {headers: {a: b}}}", "no method"),
        ("{login: {get: /l, json: {}}}", "has no body"),
        ("{login: {get: /l}, expires: soon}", "duration"),
        ("{login: {get: /l}, token: '$.a['}", "JSONPath"),
        ("{login: {get: /l}, token: '$.a[*]'}", "must name one value"),
        ("{login: {get: '/l/{{ args.x }}'}}", "args"),
        ("{login: {get: '/l/{{ secrets.nope }}'}}", "secrets.nope is not declared"),
        ('{login: {get: /l}, token: $.a, header: {X: "{{ tokn }}"}}', "'tokn' is not known"),
        (
            "{login: {get: /l, headers: {authorization: x}}, basic: {username: a, password: b}}",
            "set by auth",
        ),
        ("{login: {get: /l, retry: 1}}", "unknown key 'retry'"),
    ],
)
def test_what_cannot_be_a_session_is_said_at_load(session, message):
    found = faults(FILE.format(base="https://api.example", session=session), SECRETS)
    assert len(found) == 1, found
    assert message in found[0]


def test_what_the_session_sets_nothing_else_can_set():
    text = FILE.format(base="https://api.example", session="{login: {get: /l}, token: $.a}")
    assert faults(text + "headers: {authorization: x}\n", SECRETS) == [
        "header 'authorization' is set by auth"
    ]
    text = text.replace("token: $.a}", 'token: $.a, query: {q: "{{ token }}"}}')
    assert "query 'q' is set by auth" in faults(text, SECRETS)[0]
