"""Answers kept, revalidated, bounded; and one fetch for all who want the same."""

import asyncio

import pytest

from gateway.backends.cache import Cache, Pairs, key_of
from gateway.errors import DeadlineExceeded
from gateway.http.message import HttpRequest, HttpResponse

REQUEST = HttpRequest("GET", "https://h/a?k=s3cret", (("Accept", "*/*"),))


class Api:
    """Counts what it is asked; answers what it is told, once it is let."""

    def __init__(self, *answers: HttpResponse, worth: bool = True) -> None:
        self.answers = list(answers)
        self.asked: list[Pairs] = []
        self.worth = worth
        self.open = asyncio.Event()
        self.open.set()
        self.cancelled = False

    async def __call__(self, conditions: Pairs) -> tuple[HttpResponse, bool]:
        self.asked.append(conditions)
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0], self.worth


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def answer(body: bytes = b"{}", status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status, {name.replace("_", "-"): v for name, v in headers.items()}, body)


async def get(cache: Cache, api: Api, key: bytes = b"k", *, revalidate: bool = False) -> bytes:
    return (await cache.get(key, 60, api, revalidate=revalidate)).body


async def test_an_answer_is_kept_for_its_time_and_no_longer() -> None:
    clock, api = Clock(), Api(answer(b"1"), answer(b"2"))
    cache = Cache(clock=clock)
    assert await get(cache, api) == b"1"
    clock.now += 59
    assert await get(cache, api) == b"1"
    clock.now += 1
    assert await get(cache, api) == b"2"
    assert api.asked == [(), ()]


async def test_a_stale_answer_is_asked_after_and_kept_on_304() -> None:
    clock = Clock()
    api = Api(answer(b"1", etag='"v1"', last_modified="Sun"), answer(b"", 304))
    cache = Cache(clock=clock)
    await get(cache, api, revalidate=True)
    clock.now += 60
    assert await get(cache, api, revalidate=True) == b"1"
    assert api.asked[1] == (("If-None-Match", '"v1"'), ("If-Modified-Since", "Sun"))
    assert await get(cache, api, revalidate=True) == b"1"  # fresh again
    assert len(api.asked) == 2


async def test_a_changed_answer_takes_the_stale_ones_place() -> None:
    clock, api = Clock(), Api(answer(b"1", etag="a"), answer(b"2", etag="b"), answer(b"", 304))
    cache = Cache(clock=clock)
    for expected in (b"1", b"2", b"2"):
        assert await get(cache, api, revalidate=True) == expected
        clock.now += 60
    assert api.asked[2] == (("If-None-Match", "b"),)


@pytest.mark.parametrize("directive", ["no-store", "private, No-Store", "max-age=9,no-store "])
async def test_no_store_wins(directive: str) -> None:
    api = Api(answer(cache_control=directive))
    cache = Cache()
    await get(cache, api)
    await get(cache, api)
    assert len(api.asked) == 2


async def test_what_is_not_worth_keeping_is_not_kept() -> None:
    api = Api(answer(status=500), worth=False)
    cache = Cache()
    await get(cache, api)
    await get(cache, api)
    assert len(api.asked) == 2


async def test_the_least_recently_used_goes_when_bytes_run_out() -> None:
    cache, api = Cache(most_bytes=8000), Api(answer(b"x" * 1488))
    for name in (b"a", b"b", b"c", b"d"):  # 2,000 bytes each
        await get(cache, api, name)
    await get(cache, api, b"a")
    await get(cache, api, b"e")
    assert repr(cache) == "<Cache 4 answers, 8000 bytes>"
    asked = len(api.asked)
    await get(cache, api, b"a")
    assert len(api.asked) == asked
    await get(cache, api, b"b")
    assert len(api.asked) == asked + 1


async def test_an_answer_that_would_crowd_out_all_others_is_not_kept() -> None:
    cache, api = Cache(most_bytes=8000), Api(answer(b"x" * 1600))
    await get(cache, api)
    assert repr(cache) == "<Cache 0 answers, 0 bytes>"


async def test_callers_at_once_share_one_fetch() -> None:
    api = Api(answer(b"1"), answer(b"2"))
    api.open.clear()
    cache = Cache()
    calls = [asyncio.create_task(get(cache, api)) for _ in range(10)]
    await asyncio.sleep(0)
    api.open.set()
    assert await asyncio.gather(*calls) == [b"1"] * 10
    assert len(api.asked) == 1


async def test_a_cancelled_leader_does_not_take_its_followers_along() -> None:
    api = Api(answer(b"1"))
    api.open.clear()
    cache = Cache()
    leader, follower = (asyncio.create_task(get(cache, api)) for _ in range(2))
    await asyncio.sleep(0)
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    api.open.set()
    assert await follower == b"1"
    assert len(api.asked) == 1


async def test_the_fetch_ends_with_the_last_who_waits() -> None:
    """I21."""
    api = Api(answer(b"1"))
    api.open.clear()
    cache = Cache()
    calls = [asyncio.create_task(get(cache, api)) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    newcomer = asyncio.create_task(get(cache, api))  # does not join the dying fetch
    await asyncio.sleep(0)
    assert api.cancelled
    api.open.set()
    assert await newcomer == b"1"


async def test_all_who_wait_hear_of_the_failure_and_the_next_tries_anew() -> None:
    async def fails(_: Pairs) -> tuple[HttpResponse, bool]:
        await asyncio.sleep(0)
        raise DeadlineExceeded("timeout after 1 s")

    cache = Cache()
    calls = [cache.get(b"k", 60, fails, revalidate=False) for _ in range(3)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [DeadlineExceeded] * 3
    assert await get(cache, Api(answer(b"1"))) == b"1"


def test_every_part_of_a_key_counts_and_none_can_be_read() -> None:
    base = key_of(("ann", "b:t", "digest"), REQUEST)
    others = [
        key_of(("bob", "b:t", "digest"), REQUEST),
        key_of(("ann", "b:t", "digest2"), REQUEST),
        key_of(("ann", "b:t", "digest"), HttpRequest("HEAD", REQUEST.url, REQUEST.headers)),
        key_of(("ann", "b:t", "digest"), HttpRequest("GET", REQUEST.url + "1", REQUEST.headers)),
        key_of(("ann", "b:t", "digest"), HttpRequest("GET", REQUEST.url)),
        key_of(("ann", "b:t", "digest"), HttpRequest("GET", REQUEST.url, REQUEST.headers, b"")),
    ]
    assert len({base, *others}) == 7
    assert base == key_of(("ann", "b:t", "digest"), REQUEST)
    assert b"s3cret" not in base
