from pathlib import Path

from gateway.config.directories import beside, compat, paths
from gateway.config.load import understand
from gateway.config.model import Capabilities, Directory

OLD = Directory("old", "fulcrum")


def test_a_folder_may_say_whose_files_are_in_it():
    settings = Capabilities(directories=("capabilities", OLD))
    assert paths(settings) == ("capabilities", "old")
    assert compat(settings, "old/a.yaml") == "fulcrum"
    assert compat(settings, "old/deep/a.yaml") == "fulcrum"
    assert compat(settings, "capabilities/a.yaml") is None
    assert compat(settings, "older/a.yaml") is None


def test_the_innermost_folder_decides():
    inside = Directory("all/old", "fulcrum")
    settings = Capabilities(directories=("all", inside, "all/old/new"))
    assert compat(settings, "all/a.yaml") is None
    assert compat(settings, "all/old/a.yaml") == "fulcrum"
    assert compat(settings, "all/old/new/a.yaml") is None


def test_a_folder_is_the_same_however_its_path_is_written():
    settings = Capabilities(directories=(Directory("./old/", "fulcrum"),))
    assert compat(settings, "old/a.yaml") == "fulcrum"
    assert compat(settings, str(Path("old/a.yaml").absolute())) == "fulcrum"


def test_a_single_file_can_be_named():
    settings = Capabilities(directories=(Directory("one.yaml", "fulcrum"),))
    assert compat(settings, "one.yaml") == "fulcrum"


def test_paths_are_relative_to_the_file_that_names_them():
    assert beside("caps", Path("etc")) == "etc/caps"
    assert beside(OLD, Path("etc")) == Directory("etc/old", "fulcrum")
    text = b"capabilities: {directories: [new, {path: old, compat: fulcrum}]}"
    config = understand(text, "etc/gateway.yaml", {}, {}).config
    assert config is not None
    assert config.capabilities.directories == ("etc/new", Directory("etc/old", "fulcrum"))


def test_what_a_folder_says_wrongly_is_told_at_its_line():
    text = (
        b"capabilities:\n  directories:\n    - {path: old, compat: rust}\n    - {compat: fulcrum}\n"
    )
    issues = understand(text, "gateway.yaml", {}, {}).issues
    assert [(issue.line, issue.message) for issue in issues] == [
        (3, "must be 'fulcrum', not 'rust'"),
        (4, "'path' is missing"),
    ]
