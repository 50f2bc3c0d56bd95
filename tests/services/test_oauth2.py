"""examples/oauth2: tokens of oauth2-mock-server, for a program, a person and a password."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.conformance.install import node, npm
from tests.peers.programs import ROOT, Program, capgate, console, free_port, gateway
from tests.services.agent import Agent
from tests.services.starting import service, wanted

EXAMPLE = ROOT / "examples" / "oauth2"
PACKAGE = "oauth2-mock-server@9.3.0"
SECRETS = {
    "NOTES_CLIENT_SECRET": "client secret & canary: %41+ü",  # RFC 6749 §2.3.1 has it encoded
    "NOTES_REFRESH_TOKEN": "refresh-canary/1+2=3",
    "NOTES_PASSWORD": "password & canary=é",
}
HOSTILE = (
    "../..",
    "a&text=b",
    '"},{"id":7',
    "{{ secrets.client_secret }}",
    "größe 日本 🦊",
    "\u0000",
)

Serve = Callable[..., AbstractContextManager[Program]]


def program() -> list[Path]:
    """Node and the modules."""
    return [node()[0], npm("oauth2-mock-server", PACKAGE)]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """`with serve(NAME="value") as url:` runs the example's server with this environment."""
    found, modules = wanted("oauth2-mock-server", program)

    def started(**environ: str) -> AbstractContextManager[Program]:
        folder, port = tmp_path_factory.mktemp("oauth2"), free_port()
        shutil.copy(EXAMPLE / "server.mjs", folder)
        (folder / "node_modules").symlink_to(modules)
        argv: list[str | Path] = [found, folder / "server.mjs", str(port)]
        ready = f"http://127.0.0.1:{port}/given"
        return service(argv, folder / "log", ready, {**SECRETS, **environ})

    return started


@pytest.fixture(scope="module")
def notes(serve: Serve) -> Iterator[str]:
    with serve() as program:
        yield program.url


