"""What health keeps of events."""

from gateway.domain.events import CallFinished, FileRead, Reloaded
from gateway.observe.ledger import Ledger


def test_a_backend_that_is_removed_is_forgotten_and_one_that_changed_is_not() -> None:
    ledger = Ledger()
    for backend in ("kept", "gone"):
        ledger(CallFinished("1", backend, "now", "anonymous", "timeout", 0.1))
    ledger(Reloaded(2, changed=("kept",), removed=("gone",), issues=(), seconds=0.1))
    assert ledger.calls == {"kept": 1}
    assert ledger.last_errors == {"kept": "timeout"}


def test_a_file_is_known_by_its_last_reading_and_how_often_it_was_good() -> None:
    now = [1_700_000_000.0]
    ledger = Ledger(wall=lambda: now[0])
    ledger(FileRead("rules.json", warnings=("no server 'crm'",)))
    first = ledger.files["rules.json"]
    assert first.last_attempt == first.last_success == "2023-11-14T22:13:20Z"
    assert first.warnings == ("no server 'crm'",)
    now[0] += 60
    ledger(FileRead("rules.json", "line 3: no JSON"))
    broken = ledger.files["rules.json"]
    assert broken.last_attempt == "2023-11-14T22:14:20Z"
    assert broken.last_success == first.last_success
    assert broken.last_error == "line 3: no JSON"
    assert (broken.attempt_count, broken.success_count) == (2, 1)
    ledger(FileRead("rules.json"))
    mended = ledger.files["rules.json"]
    assert mended.last_success == mended.last_attempt
    assert (mended.last_error, mended.attempt_count, mended.success_count) == (None, 3, 2)


def test_a_file_that_never_was_good_has_no_success() -> None:
    ledger = Ledger()
    ledger(FileRead("gateway.lock", "no such file"))
    status = ledger.files["gateway.lock"]
    assert (status.last_success, status.success_count) == (None, 0)
