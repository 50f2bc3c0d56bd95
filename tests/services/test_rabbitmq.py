"""examples/rabbitmq: `%2F` in paths, 201 and 204 without a body, before a real RabbitMQ."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp import Client

from tests.peers.programs import ROOT, Program, capgate, console, free_port, gateway, running
from tests.services.agent import Agent
from tests.services.install import Found, debian
from tests.services.starting import service, wanted

EXAMPLE = ROOT / "examples" / "rabbitmq"
USER, PASSWORD = "demo", "pass:canary-77 +%2F"

HOSTILE = ("a/b?c#d", "../../users", "%2F", "größe 日本 🦊", "{{7*7}}", "a;b=c&d", "a b+c", '"},{"')


def erlang(found: Found, folder: Path) -> dict[str, str]:
    """What an Erlang that stands elsewhere needs to find itself, and one machine its own names."""
    root = found.root / "usr/lib/erlang"
    binaries = next(root.glob("erts-*/bin"))
    (folder / "bin").mkdir()
    (folder / "bin/erl").symlink_to(binaries / "erlexec")
    path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])  # noqa: TID251 (a child's)
    return {
        "ROOTDIR": str(root),
        "BINDIR": str(binaries),
        "EMU": "beam",
        "PROGNAME": "erl",
        "PATH": path,
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(free_port()),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }


def settings(folder: Path, port: int) -> dict[str, str]:
    lines = (
        "listeners.tcp = none",
        "management.tcp.ip = 127.0.0.1",
        f"management.tcp.port = {port}",
        f"default_user = {USER}",
        f"default_pass = {PASSWORD}",
    )
    (folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
    (folder / "plugins").write_text("[rabbitmq_management].")
    return {
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_NODENAME": "capgate@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RUNNING_UNDER_SYSTEMD": "true",  # its script becomes the broker, and gets our signal
    }


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    found = wanted("RabbitMQ", lambda: debian("rabbitmq"), quick=False)
    folder, port = tmp_path_factory.mktemp("rabbitmq"), free_port()
    environ = {**found.environ, **erlang(found, folder)}
    names, at = [f"{environ['BINDIR']}/epmd"], int(environ["ERL_EPMD_PORT"])
    environ |= settings(folder, port)
    ready = f"http://127.0.0.1:{port}/api/overview"
    with contextlib.ExitStack() as stack:
        stack.enter_context(running(names, folder / "names.log", at, environ))
        argv = [found.program]
        yield stack.enter_context(service(argv, folder / "log", ready, environ)).url


@pytest.fixture(scope="module")
def environ(rabbitmq: str) -> dict[str, str]:
    return {"RABBITMQ_URL": rabbitmq, "RABBITMQ_USER": USER, "RABBITMQ_PASSWORD": PASSWORD}


@pytest.fixture(scope="module")
def served(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    output = tmp_path_factory.mktemp("gateway") / "log"
    with gateway(output, EXAMPLE / "capabilities", environ=environ) as program:
        yield program


@pytest.fixture(scope="module")
def agent(served: Program) -> Agent:
    return Agent(f"{served.url}/mcp", "rabbitmq")


async def test_a_queue_of_the_host_called_slash_is_declared_listed_and_deleted(
    agent: Agent,
) -> None:
    """201 and 204 are both a success without a body: the status is all that RabbitMQ says."""
    life = {"queue": "life", "options": {"x-max-length": 9}}
    assert await agent.result("declare_queue", **life) == {"status": 201}
    assert await agent.result("declare_queue", **life) == {"status": 204}
    assert await agent.text("declare_queue", **life) == "It was there already."
    (only,) = await agent.result("list_queues", name="life")
    assert (only["name"], only["durable"]) == ("life", True)
    said = await agent.refusal("declare_queue", queue="life")
    assert "RabbitMQ refused: inequivalent arg 'x-max-length' for queue 'life'" in said
    assert await agent.result("delete_queue", queue="life") == {}
    assert await agent.result("list_queues", name="life") == []
    assert "RabbitMQ has no such queue" in await agent.refusal("delete_queue", queue="life")


async def test_a_message_goes_by_its_key_through_an_exchange_into_a_queue(agent: Agent) -> None:
    await agent.result("declare_queue", queue="orders")
    assert await agent.result("declare_exchange", exchange="events") == {"status": 201}
    assert await agent.text("declare_exchange", exchange="events") == "It was there already."
    await agent.result("bind_queue", exchange="events", queue="orders", key="order.*")
    bound = await agent.result("list_bindings", exchange="events", queue="orders")
    assert [each["key"] for each in bound] == ["order.*"]
    sent = {"exchange": "events", "content_type": "text/plain", "headers": {"n": 1, "ü": "é"}}
    for key, message in (("order.new", "one ü"), ("order.paid", '{"two": 2}')):
        assert await agent.result("publish", **sent, key=key, message=message) == {"routed": True}
    said = await agent.refusal("publish", **sent, key="user.new", message="three")
    assert "No queue gets messages of events with the key user.new." in said
    (peeked,) = await agent.result("get_messages", queue="orders")
    assert (peeked["message"], peeked["key"], peeked["left"]) == ("one ü", "order.new", 1)
    assert peeked["properties"]["headers"] == {"n": 1, "ü": "é"}
    taken = await agent.result("get_messages", queue="orders", count=10, take=True)
    assert [each["message"] for each in taken] == ["one ü", '{"two": 2}']
    assert await agent.result("get_messages", queue="orders") == []
    assert await agent.result("delete_exchange", exchange="events") == {}
    assert "RabbitMQ has no such" in await agent.refusal("delete_exchange", exchange="events")


async def test_a_queue_with_messages_is_purged_or_deleted_only_when_told(agent: Agent) -> None:
    await agent.result("declare_queue", queue="full")
    await agent.result("publish", key="full", message="x")
    assert "RabbitMQ refused" in await agent.refusal("delete_queue", queue="full")
    assert await agent.result("purge_queue", queue="full") == {}
    assert await agent.result("get_messages", queue="full") == []
    await agent.result("publish", key="full", message="x")
    assert await agent.result("delete_queue", queue="full", only_if_empty=False) == {}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_is_one_queue_or_nothing(agent: Agent, name: str) -> None:
    """I47: in a path, a JSON body and a query, read by somebody else's parser."""
    told = await agent.call("declare_queue", queue=name)
    if told.is_error:
        assert "not_sent" in told.content[0].text
        assert name.startswith("..")
        return
    assert name in [each["name"] for each in await agent.result("list_queues", name=name)]
    await agent.result("publish", key=name, message=name)
    (got,) = await agent.result("get_messages", queue=name, take=True)
    assert (got["message"], got["key"]) == (name, name)
    assert await agent.result("delete_queue", queue=name) == {}


