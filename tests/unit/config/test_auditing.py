"""`audit:` of gateway.yaml: what of it can be used, and what is told at its line."""

import pytest

from gateway.config.auditing import rotation
from gateway.config.load import understand
from gateway.observe.audit_file import Rotation


def loaded(audit):
    return understand(f"audit: {audit}".encode(), "gateway.yaml", {}, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", Rotation(100_000_000, 10)),
        ("{rotation: {size: 1 MiB, keep: 0}}", Rotation(1 << 20, 0)),
        ("{rotation: {size: 4096}}", Rotation(4096, 10)),
        ("{rotation: {size: 0}}", Rotation(0, 10)),
        ("{rotation: {size: '0'}}", Rotation(0, 10)),
    ],
)
def test_a_size_is_read_as_people_write_it_and_nought_is_never(text, expected):
    config = loaded(text).config
    assert config is not None
    assert rotation(config.audit) == expected


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("{rotation: {size: 10x}}", "audit.rotation.size", "no size"),
        ("{rotation: {size: 10}}", "audit.rotation.size", "less than 1000 bytes"),
        ("{redact: [ok, 'github:body']}", "audit.redact[1]", "backend:tool:name"),
        ("{redact: ['github::body']}", "audit.redact[0]", "backend:tool:name"),
        ("{on_failure: open}", "audit.on_failure", "fail_open"),
        ("{longest_argument: 0}", "audit.longest_argument", "16"),
    ],
)
def test_what_is_wrong_is_told_at_its_line(text, place, said):
    found = loaded(text)
    assert found.config is None
    (issue,) = found.issues
    assert (issue.path, issue.line) == (place, 1)
    assert said in f"{issue.message} {issue.hint}"


@pytest.mark.parametrize("rule", ["*password*", "shop:pay_*:card", "shop:*:a:b"])
def test_rules_are_names_or_say_whose(rule):
    config = loaded(f"{{redact: ['{rule}']}}").config
    assert config is not None
    assert config.audit.redact == (rule,)


def test_a_file_is_beside_the_one_that_names_it_and_standard_output_is_nowhere():
    for named, there in (("a.jsonl", "conf/a.jsonl"), ("/var/a", "/var/a"), ("-", "-")):
        text = f"audit: {{enabled: true, file: '{named}'}}".encode()
        config = understand(text, "conf/gateway.yaml", {}, {}).config
        assert config is not None
        assert config.audit.file == there
