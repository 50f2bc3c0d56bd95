"""What health keeps of events."""

from gateway.domain.events import CallFinished, Reloaded
from gateway.observe.ledger import Ledger


def test_a_backend_that_is_removed_is_forgotten_and_one_that_changed_is_not() -> None:
    ledger = Ledger()
    for backend in ("kept", "gone"):
        ledger(CallFinished("1", backend, "now", "anonymous", "timeout", 0.1))
    ledger(Reloaded(2, changed=("kept",), removed=("gone",), issues=(), seconds=0.1))
    assert ledger.calls == {"kept": 1}
    assert ledger.last_errors == {"kept": "timeout"}
