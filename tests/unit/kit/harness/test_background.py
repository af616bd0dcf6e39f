"""Periodic calls do not wait for their answers."""

from __future__ import annotations

import asyncio

import pytest

from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.harness.background import periodic


async def test_calls_go_out_although_earlier_ones_are_unanswered_up_to_a_limit() -> None:
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


async def test_a_failing_call_is_repeated_and_its_first_error_raised_at_the_end() -> None:
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


async def test_an_error_of_the_block_takes_precedence() -> None:
    once = asyncio.Event()

    async def broken() -> None:
        once.set()
        raise ValueError("broken")

    with pytest.raises(KeyError):
        async with asyncio.timeout(5), periodic(Clock(scale=1000), 10, broken, "x"):
            await once.wait()
            raise KeyError
