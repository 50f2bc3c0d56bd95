"""examples/transmission: the 409 handshake, one URL for all, before a real daemon."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.programs import ROOT, Program, capgate, console, free_port, gateway
from tests.services.agent import Agent
from tests.services.install import debian
from tests.services.starting import service, wanted

EXAMPLE = ROOT / "examples" / "transmission"
STOPPED, DOWNLOADING = 0, 4
PATIENCE = 20  # seconds: it looks at the files that are there before it obeys


def daemon(folder: Path, port: int) -> list[str]:
    """Its settings written, the words to start it with: it talks to nobody but us."""
    (folder / "files").mkdir()
    settings = {
        "rpc-port": port,
        "rpc-bind-address": "127.0.0.1",
        "peer-port": free_port(),
        "bind-address-ipv4": "127.0.0.1",
        "bind-address-ipv6": "::1",
        "dht-enabled": False,
        "lpd-enabled": False,
        "pex-enabled": False,
        "utp-enabled": False,
        "port-forwarding-enabled": False,
        "download-dir": str(folder / "files"),
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    return ["--foreground", "--config-dir", str(folder)]


def torrent(name: str, content: bytes) -> tuple[str, str]:
    """A .torrent file of one small file, as base64, and its hash."""
    spelled = name.encode()
    info = b"d6:lengthi%de4:name%d:%s12:piece lengthi16384e6:pieces20:%be" % (
        len(content),
        len(spelled),
        spelled,
        hashlib.sha1(content).digest(),  # noqa: S324 (BitTorrent's own)
    )
    hash_ = hashlib.sha1(info).hexdigest()  # noqa: S324 (the same)
    return base64.b64encode(b"d4:info%be" % info).decode(), hash_


async def until(agent: Agent, status: int) -> None:
    """The first torrent has this status."""
    async with asyncio.timeout(PATIENCE):
        while (await agent.result("list_torrents", ids=[1]))[0]["status"] != status:
            await asyncio.sleep(0.05)


@pytest.fixture
def transmission(tmp_path: Path) -> Iterator[str]:
    found = wanted("Transmission", lambda: debian("transmission"))
    port = free_port()
    argv = [found.program, *daemon(tmp_path, port)]
    ready = f"http://127.0.0.1:{port}/transmission/rpc"
    with service(argv, tmp_path / "log", ready, found.environ) as program:
        yield program.url


@pytest.fixture
def served(transmission: str, tmp_path: Path) -> Iterator[Program]:
    environ = {"TRANSMISSION_URL": transmission}
    with gateway(tmp_path / "gateway", EXAMPLE / "capabilities", environ=environ) as program:
        yield program


@pytest.fixture
def agent(served: Program) -> Agent:
    return Agent(f"{served.url}/mcp", "transmission")


async def test_every_tool_works_behind_the_handshake(agent: Agent, tmp_path: Path) -> None:
    name = "größe & 日本 {{7*7}}.iso"
    file, hash_ = torrent(name, b"hello")
    added = await agent.result("add_torrent", file=file)
    assert added == {"added": {"id": 1, "hash": hash_, "name": name}}
    again = await agent.result("add_torrent", file=file)
    assert again == {"had_already": {"id": 1, "hash": hash_, "name": name}}
    magnet = f"magnet:?xt=urn:btih:{'0' * 39}1&dn=a%26b"
    other = await agent.result("add_torrent", magnet=magnet)
    assert other["added"] == {"id": 2, "hash": f"{'0' * 39}1", "name": "a&b"}

    await until(agent, STOPPED)
    (one,) = await agent.result("list_torrents", ids=[hash_])
    assert (one["name"], one["bytes"], one["done"]) == (name, 5, 0)
    assert await agent.text("list_torrents", ids=[1]) == f"1. {name}: 0 % of 5 bytes, stopped"
    assert await agent.result("start_torrents", ids=[1]) == "success"
    await until(agent, DOWNLOADING)
    assert await agent.result("stop_torrents", ids=[1, hash_]) == "success"
    await until(agent, STOPPED)
    assert len(await agent.result("list_torrents")) == 2

    assert await agent.result("set_speed_limits", down=500, up=0) == "success"
    told = await agent.result("status")
    assert told["folder"] == str(tmp_path / "files")
    assert told["down_limit"] == {"limit": 500, "enabled": True}
    assert told["up_limit"]["enabled"] is False
    assert told["free_bytes"] > 0
    assert told["torrents"] == 2

    assert await agent.result("remove_torrents", ids=[1]) == "success"
    assert [each["id"] for each in await agent.result("list_torrents")] == [2]


async def test_a_failure_in_a_200_is_one_and_nothing_is_opened_for_a_caller(agent: Agent) -> None:
    """I47: `filename` would take a path or an address, too."""
    said = await agent.refusal("add_torrent", file="AAAA")
    assert "Transmission refused: invalid or corrupt torrent file" in said
    assert "Give a magnet link or a file." in await agent.refusal("add_torrent")
    for link in ("/etc/passwd", "http://127.0.0.1/x.torrent", "file:///etc/passwd"):
        assert "not_sent" in await agent.refusal("add_torrent", magnet=link)
    assert await agent.result("list_torrents") == []


async def test_a_restarted_daemon_is_greeted_anew(tmp_path: Path) -> None:
    """Its header is another one then: one more 409, and nobody notices."""
    found = wanted("Transmission", lambda: debian("transmission"))
    port = free_port()
    argv = [found.program, *daemon(tmp_path, port)]
    ready = f"http://127.0.0.1:{port}/transmission/rpc"
    environ = {"TRANSMISSION_URL": f"http://127.0.0.1:{port}"}
    with gateway(tmp_path / "gateway", EXAMPLE / "capabilities", environ=environ) as program:
        agent = Agent(f"{program.url}/mcp", "transmission")
        for _ in range(2):
            with service(argv, tmp_path / "log", ready, found.environ):
                assert await agent.result("list_torrents") == []


def test_the_readme_says_what_happens(transmission: str) -> None:
    commands = console(EXAMPLE / "README.md")
    assert len(commands) == 2
    for words, answer in commands:
        assert capgate(words, {"TRANSMISSION_URL": transmission}) == answer
