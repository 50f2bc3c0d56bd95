"""`backends:` of gateway.yaml: what it may say, and what a wrong one costs."""

from pathlib import Path

from gateway.config.load import Loaded, understand
from gateway.config.servers import kind, settings
from gateway.domain.issue import Severity
from gateway.transports import Http, Sse, Stdio, WebSocket


def load(text: str, **environ: str) -> Loaded:
    return understand(text.encode(), "gateway.yaml", environ, {})


def one(text: str, **environ: str) -> Loaded:
    return load(f"backends:\n  it:\n{text}", **environ)


def said(loaded: Loaded) -> list[tuple[str, str]]:
    return [(issue.path, issue.message) for issue in loaded.issues]


def test_a_text_command_is_split_without_a_shell() -> None:
    config = one("    command: npx -y 'a server' $HOME;ls\n    args: [--x]").config
    assert config is not None
    found = kind(config.backends["it"])
    assert found == Stdio(("npx", "-y", "a server", "$HOME;ls", "--x"), (), None)


def test_the_end_of_the_url_tells_the_old_transport_from_the_new() -> None:
    config = load(
        "backends:\n"
        "  a: {http_url: http://h/mcp}\n"
        "  b: {http_url: http://h/sse}\n"
        "  c: {http_url: http://h/sse, streamable_http: true}\n"
        "  d: {ws_url: wss://h/x}\n"
        "  e: {sse_url: http://h/events}\n"
    ).config
    assert config is not None
    assert [kind(config.backends[name]) for name in "abcde"] == [
        Http("http://h/mcp"),
        Sse("http://h/sse"),
        Http("http://h/sse"),
        WebSocket("wss://h/x"),
        Sse("http://h/events"),
    ]


def test_a_folder_is_seen_from_the_file_that_names_it() -> None:
    text = b"backends: {it: {command: x, cwd: sub}}"
    config = understand(text, "/etc/capgate/gateway.yaml", {}, {}).config
    assert config is not None
    assert kind(config.backends["it"]) == Stdio(("x",), (), "/etc/capgate/sub")


def test_durations_become_seconds_and_both_names_of_the_idle_time_count() -> None:
    config = one("    command: x\n    timeout: 5m\n    stop_when_idle_for: 90s").config
    assert config is not None
    found = settings("it", config.backends["it"])
    assert (found.timeout, found.idle_timeout) == (300.0, 90.0)


def test_overrides_tell_a_pinned_value_from_a_default() -> None:
    text = (
        "    command: x\n    tools:\n      t:\n        name: u\n"
        "        arguments: {a: {value: null}, b: {default: 3}}"
    )
    config = one(text).config
    assert config is not None
    found = settings("it", config.backends["it"]).tools["t"]
    assert (found.name, dict(found.pinned), dict(found.defaults)) == ("u", {"a": None}, {"b": 3})


def test_one_wrong_server_costs_itself_alone() -> None:
    loaded = load(
        "backends:\n  good: {command: x}\n  bad: {comand: x}\n  torn: {http_url: nowhere}\n"
        "log: {level: debug}"
    )
    assert loaded.config is not None
    assert list(loaded.config.backends) == ["good"]
    assert loaded.config.log.level == "debug"
    assert set(loaded.broken) == {"bad", "torn"}
    assert said(loaded)[0] == ("backends.bad.comand", "unknown key 'comand'")
    assert {issue.severity for issue in loaded.issues} == {Severity.ERROR}


def test_a_missing_variable_costs_its_server_alone_and_is_named() -> None:
    loaded = load("backends: {a: {command: x, env: {K: '${NO_SUCH}'}}, b: {command: y}}")
    assert loaded.config is not None
    assert list(loaded.config.backends) == ["b"]
    (issue,) = loaded.broken["a"]
    assert "NO_SUCH" in issue.message
    assert issue.hint == "set it where the gateway is started, or write ${NAME:-default}"
    assert issue.line == 1


def test_what_concerns_more_than_one_server_refuses_the_file() -> None:
    loaded = load("backends: {a: {command: x}}\nserver: {port: nine}")
    assert loaded.config is None


def test_each_way_of_contradicting_oneself_is_told() -> None:
    for text, path, message in (
        ("    description: x", "backends.it", "neither a command nor a URL"),
        ("    command: x\n    http_url: http://h/", "backends.it", "both command and http_url"),
        ("    command: '\"'", "backends.it.command", "cannot be split: no closing quotation"),
        ("    command: []", "backends.it.command", "the command is empty"),
        ("    http_url: ftp://h/", "backends.it.http_url", "http_url is no http or https URL"),
        ("    http_url: http://u:p@h/", "backends.it.http_url", "http_url holds a user"),
        ("    command: x\n    timeout: 1ms", "backends.it.timeout", "'1ms' is shorter than 0.1 s"),
        ("    command: x\n    headers: {A: b}", "backends.it.headers", "headers is for a server"),
        ("    http_url: http://h/\n    env: {A: b}", "backends.it.env", "env is for a server that"),
        ("    command: x\n    protocol_version: '1'", "backends.it.protocol_version", "no known"),
        (
            "    command: x\n    tools: {t: {arguments: {a: {}}}}",
            "backends.it.tools.t.arguments.a",
            "needs either value or default",
        ),
    ):
        loaded = one(text)
        assert loaded.config is not None, text
        ((found, words),) = said(loaded)
        assert found == path, text
        assert words.startswith(message), text


def test_no_value_from_outside_shows_in_a_message() -> None:
    loaded = one("    command: x\n    timeout: ${CANARY}", CANARY="sk-canary-123456")
    assert loaded.broken
    assert "canary-1" not in str(loaded.issues)


def test_servers_and_aliases_are_seen_relative_to_the_file() -> None:
    config = understand(
        b"mcp_servers: .mcp.json\naliases: {a: b}", "/x/gateway.yaml", {}, {}
    ).config
    assert config is not None
    assert config.mcp_servers == str(Path("/x/.mcp.json"))
    assert config.aliases == {"a": "b"}