@pytest.mark.parametrize("vhost", ["..", "/../", "%2e%2e", "nobody/", "/api/users"])
async def test_a_hostile_virtual_host_is_none(agent: Agent, vhost: str) -> None:
    """I47."""
    said = await agent.refusal("list_queues", vhost=vhost)
    assert "not_sent" in said or "RabbitMQ has no such" in said


async def test_a_long_list_comes_in_pages(agent: Agent) -> None:
    names = [f"page.{number:03}" for number in range(130)]
    async with Client(f"{agent.url}/rabbitmq") as client:
        for name in names:
            told = await client.call_tool("declare_queue", {"queue": name, "durable": False})
            assert told.structured_content == {"status": 201}
    listed = await agent.result("list_queues", name="page.")
    assert sorted(each["name"] for each in listed) == names


async def test_a_wrong_password_is_told_and_ours_is_never(
    served: Program, environ: dict[str, str], tmp_path: Path
) -> None:
    """I42."""
    wrong = {**environ, "RABBITMQ_PASSWORD": "wrong-canary"}
    with gateway(tmp_path / "log", EXAMPLE / "capabilities", environ=wrong) as other:
        said = await Agent(f"{other.url}/mcp", "rabbitmq").refusal("list_queues")
    assert "RabbitMQ does not accept the user or the password." in said
    assert PASSWORD not in served.log


def test_the_readme_says_what_happens(environ: dict[str, str]) -> None:
    commands = console(EXAMPLE / "README.md")
    assert len(commands) == 3
    for words, answer in commands:
        assert capgate(words, environ) == answer
