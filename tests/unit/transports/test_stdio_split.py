import pytest

from gateway.transports.stdio import split


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("uvx mcp-server-time", ("uvx", "mcp-server-time")),
        ("node 'my server.js' --name \"a b\"", ("node", "my server.js", "--name", "a b")),
        (r"a\ b c", ("a b", "c")),
        ("x '$HOME' `id`", ("x", "$HOME", "`id`")),  # words, since no shell reads them
    ],
)
def test_a_command_is_split_as_one_would_type_it(text, words):
    assert split(text) == words


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("node 'server.js", "cannot be split: no closing quotation"),
        ("node server.js\\", "cannot be split: no escaped character"),
        ("cat x | server", r"'\|', which is for a shell"),
        ("cd /x && server", "'&&', which is for a shell"),
        ("server 2>&1", "'2>&1', which is for a shell"),
    ],
)
def test_what_only_a_shell_could_run_is_refused_saying_why(text, problem):
    with pytest.raises(ValueError, match=problem):
        split(text)
