"""gateway/cli/writing.py: what a command makes is written whole, or not at all."""

import os
from pathlib import Path

import click
import pytest

from gateway.cli.writing import write, write_new


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_are_written_with_the_rights_that_new_and_old_ones_have(tmp_path: Path):
    old = tmp_path / "old"
    old.write_text("before")
    old.chmod(0o640)
    write({old: "é\r\n", tmp_path / "in" / "new": "x"})
    assert old.read_bytes() == "é\r\n".encode()
    assert old.stat().st_mode & 0o777 == 0o640
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "in" / "new").stat().st_mode & 0o777 == 0o666 & ~umask
    assert left(tmp_path) == ["in", "old"]


def test_when_one_cannot_be_written_none_is(tmp_path: Path):
    (tmp_path / "good").write_text("before")
    (tmp_path / "file").write_text("")
    with pytest.raises(
        click.ClickException, match="file/x cannot be written: its folder is a file"
    ):
        write({tmp_path / "good": "after", tmp_path / "file" / "x": "after"})
    assert (tmp_path / "good").read_text() == "before"
    assert left(tmp_path) == ["file", "good"]


@pytest.mark.parametrize("name", ["file", "folder", "dangling"])
def test_what_is_there_stays_unless_forced(tmp_path: Path, name: str):
    (tmp_path / "file").write_text("before")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(click.ClickException, match=f"already there: .*{name}; nothing was written"):
        write_new({tmp_path / "fresh": "x", tmp_path / name: "after"}, force=False)
    assert left(tmp_path) == ["dangling", "file", "folder"]


def test_forced_a_link_stays_a_link(tmp_path: Path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_new({tmp_path / "link": "after"}, force=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "after"


@pytest.mark.parametrize("place", ["folder", "/dev/null"])
def test_only_files_are_replaced(tmp_path: Path, place: str):
    (tmp_path / "folder").mkdir()
    with pytest.raises(click.ClickException, match="it is no regular file"):
        write_new({tmp_path / place: "x"}, force=True)


def test_links_that_go_round_are_told(tmp_path: Path):
    (tmp_path / "link").symlink_to(tmp_path / "link")
    with pytest.raises(click.ClickException, match="cannot be written"):
        write({tmp_path / "link": "x"})
