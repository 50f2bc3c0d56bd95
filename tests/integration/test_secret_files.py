"""Secrets in files: read again when they change, and missing when they cannot be read."""

import os

import pytest

from gateway.credentials.redact import Redactor
from gateway.credentials.secret import LARGEST, RECHECK, Secrets
from gateway.errors import BackendUnavailable


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def from_file(path, clock, learner=None):
    return Secrets({"key": f"file:{path}"}, {}, clock, learner)


@pytest.mark.parametrize("text", ["s3cret", "s3cret\n", "s3cret\r\n", "s3cret\n\n"])
def test_newlines_at_the_end_are_not_part_of_the_secret(tmp_path, clock, text):
    path = tmp_path / "key"
    path.write_bytes(text.encode())
    assert from_file(path, clock).get("key") == "s3cret"


def test_spaces_and_inner_newlines_are(tmp_path, clock):
    path = tmp_path / "key"
    path.write_text(" a\nb \n")
    assert from_file(path, clock).get("key") == " a\nb "


def test_changed_file_is_read_within_a_second(tmp_path, clock):
    path = tmp_path / "key"
    path.write_text("first")
    secrets = from_file(path, clock)
    path.write_text("second")
    assert secrets.get("key") == "first"
    clock.now += RECHECK
    assert secrets.get("key") == "second"
    clock.now += RECHECK
    assert secrets.get("key") == "second"


def test_file_swapped_by_rename_is_read_again(tmp_path, clock):
    path, other = tmp_path / "key", tmp_path / "new"
    path.write_text("first")
    other.write_text("secon")
    mark = path.stat()
    os.utime(other, ns=(mark.st_atime_ns, mark.st_mtime_ns))
    secrets = from_file(path, clock)
    assert secrets.get("key") == "first"
    other.rename(path)
    clock.now += RECHECK
    assert secrets.get("key") == "secon"


def test_file_that_goes_and_comes_is_missing_meanwhile(tmp_path, clock):
    path = tmp_path / "key"
    secrets = from_file(path, clock)
    assert secrets.missing() == [f"file:{path}"]
    path.write_text("here")
    clock.now += RECHECK
    assert secrets.missing() == []
    path.unlink()
    clock.now += RECHECK
    with pytest.raises(BackendUnavailable, match="missing secret file:"):
        secrets.get("key")


@pytest.mark.parametrize("make", ["directory", "fifo", "binary", "empty", "large"])
def test_what_is_no_readable_text_file_is_missing(tmp_path, clock, make):
    path = tmp_path / "key"
    match make:
        case "directory":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "binary":
            path.write_bytes(b"\xff\xfe\x00")
        case "empty":
            path.write_text("\n")
        case "large":
            path.write_bytes(b"x" * (LARGEST + 1))
    assert from_file(path, clock).missing() == [f"file:{path}"]


def test_rotated_value_is_masked_beside_the_new_one(tmp_path, clock):
    path = tmp_path / "key"
    path.write_text("first-value")
    redactor = Redactor(clock)
    secrets = from_file(path, clock, redactor)
    path.write_text("second-value")
    clock.now += RECHECK
    secrets.get("key")
    assert redactor.text("first-value second-value") == "*** ***"
