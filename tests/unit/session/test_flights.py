"""Which request a message without an address concerns."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.domain.client import NOBODY
from gateway.domain.identity import ANONYMOUS, Identity
from gateway.protocol.outbound import Draft
from gateway.session.flights import MOST_KEPT, Flight, Flights


@pytest.fixture
async def question() -> AsyncIterator[asyncio.Task[None]]:
    """One that is being answered."""
    task: asyncio.Task[None] = asyncio.create_task(_for_ever())
    yield task
    task.cancel()
    await asyncio.wait((task,))


async def _for_ever() -> None:
    await asyncio.Event().wait()


def in_flight(*all_of_them: Flight) -> Flights:
    flights = Flights()
    for id, flight in enumerate(all_of_them, 1):
        flights.begin(id, flight)
    return flights


def asking(question: asyncio.Task[None]) -> Flight:
    flight = Flight(NOBODY)
    flight.questions = {question}
    return flight


def test_it_concerns_the_only_one() -> None:
    flight = Flight(NOBODY)
    assert in_flight(flight).only() is flight


def test_it_concerns_none_where_two_might_be_meant() -> None:
    assert in_flight(Flight(NOBODY), Flight(NOBODY)).only() is None
    assert in_flight().only() is None


def test_one_that_was_sent_again_is_still_one() -> None:
    flight = Flight(NOBODY)
    assert in_flight(flight, flight).only() is flight


async def test_one_that_waits_for_its_client_is_not_meant_beside_one_that_does_not(
    question: asyncio.Task[None],
) -> None:
    at_work = Flight(NOBODY)
    assert in_flight(asking(question), at_work, asking(question)).only() is at_work


async def test_among_several_that_wait_none_is_meant_and_one_alone_is(
    question: asyncio.Task[None],
) -> None:
    assert in_flight(asking(question), asking(question)).only() is None
    alone = asking(question)
    assert in_flight(alone).only() is alone


def test_what_began_a_task_is_known_by_its_token_but_not_at_work() -> None:
    task, other = Flight(NOBODY), Flight(NOBODY)
    flights = in_flight(task, other)
    flights.end(1, lasting=True)
    assert flights.get(1) is task
    assert flights.only() is other
    flights.end(2)
    assert flights.get(2) is None
    assert len(flights) == 0


def test_of_very_many_tasks_the_newest_are_told_of_their_progress() -> None:
    flights = in_flight(*(Flight(NOBODY) for _ in range(MOST_KEPT + 1)))
    for id in range(1, MOST_KEPT + 2):
        flights.end(id, lasting=True)
    assert flights.get(1) is None
    assert flights.get(2) is not None


async def test_words_of_one_caller_never_go_to_another(question: asyncio.Task[None]) -> None:
    """I40: a question in parallel to one that is open might be of either request."""
    resting, other = asking(question), Flight(NOBODY, "bob")
    resting.caller = "ann"
    flights = in_flight(resting, other)
    assert flights.only() is None
    flights.end(1)
    assert flights.only() is other


def test_a_draft_is_its_callers_own() -> None:
    draft = Draft("tools/call")
    assert draft.by(Identity("ann")).caller == "ann"
    assert draft.by(ANONYMOUS) is draft
