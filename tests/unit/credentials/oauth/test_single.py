"""gateway/credentials/oauth/single.py: one run for all, which outlives whoever gives up."""

import asyncio

import pytest

from gateway.credentials.oauth.single import Single
from gateway.errors import BackendUnavailable


async def test_all_who_ask_meanwhile_get_one_run():
    single, gate, runs = Single(), asyncio.Event(), []

    async def make():
        runs.append(1)
        await gate.wait()
        return len(runs)

    waiting = [asyncio.create_task(single.run(make)) for _ in range(20)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # it began the run, and the run goes on
    gate.set()
    assert await asyncio.gather(*waiting[1:]) == [1] * 19
    assert await single.run(make) == 2


async def test_an_error_reaches_all_and_is_not_kept():
    single, outcomes = Single(), iter([BackendUnavailable("no"), None])

    async def make():
        outcome = next(outcomes)
        if outcome:
            raise outcome
        return "yes"

    both = await asyncio.gather(single.run(make), single.run(make), return_exceptions=True)
    assert [str(one) for one in both] == ["no", "no"]
    assert await single.run(make) == "yes"


async def test_closing_waits_for_a_run_that_is_about_to_end():
    single, done = Single(), []

    async def make():
        await asyncio.sleep(0)
        done.append(1)

    task = asyncio.create_task(single.run(make))
    await asyncio.sleep(0)
    await single.aclose()
    assert done == [1]
    await task


async def test_an_error_nobody_waits_for_is_no_news():
    single = Single()

    async def make():
        raise BackendUnavailable("no")

    task = asyncio.create_task(single.run(make))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await single.aclose()


async def test_who_still_waits_when_it_is_closed_is_told_so_and_not_cancelled():
    single = Single(patience=0.0)
    waiting = asyncio.create_task(single.run(asyncio.Event().wait))
    await asyncio.sleep(0)
    await single.aclose()
    with pytest.raises(BackendUnavailable, match="closed"):
        await waiting


async def test_once_closed_nothing_is_begun():
    """What it gave would be held by nobody, and never let go."""
    single = Single()
    await single.aclose()
    with pytest.raises(BackendUnavailable, match="closed"):
        await single.run(asyncio.Event().wait)
    assert single._task is None
