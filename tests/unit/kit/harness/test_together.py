"""Looks at once: all to their end, the first failure told."""

from __future__ import annotations

import asyncio

import pytest

from webordinary_testkit.kit.harness.together import together


async def one(value: int, ended: list[int], *, fails: bool = False) -> int:
    await asyncio.sleep(0)
    ended.append(value)
    if fails:
        raise ValueError(str(value))
    return value


async def test_the_results_are_in_the_order_of_the_looks() -> None:
    ended: list[int] = []
    assert await together(one(n, ended) for n in range(3)) == [0, 1, 2]


async def test_the_first_failure_is_raised_when_all_have_ended() -> None:
    ended: list[int] = []
    with pytest.raises(ValueError, match="1"):
        await together([one(0, ended), one(1, ended, fails=True), one(2, ended, fails=True), one(3, ended)])
    assert ended == [0, 1, 2, 3]
