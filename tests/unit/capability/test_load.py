"""The bytes of a file -> its compiled tools, or all that is wrong with it."""

from pathlib import Path

import pytest

from gateway.capability.load import load
from gateway.credentials.redact import MEMORY, Redactor
from gateway.domain.issue import Severity
from gateway.domain.listing import Status
from tests.peers.signing import signed

FILES = sorted((Path(__file__).parent / "files").glob("*.yaml"))
ENVIRON = {
    "GITHUB_TOKEN": "ghp_0123456789",
    "TRACKER_API_KEY": "key-0123456789",
    "SHOTS_KEY": "shots-0123456789",
}
EFFECT = "whose description does not say what it changes"  # a warning
FILE = """\
capability: 1
description: An API
base_url: https://api.example.com:8443/v2/
vars: {org: acme, size: 5}
tools:
  read:
    description: Read.
    get: /{{ vars.org }}
"""


def loaded(text, environ=(), **more):
    data = text.encode() if isinstance(text, str) else text
    more = {"redactor": Redactor(), **more}
    return load(data, "dir/api.yaml", environ=dict(environ), **more)


def told(found):
    return [f"{issue.where} {issue.path}: {issue.message}" for issue in found.issues]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_worked_files_load_unchanged(file):
    found = load(file.read_bytes(), str(file), environ=ENVIRON, redactor=Redactor())
    assert [each for each in told(found) if not each.endswith(EFFECT)] == []
    assert found.capability.health().status is Status.OK
    assert found.capability.name == file.stem


def test_a_file_that_is_not_served_holds_no_secret():
    now = [0.0]
    redactor = Redactor(clock=lambda: now[0])
    text = FILE.replace("tools:", "secrets: {key: env:KEY}\nenabled: false\ntools:")
    assert loaded(text, {"KEY": "value-of-key"}, redactor=redactor).capability is None
    now[0] += MEMORY + 1
    redactor.learn("another-value")
    assert redactor.text("value-of-key") == "value-of-key"


def test_a_capability_knows_itself():
    found = loaded(FILE).capability
    assert (found.name, found.description, found.file) == ("api", "An API", "dir/api.yaml")
    assert found.origin == "https://api.example.com:8443"
    assert len(found.digest) == 64
    assert found.digest != loaded(FILE + "#").capability.digest
    assert list(found.tools) == ["read"]
    assert found.tools["read"].request({}).url == "https://api.example.com:8443/v2/acme"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "dir/api.yaml"),
        (b"\xff\xfe\x00", "dir/api.yaml"),
        (b"[" * 5000, "dir/api.yaml"),
        (b"capability: 1\ntools: [", "dir/api.yaml:3"),
        (b"capability: 2\n", "dir/api.yaml:1"),
        (FILE.replace("get: /", "get: /{{ args.x }}").encode(), "args.x is not declared"),
    ],
)
def test_a_wrong_file_is_refused_with_issues_and_never_raises_i50(data, complaint):
    found = loaded(data)
    assert found.capability is None
    assert found.tools == {}
    assert complaint in " ".join(told(found))


def test_all_faults_of_all_tools_are_told_at_once_each_at_its_line():
    text = FILE + (
        "    query: {a: '{{ args.x }}'}\n"
        "    response: {select: '$.a..', map: {b: c}}\n"
        "  other:\n"
        "    description: Read.\n"
        "    args: {unused: {type: string}}\n"
        "    get: /x\n"
        "    response: {select: x}\n"
    )
    unrooted = "not a JSONPath: 'x': it must start with '$'"
    path = "tools.read.response.select: not a JSONPath: '$.a..': expected a name, but it ends"
    assert told(loaded(text)) == [
        "dir/api.yaml:9:16 tools.read.query.a: args.x is not declared",
        f"dir/api.yaml:10:24 {path}",
        "dir/api.yaml:10:42 tools.read.response.map.b: not a JSONPath: 'c': it must start with '$'",
        "dir/api.yaml:13:20 tools.other.args.unused: args.unused is used nowhere",
        f"dir/api.yaml:15:24 tools.other.response.select: {unrooted}",
    ]


def test_no_argument_is_called_unused_for_a_fault_in_the_template_that_reads_it():
    text = FILE.replace("get: /", "get: /{{ args.idd }}") + "    args: {id: {required: true}}\n"
    assert told(loaded(text)) == ["dir/api.yaml:8:10 tools.read.get: args.idd is not declared"]
    assert loaded(text).issues[0].hint == "did you mean 'id'?"


