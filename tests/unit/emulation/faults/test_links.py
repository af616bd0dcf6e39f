"""The links between load balancer and targets: cut, refused, slowed and healed."""

from __future__ import annotations

import asyncio

import pytest

from webordinary_testkit.emulation.services.elbv2.links import Links
from webordinary_testkit.emulation.time.clock import Clock

HERE = ("127.0.0.1", 1)


@pytest.fixture
def links() -> Links:
    return Links(Clock(scale=60.0))


async def test_a_whole_link_is_passed_at_once(links: Links) -> None:
    await asyncio.wait_for(links.reach(*HERE), 1)

    assert links.whole


async def test_what_waits_at_a_cut_goes_through_when_it_is_healed(links: Links) -> None:
    cut = links.cut(*HERE)
    attempt = asyncio.create_task(links.reach(*HERE))
    await asyncio.wait({attempt}, timeout=0.05)
    assert not attempt.done()
    links.heal(*HERE)
    await asyncio.wait_for(attempt, 1)

    assert cut.attempts == 1
    assert links.whole


async def test_a_cut_that_refuses_does_so_at_once(links: Links) -> None:
    cut = links.cut(*HERE, refuses=True)
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError, match=r"127\.0\.0\.1:1 refuses connections"):
            await asyncio.wait_for(links.reach(*HERE), 1)

    assert cut.attempts == 2


async def test_a_cut_concerns_its_own_target_only(links: Links) -> None:
    links.cut(*HERE)

    await asyncio.wait_for(links.reach("127.0.0.1", 2), 1)


async def test_a_slow_link_takes_its_time_in_aws_seconds(links: Links) -> None:
    slow = links.disturb(*HERE, lambda: 6.0)
    began = asyncio.get_running_loop().time()
    await links.reach(*HERE)

    assert 0.09 <= asyncio.get_running_loop().time() - began < 2.0
    assert (slow.passed, slow.held) == (1, 1)
    links.calm(*HERE, slow)
    assert links.whole


async def test_what_is_held_goes_through_when_the_link_is_calm_again(links: Links) -> None:
    slow = links.disturb(*HERE, lambda: 3600.0)
    attempt = asyncio.create_task(links.reach(*HERE))
    await asyncio.wait({attempt}, timeout=0.05)
    assert not attempt.done()
    links.calm(*HERE, slow)
    await asyncio.wait_for(attempt, 1)


async def test_disturbances_add_up_and_end_one_by_one(links: Links) -> None:
    one, two = links.disturb(*HERE, lambda: 0.0), links.disturb(*HERE, lambda: 3.0)
    await links.reach(*HERE)
    assert [(each.passed, each.held) for each in (one, two)] == [(1, 0), (1, 1)]
    links.calm(*HERE, one)
    links.calm(*HERE, one)
    assert not links.whole
    links.calm(*HERE, two)
    assert links.whole


async def test_healing_a_whole_link_does_nothing(links: Links) -> None:
    links.heal(*HERE)

    assert links.whole
