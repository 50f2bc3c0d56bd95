"""Saved files are served, whichever way they are saved (F7, F8); real files, really watched."""

import asyncio
import errno
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from tests.peers.live import live, save


async def longest_stall():
    """By a 10 ms ticker; cancel it to hear."""
    loop = asyncio.get_running_loop()
    worst, last = 0.0, loop.time()
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(0.01)
            now = loop.time()
            worst, last = max(worst, now - last - 0.01), now
    return worst


@pytest.fixture
def root(tmp_path):
    path = tmp_path / "caps"
    path.mkdir()
    save(tmp_path / "gateway.yaml", "capabilities: {directories: [caps]}")
    return path


async def test_a_file_saved_by_renaming_is_served(root):
    save(root / "a.yaml", "gh one")
    async with live(root) as world:
        assert world.served() == {"gh": "one"}
        save(root / "a.yaml", "gh two")
        await world.until(lambda: world.served() == {"gh": "two"})


async def test_a_file_written_in_place_is_served(root):
    (root / "a.yaml").write_text("gh one")
    async with live(root) as world:
        (root / "a.yaml").write_text("gh two")
        await world.until(lambda: world.served() == {"gh": "two"})
        (root / "b.yaml").write_text("jira one")
        await world.until(lambda: world.served() == {"gh": "two", "jira": "one"})
        (root / "a.yaml").unlink()
        await world.until(lambda: world.served() == {"jira": "one"})


async def test_a_file_in_a_new_folder_is_served(root):
    async with live(root) as world:
        (root / "deep" / "er").mkdir(parents=True)
        save(root / "deep" / "er" / "a.yaml", "gh one")
        await world.until(lambda: world.served() == {"gh": "one"})
        save(root / "deep" / "er" / "a.yaml", "gh two")
        await world.until(lambda: world.served() == {"gh": "two"})


