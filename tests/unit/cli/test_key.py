import hashlib

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from gateway.config.load import understand


def run(*words, **more):
    return CliRunner().invoke(cli, ["key", *words], **more)


def test_a_new_key_comes_with_its_entry_which_does_not_hold_it():
    key, entry = run("new", "Client A").stdout.splitlines()
    assert len(key) > 40
    assert key not in entry
    text = f"auth:\n  enabled: true\n  api_keys:\n    {entry}\n"
    loaded = understand(text.encode(), "gateway.yaml", {}, {})
    assert loaded.issues == ()
    [client] = loaded.config.auth.api_keys
    assert client.name == "Client A"
    assert client.key == f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
    assert run("new", "Client A").stdout.splitlines()[0] != key


@pytest.mark.parametrize("name", ["a:b", "", "x" * 65, "operator"])
def test_a_name_that_no_client_can_have_is_refused(name):
    assert run("new", name).exit_code == 2


def test_a_key_that_is_there_is_hashed():
    found = run("hash", input="my-literal-key\n").stdout.strip()
    assert found == f"sha256:{hashlib.sha256(b'my-literal-key').hexdigest()}"
    assert run("hash", input="two words").exit_code == 1


def test_nothing_on_standard_input_is_told_as_that():
    found = run("hash", input="\n")
    assert (found.exit_code, "no key on standard input" in found.output) == (1, True)
