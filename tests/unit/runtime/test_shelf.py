"""Newest and last good versions of files, on a real disk with a made-up file format.

A file holds `NAME` or `NAME text`; `!reason` is broken, `off` is switched off.
"""

import os
from pathlib import Path

import pytest

from gateway.config.folder import look
from gateway.domain.issue import Issue, Severity
from gateway.runtime.settling import QUIET, Settling
from gateway.runtime.shelf import Shelf, Version
from tests.peers.backends import MemoryBackend


class World:
    def __init__(self, root):
        self.root = root
        self.now = 0.0
        self.loaded = []
        self.shelf = Shelf(self.load, Settling(clock=lambda: self.now))

    def load(self, data, file, edition="1"):
        text = data.decode()
        self.loaded.append((Path(file).name, text))
        if text.startswith("!") or not text:
            return Version(None, None, (Issue(file, text[1:] or "empty", 2, 1),))
        if text == "off":
            return Version(None, None)
        odd = (Issue(file, "odd", severity=Severity.WARNING),) if "odd" in text else ()
        name = text.split()[0]
        return Version(name, lambda: MemoryBackend(name, word=f"{text}@{edition}"), odd)

    def save(self, name, text):
        """The way editors do it: complete at once."""
        temporary = self.root / f".{name}.tmp"
        temporary.write_text(text)
        os.utime(temporary, ns=(0, self.root.stat().st_mtime_ns - 1_000_000_000))
        temporary.rename(self.root / name)

    def look(self, *, cold=False):
        return self.shelf.refresh(look([str(self.root)]), cold=cold)

    def reload(self):
        """One whole reload; what is served, as name → the text of the version."""
        again = self.look()
        assert not again
        desired = self.shelf.desired()
        self.shelf.served()
        self.desired = desired
        return {name: wanted.build().word for name, wanted in desired.backends.items()}

    def issues(self):
        return [(Path(issue.file).name, issue.message) for issue in self.desired.issues]

    def stale(self, name):
        return [issue.message for issue in self.desired.backends[name].stale]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_good_files_are_served_and_a_broken_one_costs_only_itself(world):
    world.save("a.yaml", "gh")
    world.save("b.yaml", "!no tools")
    assert world.reload() == {"gh": "gh@1"}
    assert world.issues() == [("b.yaml", "no tools")]


def test_only_what_changed_is_loaded_again(world):
    for name in ("a", "b", "c"):
        world.save(f"{name}.yaml", name)
    world.reload()
    world.loaded.clear()
    world.save("b.yaml", "b new")
    assert world.reload() == {"a": "a@1", "b": "b new@1", "c": "c@1"}
    assert world.loaded == [("b.yaml", "b new")]


def test_a_touched_file_is_read_but_not_loaded_and_nothing_changed(world):
    world.save("a.yaml", "gh")
    world.reload()
    world.loaded.clear()
    world.save("a.yaml", "gh")
    assert not world.look()
    assert not world.shelf.changed
    assert not world.loaded


def test_the_last_good_version_of_a_broken_file_stays_and_is_marked_stale(world):
    world.save("a.yaml", "gh one")
    world.reload()
    key = world.desired.backends["gh"].key
    world.save("a.yaml", "!typo")
    assert world.reload() == {"gh": "gh one@1"}
    assert world.desired.backends["gh"].key == key
    assert world.stale("gh") == ["typo"]
    world.save("a.yaml", "!another typo")
    assert world.reload() == {"gh": "gh one@1"}
    assert world.stale("gh") == ["another typo"]
    world.save("a.yaml", "gh one")
    assert world.reload() == {"gh": "gh one@1"}
    assert world.desired.backends["gh"].key == key
    assert world.stale("gh") == []


def test_a_warning_neither_refuses_a_file_nor_marks_it_stale(world):
    world.save("a.yaml", "gh odd")
    assert world.reload() == {"gh": "gh odd@1"}
    assert world.issues() == [("a.yaml", "odd")]
    assert world.stale("gh") == []


def test_a_removed_file_takes_its_backend_and_its_issues_along(world):
    world.save("a.yaml", "gh")
    world.save("b.yaml", "!no")
    world.reload()
    (world.root / "a.yaml").unlink()
    (world.root / "b.yaml").unlink()
    assert world.reload() == {}
    assert world.issues() == []


def test_a_file_that_is_switched_off_is_no_longer_served_and_is_no_error(world):
    world.save("a.yaml", "gh")
    world.reload()
    world.save("a.yaml", "off")
    assert world.reload() == {}
    assert world.issues() == []


def test_a_file_replaced_by_something_unreadable_keeps_its_last_good_version(world):
    """I50: a directory, a pipe, a symlink that leads out."""
    file = world.root / "a.yaml"
    world.save("a.yaml", "gh")
    world.reload()
    for replace in (file.mkdir, lambda: os.mkfifo(file), lambda: file.symlink_to("/etc/hosts")):
        file.rmdir() if file.is_dir() else file.unlink()
        replace()
        assert world.reload() == {"gh": "gh@1"}
        assert len(world.stale("gh")) == 1
    file.unlink()
    world.save("a.yaml", "gh")
    assert world.reload() == {"gh": "gh@1"}
    assert world.stale("gh") == []


