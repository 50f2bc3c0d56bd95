"""The requests of clients that are at a server right now, and which of them a message concerns."""

import asyncio

from gateway.domain.client import Client
from gateway.errors import CapabilityMissing


class Flight:
    """A client's request in flight.

    `declined` is what the client lacked when the server last asked it something in vain.
    `questions` are those of the server that are being answered.
    """

    __slots__ = ("client", "declined", "questions")

    def __init__(self, client: Client) -> None:
        self.client = client
        self.declined: CapabilityMissing | None = None
        self.questions: set[asyncio.Task[None]] | None = None

    def ends(self) -> None:
        """Nobody waits for its answers any more."""
        for question in self.questions or ():
            question.cancel()


class Flights:
    """By the ids that they have at the server, which also are their progress tokens. A request that
    is sent again has several.
    """

    __slots__ = ("_by_id",)

    def __init__(self) -> None:
        self._by_id: dict[int, Flight] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def begin(self, id: int, flight: Flight) -> None:
        self._by_id[id] = flight

    def end(self, id: int) -> None:
        self._by_id.pop(id, None)

    def drop(self, flight: Flight) -> None:
        """End it under all its ids."""
        for id in [id for id, each in self._by_id.items() if each is flight]:
            del self._by_id[id]

    def get(self, id: object) -> Flight | None:
        """The one that has this id, or wants progress under this token."""
        return self._by_id.get(id) if type(id) is int else None

    def only(self) -> Flight | None:
        """The one in flight, where there is exactly one."""
        flights = iter(self._by_id.values())
        found = next(flights, None)
        return found if all(each is found for each in flights) else None
