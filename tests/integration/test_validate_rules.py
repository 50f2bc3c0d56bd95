"""`capgate validate` tells of rules that come to nothing, at their line, as the server does."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from tests.integration.test_cli import GOOD

KEYS = """\
auth:
  enabled: true
  api_keys:
    - {name: ci, key: a-key-of-some-length, backends: [shpo]}
"""


def validated(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    (folder / "capabilities").mkdir()
    (folder / "capabilities" / "shop.yaml").write_text(GOOD)
    (folder / "gateway.yaml").write_text(text)
    monkeypatch.chdir(folder)
    found = CliRunner().invoke(cli, ["validate"])
    return found.exit_code, found.output


def test_a_key_for_a_server_that_is_not_there_is_told_at_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = validated(tmp_path, KEYS, monkeypatch)
    assert code == 0
    assert "gateway.yaml:4:7  auth.api_keys[0]\n  warning: 'ci' may use nothing" in said
    column = KEYS.splitlines()[3].index("[") + 1
    assert f"gateway.yaml:4:{column}  auth.api_keys[0].backends\n  warning: no server" in said
    assert "did you mean 'shop'?" in said


def test_all_is_good_where_every_rule_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = validated(tmp_path, KEYS.replace("shpo", "shop"), monkeypatch)
    assert (code, "all good" in said) == (0, True)


def test_tools_of_servers_that_are_not_started_are_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """\
backends: {time: {command: nobody-starts-this}}
policies: {p: {everyone: true, rules: [{backend: time, tool: get_current_time, level: execute}]}}
failsafe: {backends: {time: {}, tiem: {}}}
"""
    code, said = validated(tmp_path, text, monkeypatch)
    assert code == 0
    assert "gateway.yaml:3:39  failsafe.backends.tiem" in said
    assert "1 warning in" in said


def test_rules_that_are_not_there_are_told_with_who_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = validated(tmp_path, "agent_rules: rules.json\n", monkeypatch)
    assert code == 1
    assert "rules.json\n  error: no such file\n  hint: agent_rules of gateway.yaml" in said


def test_a_default_agent_without_rules_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".mcp-gateway-rules.json").write_text('{"agents": {"coder": {}}}')
    code, said = validated(tmp_path, "default_agent: codr\n", monkeypatch)
    assert code == 0
    assert "gateway.yaml:1:16  default_agent\n  warning: no agent 'codr' has rules" in said
    assert "did you mean 'coder'?" in said


def test_an_audit_that_could_not_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = validated(tmp_path, "audit: {enabled: true, file: capabilities}\n", monkeypatch)
    assert code == 1
    assert "gateway.yaml:1:30  audit.file\n  error: capabilities is a folder" in said


def test_an_audit_whose_folder_is_to_be_made_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = validated(tmp_path, "audit: {enabled: true, file: new/a.jsonl}\n", monkeypatch)
    assert (code, "all good" in said) == (0, True)