def test_of_two_files_with_one_name_the_live_one_stays_and_the_other_is_refused(world):
    """I51."""
    world.save("b.yaml", "gh b")
    world.reload()
    world.save("a.yaml", "gh a")
    assert world.reload() == {"gh": "gh b@1"}
    [(file, message)] = world.issues()
    assert file == "a.yaml"
    assert message == f"the backend name 'gh' is already that of {world.root}/b.yaml"
    (world.root / "b.yaml").unlink()
    assert world.reload() == {"gh": "gh a@1"}
    assert world.issues() == []


def test_at_a_cold_start_the_first_of_two_files_with_one_name_wins(world):
    world.save("b.yaml", "gh b")
    world.save("a.yaml", "gh a")
    assert world.reload() == {"gh": "gh a@1"}


def test_a_file_that_takes_a_name_already_held_stays_what_it_was_and_says_why(world):
    world.save("a.yaml", "gh")
    world.save("b.yaml", "jira")
    world.reload()
    world.save("a.yaml", "jira mine")
    assert world.reload() == {"gh": "gh@1", "jira": "jira@1"}
    assert world.stale("gh")[0].startswith("the backend name 'jira' is already that of")


def test_a_file_written_in_place_is_not_read_before_it_has_settled(world):
    """F7: its first half is valid on its own, and must never be served."""
    world.save("a.yaml", "gh one")
    world.reload()
    file = world.root / "a.yaml"
    file.write_text("gh")
    assert world.look()
    world.now += QUIET / 2
    file.write_text("gh whole")
    assert world.look()
    world.now += QUIET / 2 + 0.01
    assert world.look()
    world.now += QUIET
    assert world.reload() == {"gh": "gh whole@1"}
    assert ("a.yaml", "gh") not in world.loaded


def test_an_emptied_file_that_is_filled_again_was_never_empty(world):
    world.save("a.yaml", "gh one")
    world.reload()
    file = world.root / "a.yaml"
    file.write_text("")
    assert world.look()
    assert world.shelf.changed is False
    file.write_text("gh two")
    assert world.look()
    world.now += QUIET + 0.01
    assert world.reload() == {"gh": "gh two@1"}


def test_at_a_cold_start_nothing_waits(world):
    (world.root / "a.yaml").write_text("gh")
    assert not world.look(cold=True)
    assert list(world.shelf.desired().backends) == ["gh"]


def test_other_settings_load_every_file_anew_under_another_key(world):
    world.save("a.yaml", "gh")
    world.reload()
    key = world.desired.backends["gh"].key
    world.shelf.reload_all(lambda data, file: world.load(data, file, "2"))
    assert world.reload() == {"gh": "gh@2"}
    assert world.desired.backends["gh"].key != key
    world.loaded.clear()
    assert world.reload() == {"gh": "gh@2"}
    assert not world.loaded


def test_what_could_not_go_live_is_still_to_be_told(world):
    world.save("a.yaml", "gh one")
    world.reload()
    world.save("a.yaml", "gh two")
    world.look()
    world.shelf.desired()  # … and the reconciler could not start it
    assert world.shelf.changed
    world.save("a.yaml", "!broken")
    assert world.reload() == {"gh": "gh one@1"}


def test_files_under_a_directory_that_cannot_be_listed_stay(world):
    world.save("a.yaml", "gh")
    world.reload()
    found = look([str(world.root)])
    found.entries.clear()
    found.unlisted[str(world.root)] = Issue(str(world.root), "cannot be read: input/output error")
    assert not world.shelf.refresh(found)
    assert list(world.shelf.desired().backends) == ["gh"]
    assert [issue.message for issue in world.shelf.desired().issues] == [
        "cannot be read: input/output error"
    ]


def test_a_directory_that_is_missing_is_told_until_it_appears(tmp_path):
    world = World(tmp_path / "later")
    assert world.reload() == {}
    assert [issue.severity for issue in world.desired.issues] == [Severity.WARNING]
    world.root.mkdir()
    world.save("a.yaml", "gh")
    assert world.reload() == {"gh": "gh@1"}
    assert world.issues() == []


def test_a_file_that_changes_while_it_is_read_is_looked_at_again(world):
    world.save("a.yaml", "gh one")
    found = look([str(world.root)])
    (world.root / "a.yaml").write_text("gh two, longer")
    assert world.shelf.refresh(found, cold=True)
    assert not world.loaded


def test_a_file_that_turns_unreadable_while_it_is_read_is_refused(world):
    world.save("a.yaml", "gh one")
    found = look([str(world.root)])
    (world.root / "a.yaml").unlink()
    os.mkfifo(world.root / "a.yaml")
    assert not world.shelf.refresh(found, cold=True)
    assert [issue.message for issue in world.shelf.desired().issues] == ["not a regular file"]


def test_a_fault_of_the_loader_costs_one_file_and_says_whose_fault_it_is(world, caplog):
    world.save("a.yaml", "gh")
    world.save("b.yaml", "jira")
    world.reload()

    def load(data, file):
        if b"gh" in data:
            raise KeyError("s3cret")
        return world.load(data, file)

    world.shelf.reload_all(load)
    assert world.reload() == {"gh": "gh@1", "jira": "jira@1"}
    assert world.stale("gh") == [
        "KeyError while it was loaded: a fault of the gateway, see its log"
    ]
    assert "load_failed" in caplog.messages


def test_issues_are_in_order_of_file_and_line(world):
    world.save("b.yaml", "!b")
    world.save("a.yaml", "!a")
    world.reload()
    assert world.issues() == [("a.yaml", "a"), ("b.yaml", "b")]
