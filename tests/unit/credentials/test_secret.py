"""gateway/credentials/secret.py: where secrets come from, and that they do not show themselves."""

import pytest

from gateway.credentials.secret import Secret, Secrets, environment, source_problem
from gateway.errors import BackendUnavailable


class Notes:
    """A learner that writes down what it is told."""

    def __init__(self):
        self.told = []

    def learn(self, value):
        self.told.append(("learn", value))

    def forget(self, value):
        self.told.append(("forget", value))


def test_secret_shows_itself_only_when_asked():
    secret = Secret("hunter22")
    assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"
    assert secret.reveal() == "hunter22"
    assert secret == Secret("hunter22")
    assert len({secret, Secret("hunter22"), Secret("other")}) == 2


def test_environment_secret_is_read_by_name():
    secrets = Secrets({"key": "env:A_KEY"}, {"A_KEY": "value-a"})
    assert secrets.get("key") == "value-a"
    assert secrets.missing() == []
    assert "value-a" not in repr(secrets)


@pytest.mark.parametrize("environ", [{}, {"A_KEY": ""}])
def test_missing_secret_names_its_source_and_the_remedy(environ):
    """I41: never an empty text in its place."""
    secrets = Secrets({"b": "env:B_KEY", "key": "env:A_KEY"}, {"B_KEY": "b", **environ})
    assert secrets.missing() == ["env:A_KEY"]
    with pytest.raises(BackendUnavailable) as caught:
        secrets.get("key")
    assert str(caught.value) == "missing secret env:A_KEY"
    assert "A_KEY" in caught.value.hint


def test_learner_knows_each_value_before_anybody_has_it():
    notes = Notes()
    secrets = Secrets({"key": "env:A_KEY"}, {"A_KEY": "value-a"}, learner=notes)
    assert notes.told == [("learn", "value-a")]
    secrets.get("key")
    assert notes.told == [("learn", "value-a")]


def test_released_values_are_forgotten_and_taught_anew_when_asked_for():
    notes = Notes()
    secrets = Secrets({"key": "env:A_KEY"}, {"A_KEY": "value-a"}, learner=notes)
    secrets.release()
    secrets.release()
    assert notes.told == [("learn", "value-a"), ("forget", "value-a")]
    assert secrets.get("key") == "value-a"
    assert notes.told[2:] == [("learn", "value-a")]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("keyring:x", "a service and a user"),
        ("keyring:/x", "a service and a user"),
        ("keyring:x/", "a service and a user"),
        ("vault:x", "'env:NAME', 'file:PATH' or 'keyring:SERVICE/NAME'"),
        ("s3cret-itself", "'env:NAME', 'file:PATH' or 'keyring:SERVICE/NAME'"),
        ("env:", "names nothing"),
        ("file: ", "names nothing"),
        ("", "'env:NAME', 'file:PATH' or 'keyring:SERVICE/NAME'"),
    ],
)
def test_source_of_another_kind_is_refused_without_saying_it_back(source, says):
    assert says in source_problem(source)
    assert "s3cret" not in source_problem(source)
    with pytest.raises(ValueError, match=r"secret|service|nothing"):
        Secrets({"key": source}, {})


@pytest.mark.parametrize("source", ["env:A", "file:/run/x", "file:x"])
def test_known_sources_have_no_problem(source):
    assert source_problem(source) is None


def test_environment_is_the_process_environment():
    assert "PATH" in environment()
    assert Secrets({"path": "env:PATH"}).get("path") == environment()["PATH"]
