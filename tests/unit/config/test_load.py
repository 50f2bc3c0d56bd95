"""`gateway.yaml`: defaults, files, references to the outside, variables, and what is refused."""

import pytest

from gateway.capability.file.units import seconds, size
from gateway.config.load import NAME, Source, load, locate, understand
from gateway.config.model import Config, SurfacedTool

EMPTY = {}


def config(text, environ=EMPTY, said=None):
    found = understand(text.encode(), "etc/gateway.yaml", environ, said or {})
    assert not found.issues
    return found.config


def issues(text, environ=EMPTY, said=None):
    """(place, message) of each issue; no config comes with them."""
    found = understand(text.encode(), "etc/gateway.yaml", environ, said or {})
    assert found.config is None
    return [
        (issue.where.removeprefix("etc/gateway.yaml:"), issue.message) for issue in found.issues
    ]


def hint(text, environ=EMPTY):
    [issue] = understand(text.encode(), "gateway.yaml", environ, {}).issues
    return issue.hint


def test_without_a_file_everything_has_its_default(tmp_path):
    """Zero config: ./capabilities on 127.0.0.1:39400."""
    found = load(Source(str(tmp_path / NAME)), EMPTY).config
    assert (found.server.host, found.server.port) == ("127.0.0.1", 39400)
    assert found.capabilities.directories == (str(tmp_path / "capabilities"),)
    assert load(Source("no-such-dir/gateway.yaml"), EMPTY).config.capabilities.directories == (
        "no-such-dir/capabilities",
    )


def test_the_defaults_are_those_of_the_gateway_people_come_from():
    server, meta = Config().server, Config().meta_mcp
    assert (seconds(server.request_timeout), seconds(server.shutdown_timeout)) == (30, 30)
    assert size(server.max_body_size) == 10 * 1024 * 1024
    assert (meta.enabled, meta.cache_tools, seconds(meta.cache_ttl)) == (True, True, 300)


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n  # here either\n", "{}", "server: {}"])
def test_a_file_that_says_nothing_is_like_none(text):
    assert config(text) == config("")


def test_every_section_is_read():
    found = config(
        """
        server: {host: "::1", port: 8080, request_timeout: 1m30s, max_body_size: 2MiB,
                 allowed_hosts: [gw.example], allowed_origins: ["https://app.example"]}
        meta_mcp: {enabled: false, surfaced_tools: ["gh:get", {server: jira, tool: find}],
                   search_format: lines}
        capabilities: {directories: [a, /b], vars: {gh: {org: acme, deep: [1, true]}}, poll: 2s,
                       allow_private: true}
        metrics: {enabled: false}
        log: {level: warn, format: json}
        """
    )
    assert (found.server.host, found.server.port) == ("::1", 8080)
    assert found.meta_mcp.surfaced_tools == ("gh:get", SurfacedTool("jira", "find"))
    assert found.capabilities.directories == ("etc/a", "/b")
    assert found.capabilities.vars == {"gh": {"org": "acme", "deep": [1, True]}}
    assert found.log.level == "warning"


def test_an_explicitly_named_file_must_exist(tmp_path):
    [issue] = load(Source(str(tmp_path / "x.yaml"), required=True), EMPTY).issues
    assert (issue.message, issue.severity) == ("no such file", "error")


def test_a_file_that_is_no_file_is_refused(tmp_path):
    [issue] = load(Source(str(tmp_path)), EMPTY).issues
    assert issue.message == "not a regular file"


def test_the_command_line_names_the_file_before_the_environment_does():
    environ = {"MCP_GATEWAY_CONFIG": "b.yaml"}
    assert locate("a.yaml", environ) == Source("a.yaml", required=True)
    assert locate(None, environ) == Source("b.yaml", required=True)
    assert locate(None, EMPTY) == Source(NAME)


def test_all_that_is_wrong_is_told_at_once_each_at_its_line():
    text = "server:\n  prot: 80\n  port: many\nmeta_mcp: {search_format: prose}\nserevr: 1\n"
    assert issues(text) == [
        ("2:3", "unknown key 'prot'"),
        ("3:9", "must be a whole number, not 'many'"),
        ("4:27", "must be 'json' or 'lines', not 'prose'"),
        ("5:1", "unknown key 'serevr'"),
    ]


