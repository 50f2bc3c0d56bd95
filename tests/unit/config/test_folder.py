"""A safe look into the capability directories: rows I50 and I51 of the hardening list."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from gateway.capability.file.yaml_trouble import MAX_BYTES
from gateway.config import folder
from gateway.config.folder import Place, anchors, look, read
from gateway.domain.issue import Issue, Severity


@pytest.fixture
def root(tmp_path):
    path = tmp_path / "caps"
    path.mkdir()
    return path


def names(found, root):
    return [str(Path(file).relative_to(root)) for file in sorted(found.entries)]


def refusals(found, root):
    return {
        str(Path(file).relative_to(root)): issue.message for file, issue in found.refused.items()
    }


def test_directories_are_read_recursively_and_other_suffixes_left_alone(root):
    (root / "deep" / "er").mkdir(parents=True)
    for name in ("b.yaml", "a.yml", "deep/er/c.yaml", "README.md", "d.yaml.txt", "e.json"):
        (root / name).write_text("x")
    assert names(look([str(root)]), root) == ["a.yml", "b.yaml", "deep/er/c.yaml"]


def test_hidden_and_editor_files_are_ignored(root):
    """I51."""
    for name in (".a.yaml", ".a.yaml.swp", "a.yaml~", "#a.yaml#", ".#a.yaml", "4913", "a.yaml.tmp"):
        (root / name).write_text("x")
    (root / ".git").mkdir()
    (root / ".git" / "b.yaml").write_text("x")
    found = look([str(root)])
    assert not found.entries
    assert not found.refused


def test_a_file_is_named_by_the_root_as_it_was_given(root):
    (root / "a.yaml").write_text("x")
    entry = look([f"{root}/"]).entries[f"{root}/a.yaml"]
    assert entry.real == str((root / "a.yaml").resolve())


def test_a_single_file_may_be_a_root(root):
    (root / "a.txt").write_text("hello")
    file = str(root / "a.txt")
    assert read(look([file]).entries[file]) == b"hello"


def test_what_is_not_a_regular_file_is_refused_without_blocking(root):
    """I50: a FIFO that nobody writes to must not be waited for."""
    os.mkfifo(root / "pipe.yaml")
    (root / "dir.yaml").mkdir()
    (root / "dir.yaml" / "inner.yaml").write_text("x")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(root / "sock.yaml"))
    (root / "null.yaml").symlink_to(os.devnull)
    found = look([str(root)])
    listener.close()
    assert not found.entries
    assert refusals(found, root) == {
        "pipe.yaml": "not a regular file",
        "dir.yaml": "not a regular file",
        "sock.yaml": "not a regular file",
        "null.yaml": f"a symlink that leads out of {str(root)!r}",
    }


async def test_a_file_that_turned_into_a_pipe_before_it_was_read_does_not_block(root):
    file = root / "a.yaml"
    file.write_text("x")
    entry = look([str(root)]).entries[str(file)]
    file.unlink()
    os.mkfifo(file)  # from here on, opening it in the plain way would wait for a writer
    async with asyncio.timeout(5):
        found = await asyncio.to_thread(read, entry)
    assert found == Issue(str(file), "not a regular file")


def test_a_file_that_turned_into_a_symlink_before_it_was_read_is_not_followed(root, tmp_path):
    (tmp_path / "secret").write_text("s3cret")
    file = root / "a.yaml"
    file.write_text("x")
    entry = look([str(root)]).entries[str(file)]
    file.unlink()
    file.symlink_to(tmp_path / "secret")
    found = read(entry)
    assert isinstance(found, Issue)
    assert found.message.startswith("cannot be read: ")


def test_a_file_that_went_away_before_it_was_read_is_none(root):
    file = root / "a.yaml"
    file.write_text("x")
    entry = look([str(root)]).entries[str(file)]
    file.unlink()
    assert read(entry) is None


def test_a_symlink_inside_the_root_is_followed_and_one_that_leads_out_is_refused(root, tmp_path):
    """I50: /etc must not end up in an error message."""
    (root / "store").mkdir()
    (root / "store" / "a.data").write_text("inside")
    (root / "in.yaml").symlink_to("store/a.data")
    (tmp_path / "out").write_text("outside")
    (root / "out.yaml").symlink_to("../out")
    (root / "etc").symlink_to("/etc")
    (root / "gone.yaml").symlink_to("nothing")
    (root / "loop.yaml").symlink_to("loop.yaml")
    found = look([str(root)])
    assert names(found, root) == ["in.yaml"]
    assert read(found.entries[str(root / "in.yaml")]) == b"inside"
    told = refusals(found, root)
    assert told["out.yaml"] == told["etc"] == f"a symlink that leads out of {str(root)!r}"
    assert told["gone.yaml"] == "a symlink that leads nowhere"
    assert told["loop.yaml"].startswith(("cannot be read: ", "a symlink that leads"))


def test_a_root_beside_another_with_the_same_beginning_is_outside(tmp_path):
    (tmp_path / "caps").mkdir()
    (tmp_path / "caps-private").mkdir()
    (tmp_path / "caps-private" / "a.yaml").write_text("x")
    (tmp_path / "caps" / "a.yaml").symlink_to("../caps-private/a.yaml")
    assert not look([str(tmp_path / "caps")]).entries


def test_a_config_map_is_read_through_its_links(root):
    """Kubernetes: x.yaml -> ..data/x.yaml, ..data -> ..2026_01."""
    (root / "..2026_01").mkdir()
    (root / "..2026_01" / "x.yaml").write_text("one")
    (root / "..data").symlink_to("..2026_01")
    (root / "x.yaml").symlink_to("..data/x.yaml")
    found = look([str(root)])
    assert names(found, root) == ["x.yaml"]
    before = found.entries[str(root / "x.yaml")]
    (root / "..2026_02").mkdir()
    (root / "..2026_02" / "x.yaml").write_text("two")
    (root / "..data_tmp").symlink_to("..2026_02")
    (root / "..data_tmp").rename(root / "..data")
    after = look([str(root)]).entries[str(root / "x.yaml")]
    assert (read(before), read(after)) == (b"one", b"two")
    assert before.stamp != after.stamp


def test_a_linked_directory_is_read_once_even_when_links_go_round(root):
    (root / "sub").mkdir()
    (root / "sub" / "a.yaml").write_text("x")
    (root / "alias").symlink_to("sub")
    (root / "sub" / "up").symlink_to("..")
    assert names(look([str(root)]), root) == ["sub/a.yaml"]


def test_a_file_larger_than_the_cap_is_refused_unread(root):
    """I50, T7."""
    fits, large = root / "fits.yaml", root / "large.yaml"
    fits.write_bytes(b"x" * MAX_BYTES)
    large.write_bytes(b"x" * (MAX_BYTES + 1))
    found = look([str(root)])
    assert refusals(found, root) == {"large.yaml": "larger than 1 MiB"}
    assert read(found.entries[str(fits)]) == b"x" * MAX_BYTES


def test_a_file_that_changes_between_the_look_and_the_reading_is_not_taken(root):
    """F7: its writer is at work."""
    file = root / "a.yaml"
    file.write_text("x")
    entry = look([str(root)]).entries[str(file)]
    with file.open("a") as writer:
        writer.write("y")
    assert read(entry) is None


def test_a_file_name_that_could_forge_a_log_line_is_refused_and_shown_escaped(root):
    (root / "a\nERROR b.yaml").write_text("x")
    (root / os.fsdecode(b"\xff.yaml")).write_text("x")
    found = look([str(root)])
    assert not found.entries
    assert all(
        issue.file.isascii() and issue.file.isprintable() for issue in found.refused.values()
    )
    assert len(found.refused) == 2


def test_a_missing_root_is_a_warning_and_its_nearest_parent_is_watched(tmp_path):
    found = look([str(tmp_path / "later" / "caps")])
    issue = found.missing[str(tmp_path / "later" / "caps")]
    assert issue.severity is Severity.WARNING
    state = tmp_path.stat()
    assert found.places == {Place(str(tmp_path), state.st_dev, state.st_ino, "later")}


def test_the_places_to_watch_tell_a_directory_from_one_that_took_its_name(root):
    (root / "sub").mkdir()
    before = look([str(root)]).places
    assert {Path(place.path).name for place in before if not place.child} == {"caps", "sub"}
    (root / "sub").rename(root / "old")
    (root / "sub").mkdir()
    assert look([str(root)]).places != before


def test_the_parents_of_linked_files_are_watched_too(root):
    (root / ".store").mkdir()
    (root / ".store" / "a.yaml").write_text("x")
    (root / "a.yaml").symlink_to(".store/a.yaml")
    assert str(root.resolve() / ".store") in {place.path for place in look([str(root)]).places}


def test_a_linked_root_is_watched_with_all_that_stands_beside_it(tmp_path):
    (tmp_path / "v1").mkdir()
    (tmp_path / "caps").symlink_to("v1")
    assert {place.child for place in anchors(tmp_path / "caps")} == {""}
    assert {place.child for place in anchors(tmp_path / "v1")} == {"v1"}


def test_a_file_under_a_directory_that_cannot_be_listed_may_still_be_there(root):
    found = folder.Look(unlisted={str(root / "sub"): Issue("sub", "cannot be read")})
    assert found.hides(str(root / "sub" / "a.yaml"))
    assert not found.hides(str(root / "subway.yaml"))


def test_a_root_that_is_a_loop_of_links_is_not_listed(tmp_path):
    (tmp_path / "caps").symlink_to("caps")
    assert str(tmp_path / "caps") in look([str(tmp_path / "caps")]).unlisted


def test_a_change_of_content_size_or_inode_changes_the_stamp(root):
    file = root / "a.yaml"
    file.write_text("one")
    stamps = [look([str(root)]).entries[str(file)].stamp]
    file.write_text("longer")
    stamps.append(look([str(root)]).entries[str(file)].stamp)
    (root / "new").write_text("longer")
    (root / "new").rename(file)
    stamps.append(look([str(root)]).entries[str(file)].stamp)
    os.utime(file, ns=(0, 0))
    stamps.append(look([str(root)]).entries[str(file)].stamp)
    assert len(set(stamps)) == 4
    assert look([str(root)]).entries[str(file)].stamp == stamps[-1]