@pytest.mark.parametrize("path", ["/items/{id}", "/items/${id}"])
def test_a_path_in_the_way_of_other_formats_is_refused_with_ours(path):
    """It would be sent as it stands, %7Bid%7D."""
    text = FILE.replace("get: /", f"get: {path}") + "    args: {id: {required: true}}\n"
    [issue] = loaded(text).issues
    assert (issue.where, issue.hint) == ("dir/api.yaml:8:10", "write {{ args.id }}")


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("capability: 1", "capability: '1'", "write capability: 1"),
        ("capability: 1\n", "", "write capability: 1"),
        ("    get: /", "    path: /\n    get: /", "the method is the key of the path"),
        ("    get: /", "    body: {}\n    get: /", "one of json:"),
        ("    get: /", "    args: {id: string}\n    get: /", "such as {type: string"),
        ("    get: /", "    args: [id]\n    get: /", "each by its name"),
        ("    get: /", "    args: {id: {required: yes}}\n    get: /", "write true"),
        ("tools:", "auth: {api_key: x}\ntools:", "write header:"),
        ("tools:", "auth: {key: x}\ntools:", "write header:"),
        ("tools:", "auth: bearer\ntools:", "such as auth: {bearer:"),
        ("    get: /", "    headers: {X-A: '{{ secrets.other }}'}\n    get: /", "below secrets:"),
        ("    get: /", "    response: {select: .items}\n    get: /", "'$.items'?"),
    ],
)
def test_what_authors_bring_from_elsewhere_is_answered_with_how_it_is_said_here(old, new, hint):
    assert old in FILE
    [issue] = loaded(FILE.replace(old, new)).issues
    assert hint in (issue.hint or "")


@pytest.mark.parametrize(
    ("line", "warned"),
    [
        ("auth: {bearer: abc123}", True),
        ("auth: {basic: {username: me, password: abc123}}", True),
        ("auth: {query: {key: abc123}}", True),
        ("headers: {authorization: Bearer abc123}", True),
        ('auth: {bearer: "{{ secrets.key }}"}\nsecrets: {key: env:API_KEY}', False),
        (
            'auth: {header: {X-App: app, X-Key: "{{ secrets.key }}"}}\nsecrets: {key: env:API_KEY}',
            False,
        ),
        ("auth: {session: {handshake: {status: 409, header: X-Session}}}", False),
    ],
)
def test_a_credential_that_is_written_out_is_warned_of_and_not_said(line, warned):
    issues = loaded(f"{FILE}{line}\n", environ={"API_KEY": "x"}).issues
    assert [issue.severity for issue in issues] == [Severity.WARNING] * warned
    assert all("written out" in issue.message and "abc123" not in repr(issue) for issue in issues)


def test_warnings_let_a_file_load():
    text = FILE + "    response: {select: '$..a'}\n"
    found = loaded(text)
    assert found.capability.issues == found.issues
    assert [issue.severity for issue in found.issues] == [Severity.WARNING]


def test_a_file_that_is_switched_off_serves_nothing_and_is_not_wrong():
    found = loaded(FILE + "enabled: false\n")
    assert (found.capability, found.issues) == (None, ())
    assert list(found.tools) == ["read"]
    assert loaded(FILE.replace("/{{ vars.org }}", "/{{ vars.no }}") + "enabled: false\n").issues


SECRETIVE = FILE.replace(
    "vars:", 'secrets: {key: env:KEY, pin: env:PIN}\nauth: {bearer: "{{ secrets.key }}"}\nvars:'
)


def test_a_missing_secret_degrades_by_name_i41():
    health = loaded(SECRETIVE, {"PIN": "1234"}).capability.health()
    assert str(health) == "degraded (missing secret env:KEY)"
    health = loaded(SECRETIVE).capability.health()
    assert health.reason == "missing secret env:KEY, env:PIN"
    assert loaded(SECRETIVE, {"KEY": "k", "PIN": "p"}).capability.health().status is Status.OK


def test_secrets_are_taught_to_the_redactor_and_stand_in_no_repr_i42():
    redactor = Redactor()
    found = loaded(SECRETIVE, {"KEY": "top-s3cret-key", "PIN": "1"}, redactor=redactor)
    assert redactor.text("a top-s3cret-key b") == "a *** b"
    assert "s3cret" not in repr(found)


def test_a_rotated_secret_is_used_at_once(tmp_path):
    file = tmp_path / "key"
    file.write_text("first-secret\n")
    now = [0.0]
    found = loaded(SECRETIVE.replace("env:KEY", f"file:{file}"), {"PIN": "1"}, clock=lambda: now[0])
    read = found.capability.tools["read"]
    plan = found.capability.auth
    assert ("Authorization", "Bearer first-secret") in signed(plan, read.request({})).headers
    file.write_text("second-secret!\n")
    now[0] += 10.0
    assert ("Authorization", "Bearer second-secret!") in signed(plan, read.request({})).headers


def test_the_configuration_overrides_vars_of_one_backend():
    given = {"api": {"org": "other"}, "someone": {"org": "no"}}
    found = loaded(FILE, vars_override=given)
    assert found.capability.tools["read"].request({}).url.endswith("/v2/other")
    assert found.issues == ()


def test_an_override_of_an_unknown_var_is_warned_of():
    found = loaded(FILE, vars_override={"api": {"orgg": "x"}})
    assert found.capability.tools["read"].request({}).url.endswith("/acme")
    assert "vars.orgg, which this file does not have" in found.issues[0].message
    assert found.issues[0].hint == "did you mean 'org'?"


def test_base_url_may_read_the_environment():
    text = FILE.replace("https://api.example.com:8443/v2/", "${API:-http://127.0.0.1:9}")
    assert loaded(text).capability.origin == "http://127.0.0.1:9"
    assert loaded(text, {"API": "https://x.example/y"}).capability.origin == "https://x.example"