def test_an_unknown_key_names_the_nearest():
    assert hint("server:\n  prot: 80\n") == "did you mean 'port'?"


def test_the_syntax_of_the_file_comes_first():
    [(where, message)] = issues("server: {port: 1\n")
    assert where.startswith(("1:", "2:"))
    assert "closed" in message


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("server: {port: 65536}", "1:16"),
        ("server: {port: -1}", "1:16"),
        ("server: {request_timeout: soon}", "1:27"),
        ("server: {request_timeout: 0}", "1:27"),
        ("server: {max_body_size: 3 apples}", "1:25"),
        ("capabilities: {poll: 1ms}", "1:22"),
        ("capabilities: {vars: {GH: {}}}", "1:23"),
        ("meta_mcp: {surfaced_tools: [forecast]}", "1:29"),
        ("server: []", "1:9"),
        ("[]", "1:1"),
    ],
)
def test_a_value_that_cannot_be_is_refused_at_its_place(text, where):
    assert [place for place, _ in issues(text)] == [where]


def test_references_work_in_every_string(tmp_path):
    (tmp_path / "host").write_text("::1\n")
    text = """
    server: {host: "file:host", allowed_hosts: ["${NAME}.example", "env:OTHER"]}
    log: {level: "${LEVEL:-debug}"}
    capabilities: {vars: {gh: {deep: [{url: "https://${NAME}/"}]}}}
    """
    found = understand(
        text.encode(), str(tmp_path / NAME), {"NAME": "gw", "OTHER": "gw.test"}, {}
    ).config
    assert found.server.host == "::1"
    assert found.server.allowed_hosts == ("gw.example", "gw.test")
    assert found.log.level == "debug"
    assert found.capabilities.vars == {"gh": {"deep": [{"url": "https://gw/"}]}}


def test_a_reference_may_stand_for_a_number_or_a_boolean():
    text = 'server: {port: "${PORT}"}\nmetrics: {enabled: "env:METRICS"}\n'
    found = config(text, {"PORT": "8080", "METRICS": "false"})
    assert (found.server.port, found.metrics.enabled) == (8080, False)
    assert config('server: {request_timeout: "${T}"}', {"T": "30"}).server.request_timeout == "30"


def test_text_stays_text_even_when_it_looks_like_a_number():
    assert config('capabilities: {vars: {gh: {id: "${ID}"}}}', {"ID": "007"}).capabilities.vars == {
        "gh": {"id": "007"}
    }


def test_an_unset_variable_is_named_with_its_line_and_not_complained_of_twice():
    """I41."""
    assert issues('server:\n  port: "${PORT}"\n  host: env:HOST\n') == [
        ("2:9", "the environment variable PORT is not set"),
        ("3:9", "the environment variable HOST is not set"),
    ]


def test_a_missing_or_unfit_file_is_named(tmp_path):
    (tmp_path / "large").write_text("x" * 70_000)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name, said in (
        ("none", "cannot be read: no such file or directory"),
        ("large", "is larger than 64 KiB"),
        ("binary", "is not UTF-8 text"),
        (".", "is not a regular file"),
    ):
        text = f"server:\n  host: file:{name}\n".encode()
        [issue] = understand(text, str(tmp_path / NAME), EMPTY, {}).issues
        assert issue.message == f"{tmp_path / name} {said}"
        assert issue.line == 2


def test_what_a_reference_stands_for_is_never_shown():
    """I42: it may be a secret in the wrong place."""
    for text in (
        'server: {port: "${X}"}',
        "log: {level: env:X}",
        "server: {request_timeout: env:X}",
    ):
        [(_, message)] = issues(text, {"X": "s3cr3t-value"})
        assert "s3cr3t" not in message
        assert message.endswith("stands for does not fit here")


def test_the_environment_overrides_the_file_and_the_command_line_both():
    text = "server: {host: '::1', port: 1}\nlog: {level: error, format: json}\n"
    environ = {
        "MCP_GATEWAY_HOST": "127.0.0.2",
        "MCP_GATEWAY_PORT": "2",
        "MCP_GATEWAY_LOG_LEVEL": "trace",
        "MCP_GATEWAY_LOG_FORMAT": "text",
    }
    found = config(text, environ)
    assert (found.server.host, found.server.port) == ("127.0.0.2", 2)
    assert (found.log.level, found.log.format) == ("debug", "text")
    assert config(text, environ, {("server", "port"): 3}).server.port == 3


