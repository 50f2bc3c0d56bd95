"""examples/etcd: keys and values as base64, numbers of 64 bits as text, before a real etcd."""

import re
from collections.abc import Iterator

import pytest
from aiohttp import ClientSession

from tests.peers.programs import ROOT, capgate, console, free_port, gateway
from tests.services.agent import Agent
from tests.services.install import debian
from tests.services.starting import service, wanted

EXAMPLE = ROOT / "examples" / "etcd"

REVISION = re.compile(r"(?<=: \")\d+(?=\")")
HOSTILE = (
    "../../admin",
    "..",
    "/",
    "a b\tc\n",
    "{{7*7}}",
    '"},{"key":"eA==","value":"',
    "größe/日本/🦊",
    "%00%2e%2e",
    "\x00",
    "a\x00b",
)


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    found = wanted("etcd", lambda: debian("etcd"))
    folder = tmp_path_factory.mktemp("etcd")
    url, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    argv = [
        found.program,
        f"--data-dir={folder / 'data'}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
    ]
    with service(argv, folder / "log", f"{url}/health", found.environ) as program:
        yield program.url


@pytest.fixture(scope="module")
def agent(etcd: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    output = tmp_path_factory.mktemp("gateway") / "log"
    with gateway(output, EXAMPLE / "capabilities", environ={"ETCD_URL": etcd}) as program:
        yield Agent(f"{program.url}/mcp", "etcd")


async def test_a_value_comes_back_as_it_was_put(agent: Agent) -> None:
    first = await agent.result("put_key", key="app/level", value="débug")
    assert "replaced" not in first
    second = await agent.result("put_key", key="app/level", value="info")
    assert second["replaced"] == "débug"
    assert int(second["revision"]) == int(first["revision"]) + 1
    now = await agent.result("get_key", key="app/level")
    assert now == {
        "key": "app/level",
        "value": "info",
        "created": first["revision"],
        "changed": second["revision"],
        "version": "2",
    }


async def test_the_past_is_read_by_its_revision(agent: Agent) -> None:
    old = await agent.result("put_key", key="history", value="1")
    await agent.result("put_key", key="history", value="2")
    past = await agent.result("get_key", key="history", revision=old["revision"])
    assert past["value"] == "1"


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_a_hostile_key_and_value_are_only_ever_that(agent: Agent, hostile: str) -> None:
    """I47: nothing beside the key is written, and both come back unchanged."""
    key = f"hostile/{hostile}"
    await agent.result("put_key", key=key, value=hostile)
    found = await agent.result("get_key", key=key)
    assert (found["key"], found["value"]) == (key, hostile)
    listed = await agent.result("list_keys", prefix="hostile/")
    assert [each["key"] for each in listed] == [key]
    gone = await agent.result("delete_key", key=key)
    assert gone == {"deleted": "1", "value": hostile}


async def test_keys_are_listed_by_their_beginning_only(agent: Agent) -> None:
    for key in ("list", "list/a", "list/é", "list/\U0001f98a", "list0", "lisu"):
        await agent.result("put_key", key=key, value=key.upper())
    listed = await agent.result("list_keys", prefix="list/")
    assert [(each["key"], each["value"]) for each in listed] == [
        ("list/a", "LIST/A"),
        ("list/é", "LIST/É"),
        ("list/\U0001f98a", "LIST/\U0001f98a"),
    ]
    names = await agent.result("list_keys", prefix="list", names_only=True, limit=2)
    assert [each["key"] for each in names] == ["list", "list/a"]
    assert all("value" not in each for each in names)
    every = await agent.result("list_keys")
    assert {"lisu", "list/é"} <= {each["key"] for each in every}


async def test_a_prefix_that_nothing_has_gives_an_empty_list(agent: Agent) -> None:
    assert await agent.result("list_keys", prefix="nobody/") == []


async def test_only_an_unchanged_key_is_written(agent: Agent) -> None:
    made = await agent.result("put_if_unchanged", key="turn", value="ann", changed="0")
    assert made["written"] is True
    late = await agent.result("put_if_unchanged", key="turn", value="bob", changed="0")
    assert late["written"] is False
    assert late["now"] == {"value": "ann", "changed": made["revision"]}
    again = await agent.result(
        "put_if_unchanged", key="turn", value="bob", changed=late["now"]["changed"]
    )
    assert again["written"] is True
    assert (await agent.result("get_key", key="turn"))["value"] == "bob"


async def test_a_lease_of_64_bits_takes_its_keys_along(agent: Agent) -> None:
    granted = await agent.result("grant_lease", seconds=600)
    lease = granted["lease"]
    assert granted["seconds"] == "600"
    assert int(lease) > 2**53  # no float could hold it
    await agent.result("put_key", key="leased/ü", value="x", lease=lease)
    assert (await agent.result("get_key", key="leased/ü"))["lease"] == lease
    left = await agent.result("check_lease", lease=lease)
    assert left["keys"] == ["leased/ü"]
    assert 0 < int(left["seconds_left"]) <= 600
    await agent.result("revoke_lease", lease=lease)
    assert "etcd has no key leased/ü." in await agent.refusal("get_key", key="leased/ü")
    assert (await agent.result("check_lease", lease=lease))["seconds_left"] == "-1"


async def test_what_etcd_refuses_is_told_in_its_words(agent: Agent) -> None:
    assert "no such lease" in await agent.refusal("put_key", key="k", value="v", lease="7")
    assert "no such lease" in await agent.refusal("revoke_lease", lease="7")
    far = str(2**62)
    assert "etcd refused" in await agent.refusal("get_key", key="turn", revision=far)
    assert "etcd has no key none." in await agent.refusal("get_key", key="none")


@pytest.mark.parametrize("lease", ["1; DROP", "-1", "1e3", "٣"])
async def test_a_lease_is_a_number_or_nothing_is_sent(agent: Agent, lease: str) -> None:
    assert "not_sent" in await agent.refusal("check_lease", lease=lease)


async def test_deleting_what_is_not_there_deletes_nothing(agent: Agent) -> None:
    assert await agent.result("delete_key", key="nobody") == {"deleted": "0"}


async def test_a_value_that_is_no_text_stays_base64(agent: Agent, etcd: str) -> None:
    put = {"key": "YmluYXJ5", "value": "/////w=="}
    async with ClientSession() as http, http.post(f"{etcd}/v3/kv/put", json=put) as answer:
        assert answer.status == 200
    assert (await agent.result("get_key", key="binary"))["value"] == "/////w=="


def test_the_readme_says_what_happens(etcd: str) -> None:
    commands = console(EXAMPLE / "README.md")
    assert commands
    for words, answer in commands:
        said = capgate(words, {"ETCD_URL": etcd})
        assert REVISION.sub("2", said) == REVISION.sub("2", answer)
