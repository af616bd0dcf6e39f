"""What is done again and again does not wait for its answers."""

from __future__ import annotations

import asyncio

import pytest

from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.harness.background import periodic


async def test_it_is_done_again_although_the_last_time_was_not_answered_but_not_for_ever_more() -> None:
    begun, enough = [], asyncio.Event()

    async def unanswered() -> None:
        begun.append(1)
        if len(begun) == 4:
            enough.set()
        await asyncio.Event().wait()

    clock = Clock(scale=1000)
    async with asyncio.timeout(5), periodic(clock, 10, unanswered, "x"):
        await enough.wait()
        await clock.sleep(100)
        assert len(begun) == 4


async def test_what_breaks_is_done_again_and_told_at_the_end_after_which_nothing_goes_on() -> None:
    begun, enough = [], asyncio.Event()

    async def broken() -> None:
        begun.append(1)
        if len(begun) == 6:
            enough.set()
        raise ValueError("broken, the first time" if len(begun) == 1 else "broken again")

    clock = Clock(scale=1000)
    with pytest.raises(ValueError, match="broken, the first time"):
        async with asyncio.timeout(5), periodic(clock, 10, broken, "x"):
            await enough.wait()
    seen = len(begun)
    await clock.sleep(100)
    assert len(begun) == seen


async def test_what_went_wrong_in_the_block_is_the_news() -> None:
    once = asyncio.Event()

    async def broken() -> None:
        once.set()
        raise ValueError("broken")

    with pytest.raises(KeyError):
        async with asyncio.timeout(5), periodic(Clock(scale=1000), 10, broken, "x"):
            await once.wait()
            raise KeyError