async def test_half_written_files_are_never_served(root):
    """F7: three chunks, 200 ms apart, over and over; each chunk on its own would be a good file."""
    files = [root / f"f{number}.yaml" for number in range(30)]
    for file in files:
        save(file, f"{file.stem} start")
    wholes = {file.stem: {"start"} for file in files}

    async def write(file, text, *, pause):
        with file.open("w") as writer:
            for start in range(0, len(text), len(text) // 3 + 1):
                writer.write(text[start : start + len(text) // 3 + 1])
                writer.flush()
                await asyncio.sleep(pause)  # the fault itself

    async with live(root) as world:
        for round_ in range(3):
            text = f"round {round_} with several words"
            async with asyncio.TaskGroup() as writers:
                for number, file in enumerate(files):
                    wholes[file.stem].add(text)
                    pause = (0.2, 0.05, 0)[number % 3]
                    writers.create_task(write(file, f"{file.stem} {text}", pause=pause))
            await world.until(lambda text=text: set(world.served().values()) == {text})
    for state in world.seen:
        assert set(state) == set(wholes)
        assert all(text in wholes[name] for name, text in state.items())


async def test_a_broken_save_keeps_the_last_good_version_and_shows_it_as_stale(root):
    save(root / "a.yaml", "gh one")
    async with live(root) as world:
        save(root / "a.yaml", "!")
        await world.until(lambda: world.health("gh") != "ok")
        assert world.served() == {"gh": "one"}
        assert world.health("gh") == f"degraded (stale: {root}/a.yaml:1:1 broken)"
        save(root / "a.yaml", "gh two")
        await world.until(lambda: world.served() == {"gh": "two"})
        assert world.health("gh") == "ok"


async def test_a_config_map_is_followed_through_its_swaps(root):
    def mount(version, text):
        directory = root / f"..v{version}"
        directory.mkdir()
        (directory / "a.yaml").write_text(f"gh {text}")
        (root / "..data_tmp").symlink_to(directory.name)
        (root / "..data_tmp").rename(root / "..data")

    mount(1, "one")
    (root / "a.yaml").symlink_to("..data/a.yaml")
    async with live(root) as world:
        for version in (2, 3, 4):
            mount(version, f"version {version}")
            shutil.rmtree(root / f"..v{version - 1}")
            await world.until(lambda v=version: world.served() == {"gh": f"version {v}"})
        assert all("gh" in state for state in world.seen)


async def test_a_folder_that_is_a_link_is_followed_when_it_leads_elsewhere(tmp_path):
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        save(tmp_path / version / "a.yaml", f"gh {version}")
    (tmp_path / "caps").symlink_to("one")
    save(tmp_path / "gateway.yaml", "capabilities: {directories: [caps]}")
    async with live(tmp_path / "caps") as world:
        (tmp_path / "new").symlink_to("two")
        (tmp_path / "new").rename(tmp_path / "caps")
        await world.until(lambda: world.served() == {"gh": "two"})


async def test_a_folder_may_appear_later_go_and_come_back(tmp_path):
    """F8."""
    root = tmp_path / "later" / "caps"
    save(tmp_path / "gateway.yaml", f"capabilities: {{directories: [{root}]}}")
    async with live(tmp_path / "caps") as world:
        assert world.served() == {}
        root.mkdir(parents=True)
        save(root / "a.yaml", "gh one")
        await world.until(lambda: world.served() == {"gh": "one"})
        shutil.rmtree(tmp_path / "later")
        await world.until(lambda: world.served() == {})
        root.mkdir(parents=True)
        save(root / "a.yaml", "gh two")
        await world.until(lambda: world.served() == {"gh": "two"})
        save(root / "a.yaml", "gh three")
        await world.until(lambda: world.served() == {"gh": "three"})


async def test_a_folder_replaced_by_another_is_watched_from_then_on(root):
    save(root / "a.yaml", "gh one")
    async with live(root) as world:
        new = root.parent / "new"
        new.mkdir()
        save(new / "a.yaml", "gh two")
        root.rename(root.parent / "old")
        new.rename(root)
        await world.until(lambda: world.served() == {"gh": "two"})
        save(root / "a.yaml", "gh three")
        await world.until(lambda: world.served() == {"gh": "three"})


async def test_a_burst_of_changes_is_few_reloads_and_the_loop_stays_free(root):
    """F8. Loading all the files takes half a second or more; none of it may be the loop's."""
    names = [f"f{number}" for number in range(1000)]
    for name in names:
        save(root / f"{name}.yaml", f"{name} one")
    async with live(root, slow=True) as world:
        before = len(world.seen)
        for name in names:
            save(root / f"{name}.yaml", f"{name} two")
        stall = asyncio.create_task(longest_stall())
        await world.until(lambda: set(world.served().values()) == {"two"})
        stall.cancel()
        assert len(world.seen) - before <= 4
        assert await stall < 0.25


async def test_where_the_system_cannot_tell_files_are_looked_at_by_the_clock(root, caplog):
    """F8: the limit of inotify instances or watches is reached."""

    async def tell(_places) -> AsyncIterator[object]:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")
        yield

    save(root / "a.yaml", "gh one")
    async with live(root, tell) as world:
        save(root / "a.yaml", "gh two")
        await world.until(lambda: world.served() == {"gh": "two"})
        (root / "a.yaml").write_text("gh three")
        await world.until(lambda: world.served() == {"gh": "three"})
    assert caplog.messages.count("watch_failed") == 1


async def test_files_are_looked_at_by_the_clock_when_the_operator_wants_that(root):
    asked = []

    async def tell(places) -> AsyncIterator[object]:
        asked.append(places)
        yield

    save(root.parent / "gateway.yaml", "capabilities: {directories: [caps], poll: 100ms}")
    async with live(root, tell) as world:
        save(root / "a.yaml", "gh one")
        await world.until(lambda: world.served() == {"gh": "one"})
    assert not asked


async def test_looking_causes_no_further_look(root):
    """Reading the files must not count as a change of them."""
    save(root / "a.yaml", "gh one")
    async with live(root) as world:
        save(root / "a.yaml", "gh two")
        await world.until(lambda: world.served() == {"gh": "two"})
        looks = world.looks
        await asyncio.sleep(0.5)  # long enough for an echo to arrive
        assert world.looks <= looks + 2
