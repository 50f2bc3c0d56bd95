"""The token store on a real disk: unreadable to others, whole or not at all, and never fatal."""

import base64
import logging
from pathlib import Path

import pytest

from gateway.credentials.backend_auth import build
from gateway.credentials.means import Shared
from gateway.credentials.oauth.settings import OAuth
from gateway.credentials.oauth.token_store import KEY_FILE, TokenStore, state_folder
from gateway.errors import BackendUnavailable, ConfigError

CANARY = "canary-refresh-1234"
KEY = base64.b64encode(b"k" * 32).decode()


def entries(folder):
    return sorted(folder.glob("*.token"))


def test_what_is_kept_is_there_for_the_next_process(tmp_path):
    TokenStore(tmp_path / "new" / "state").put("a", {"x": CANARY})
    assert TokenStore(tmp_path / "new" / "state").get("a", dict) == {"x": CANARY}
    assert TokenStore(tmp_path / "new" / "state").get("b", dict) is None


def test_files_are_sealed_and_for_their_owner_alone(tmp_path):
    folder = tmp_path / "state"
    TokenStore(folder).put("https://as.example me", {"x": CANARY})
    files = [path for path in folder.iterdir() if path.is_file()]
    assert len(files) == 2
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    assert oct(folder.stat().st_mode & 0o777) == "0o700"
    for path in files:
        assert CANARY not in path.read_text("latin-1")
        assert "as.example" not in path.read_text("latin-1") + path.name


def test_a_key_of_the_environment_leaves_no_key_on_the_disk(tmp_path):
    TokenStore(tmp_path, KEY).put("a", CANARY)
    assert not (tmp_path / KEY_FILE).exists()
    assert TokenStore(tmp_path, KEY.rstrip("\n") + "\n").get("a", str) == CANARY


@pytest.mark.parametrize("key", ["short", "canary" * 20, base64.b64encode(b"k" * 16).decode()])
def test_a_key_of_another_shape_is_refused_unshown(tmp_path, key):
    with pytest.raises(ConfigError, match="CAPGATE_TOKEN_KEY") as caught:
        TokenStore(tmp_path, key)
    assert key not in caught.value.explain()


async def test_a_key_of_another_shape_costs_the_backends_that_need_the_store():
    shared = Shared(None, {"CAPGATE_TOKEN_KEY": "canary"})
    means = shared.means("it", "https://h.example/mcp")
    with pytest.raises(BackendUnavailable, match="CAPGATE_TOKEN_KEY") as caught:
        await build({}, None, OAuth(), means).headers()
    assert "openssl rand" in caught.value.explain()
    assert await build({"X-Team": "a"}, None, None, means).headers() == (("X-Team", "a"),)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"\x00garbage"),
        lambda path: path.write_bytes(path.read_bytes()[:-7]),
        lambda path: path.write_bytes(b"x" * (2 << 20)),
    ],
    ids=["garbage", "cut", "huge"],
)
def test_a_damaged_entry_is_set_aside_and_costs_itself_alone(tmp_path, caplog, damage):
    store = TokenStore(tmp_path)
    store.put("a", CANARY)
    path = entries(tmp_path)[0]
    store.put("b", CANARY)
    damage(path)
    assert store.get("a", str) is None
    assert store.get("b", str) == CANARY
    assert caplog.messages == ["token_store_damaged"]
    assert path.with_suffix(".damaged").exists()
    store.put("a", "new")
    assert store.get("a", str) == "new"


def test_another_key_reads_nothing_and_says_so(tmp_path, caplog):
    TokenStore(tmp_path).put("a", CANARY)
    assert TokenStore(tmp_path, KEY).get("a", str) is None
    assert caplog.messages == ["token_store_damaged"]


def test_a_damaged_key_file_is_replaced(tmp_path, caplog):
    TokenStore(tmp_path).put("a", CANARY)
    (tmp_path / KEY_FILE).write_text("nonsense")
    store = TokenStore(tmp_path)
    assert store.get("a", str) is None
    store.put("a", "new")
    assert TokenStore(tmp_path).get("a", str) == "new"
    assert "token_store_failed" not in caplog.messages


def test_entries_cannot_change_places(tmp_path):
    store = TokenStore(tmp_path)
    store.put("a", "of a")
    first = entries(tmp_path)[0]
    store.put("b", "of b")
    other = next(path for path in entries(tmp_path) if path != first)
    first.replace(other)
    assert store.get("b", str) is None


def test_an_entry_of_an_older_shape_is_none(tmp_path):
    store = TokenStore(tmp_path)
    store.put("a", [1])
    assert store.get("a", dict) is None


def test_where_nothing_can_be_written_tokens_last_as_long_as_the_process(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    blocked = tmp_path / "file"
    blocked.write_text("")
    store = TokenStore(blocked / "state")
    store.put("a", CANARY)
    store.put("b", CANARY)
    assert store.get("a", str) == CANARY
    assert caplog.messages == ["token_store_failed"]
    store.drop("a")
    assert store.get("a", str) is None


def test_a_dropped_entry_is_gone(tmp_path):
    store = TokenStore(tmp_path)
    store.put("a", CANARY)
    store.drop("a")
    store.drop("a")
    assert store.get("a", str) is None
    assert entries(tmp_path) == []


def test_no_half_written_file_is_left_behind(tmp_path):
    store = TokenStore(tmp_path)
    for number in range(20):
        store.put("a", number)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [KEY_FILE, entries(tmp_path)[0].name]
    )


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "HOME": "/h"}, "/var/lib/a"),
        ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/capgate"),
        ({"HOME": "/h"}, "/h/.local/state/capgate"),
    ],
)
def test_the_state_folder_is_where_the_system_says(environ, folder):
    assert state_folder(environ) == Path(folder)


def test_processes_that_begin_together_agree_on_one_key(tmp_path):
    stores = [TokenStore(tmp_path) for _ in range(4)]
    for number, store in enumerate(stores):
        store.put(str(number), number)
    assert [TokenStore(tmp_path).get(str(number), int) for number in range(4)] == [0, 1, 2, 3]
    assert len([path for path in tmp_path.iterdir() if path.suffix == ".key"]) == 1
