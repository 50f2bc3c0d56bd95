"""The observer, its thread and its queue: never waiting, never losing a line uncounted."""

import json
import threading

import pytest

from gateway.credentials.redact import Redactor
from gateway.domain.events import CallFinished, MetaFinished, Queried, Refused, Searched
from gateway.domain.identity import Identity
from gateway.errors import AuditUnavailable
from gateway.observe import audit as module
from gateway.observe.audit import Audit
from gateway.observe.audit_append import NotWritten
from gateway.observe.audit_line import Rendering
from gateway.observe.audit_redaction import Rules
from gateway.observe.audit_writer import Writer

CI = Identity("ci")
PATIENCE = 10.0  # seconds: far more than any of it takes


class Disk:
    """A sink in memory that can be full, or hang, until it is told not to."""

    def __init__(self) -> None:
        self.content = b""
        self.full = False
        self.room = 0  # whole lines that a full one still takes
        self.free = threading.Event()  # not set: a write hangs
        self.free.set()
        self.entered = threading.Event()
        self.tried = threading.Semaphore(0)
        self.closed = False

    def put(self, data: bytes) -> None:
        self.entered.set()
        assert self.free.wait(PATIENCE)
        if self.full:
            kept = b"".join(data.splitlines(keepends=True)[: self.room])
            self.content += kept
            self.room = 0
            self.tried.release()
            raise NotWritten(len(kept), "no space left on device")
        self.content += data

    def look(self) -> None:
        if self.full:
            raise OSError(28, "full")

    def close(self) -> None:
        self.closed = True

    def failed(self, times: int = 1) -> None:
        """Wait until it has refused so many writes more."""
        for _ in range(times):
            assert self.tried.acquire(timeout=PATIENCE)

    @property
    def lines(self):
        return [json.loads(line) for line in self.content.splitlines()]


def auditing(disk, longest=None):
    rendering = Rendering("0a1b2c3d", Redactor(), Rules(()), longest or 16)
    return Audit(Writer(rendering, disk), longest)


def call(number=1, **more):
    return CallFinished(f"{number:x}", "shop", "get", "ci", "ok", 0.001, CI)._replace(**more)


REFUSED = call(outcome="audit_unavailable")


def until(condition):
    """Wait for what another thread is about to do."""
    pause = threading.Event()
    for _ in range(2_000):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("it never happened")


def test_each_call_query_and_meta_tool_is_a_line_and_nothing_else_is():
    disk = Disk()
    audit = auditing(disk)
    assert audit.start() is None
    audit(call())
    audit(Searched(3, 0.1))
    audit(Queried("2", "shop", "prompts/get", "ci", "ok", 0.001, CI))
    audit(Refused("unauthenticated"))
    audit(MetaFinished("3", "gateway_list_servers", "ci", "ok", 0.001, CI))
    assert audit.close(PATIENCE) == 0
    assert [(line["seq"], line["id"], line["op"]) for line in disk.lines] == [
        *((1, "1", "call"), (2, "2", "query"), (3, "3", "meta"))
    ]
    assert (audit.written, dict(audit.dropped), disk.closed) == (3, {}, True)