@pytest.fixture(scope="module")
def served(notes: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    output = tmp_path_factory.mktemp("gateway") / "log"
    environ = {**SECRETS, "NOTES_URL": notes, "XDG_STATE_HOME": str(output.parent / "state")}
    with gateway(output, EXAMPLE / "capabilities", environ=environ) as program:
        yield program


def agent(served: Program, server: str = "notes") -> Agent:
    return Agent(f"{served.url}/mcp", server)


async def given(url: str) -> dict[str, int]:
    """How many tokens the server has given and refused."""
    async with ClientSession() as http, http.get(f"{url}/given") as answer:
        found: dict[str, int] = await answer.json()
        return found


async def forget(url: str) -> None:
    """No token that was given so far is good any more."""
    async with ClientSession() as http, http.post(f"{url}/forget") as answer:
        assert answer.status == 200


async def test_notes_are_written_found_and_deleted(served: Program) -> None:
    me = agent(served)
    made = await me.result("add_note", text="milk & honey")
    assert made["by"] == "robot"
    assert await me.result("find_notes", text="k & h") == [made]
    assert await me.result("delete_note", id=made["id"]) == {}
    assert await me.result("find_notes", text="k & h") == []
    assert f"There is no note {made['id']}." in await me.refusal("delete_note", id=made["id"])


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_hostile_text_is_only_ever_that(served: Program, text: str) -> None:
    """I47."""
    me = agent(served)
    made = await me.result("add_note", text=text)
    assert made["text"] == text
    assert made in await me.result("find_notes", text=text)


@pytest.mark.parametrize(
    ("server", "known"),
    [
        ("notes", {"client": "robot", "scope": "notes.read notes.write"}),
        ("my_notes", {"sub": "johndoe", "client": "robot", "scope": "notes.read"}),
        ("team_notes", {"sub": "ann", "client": "robot", "scope": "notes.read"}),
    ],
)
async def test_each_grant_is_known_as_who_it_is(
    served: Program, server: str, known: dict[str, str]
) -> None:
    assert await agent(served, server).result("who_am_i") == known


async def test_one_token_serves_many_calls_at_once(serve: Serve, tmp_path: Path) -> None:
    """Single-flight: twenty calls that find no token ask for one."""
    with serve() as notes, fresh(notes.url, tmp_path) as served:
        me = agent(served)
        found = await asyncio.gather(*(me.result("who_am_i") for _ in range(20)))
        assert [each["client"] for each in found] == ["robot"] * 20
        assert await given(notes.url) == {"tokens": 1, "refused": 0}


@pytest.mark.parametrize("server", ["notes", "my_notes", "team_notes"])
async def test_a_token_that_is_refused_is_had_anew_once(
    notes: str, tmp_path: Path, server: str
) -> None:
    """The server forgets its tokens before their time; the caller does not notice."""
    with fresh(notes, tmp_path) as served:
        me = agent(served, server)
        await me.result("who_am_i")
        before = await given(notes)
        await forget(notes)
        assert (await me.result("who_am_i"))["client"] == "robot"
        assert await given(notes) == {**before, "tokens": before["tokens"] + 1}


async def test_a_server_that_refuses_what_it_gives_is_not_asked_for_ever(
    serve: Serve, tmp_path: Path
) -> None:
    """Tokens that are expired when they come: one more is asked for, and the refusal is told."""
    with serve(NOTES_SECONDS="-120") as notes, fresh(notes.url, tmp_path) as served:
        said = await agent(served).refusal("who_am_i")
        assert (await given(notes.url))["tokens"] <= 2
    assert "401" in said
    assert "operator" in said


async def called_until(me: Agent, notes: str, tokens: int) -> None:
    """Calls, all of which succeed, until the server has given so many tokens."""
    async with asyncio.timeout(20):
        while (await given(notes))["tokens"] < tokens:
            await me.result("who_am_i")
    assert await given(notes) == {"tokens": tokens, "refused": 0}


async def test_a_token_is_had_anew_before_it_ends(serve: Serve, tmp_path: Path) -> None:
    """The server would take it for a minute yet; half its life is enough for us."""
    with serve(NOTES_SECONDS="1") as notes, fresh(notes.url, tmp_path) as served:
        await called_until(agent(served), notes.url, 3)


async def test_a_refresh_token_that_is_good_once_is_replaced_and_outlives_a_restart(
    serve: Serve, tmp_path: Path
) -> None:
    with serve(NOTES_ROTATES="1", NOTES_SECONDS="1") as notes:
        for tokens in (2, 3):
            with fresh(notes.url, tmp_path) as served:
                me = agent(served, "my_notes")
                await called_until(me, notes.url, tokens)
                assert (await me.result("who_am_i"))["sub"] == "johndoe"


@pytest.mark.parametrize(
    ("server", "wrong"),
    [
        ("notes", "NOTES_CLIENT_SECRET"),
        ("my_notes", "NOTES_REFRESH_TOKEN"),
        ("team_notes", "NOTES_PASSWORD"),
    ],
)
async def test_a_wrong_secret_is_told_without_it_and_costs_only_its_file(
    notes: str, tmp_path: Path, server: str, wrong: str
) -> None:
    """I42."""
    with fresh(notes, tmp_path, **{wrong: "wrong-canary-17"}) as served:
        said = await agent(served, server).refusal("who_am_i")
        if wrong != "NOTES_CLIENT_SECRET":
            assert (await agent(served).result("who_am_i"))["client"] == "robot"
        log = served.log
    assert "invalid_" in said
    assert not any(secret in said + log for secret in ("wrong-canary-17", *SECRETS.values()))


async def test_no_token_and_no_secret_shows_in_results_or_logs(served: Program) -> None:
    """I42: a JWT begins with eyJ."""
    me = agent(served)
    shown = json.dumps(await me.result("who_am_i")) + served.log
    assert "eyJ" not in shown
    assert not any(secret in shown for secret in SECRETS.values())


def fresh(url: str, folder: Path, **environ: Any) -> AbstractContextManager[Program]:
    """A gateway of its own, which has no token yet."""
    state = str(folder / "state")
    known = {**SECRETS, "NOTES_URL": url, "XDG_STATE_HOME": state, **environ}
    return gateway(folder / "gateway.log", EXAMPLE / "capabilities", environ=known)


def test_the_readme_says_what_happens(notes: str) -> None:
    commands = console(EXAMPLE / "README.md")
    assert commands
    for words, answer in commands:
        assert capgate(words, {**SECRETS, "NOTES_URL": notes}) == answer
