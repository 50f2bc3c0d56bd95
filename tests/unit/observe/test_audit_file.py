"""A file of lines: whole ones or none, in the file that stands at the path."""

import contextlib
import errno
import fcntl
import os
import resource
import signal
import stat
import threading
from pathlib import Path

import pytest

from gateway.observe import audit_append, audit_file
from gateway.observe.audit_append import Appending, NotWritten, Stream
from gateway.observe.audit_file import File, Rotation


def lines(path: Path) -> list[bytes]:
    content = path.read_bytes()
    assert not content or content.endswith(b"\n")
    return content.splitlines()


@contextlib.contextmanager
def at_most(size):
    """No file of this process may become larger: as a full disk, a write is cut short."""
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_file_and_its_folder_are_made_for_their_owner_alone(tmp_path):
    path = tmp_path / "log" / "audit" / "a.jsonl"
    file = File(path)
    file.put(b"1\n")
    file.put(b"2\n3\n")
    assert lines(path) == [b"1", b"2", b"3"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    file.close()


def test_the_mode_of_a_file_that_is_there_is_its_owners_affair(tmp_path):
    path = tmp_path / "a"
    path.touch()
    path.chmod(0o640)
    File(path).put(b"1\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("how", ["renamed", "removed", "cut", "replaced"])
def test_what_is_written_goes_to_the_file_that_stands_there(tmp_path, how):
    path, old = tmp_path / "a", tmp_path / "a.old"
    file = File(path)
    file.put(b"1\n")
    if how == "renamed":
        path.rename(old)
    elif how == "removed":
        path.unlink()
    elif how == "cut":
        old.write_bytes(path.read_bytes())
        os.truncate(path, 0)
    else:
        (tmp_path / "b").write_bytes(b"other\n")
        (tmp_path / "b").rename(path)
    file.put(b"2\n")
    assert lines(path) == ([b"other", b"2"] if how == "replaced" else [b"2"])
    if old.exists():
        assert lines(old) == [b"1"]


def test_a_look_makes_anew_what_was_moved_away(tmp_path):
    path = tmp_path / "a"
    file = File(path)
    file.look()
    path.rename(tmp_path / "old")
    file.look()
    assert path.exists()


def test_a_file_that_vanishes_while_it_is_written_is_written_again(tmp_path, monkeypatch):
    path = tmp_path / "a"
    file = File(path)
    file.look()
    append = Appending.append
    vanishing = [path]

    def unlinking(self, data):
        append(self, data)
        if vanishing:
            vanishing.pop().unlink()

    monkeypatch.setattr(Appending, "append", unlinking)
    file.put(b"1\n")
    assert lines(path) == [b"1"]


def test_a_full_disk_takes_whole_lines_or_none(tmp_path):
    path = tmp_path / "a"
    file = File(path)
    data = b"".join(b"%04d\n" % number for number in range(100))
    with at_most(252), pytest.raises(NotWritten) as caught:
        file.put(data)
    assert caught.value.whole == 250
    assert caught.value.reason == "file too large"
    assert lines(path) == [b"%04d" % number for number in range(50)]
    file.put(data[250:])
    assert lines(path) == [b"%04d" % number for number in range(100)]


def test_a_line_that_cannot_be_taken_back_is_ended_first(tmp_path, monkeypatch):
    path = tmp_path / "a"
    file = File(path)

    def refuse(_descriptor, _size):
        raise PermissionError(errno.EPERM, "append only")

    monkeypatch.setattr(os, "ftruncate", refuse)
    data = b"0000\n1111\n2222\n"
    for size, whole in ((7, 10), (8, 0), (9, 0)):
        with at_most(size), pytest.raises(NotWritten) as caught:
            file.put(data)
        assert caught.value.whole == whole
        data = data[whole:]
    assert path.read_bytes() == b"0000\n1111"
    file.put(data)
    assert lines(path) == [b"0000", b"1111", b"2222"]


def test_a_device_that_is_full_says_so():
    with pytest.raises(NotWritten) as caught:
        File(Path("/dev/full")).put(b"1\n")
    assert (caught.value.whole, caught.value.reason) == (0, "no space left on device")


def test_a_pipe_that_nobody_reads_says_so_and_does_not_block(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(NotWritten):
        File(path).put(b"1\n")
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    File(path).put(b"1\n2\n")
    assert os.read(reader, 100) == b"1\n2\n"
    os.close(reader)


@pytest.mark.parametrize("what", ["device", "pipe"])
def test_what_is_no_file_is_left_when_another_stands_there(tmp_path, what):
    path = tmp_path / "a"
    reader = None
    if what == "device":
        path.symlink_to("/dev/full")
    else:
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    file = File(path)
    if reader is None:
        with pytest.raises(NotWritten):
            file.put(b"1\n")
    else:
        file.put(b"1\n")
        os.close(reader)
    path.unlink()
    file.put(b"2\n")
    assert lines(path) == [b"2"]
    file.close()


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(NotWritten, match="is a directory"):
        File(tmp_path).put(b"1\n")


def test_a_line_that_a_killed_process_began_is_ended(tmp_path, caplog):
    path = tmp_path / "a"
    path.write_bytes(b"1\n2\ntorn")
    File(path).put(b"3\n")
    assert lines(path) == [b"1", b"2", b"torn", b"3"]
    assert [record.message for record in caplog.records] == ["audit_line_torn"]
    caplog.clear()
    File(path).put(b"4\n")
    assert caplog.records == []


def test_a_file_is_put_aside_before_it_grows_too_large(tmp_path):
    path = tmp_path / "a"
    file = File(path, Rotation(size=100, keep=3))
    for number in range(50):
        file.put(b"%019d\n" % number)
    found = [path, *(tmp_path / f"a.{number}" for number in (1, 2, 3))]
    assert sorted(tmp_path.iterdir()) == found
    assert [len(lines(one)) for one in found] == [5, 5, 5, 5]
    kept = [line for one in reversed(found) for line in lines(one)]
    assert kept == [b"%019d" % number for number in range(30, 50)]


def test_of_a_gap_among_old_files_none_behind_it_is_touched(tmp_path):
    path = tmp_path / "a"
    for name in ("a.1", "a.3"):
        (tmp_path / name).write_text(name)
    path.write_bytes(b"x" * 99 + b"\n")
    File(path, Rotation(size=100, keep=3)).put(b"1\n")
    assert {one.name: one.read_text()[:3] for one in tmp_path.iterdir()} == {
        "a": "1\n",
        "a.1": "xxx",
        "a.2": "a.1",
        "a.3": "a.3",
    }


def test_without_old_files_only_the_newest_lines_stay(tmp_path):
    path = tmp_path / "a"
    file = File(path, Rotation(size=10, keep=0))
    for number in range(9):
        file.put(b"%04d\n" % number)
    assert lines(path) == [b"0008"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_batch_that_is_larger_than_a_file_may_be_has_one_of_its_own(tmp_path):
    path = tmp_path / "a"
    file = File(path, Rotation(size=10, keep=5))
    for data in (b"1\n", b"x" * 50 + b"\n", b"2\n"):
        file.put(data)
    assert [len(lines(tmp_path / name)) for name in ("a.2", "a.1", "a")] == [1, 1, 1]


def test_a_file_that_cannot_be_put_aside_grows_on(tmp_path, monkeypatch, caplog):
    path = tmp_path / "a"
    now = [0.0]

    def refuse(_path, _keep):
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(audit_file, "put_aside", refuse)
    file = File(path, Rotation(size=10, keep=2), clock=lambda: now[0])
    for number in range(9):
        file.put(b"%04d\n" % number)
    assert len(lines(path)) == 9
    assert [record.message for record in caplog.records] == ["audit_rotation_failed"]
    monkeypatch.undo()
    now[0] += audit_file.AGAIN
    file.put(b"0009\n")
    assert lines(path) == [b"0009"]


def test_several_share_a_file_and_its_rotation(tmp_path):
    path = tmp_path / "a"

    def write(name: bytes) -> None:
        file = File(path, Rotation(size=2_000, keep=100))
        for number in range(500):
            file.put(b"%s%06d\n" % (name, number))

    threads = [threading.Thread(target=write, args=(name,)) for name in (b"a", b"b", b"c", b"d")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = [line for one in tmp_path.iterdir() for line in lines(one)]
    assert sorted(every) == [
        b"%s%06d" % (n, i) for n in (b"a", b"b", b"c", b"d") for i in range(500)
    ]


def test_a_file_that_another_process_holds_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(audit_file, "PATIENCE", 2)
    path = tmp_path / "a"
    file = File(path)
    file.put(b"1\n")
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(NotWritten):
            file.put(b"2\n")
    file.put(b"2\n")
    assert lines(path) == [b"1", b"2"]


def test_standard_output_is_neither_cut_nor_replaced(tmp_path):
    path = tmp_path / "out"
    with path.open("wb") as output:
        stream = Stream(output.fileno())
        with at_most(7), pytest.raises(NotWritten) as caught:
            stream.put(b"0000\n1111\n2222\n")
        assert caught.value.whole == 10
        assert path.read_bytes() == b"0000\n11"
        stream.look()
        stream.put(b"2222\n")
        stream.close()
        output.write(b"mine\n")
    assert lines(path) == [b"0000", b"1111", b"2222", b"mine"]


def test_a_reason_names_no_path():
    assert audit_append.reason_of(OSError(errno.ENOSPC, "x", "/secret/path")) == (
        "no space left on device"
    )
    assert audit_append.reason_of(OSError("odd")) == "oserror"


def test_each_batch_reaches_the_disk_where_that_is_wanted(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    File(tmp_path / "a").put(b"1\n")
    assert synced == []
    File(tmp_path / "a", sync=True).put(b"1\n")
    assert len(synced) == 1
