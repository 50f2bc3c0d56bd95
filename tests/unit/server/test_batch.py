import asyncio
import json

from gateway.protocol.eras import REVISIONS
from gateway.protocol.inbound import Rejection
from gateway.protocol.jsonrpc import Batch, Message, Notification, Request, result
from gateway.server.batch import AT_ONCE, MOST, answer_batch

OLD = REVISIONS["2025-03-26"]


class Answerer:
    def __init__(self) -> None:
        self.now = self.most = self.total = 0

    async def __call__(self, message: Message) -> bytes | None:
        self.now, self.total = self.now + 1, self.total + 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return result(message.id, b"{}") if isinstance(message, Request) else None


async def test_responses_come_as_one_array_in_order() -> None:
    items = (Request(1, "a", {}), Notification("n", {}), Request("b", "b", {}))
    answered = await answer_batch(OLD, Batch(items), Answerer())
    assert isinstance(answered, bytes)
    assert [item["id"] for item in json.loads(answered)] == [1, "b"]


async def test_notifications_alone_are_owed_nothing() -> None:
    assert await answer_batch(OLD, Batch((Notification("n", {}),)), Answerer()) is None


async def test_any_other_revision_has_no_batches() -> None:
    for revision in REVISIONS.values():
        answered = await answer_batch(revision, Batch((Request(1, "a", {}),)), Answerer())
        assert isinstance(answered, Rejection) is (revision is not OLD)


async def test_a_batch_is_bounded_in_size_and_in_what_runs_at_once() -> None:
    """I16."""
    answerer = Answerer()
    await answer_batch(OLD, Batch(tuple(Request(n, "a", {}) for n in range(MOST))), answerer)
    assert answerer.most == AT_ONCE
    many = Batch(tuple(Request(n, "a", {}) for n in range(10_000)))
    answerer = Answerer()
    assert isinstance(await answer_batch(OLD, many, answerer), Rejection)
    assert answerer.total == 0


async def test_initialize_is_no_part_of_a_batch() -> None:
    batch = Batch((Request(1, "initialize", {}),))
    assert isinstance(await answer_batch(OLD, batch, Answerer()), Rejection)
