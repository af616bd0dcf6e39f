"""emulation/services/elbv2/links.py: the way from the load balancer to a target, cut or slow."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.balancer import Lab, balancer, rule, says


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    async with balancer() as made:
        yield made


async def test_a_cut_link_is_504_and_a_healed_one_works_again(lab: Lab) -> None:
    group = lab.group()
    await lab.route(rule("/*", to=group))
    port = await lab.target(says("here"))
    lab.register(group, port)
    lab.data_plane.links.cut("127.0.0.1", port)
    assert (await lab.fetch("/"))[0] == 504
    lab.data_plane.links.heal("127.0.0.1", port)
    assert await lab.fetch("/") == (200, "here")


async def test_a_slow_link_takes_its_time_and_delivers(lab: Lab) -> None:
    group = lab.group()
    await lab.route(rule("/*", to=group))
    port = await lab.target(says("here"))
    lab.register(group, port)
    lab.data_plane.links.disturb("127.0.0.1", port, lambda: 5)
    before = lab.clock.now()
    assert await lab.fetch("/") == (200, "here")
    assert lab.clock.now() - before >= 5