class Busy(Disk):
    """While it writes, the next call ends."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def put(self, data: bytes) -> None:
        super().put(data)
        self.writes += 1
        if self.writes < 5:
            self.audit(call(self.writes))


def test_what_comes_while_it_writes_is_gathered_for_the_next_time():
    disk = Busy()
    disk.audit = audit = auditing(disk)
    audit(call(0))
    for turn in (1, 2, 3, 4, 5):
        audit._writer._write_all()
        assert (disk.writes, audit.written) == (turn, turn)
    assert audit.close(PATIENCE) == 0
    assert [line["id"] for line in disk.lines] == ["0", "1", "2", "3", "4"]


def test_lines_are_written_while_it_goes_on_and_wake_it_from_its_rest():
    disk = Disk()
    audit = auditing(disk)
    audit.start()
    for number in (1, 2, 3):
        audit(call(number))
        until(lambda number=number: audit.written == number)
    audit.close(PATIENCE)


def test_arguments_are_written_only_where_that_is_wanted():
    for longest, expected in ((None, False), (16, True)):
        disk = Disk()
        audit = auditing(disk, longest)
        audit(call(arguments={"id": 7}))
        audit(MetaFinished("3", "gateway_invoke", "ci", "ok", 0.0, CI, arguments={"id": 7}))
        audit.close(PATIENCE)
        assert [line.get("arguments") for line in disk.lines] == [
            {"id": 7} if expected else None
        ] * 2


def test_what_waits_holds_no_arguments_that_nobody_wants():
    audit = auditing(Disk())
    audit(call(arguments={"huge": "x" * 1_000_000}))
    (entry,) = audit._writer.queue
    assert entry.event.arguments == {}


def test_arguments_that_are_large_together_are_left_out_while_they_wait(monkeypatch):
    monkeypatch.setattr(module, "MOST_WEIGHT", 10_000)
    disk = Disk()
    audit = auditing(disk, 16)
    for number in range(4):
        audit(call(number, arguments={"text": "x" * 9_000}))
    audit.start()
    until(lambda: audit.written == 4)
    audit(call(5, arguments={"text": "short"}))
    audit.close(PATIENCE)
    shown = [line["arguments"] for line in disk.lines]
    assert [type(one) is dict for one in shown] == [True, True, False, False, True]


def test_a_full_disk_keeps_what_waits_and_then_counts_to_the_letter(monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 100)
    monkeypatch.setattr(module, "ROOM", 50)
    disk = Disk()
    audit = auditing(disk)
    audit.start()
    disk.full, disk.room = True, 1
    for number in range(3):
        audit(call(number))
    disk.failed()
    until(lambda: audit.failing == "no space left on device")
    for number in range(3, 500):
        audit(call(number))
    waiting, dropped = audit.waiting, audit.dropped["queue_full"]
    assert (audit.written, waiting + dropped) == (1, 499)
    assert 100 <= waiting <= 103
    disk.full = False
    until(lambda: audit.failing is None and not audit.waiting)
    audit(call(500))
    audit.close(PATIENCE)
    assert audit.written + audit.dropped["queue_full"] == 501
    numbers = [line["seq"] for line in disk.lines]
    assert numbers == [*range(1, 501 - dropped), 501]  # the gap shows in the file
    assert dict(audit.dropped) == {"queue_full": dropped}


def test_nothing_new_may_be_done_while_nothing_can_be_written():
    disk = Disk()
    audit = auditing(disk)
    audit.start()
    audit.recorded()
    disk.full = True
    audit(call())
    until(lambda: audit.failing)
    with pytest.raises(AuditUnavailable):
        audit.recorded()
    audit(call(2))  # one that was in flight
    audit(REFUSED)
    disk.full = False
    until(lambda: audit.failing is None and not audit.waiting)
    audit.recorded()
    audit.close(PATIENCE)
    assert [line["outcome"] for line in disk.lines] == ["ok", "ok", "audit_unavailable"]


def test_refusals_leave_room_for_the_calls_in_flight(monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    monkeypatch.setattr(module, "ROOM", 5)
    audit = auditing(Disk())
    for _ in range(20):
        audit(REFUSED)
    for number in range(20):
        audit(call(number))
    kept = [entry.event.outcome for entry in audit._writer.queue]
    assert kept == ["audit_unavailable"] * 5 + ["ok"] * 5
    assert audit.dropped == {"queue_full": 30}
    with pytest.raises(AuditUnavailable):
        audit.recorded()


def test_a_write_that_hangs_counts_as_one_that_failed(monkeypatch):
    monkeypatch.setattr(module, "HUNG", 0.0)
    disk = Disk()
    audit = auditing(disk)
    audit.start()
    audit.recorded()
    disk.free.clear()
    audit(call())
    assert disk.entered.wait(PATIENCE)
    with pytest.raises(AuditUnavailable):
        audit.recorded()
    disk.free.set()
    until(lambda: audit.written == 1)
    until(lambda: not audit._writer.hangs(0.0))
    audit.recorded()
    audit.close(PATIENCE)


def test_what_cannot_be_written_from_the_start_is_said_and_mends_itself():
    disk = Disk()
    disk.full = True
    audit = auditing(disk)
    assert audit.start() == "no space left on device"
    with pytest.raises(AuditUnavailable):
        audit.recorded()
    disk.full = False
    until(lambda: audit.failing is None)
    audit.recorded()
    audit.close(PATIENCE)


def test_lines_that_nobody_can_write_any_more_are_counted():
    disk = Disk()
    disk.full = True
    audit = auditing(disk)
    audit.start()
    for number in range(7):
        audit(call(number))
    assert audit.close(0.1) == 7
    audit(call(8))
    assert (audit.written, dict(audit.dropped)) == (0, {"stopped": 8})


def test_what_was_told_before_it_began_is_written_too():
    disk = Disk()
    audit = auditing(disk)
    audit(call())
    assert audit.close(PATIENCE) == 0
    assert audit.written == 1


def test_one_that_never_began_ends_at_once():
    assert auditing(Disk()).close(PATIENCE) == 0


def test_a_line_that_cannot_be_made_costs_itself_alone(caplog):
    disk = Disk()
    audit = auditing(disk)
    audit(call(1))
    audit(call(2, seconds="no number"))
    audit(call(3))
    audit.close(PATIENCE)
    assert [(line["id"], line["op"]) for line in disk.lines] == [
        *(("1", "call"), ("2", "fault"), ("3", "call"))
    ]
    assert [record.message for record in caplog.records] == ["audit_line_failed"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_lets_nothing_pass():
    disk = Disk()
    disk.put = None  # a fault of ours
    audit = auditing(disk)
    audit.start()
    audit(call())
    until(lambda: audit.failing)
    with pytest.raises(AuditUnavailable):
        audit.recorded()
    audit.close(PATIENCE)  # its thread has ended when the next test begins
    assert disk.closed


def test_failing_and_mending_is_logged_once_each(caplog):
    disk = Disk()
    audit = auditing(disk)
    audit.start()
    disk.full = True
    audit(call())
    disk.failed(2)
    disk.full = False
    until(lambda: audit.failing is None)
    audit.close(PATIENCE)
    assert [record.message for record in caplog.records] == ["audit_failed", "audit_recovered"]
