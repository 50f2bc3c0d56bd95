"""Changes of state as log lines."""

import logging

import pytest

from gateway.domain.events import BackendChanged, CallFinished, Reloaded
from gateway.domain.issue import Issue, Severity
from gateway.domain.listing import Health, Status
from gateway.observe.logging import StateLog

BROKEN = Issue("x.yaml", "no tools", 3, 1, "tools", hint="add one")
ODD = Issue("y.yaml", "unused", severity=Severity.WARNING)


@pytest.fixture
def lines():
    """The records logged so far."""
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logger = logging.getLogger("gateway.observe.logging")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield records
    logger.removeHandler(handler)
    logger.setLevel(level)


def reloaded(*issues, changed=(), removed=()):
    return Reloaded(7, changed, removed, issues, 0.25)


def events(lines):
    return [record.getMessage() for record in lines]


def test_an_issue_is_logged_when_it_comes_and_not_again_while_it_stands(lines):
    observe = StateLog()
    observe(reloaded(BROKEN))
    observe(reloaded(BROKEN, ODD))
    assert events(lines) == ["issue_found", "reloaded", "issue_found", "reloaded"]
    assert (lines[0].where, lines[0].problem, lines[0].hint) == (
        "x.yaml:3:1",
        "no tools",
        "add one",
    )
    assert (lines[0].levelname, lines[2].levelname) == ("ERROR", "WARNING")


def test_a_command_that_answers_one_question_leaves_warnings_to_validate(lines):
    StateLog(warnings=False)(reloaded(BROKEN, ODD))
    assert [line.levelname for line in lines if line.getMessage() == "issue_found"] == ["ERROR"]


def test_an_issue_that_is_mended_is_logged_once_and_counts_as_new_when_it_returns(lines):
    observe = StateLog()
    for issues in ((BROKEN,), (), (), (BROKEN,)):
        observe(reloaded(*issues))
    assert [name for name in events(lines) if name != "reloaded"] == [
        "issue_found",
        "issue_gone",
        "issue_found",
    ]


def test_a_reload_names_a_few_backends_and_counts_the_rest(lines):
    StateLog()(reloaded(changed=tuple(f"b{number:02}" for number in range(12)), removed=("old",)))
    assert lines[0].changed.endswith("b09 and 2 more")
    assert lines[0].removed == "old"
    assert (lines[0].version, lines[0].ms) == (7, 250)


def test_a_backend_that_falls_ill_is_a_warning_and_its_recovery_is_not(lines):
    observe = StateLog()
    observe(BackendChanged("gh", Status.OK, Health(Status.DOWN, "connection refused")))
    observe(BackendChanged("gh", Status.DOWN, Health()))
    assert [(line.levelname, line.was, line.status) for line in lines] == [
        ("WARNING", "ok", "down"),
        ("INFO", "down", "ok"),
    ]
    assert lines[0].reason == "connection refused"
    assert not hasattr(lines[1], "reason")


def test_a_backend_that_stays_well_with_other_findings_has_not_changed(lines):
    StateLog()(BackendChanged("gh", Status.OK, Health(Status.OK, None, (ODD,))))
    assert lines == []


def test_calls_are_not_logged(lines):
    StateLog()(CallFinished("1", "gh", "get", "anonymous", "ok", 0.1))
    assert not lines
