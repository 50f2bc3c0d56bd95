"""What is wrong with `auth:`, and what its keys come to."""

from hashlib import sha256

import pytest

from gateway.auth.expected import Expected
from gateway.config import clients
from gateway.config.load import understand
from gateway.domain.identity import EVERYTHING, Grant, Identity, Level
from gateway.domain.issue import Severity

LONG = "a-key-of-twenty-and-more"
OTHER = "other-key-of-twenty-and-more"


def load(text, environ=None):
    return understand(text.encode(), "gateway.yaml", environ or {}, {})


def places(text):
    return [(issue.path, str(issue.severity)) for issue in load(text).issues]


def keys(*entries):
    return f"auth: {{enabled: true, api_keys: [{', '.join(entries)}]}}"


def test_mcp_gateways_own_example_loads_with_a_warning_about_its_short_key():
    text = """
auth:
  enabled: true
  bearer_token: "auto"
  api_keys:
    - {key: "env:CLIENT_A_KEY", name: "Client A", rate_limit: 100, backends: ["tavily"]}
    - {key: "my-literal-key", name: "Client B", backends: []}
  public_paths: ["/health", "/metrics"]
"""
    loaded = load(text, {"CLIENT_A_KEY": LONG})
    assert [(one.path, one.severity) for one in loaded.issues] == [
        ("auth.api_keys[1].key", "warning")
    ]
    found = dict(clients.identities(loaded.config.auth, "made up"))
    assert list(found.values()) == [
        Identity("bearer", grant=EVERYTHING),
        Identity("Client A", grant=Grant(backends=("tavily",), agents=(), rate_limit=100)),
        Identity("Client B", grant=Grant(agents=())),
    ]
    assert list(clients.secrets(loaded.config.auth)) == [LONG, "my-literal-key"]


def test_a_key_says_what_it_lets_do():
    text = keys(
        f"{{name: a, key: {LONG}, team: web, org: acme, level: admin, backends: ['g*'], "
        "allowed_tools: [x], denied_tools: [y], agents: ['*']}"
    )
    [(_, who)] = clients.identities(load(text).config.auth, "")
    grant = Grant(Level.ADMIN, ("g*",), ("x",), ("y",), ("*",))
    assert who == Identity("a", "web", "acme", grant)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("auth: {enabled: true}", ["auth.enabled"]),
        (keys("{name: a, key: two words}"), ["auth.api_keys[0].key"]),
        (keys("{name: a, key: 'sha256:12'}"), ["auth.api_keys[0].key"]),
        (keys(f"{{name: a, key: {LONG}}}", f"{{name: b, key: {LONG}}}"), ["auth.api_keys[1].key"]),
        (
            keys(f"{{name: a, key: {LONG}}}", f"{{name: a, key: {OTHER}}}"),
            ["auth.api_keys[1].name"],
        ),
        *(
            (keys(f"{{name: {name}, key: {LONG}}}"), ["auth.api_keys[0].name"])
            for name in clients.RESERVED
        ),
        (keys(f"{{name: 'jwt:x', key: {LONG}}}"), ["auth.api_keys[0].name"]),
        (f"auth: {{bearer_token: {LONG}, public_paths: [/mcp]}}", ["auth.public_paths[0]"]),
        (f"auth: {{bearer_token: {LONG}, public_paths: [/mcp/x]}}", ["auth.public_paths[0]"]),
        (f"auth: {{bearer_token: {LONG}, public_paths: ['/*']}}", ["auth.public_paths[0]"]),
        ("auth: {jwt: {issuer: http://id.example, audience: x}}", ["auth.jwt.issuer"]),
        ("auth: {jwt: {issuer: x, audience: x}}", ["auth.jwt.issuer"]),
        (
            "auth: {jwt: {issuer: 'https://u:p@id.example', audience: x}}",
            ["auth.jwt.issuer"],
        ),
        (
            "auth: {jwt: {issuer: https://id.example, audience: x, jwks_url: 'file:///x'}}",
            ["auth.jwt.jwks_url"],
        ),
        ("auth: {jwt: {issuer: https://id.example, audience: []}}", ["auth.jwt.audience"]),
        (
            "auth: {jwt: {issuer: https://id.example, audience: x, algorithms: []}}",
            ["auth.jwt.algorithms"],
        ),
        *(
            (
                f"auth: {{jwt: {{issuer: https://id.example, audience: x, algorithms: [{name}]}}}}",
                ["auth.jwt.algorithms[0]"],
            )
            for name in ("none", "HS256", "HS512")
        ),
        (
            "auth: {jwt: {issuer: https://id.example, audience: x, clock_skew: 1h}}",
            ["auth.jwt.clock_skew"],
        ),
    ],
)
def test_what_does_not_hold_together_is_told_at_its_place(text, found):
    loaded = load(text)
    assert loaded.config is None
    assert [issue.path for issue in loaded.issues] == found
    assert all(issue.line for issue in loaded.issues)
    told = "\n".join(map(str, loaded.issues))
    assert LONG not in told
    assert "two words" not in told


