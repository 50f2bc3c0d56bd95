"""Calls, answers, questions and cancellations in any order: each ends where it belongs."""

import asyncio
import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.errors import RemoteError
from gateway.session.session import Session
from tests.peers.mcp_server_fixture import called
from tests.peers.mcp_server_scripted import NOWHERE, Err, Events, Front, Wire, legacy

CAN = {"sampling": {}}
SAMPLE = "sampling/createMessage"
picks = st.integers(0, 10**6)


class Call:
    """One client's call, and what the server has seen of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.answers: dict[str, asyncio.Future[Any]] = {}  # the client's, by question
        self.front = Front(CAN, answers={SAMPLE: self.ask})
        self.task: asyncio.Task[Any]
        self.id = 0
        self.answer: asyncio.Future[Any]
        self.progressed: list[int] = []

    async def ask(self, params: Any) -> Any:
        future = asyncio.get_running_loop().create_future()
        self.answers[params["q"]] = future
        return await future


class Conversation(RuleBasedStateMachine):
    """A legacy server on one pipe or, `apart`, with a stream for each request."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.pending: dict[str, Call] = {}
        self.open: dict[str, Call] = {}  # questions that wait for a client
        self.cancelled: list[int] = []
        self.expected: list[str] = []  # ids of questions that have to be answered
        self.numbers = iter(range(10**9))

    @initialize(apart=st.booleans())
    def begin(self, *, apart: bool) -> None:
        self.apart = apart
        self.wire = Wire(legacy(self.script), apart=apart)
        opening = Session.open(self.wire, NOWHERE, Events())
        self.session = self.loop.run_until_complete(opening)
        self.told = [self.wire.told.get_nowait()]

    async def script(self, _wire: Wire, message: Any) -> Any:
        call = self.pending[message["params"]["name"]]
        call.id = message["id"]
        call.answer = asyncio.get_running_loop().create_future()
        return await call.answer

    def settle(self, happens: Any = None) -> None:
        """Let `happens` happen, and all that follows from it."""

        async def turns() -> None:
            if happens is not None:
                happens()
            for _ in range(12):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turns())

    def picked(self, pick: int) -> Call:
        return list(self.pending.values())[pick % len(self.pending)]

    def only(self) -> Call | None:
        """Whom a question on no stream can be about: those that wait for an answer are at rest."""
        busy = [call for call in self.pending.values() if call not in self.open.values()]
        calls = list(self.pending.values()) if len(self.pending) == 1 else busy
        return calls[0] if len(calls) == 1 else None

    def ends(self, call: Call) -> None:
        """Its questions are nobody's any more."""
        del self.pending[call.name]
        self.open = {id: each for id, each in self.open.items() if each is not call}

    @rule()
    def call(self) -> None:
        call = Call(f"call{next(self.numbers)}")
        self.pending[call.name] = call
        params = {"_meta": {"progressToken": "theirs"}}
        calling = called(self.session, call.name, client=call.front, params=params)
        call.task = self.loop.create_task(calling)
        self.settle()

    @precondition(lambda self: self.pending)
    @rule(pick=picks, fails=st.booleans())
    def answer(self, pick: int, *, fails: bool) -> None:
        call = self.picked(pick)
        self.ends(call)
        if fails:
            call.answer.set_exception(Err(-1, call.name))
        else:
            call.answer.set_result({"content": [], "structuredContent": {"for": call.name}})
        self.settle()
        assert call.task.done()
        error = call.task.exception()
        if fails:
            assert isinstance(error, RemoteError)
            assert error.said == call.name
        else:
            assert json.loads(call.task.result().raw)["structuredContent"] == {"for": call.name}

    @precondition(lambda self: self.pending)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        call = self.picked(pick)
        self.ends(call)
        call.task.cancel()
        self.settle()
        assert call.task.cancelled()
        self.cancelled.append(call.id)

    @precondition(lambda self: self.pending)
    @rule(pick=picks, on_stream=st.booleans())
    def ask(self, pick: int, *, on_stream: bool) -> None:
        call, id = self.picked(pick), f"q{next(self.numbers)}"
        named = self.apart and on_stream
        on = call.id if named else None
        to = call if named else self.only()
        self.settle(lambda: self.wire.ask(id, SAMPLE, {"q": id}, on=on))
        if to is not None:
            assert id in to.answers
            self.open[id] = to
        else:
            assert all(id not in each.answers for each in self.pending.values())
            self.expected.append(id)

    @precondition(lambda self: self.open)
    @rule(pick=picks, withdrawn=st.booleans())
    def reply(self, pick: int, *, withdrawn: bool) -> None:
        id = list(self.open)[pick % len(self.open)]
        call = self.open.pop(id)
        if withdrawn:
            withdrawal = {"requestId": id}
            self.settle(lambda: self.wire.say("notifications/cancelled", withdrawal))
            assert call.answers[id].cancelled()
        else:
            call.answers[id].set_result({"to": id})
            self.expected.append(id)
            self.settle()

    @rule(token=st.one_of(st.none(), st.integers(), st.text(max_size=3), st.booleans()))
    def progress_for_nobody(self, token: Any) -> None:
        if not any(type(token) is int and call.id == token for call in self.pending.values()):
            self.wire.say("notifications/progress", {"progressToken": token, "progress": -1})

    @precondition(lambda self: self.pending)
    @rule(pick=picks, progress=st.integers(0, 100))
    def progress(self, pick: int, progress: int) -> None:
        call = self.picked(pick)
        call.progressed.append(progress)
        params = {"progressToken": call.id, "progress": progress}
        self.wire.say("notifications/progress", params, on=call.id if self.apart else None)

    @invariant()
    def nothing_is_kept_of_what_has_ended(self) -> None:
        if not hasattr(self, "session"):
            return
        assert len(self.session._flights) == len(self.pending)
        assert len(self.session._questions) == len(self.open)

    @invariant()
    def every_question_is_answered_once_or_withdrawn(self) -> None:
        if not hasattr(self, "session"):
            return
        assert sorted(answer["id"] for answer in self.wire.answers) == sorted(self.expected)
        for answer in self.wire.answers:
            assert answer.get("result", {"to": answer["id"]}) == {"to": answer["id"]}

    @invariant()
    def every_cancelled_call_was_withdrawn_once(self) -> None:
        if not hasattr(self, "session"):
            return
        while not self.wire.told.empty():
            self.told.append(self.wire.told.get_nowait())
        withdrawn = [told["params"]["requestId"] for told in self.told if "params" in told]
        assert withdrawn == self.cancelled

    @invariant()
    def progress_reached_its_own_client(self) -> None:
        for call in self.pending.values():
            told = [params["progress"] for _, params in call.front.told]
            assert told == call.progressed

    def teardown(self) -> None:
        for call in self.pending.values():
            call.task.cancel()
        if hasattr(self, "session"):
            self.settle()
            self.loop.run_until_complete(self.session.aclose())
            self.settle()
        self.loop.close()


def test_calls_and_questions_end_where_they_belong() -> None:
    bounds = settings(max_examples=40, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(Conversation, settings=bounds)