def test_a_variable_that_makes_no_sense_is_named():
    assert issues("", {"MCP_GATEWAY_PORT": "http", "MCP_GATEWAY_LOG_LEVEL": "loud"}) == [
        ("MCP_GATEWAY_PORT", "must be a port number from 0 to 65535, not 'http'"),
        ("MCP_GATEWAY_LOG_LEVEL", "must be one of debug, info, warning, error, not 'loud'"),
    ]
    assert config("", {"MCP_GATEWAY_PORT": ""}).server.port == 39400


def test_folders_given_on_the_command_line_are_taken_as_they_are():
    said = {("capabilities", "directories"): ("caps",)}
    assert config("", said=said).capabilities.directories == ("caps",)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost"])
def test_a_loopback_address_needs_no_further_word(host):
    assert config(f'server: {{host: "{host}"}}').server.host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "gw.example", "localhost.evil"])  # noqa: S104
def test_an_open_gateway_must_be_meant(host):
    """Nobody is asked who they are yet: a reachable address would hand every key to anybody."""
    text = f'server:\n  host: "{host}"\n'
    assert issues(text) == [
        ("2:9", f"{host!r} is reachable from other machines, and nothing asks who calls")
    ]
    assert config(f"{text}  allow_unauthenticated: true\n").server.host == host


def test_an_open_address_is_refused_wherever_it_comes_from():
    host = "0.0.0.0"  # noqa: S104
    assert issues("", {"MCP_GATEWAY_HOST": host})[0][0] == "MCP_GATEWAY_HOST"
    assert issues("", said={("server", "host"): host})[0][0] == "--host"


def test_a_hostile_file_is_refused_and_nothing_raises():
    """T7, T8: config is YAML too."""
    for text in ("[" * 100_000, "a: &a [x]\nb: [*a, *a]", "server: {port: 1, port: 2}", "\x00"):
        assert understand(text.encode(), "gateway.yaml", EMPTY, {}).config is None


def test_units_are_checked_beside_everything_else():
    text = "server: {prot: 1, max_body_size: lots}\ncapabilities: {poll: 10ms, vars: x}\n"
    assert {issue.path for issue in understand(text.encode(), "g.yaml", {}, {}).issues} == {
        *("server.prot", "server.max_body_size", "capabilities.poll", "capabilities.vars"),
    }


@pytest.mark.parametrize(
    ("text", "path", "hint"),
    [
        ("port: 1", "port", "below server:"),
        ("capabilities: {directories: caps}", "capabilities.directories", "such as [capab"),
        ("server: {allowed_hosts: ['*']}", "server.allowed_hosts[0]", "each written out"),
        (
            "server: {allowed_hosts: ['a.example:8080']}",
            "server.allowed_hosts[0]",
            "without a port",
        ),
        ("server: {allowed_origins: ['*']}", "server.allowed_origins[0]", "such as https://"),
        (
            "server: {allowed_origins: [app.example]}",
            "server.allowed_origins[0]",
            "such as https://",
        ),
        ("metrics: false", "metrics", "{enabled: false}"),
    ],
)
def test_what_would_silently_do_nothing_is_refused_with_what_to_write(text, path, hint):
    [issue] = understand(text.encode(), "g.yaml", {}, {}).issues
    assert issue.path == path
    assert hint in issue.hint


@pytest.mark.parametrize("given", ["gateway.internal", "10.0.0.7", "'[::1]'", "A.example"])
def test_host_names_and_addresses_may_be_allowed(given):
    loaded = understand(f"server: {{allowed_hosts: [{given}]}}".encode(), "g.yaml", {}, {})
    assert not loaded.issues


def test_references_in_what_nobody_reads_are_not_followed():
    """An .mcp.json is told for what it is; `x-*` keys are the author's own."""
    text = '{"mcpServers": {"a": {"env": {"KEY": "${UNSET}"}}}, "x-mine": "${UNSET}"}'
    [issue] = understand(text.encode(), ".mcp.json", {}, {}).issues
    assert issue.path == "mcpServers"
    assert "mcp_servers:" in issue.hint


