"""The deadline of a call rests while its client is asked."""

import asyncio

import pytest

from gateway.domain.client import NOBODY
from gateway.domain.tool import JsonObject
from gateway.errors import ClientGone
from gateway.runtime.patience import Patient


class Asked:
    """A client that answers when it is told to."""

    modern = False
    log_level = None

    def __init__(self) -> None:
        self.capabilities: JsonObject = {}
        self.may_answer = asyncio.Event()

    def notify(self, method: str, params: JsonObject) -> None:
        raise AssertionError(method)

    async def ask(self, method: str, params: JsonObject) -> JsonObject:
        await self.may_answer.wait()
        return {"action": "accept"}


async def test_a_question_takes_nothing_of_the_calls_time() -> None:
    client = Asked()
    async with asyncio.timeout(0.05) as timer:
        asking = asyncio.create_task(Patient(client, timer).ask("elicitation/create", {}))
        await asyncio.wait((asking,), timeout=0.1)
        client.may_answer.set()
        assert await asking == {"action": "accept"}
        assert timer.when() is not None


async def test_what_is_left_runs_on_after_the_answer() -> None:
    async def call() -> None:
        async with asyncio.timeout(0.02) as timer:
            await Patient(client, timer).ask("elicitation/create", {})
            await asyncio.Event().wait()

    client = Asked()
    client.may_answer.set()
    with pytest.raises(TimeoutError):
        await call()


async def test_a_question_that_comes_after_the_call_is_not_asked() -> None:
    client = Asked()
    async with asyncio.timeout(10) as timer:
        await asyncio.sleep(0)
    with pytest.raises(ClientGone):
        await Patient(client, timer).ask("elicitation/create", {})


async def test_a_question_may_end_after_its_call() -> None:
    client = Asked()
    async with asyncio.timeout(10) as timer:
        asking = asyncio.create_task(Patient(client, timer).ask("elicitation/create", {}))
        await asyncio.sleep(0)
    client.may_answer.set()
    assert await asking == {"action": "accept"}


async def test_everything_else_is_the_clients_own() -> None:
    patient = Patient(NOBODY, asyncio.timeout(10))
    assert patient.capabilities == NOBODY.capabilities
    assert (patient.modern, patient.log_level) == (NOBODY.modern, NOBODY.log_level)
