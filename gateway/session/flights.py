"""The requests of clients that are at a server right now, and which of them a message concerns."""

import asyncio
from collections import OrderedDict

from gateway.domain.client import Client
from gateway.errors import CapabilityMissing

MOST_KEPT = 256  # requests that are answered, but may still be told of


class Flight:
    """A client's request in flight; `caller` is as in its draft.

    `declined` is what the client lacked when the server last asked it something in vain.
    `questions` are those of the server that are being answered.
    """

    __slots__ = ("caller", "client", "declined", "questions")

    def __init__(self, client: Client, caller: str = "") -> None:
        self.client = client
        self.caller = caller
        self.declined: CapabilityMissing | None = None
        self.questions: set[asyncio.Task[None]] | None = None

    def ends(self) -> None:
        """Nobody waits for its answers any more."""
        for question in self.questions or ():
            question.cancel()


class Flights:
    """By the ids that they have at the server, which also are their progress tokens. A request that
    is sent again has several. What began a task is told of its progress after its answer, too.
    """

    __slots__ = ("_by_id", "_kept")

    def __init__(self) -> None:
        self._by_id: dict[int, Flight] = {}
        self._kept: OrderedDict[int, Flight] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_id)

    def begin(self, id: int, flight: Flight) -> None:
        self._by_id[id] = flight

    def end(self, id: int, *, lasting: bool = False) -> None:
        flight = self._by_id.pop(id, None)
        if lasting and flight is not None:
            self._kept[id] = flight
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

    def drop(self, flight: Flight) -> None:
        """End it under all its ids."""
        for id in [id for id, each in self._by_id.items() if each is flight]:
            del self._by_id[id]

    def get(self, id: object) -> Flight | None:
        """The one that has this id, or wants progress under this token."""
        if type(id) is not int:
            return None
        return self._by_id.get(id) or self._kept.get(id)

    def only(self) -> Flight | None:
        """The one that a message without an address concerns, where that is beyond doubt.

        It is the only one in flight; or the only one that waits for no answer of its client, since
        those that do are at rest, some of them for as long as their client stays away. That may be
        wrong, so it is only said among requests of one caller: nobody else's words get to another.
        """
        if len(self._by_id) == 1:
            return next(iter(self._by_id.values()))
        flights = set(self._by_id.values())
        if len(flights) > 1:
            if len({flight.caller for flight in flights}) > 1:
                return None
            flights = {flight for flight in flights if not flight.questions}
        return flights.pop() if len(flights) == 1 else None
