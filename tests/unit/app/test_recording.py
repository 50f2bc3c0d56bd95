"""What `audit:` of gateway.yaml comes to: each key counts, seen in the file that is written."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from gateway.app.recording import Recording
from gateway.config.observing import Audit, Rotation
from gateway.credentials.redact import Redactor
from gateway.domain.events import CallFinished

ARGUMENTS = {"password": "a-canary", "pin": "4711", "text": "x" * 20_000}


def recorded(settings: Audit, calls: int = 1) -> None:
    async def recording() -> None:
        recording = Recording(settings, Redactor())
        for number in range(calls):
            call = CallFinished(f"{number:x}", "shop", "pay", "ci", "ok", 0.1, arguments=ARGUMENTS)
            for observe in recording.observers:
                observe(call)
        await recording.aclose()

    asyncio.run(recording())


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_nothing_is_written_unless_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recorded(Audit())
    assert not list(tmp_path.iterdir())


def test_arguments_are_written_where_they_are_wanted_and_never_what_the_rules_name(
    tmp_path: Path,
) -> None:
    without, usual, own = (tmp_path / name for name in ("without", "usual", "own"))
    recorded(Audit(enabled=True, file=str(without)))
    recorded(Audit(enabled=True, file=str(usual), arguments=True))
    rules = ("shop:p*:pin",)
    settings = Audit(enabled=True, file=str(own), arguments=True, redact=rules, longest_argument=16)
    recorded(settings)
    assert "arguments" not in lines(without)[0]
    (found,) = lines(usual)
    assert found["arguments"]["password"] == "***"
    assert found["arguments"]["pin"] == "4711"
    assert found["arguments"]["text"].startswith("x" * 1_024)
    (found,) = lines(own)
    assert found["arguments"]["pin"] == "***"
    assert found["arguments"]["password"] == "a-canary"
    assert 16 <= found["arguments"]["text"].count("x") < 1_024


def test_a_full_file_is_put_aside_and_so_many_old_ones_stay(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    settings = Audit(enabled=True, file=str(file), rotation=Rotation(size=1_000, keep=2))
    for _ in range(5):
        recorded(settings, 4)
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "audit.jsonl",
        "audit.jsonl.1",
        "audit.jsonl.2",
    ]


def test_the_disk_is_waited_for_where_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[int] = []
    monkeypatch.setattr(os, "fdatasync", waited.append)
    recorded(Audit(enabled=True, file=str(tmp_path / "a")))
    assert waited == []
    recorded(Audit(enabled=True, file=str(tmp_path / "b"), sync=True))
    assert waited