def test_a_variable_that_kubernetes_sets_is_told_for_what_it_is():
    environ = {"MCP_GATEWAY_PORT": "tcp://10.0.0.1:39400"}
    [issue] = understand(b"", "g.yaml", environ, {}).issues
    assert "enableServiceLinks: false" in issue.hint


def test_a_file_of_mcp_gateway_loads() -> None:
    text = """\
server: {host: "127.0.0.1", port: 39400, request_timeout: "30s", max_body_size: 10485760}
meta_mcp: {enabled: true, cache_tools: true, cache_ttl: "5m"}
backends:
  tavily:
    command: "npx -y mcp-server-tavily"
    description: "Web search"
    timeout: "30s"
    env: {TAVILY_API_KEY: "${TAVILY_API_KEY}"}
  files: {command: "npx -y server-filesystem /home", cwd: "/home", stop_when_idle_for: "5m"}
  pieces: {http_url: "http://localhost:39300/sse", headers: {Authorization: "Bearer ${T:-x}"}}
  off: {command: "python -m experimental", enabled: false}
capabilities: {enabled: true, name: "gateway", directories: ["./capabilities"]}
"""
    found = config(text, {"TAVILY_API_KEY": "k"})
    assert set(found.backends) == {"tavily", "files", "pieces", "off"}
    failsafe = "failsafe: {retry: {max_attempts: 3}, rate_limit: {requests_per_second: 10}}\n"
    found = config(f"{text}{failsafe}", {"TAVILY_API_KEY": "k"})
    assert found.failsafe.rate_limit.requests_per_second == 10


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("auth: {api_keys: [{name: a, key: aaaaaaaaaaaaaaaa, role: x}]}", "role", "write level"),
        (
            "policies: {p: {everyone: true, rules: [{level: read, server_pattern: x}]}}",
            "",
            "backend",
        ),
        ("policies: {p: {everyone: true, rate_limit_rpm: 5}}", "rate_limit_rpm", "'rate_limit'"),
        ("policies: {p: {rules: [{level: deny, when: {a: {in: [1]}}}]}}", "when.a.in", "one_of"),
        ("failsafe: {rate_limit: {rps: 5}}", "rps", "requests_per_second"),
        ("audit: {path: a}", "audit.path", "write file"),
        ("otel: {}", "otel", "write telemetry:"),
        ("mcp: {}", "mcp", "write backends:"),
        ("api_keys: []", "api_keys", "below auth:"),
    ],
)
def test_words_of_other_systems_are_told_what_they_are_called_here(
    text: str, path: str, said: str
) -> None:
    [issue] = [one for one in understand(text.encode(), NAME, {}, {}).issues if "unkn" in str(one)]
    assert path in issue.path
    assert said in (issue.hint or "")


def test_a_number_out_of_bounds_is_told_in_words() -> None:
    [issue] = understand(b"failsafe: {rate_limit: {requests_per_second: 0}}", NAME, {}, {}).issues
    assert issue.message == "0 is too small: more than 0"
    assert issue.path == "failsafe.rate_limit.requests_per_second"
    [issue] = understand(b"telemetry: {sample: 5}", NAME, {}, {}).issues
    assert issue.message == "5 is too large: at most 1"


def test_what_is_wrong_with_the_failsafes_of_all_is_told_once() -> None:
    text = b"failsafe: {retry: {tries: 5}, backends: {a: {retry: {max_attempts: 0}}}}"
    assert [one.path for one in understand(text, NAME, {}, {}).issues] == [
        "failsafe.retry.tries",
        "failsafe.backends.a.retry.max_attempts",
    ]


def test_a_reference_of_the_wrong_kind_or_to_nothing_is_told_so() -> None:
    [issue] = understand(b"auth: {api_keys: ['env:KEY']}", NAME, {"KEY": "s3cret"}, {}).issues
    assert issue.message == "what env:KEY stands for must be a mapping, not text"
    assert issue.hint == "such as {name: ci, key: 'env:CI_KEY'}"
    text = b"auth: {api_keys: [{name: ci, key: '${KEY:-}'}]}"
    [issue] = understand(text, NAME, {}, {}).issues
    assert issue.message == "what ${KEY:-} stands for is empty"
