"""`gateway.yaml` is live too, where that is harmless."""

import pytest

from tests.peers.live import live, save


@pytest.fixture
def root(tmp_path):
    path = tmp_path / "caps"
    path.mkdir()
    save(path / "a.yaml", "gh one")
    save(path / "b.yaml", "jira one")
    save(tmp_path / "gateway.yaml", "capabilities: {directories: [caps]}")
    return path


async def test_variables_set_by_the_operator_are_live(root):
    async with live(root) as world:
        save(world.file, "capabilities: {directories: [caps], vars: {gh: {added: '!'}}}")
        await world.until(lambda: world.served() == {"gh": "one!", "jira": "one"})


async def test_other_folders_are_live(root):
    (root.parent / "more").mkdir()
    save(root.parent / "more" / "c.yaml", "crm one")
    async with live(root) as world:
        save(world.file, "capabilities: {directories: [more]}")
        await world.until(lambda: world.served() == {"crm": "one"})
        save(root.parent / "more" / "c.yaml", "crm two")
        await world.until(lambda: world.served() == {"crm": "two"})
        save(world.file, "capabilities: {enabled: false}")
        await world.until(lambda: world.served() == {})


async def test_a_broken_gateway_yaml_changes_nothing_and_is_told_with_its_line(root):
    async with live(root) as world:
        save(world.file, "capabilities:\n  directory: [caps]\n")
        await world.until(lambda: world.current.get().issues != ())
        assert world.served() == {"gh": "one", "jira": "one"}
        [issue] = world.current.get().issues
        assert issue.where == f"{world.file}:2:3"
        save(world.file, "capabilities: {directories: [caps]}\nlog: {level: debug}\n")
        await world.until(lambda: world.current.get().issues == ())
        assert world.configs[-1].log.level == "debug"


async def test_what_needs_a_restart_says_so(root):
    async with live(root) as world:
        save(world.file, "server: {port: 8080}\ncapabilities: {directories: [caps]}\n")
        await world.until(lambda: world.current.get().issues != ())
        [issue] = world.current.get().issues
        assert (issue.path, issue.severity) == ("server.port", "warning")
        save(world.file, "capabilities: {directories: [caps]}\nlog: {level: error}\n")
        await world.until(lambda: world.current.get().issues == ())


async def test_polling_may_be_switched_on_and_off_while_it_runs(root):
    async with live(root) as world:
        save(world.file, "capabilities: {directories: [caps], poll: 100ms}")
        await world.until(lambda: len(world.configs) == 1)
        save(root / "a.yaml", "gh two")
        await world.until(lambda: world.served()["gh"] == "two")
        save(world.file, "capabilities: {directories: [caps]}")
        await world.until(lambda: len(world.configs) == 2)
        save(root / "a.yaml", "gh three")
        await world.until(lambda: world.served()["gh"] == "three")
