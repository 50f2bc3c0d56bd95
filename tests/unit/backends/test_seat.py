"""A place at a server, given up while somebody is asked."""

import asyncio

import pytest

from gateway.backends.seat import Seat
from gateway.domain.client import Nobody
from gateway.domain.tool import JsonObject
from gateway.errors import BackendUnavailable, ClientGone, DeadlineExceeded, Reached
from gateway.failsafe.gate import Gate


class Person(Nobody):
    """Answers when told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()

    async def ask(self, method: str, params: JsonObject) -> JsonObject:
        self.asked.set()
        return await self.answer


def gate(most: int = 1, queue: int = 8) -> Gate:
    made = Gate("it", most, queue)
    made.inside = 1  # the request of these tests
    return made


async def asking(seat: Seat, person: Person) -> "asyncio.Task[JsonObject]":
    task = asyncio.create_task(seat.ask("elicitation/create", {}))
    await person.asked.wait()
    return task


async def test_others_get_in_while_somebody_thinks() -> None:
    door, person = gate(), Person()
    seat = Seat(person, door)
    task = await asking(seat, person)
    assert (door.inside, door.away) == (0, 1)
    person.answer.set_result({"action": "accept"})
    assert await task == {"action": "accept"}
    assert (door.inside, door.away) == (1, 0)
    seat.leave()
    assert (door.inside, door.away) == (0, 0)


async def test_who_comes_back_is_the_next_before_all_who_wait() -> None:
    door, person = gate(queue=1), Person()
    task = await asking(Seat(person, door), person)
    door.inside += 1  # another took the place
    waiting = asyncio.create_task(door.wait())
    await asyncio.sleep(0)
    person.answer.set_result({})
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not task.done()
    door.leave()
    async with asyncio.timeout(1):
        await task
    assert not waiting.done()
    waiting.cancel()


async def test_a_refusal_comes_back_in_too() -> None:
    door, person = gate(), Person()
    task = await asking(Seat(person, door), person)
    person.answer.set_exception(ClientGone("away"))
    with pytest.raises(ClientGone):
        await task
    assert (door.inside, door.away) == (1, 0)


async def test_a_request_that_ends_while_its_client_is_asked_leaves_nothing() -> None:
    door, person = gate(), Person()
    seat = Seat(person, door)
    task = await asking(seat, person)
    seat.leave()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (door.inside, door.away) == (0, 0)


async def test_an_answer_that_comes_after_the_end_takes_no_place() -> None:
    door, person = gate(), Person()
    seat = Seat(person, door)
    task = await asking(seat, person)
    seat.leave()
    person.answer.set_result({})
    await task
    assert (door.inside, door.away) == (0, 0)


async def test_a_request_that_ends_while_it_waits_to_come_back_leaves_nothing() -> None:
    door, person = gate(), Person()
    seat = Seat(person, door)
    task = await asking(seat, person)
    door.inside += 1  # another took the place
    person.answer.set_result({})
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    seat.leave()
    door.leave()
    await task
    assert (door.inside, door.away) == (0, 0)


async def test_two_questions_give_up_one_place() -> None:
    door, person = gate(most=2), Person()
    seat = Seat(person, door)
    first, second = await asking(seat, person), await asking(seat, person)
    await asyncio.sleep(0)
    assert (door.inside, door.away) == (0, 1)
    person.answer.set_result({})
    await asyncio.gather(first, second)
    assert (door.inside, door.away) == (1, 0)


async def test_nobody_comes_back_to_a_server_that_is_closed() -> None:
    door, person = gate(), Person()
    seat = Seat(person, door)
    task = await asking(seat, person)
    door.close(BackendUnavailable("removed"))
    person.answer.set_result({})
    with pytest.raises(BackendUnavailable, match="removed"):
        await task
    seat.leave()
    assert (door.inside, door.away) == (0, 0)


async def test_a_turn_that_never_comes_was_certainly_not_sent() -> None:
    door = gate()
    with pytest.raises(DeadlineExceeded) as caught:
        await door.wait(asyncio.get_running_loop().time() + 0.01)
    assert caught.value.reached is Reached.NOT_SENT
    assert door.waiting == 0


async def test_two_answers_while_it_waits_to_come_back_bring_it_back_once() -> None:
    door, first, second = gate(), Person(), Person()
    seat = Seat(first, door)
    one = await asking(seat, first)
    door.inside += 1  # another took the place
    first.answer.set_result({"n": 1})
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert door.waiting == 1
    seat._client = second
    two = await asking(seat, second)
    second.answer.set_result({"n": 2})
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    door.leave()
    async with asyncio.timeout(5):
        assert [await one, await two] == [{"n": 1}, {"n": 2}]
    assert (door.inside, door.away) == (1, 0)
    seat.leave()
    assert (door.inside, door.away, door.waiting) == (0, 0, 0)
