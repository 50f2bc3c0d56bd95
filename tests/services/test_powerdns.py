"""examples/powerdns: an API key, PATCH with lists in lists, before a real PowerDNS."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.peers.programs import ROOT, Program, capgate, console, free_port, gateway
from tests.services.agent import Agent
from tests.services.install import debian
from tests.services.starting import service, wanted

EXAMPLE = ROOT / "examples" / "powerdns"
KEY = "key-canary-51f0"
SCHEMA = "usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"


@pytest.fixture(scope="module")
def powerdns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    found = wanted("PowerDNS", lambda: debian("pdns"))
    folder, port = tmp_path_factory.mktemp("pdns"), free_port()
    with closing(sqlite3.connect(folder / "zones.db")) as database:
        database.executescript((found.root / SCHEMA).read_text())
    settings = {
        "module-dir": next(found.root.glob("usr/lib/*/pdns")),
        "launch": "gsqlite3",
        "gsqlite3-database": folder / "zones.db",
        "socket-dir": folder,
        "local-address": "127.0.0.1",
        "local-port": free_port(),
        "webserver": "yes",
        "webserver-port": port,
        "api": "yes",
        "api-key": KEY,
        "guardian": "no",
        "daemon": "no",
        "disable-syslog": "yes",
        "setuid": "",
        "setgid": "",
        "security-poll-suffix": "",  # it asks nobody outside whether it is up to date
    }
    text = "".join(f"{name}={value}\n" for name, value in settings.items())
    (folder / "pdns.conf").write_text(text)
    argv = [found.program, f"--config-dir={folder}"]
    ready = f"http://127.0.0.1:{port}/api/v1/servers"
    with service(argv, folder / "log", ready, found.environ) as program:
        yield program.url


@pytest.fixture(scope="module")
def served(powerdns: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    output = tmp_path_factory.mktemp("gateway") / "log"
    environ = {"POWERDNS_URL": powerdns, "POWERDNS_API_KEY": KEY}
    with gateway(output, EXAMPLE / "capabilities", environ=environ) as program:
        yield program


@pytest.fixture(scope="module")
def agent(served: Program) -> Agent:
    return Agent(f"{served.url}/mcp", "powerdns")


async def zone(agent: Agent, name: str) -> str:
    made = await agent.result("create_zone", zone=name, nameservers=[f"ns1.{name}"])
    assert made["name"] == name
    assert sorted(made["records"]) == ["NS", "SOA"]
    return name


async def values(agent: Agent, zone: str, name: str, type: str) -> Any:
    found = await agent.result("list_records", zone=zone, name=name, type=type)
    assert len(found) <= 1
    return sorted(found[0]["values"]) if found else []


async def test_a_zone_is_created_listed_exported_and_deleted(agent: Agent) -> None:
    name = await zone(agent, "life.example.")
    assert name in [each["name"] for each in await agent.result("list_zones")]
    (only,) = await agent.result("list_zones", zone=name)
    assert (only["kind"], only["dnssec"]) == ("Native", False)
    assert isinstance(only["serial"], int)
    exported = await agent.text("export_zone", zone=name)
    assert "life.example.\t3600\tIN\tNS\tns1.life.example.\n" in exported
    assert await agent.result("delete_zone", zone=name) == {}
    assert await agent.result("list_zones", zone=name) == []
    assert "PowerDNS has no zone life.example." in await agent.refusal("delete_zone", zone=name)


async def test_records_are_set_replaced_and_deleted(agent: Agent) -> None:
    name = await zone(agent, "set.example.")
    www = {"zone": name, "name": "www.set.example.", "type": "A"}
    two = [{"content": "192.0.2.1"}, {"content": "192.0.2.2"}]
    assert await agent.result("set_record", **www, ttl=60, records=two) == {}
    assert await values(agent, **www) == ["192.0.2.1", "192.0.2.2"]
    await agent.result("set_record", **www, records=[{"content": "192.0.2.3", "disabled": False}])
    assert await values(agent, **www) == ["192.0.2.3"]
    said = await agent.text("list_records", zone=name, name="www.set.example.")
    assert said == "www.set.example. 3600 A 192.0.2.3\n"
    assert await agent.result("delete_record", **www) == {}
    assert await values(agent, **www) == []


async def test_lists_in_lists_arrive_whole_and_all_or_nothing(agent: Agent) -> None:
    name = await zone(agent, "bulk.example.")
    changes = [
        {
            "name": f"{host}.bulk.example.",
            "type": "A",
            "changetype": "REPLACE",
            "ttl": 60,
            "records": [{"content": f"192.0.2.{index}"}, {"content": f"198.51.100.{index}"}],
            "comments": [{"content": f"host {host} ü", "account": "ann"}],
        }
        for index, host in enumerate("abc")
    ]
    assert await agent.result("change_records", zone=name, changes=changes) == {}
    assert await values(agent, name, "b.bulk.example.", "A") == ["192.0.2.1", "198.51.100.1"]
    (told,) = await agent.result("list_records", zone=name, name="c.bulk.example.")
    assert told["comments"] == ["host c ü"]
    mixed = [
        {"name": "a.bulk.example.", "type": "A", "changetype": "DELETE"},
        {**changes[1], "records": [{"content": "a house"}]},
    ]
    said = await agent.refusal("change_records", zone=name, changes=mixed)
    assert "PowerDNS refused: Record b.bulk.example./A 'a house'" in said
    assert await values(agent, name, "a.bulk.example.", "A") == ["192.0.2.0", "198.51.100.0"]


@pytest.mark.parametrize(
    "text", ['"say \\"hi\\" {{7*7}}"', '"},{"', '"../../zones"', '"a=b&c; d"', '"; drop table x"']
)
async def test_a_hostile_value_is_only_ever_a_value(agent: Agent, text: str) -> None:
    """I47: it is the TXT record as it was given, or refused; nothing else changes."""
    name = f"h{text.encode().hex()}.example."
    await zone(agent, name)
    txt = {"zone": name, "name": f"txt.{name}", "type": "TXT"}
    if text.count('"') % 2:
        assert "PowerDNS refused" in await agent.refusal(
            "set_record", **txt, records=[{"content": text}]
        )
    else:
        await agent.result("set_record", **txt, records=[{"content": text}])
        assert await values(agent, **txt) == [text]
    kept = await agent.result("list_records", zone=name)
    assert {each["type"] for each in kept} <= {"SOA", "NS", "TXT"}


@pytest.mark.parametrize("name", ["..", "../../servers.", "a/b.", "x.?y=1.", "%2e%2e%2f."])
async def test_a_hostile_zone_never_leaves_its_place_in_the_path(agent: Agent, name: str) -> None:
    """I47: refused before it is sent, or a zone that is not there."""
    said = await agent.refusal("list_records", zone=name)
    assert "not_sent" in said or "PowerDNS has no zone" in said or "PowerDNS refused" in said


async def test_search_finds_by_value_and_name(agent: Agent) -> None:
    name = await zone(agent, "search.example.")
    record = {"zone": name, "name": "db.search.example.", "type": "A"}
    await agent.result("set_record", **record, records=[{"content": "203.0.113.77"}])
    (found,) = await agent.result("search_records", text="203.0.113.7?")
    assert found == {
        "what": "record",
        "zone": name,
        "name": "db.search.example.",
        "type": "A",
        "value": "203.0.113.77",
    }
    assert await agent.result("search_records", text="nobody-is-called-so") == []


async def test_what_powerdns_refuses_is_told_in_its_words(agent: Agent) -> None:
    name = await zone(agent, "twice.example.")
    said = await agent.refusal("create_zone", zone=name, nameservers=["ns1.twice.example."])
    assert "PowerDNS has this already" in said
    elsewhere = {"zone": name, "name": "www.other.example.", "type": "A"}
    said = await agent.refusal("set_record", **elsewhere, records=[{"content": "192.0.2.1"}])
    assert "PowerDNS refused" in said
    assert "A type needs a name." in await agent.refusal("list_records", zone=name, type="A")


async def test_a_wrong_key_is_told_and_ours_is_never(
    served: Program, powerdns: str, tmp_path: Path
) -> None:
    """I42."""
    environ = {"POWERDNS_URL": powerdns, "POWERDNS_API_KEY": "wrong-key"}
    with gateway(tmp_path / "log", EXAMPLE / "capabilities", environ=environ) as other:
        said = await Agent(f"{other.url}/mcp", "powerdns").refusal("list_zones")
    assert "PowerDNS does not accept the API key." in said
    assert "wrong-key" not in said
    assert KEY not in served.log


def test_the_readme_says_what_happens(powerdns: str) -> None:
    commands = console(EXAMPLE / "README.md")
    assert len(commands) == 3
    for words, answer in commands:
        said = capgate(words, {"POWERDNS_URL": powerdns, "POWERDNS_API_KEY": KEY})
        assert said == answer or "create_zone" in " ".join(words)
