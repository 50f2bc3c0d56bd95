"""`gateway.yaml` while it is in use."""

import pytest

from gateway.config.load import Source, locate, understand
from gateway.config.model import Config
from gateway.runtime.configured import Configured
from gateway.runtime.settling import QUIET, Settling


class World:
    def __init__(self, file, *, required=False):
        self.file = file
        self.now = 0.0
        self.configured = Configured(
            Source(str(file), required=required),
            Config(),
            lambda data: understand(data, str(file), {}, {}),
            Settling(clock=lambda: self.now),
        )

    def settled(self):
        """Look until nothing is being written any more."""
        while self.configured.refresh():
            self.now += QUIET

    @property
    def problems(self):
        return [issue.message for issue in self.configured.issues]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "gateway.yaml"


def test_what_is_live_changes_and_the_rest_waits_for_a_restart(file):
    world = World(file)
    world.settled()
    file.write_text("log: {level: error, format: json}\ncapabilities: {poll: 1s}\n")
    world.settled()
    assert world.configured.config.log.level == "error"
    assert world.configured.config.capabilities.poll == "1s"
    assert world.problems == ["the change takes effect at the next start"]
    assert world.configured.issues[0].path == "log.format"


def test_a_broken_file_leaves_all_as_it_was_and_is_told(file):
    file.write_text("log: {level: error}")
    world = World(file)
    world.configured.refresh(cold=True)
    file.write_text("log: {level: loud}")
    world.settled()
    assert world.configured.config.log.level == "error"
    assert world.configured.issues[0].where == f"{file}:1:14"


def test_each_reading_is_told_and_whether_it_counts(file):
    world, told = World(file), []
    world.configured.observe = told.append
    world.settled()
    assert told == []  # there is none, and nobody asked for one
    file.write_text("log: {level: error, format: json}")
    world.settled()
    file.write_text("log: {level: loud}")
    world.settled()
    good, bad = told
    assert (good.file, good.error) == (str(file), None)
    assert ["takes effect at the next start" in one for one in good.warnings] == [True]
    assert f"{file}:1:14" in bad.error
    file.unlink()
    world.settled()
    assert len(told) == 2


def test_a_file_that_was_asked_for_and_is_gone_is_told(file):
    file.write_text("log: {level: error}")
    world, told = World(file, required=True), []
    world.configured.observe = told.append
    world.configured.refresh(cold=True)
    file.unlink()
    world.settled()
    assert [one.error is None for one in told] == [True, False]


def test_a_file_being_written_waits_and_a_touched_one_changes_nothing(file):
    file.write_text("log: {level: error}")
    world = World(file)
    world.configured.refresh(cold=True)
    config = world.configured.config
    file.write_text("log: {level: ")
    assert world.configured.refresh()
    file.write_text("log: {level: error}")
    world.settled()
    assert world.configured.config is config
    assert world.problems == []


def test_a_file_that_goes_away_gives_the_defaults_back_unless_it_was_asked_for(file):
    for required in (False, True):
        file.write_text("log: {level: error}")
        world = World(file, required=required)
        world.configured.refresh(cold=True)
        file.unlink()
        world.settled()
        assert world.configured.config.log.level == ("error" if required else "info")
        assert world.problems == (["no such file"] if required else [])


@pytest.mark.parametrize("emptied", [None, "", "# nothing\n"])
@pytest.mark.parametrize(
    "rules",
    [
        "auth: {enabled: true, bearer_token: a-token-of-some-length}",
        "policies: {readers: {everyone: true, default_level: read}}",
        "security: {tool_policy: {deny: [x]}}",
        "agent_rules: rules.json",
    ],
)
def test_one_that_says_who_may_come_in_opens_nothing_by_being_emptied(file, emptied, rules):
    """I30. A disk that is full, an editor that writes in two steps, a slip of the keyboard."""
    file.write_text(rules)
    world, told = World(file), []
    world.settled()
    before = world.configured.config
    world.configured.observe = told.append
    file.unlink() if emptied is None else file.write_text(emptied)
    world.settled()
    assert world.configured.config is before
    assert len(world.problems) == len(told) == 1
    assert "stays as it was" in told[0].error
    file.write_text("auth: {enabled: false}")
    world.settled()
    assert world.problems == []
    assert world.configured.config is not before


def test_something_else_in_its_place_is_told(file):
    file.write_text("log: {level: error}")
    world = World(file)
    world.configured.refresh(cold=True)
    file.unlink()
    (file.parent / "loop").symlink_to("loop")
    file.symlink_to("loop")
    world.settled()
    assert world.problems == ["cannot be read: too many levels of symbolic links"]
    assert world.configured.config.log.level == "error"
    file.unlink()
    file.write_text("log: {level: error}")
    world.settled()
    assert world.problems == []


def test_its_place_is_watched_before_it_exists(file):
    world = World(file)
    world.configured.refresh(cold=True)
    assert {place.child for place in world.configured.places} == {"gateway.yaml"}


@pytest.mark.parametrize("content", [None, "# nothing yet\n"])
def test_rules_that_lie_beside_a_file_that_says_nothing_do_not_make_that_an_issue(
    tmp_path, content
):
    (tmp_path / ".mcp-gateway-rules.json").write_text('{"agents": {}}')
    file = tmp_path / "gateway.yaml"
    source = locate(str(file), {})
    started = understand(b"", str(file), {}, {}, source.beside).config
    assert started.agent_rules
    if content is not None:
        file.write_text(content)
    configured = Configured(
        Source(str(file), beside=source.beside),
        started,
        lambda data: understand(data, str(file), {}, {}, source.beside),
    )
    configured.refresh(cold=True)
    assert configured.issues == ()
    file.write_text("# nothing still\n")
    configured.refresh(cold=True)
    assert configured.issues == ()


def test_a_key_that_is_exchanged_in_the_file_it_stands_in_counts_from_then_on(file, tmp_path):
    key = tmp_path / "ci.key"
    key.write_text("the-key-of-yesterday\n")
    file.write_text("auth: {enabled: true, api_keys: [{name: ci, key: 'file:ci.key'}]}")
    world = World(file)
    world.configured.refresh(cold=True)
    key.write_text("the-key-of-today\n")
    world.settled()
    assert world.configured.config.auth.api_keys[0].key == "the-key-of-today"
    key.unlink()
    world.settled()
    assert world.configured.config.auth.api_keys[0].key == "the-key-of-today"
    assert "ci.key cannot be read" in world.problems[0]
    key.write_text("the-key-of-tomorrow\n")
    world.settled()
    assert world.configured.config.auth.api_keys[0].key == "the-key-of-tomorrow"
    assert world.problems == []