def test_all_that_is_said_of_tokens_is_expected_of_them():
    text = """
auth:
  enabled: true
  jwt:
    issuer: https://id.example
    audience: [https://gateway.example, gateway]
    jwks_url: https://keys.example/jwks
    algorithms: [ES384, EdDSA]
    clock_skew: 5s
    scopes: [tools, more]
    claims: {name: email, team: groups.team, org: tenant, agents: act.agents}
    level: admin
    rate_limit: 60
"""
    assert clients.expected(load(text).config.auth.jwt) == Expected(
        issuer="https://id.example",
        audiences=("https://gateway.example", "gateway"),
        jwks_url="https://keys.example/jwks",
        algorithms=("ES384", "EdDSA"),
        skew=5.0,
        scopes=("tools", "more"),
        name="email",
        team="groups.team",
        org="tenant",
        agents="act.agents",
        level=Level.ADMIN,
        rate_limit=60,
    )


@pytest.mark.parametrize(
    "written", [LONG, "env:TOKEN", f"sha256:{sha256(LONG.encode()).hexdigest()}"]
)
def test_whoever_shows_the_bearer_token_may_do_everything(written):
    auth = load(f"auth: {{enabled: true, bearer_token: '{written}'}}", {"TOKEN": LONG}).config.auth
    expected = [(sha256(LONG.encode()).digest(), Identity("bearer", grant=EVERYTHING))]
    assert list(clients.identities(auth, "made up")) == expected


def test_a_bearer_token_may_not_be_a_clients_key():
    text = f"auth: {{bearer_token: {LONG}, api_keys: [{{name: a, key: {LONG}}}]}}"
    [issue] = load(text).issues
    assert (issue.path, "'bearer'" in issue.message) == ("auth.api_keys[0].key", True)


def test_what_a_variable_stands_for_is_not_quoted():
    """I42."""
    text = keys("{name: a, key: 'env:A'}", "{name: b, key: 'env:B'}")
    for value in ("canary two words", "sha256:canary", "canary"):
        loaded = load(text, {"A": value, "B": value})
        assert "canary" not in "\n".join(map(str, loaded.issues))
        assert loaded.issues


@pytest.mark.parametrize(
    "written",
    [
        *("keyring:capgate/ci", "vault:secret/capgate/ci", "$CI_KEY_OF_THE_TEAM", "Auto"),
        *("{env.CI_KEY_OF_THE_TEAM}", "ENV:CI_KEY_OF_THE_TEAM", "SHA256:" + "a" * 64, "sha512:ab"),
    ],
)
def test_what_reads_like_a_reference_is_no_key(written):
    """I41. Everybody could guess it."""
    [issue] = load(keys(f"{{name: a, key: '{written}'}}")).issues
    assert (issue.path, "would itself be the key" in issue.message) == (
        "auth.api_keys[0].key",
        True,
    )


def test_a_reference_in_a_variable_that_sets_a_key_is_none():
    for value in ("file:/run/secrets/token", "env:TOKEN", "${TOKEN}"):
        loaded = load("auth: {enabled: true}", {"MCP_GATEWAY_AUTH__BEARER_TOKEN": value})
        assert [issue.path for issue in loaded.issues] == ["auth.bearer_token"]
        assert loaded.config is None


def test_without_a_variable_nothing_is_guessed():
    """I41."""
    [issue] = load(keys("{name: a, key: 'env:NOT_SET'}")).issues
    assert "NOT_SET" in issue.message


def test_with_clients_that_are_asked_any_address_will_do():
    text = "server: {host: 0.0.0.0}\n"
    assert load(text).config is None
    assert load(f"{text}auth: {{enabled: true, bearer_token: auto}}\n").config is not None
    assert load(f"{text}auth: {{bearer_token: auto}}\n").config is None


def test_no_repr_shows_what_goes_to_servers_and_collectors():
    """I42."""
    text = f"""\
telemetry: {{headers: {{x: {LONG}}}}}
backends:
  a: {{command: [x, {LONG}], env: {{K: {LONG}}}}}
  b: {{http_url: 'https://b.example/?{LONG}', headers: {{K: {LONG}}}}}
"""
    assert LONG not in repr(load(text).config)


def test_neither_a_repr_nor_its_parts_show_a_key():
    """I42."""
    text = f"auth: {{bearer_token: {OTHER}, api_keys: [{{name: a, key: {LONG}}}]}}"
    config = load(text).config
    for one in (config, config.auth, config.auth.api_keys, config.auth.api_keys[0]):
        assert LONG not in repr(one)
        assert OTHER not in repr(one)


def test_keys_for_which_nobody_is_asked_are_told_unless_that_is_said():
    text = "auth: {%sapi_keys: [{name: ci, key: a-key-of-some-length}]}"
    [issue] = understand((text % "").encode(), "g.yaml", {}, {}).issues
    assert (issue.where, issue.path, issue.severity) == ("g.yaml:1:1", "auth", Severity.WARNING)
    assert "nobody is asked" in issue.message
    for said in ("enabled: true, ", "enabled: false, "):
        assert not understand((text % said).encode(), "g.yaml", {}, {}).issues
