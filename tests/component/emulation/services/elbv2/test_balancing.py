"""emulation/services/elbv2/balancing.py"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest_asyncio
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tests.support.balancer import Lab, balancer, rule, says
from webordinary_testkit.emulation.core.ids import Ids
from webordinary_testkit.emulation.services.elbv2.actions import Forward, WeightedGroup
from webordinary_testkit.emulation.services.elbv2.balancing import Balancer


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    async with balancer() as made:
        yield made


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_groups_get_exactly_their_share(weights: list[int]) -> None:
    chooser = Balancer(Ids.seeded(0))
    forward = Forward(tuple(WeightedGroup(str(n), weight) for n, weight in enumerate(weights)))
    chosen = Counter(chooser.group(forward) for _ in range(sum(weights)))
    assert chosen == Counter({str(n): weight for n, weight in enumerate(weights) if weight})


def test_no_weight_at_all_means_no_group() -> None:
    chooser = Balancer(Ids.seeded(0))
    assert chooser.group(Forward((WeightedGroup("a", 0), WeightedGroup("b", 0)))) is None
    assert chooser.group(Forward((WeightedGroup("a", 0),))) is None


async def test_targets_take_turns(lab: Lab) -> None:
    group = lab.group()
    await lab.route(rule("/*", to=group))
    lab.register(group, *[await lab.target(says(name)) for name in "abc"])
    answers = [(await lab.fetch("/"))[1] for _ in range(6)]
    assert Counter(answers) == {"a": 2, "b": 2, "c": 2}
    assert answers[:3] == answers[3:]


async def test_the_least_busy_target_is_chosen_when_the_group_says_so(lab: Lab) -> None:
    let_go, asked = asyncio.Event(), asyncio.Event()

    async def busy(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/long":
            asked.set()
            await let_go.wait()
        return web.Response(text="busy")

    group = lab.group(algorithm="least_outstanding_requests")
    await lab.route(rule("/*", to=group))
    one = await lab.target(busy)
    lab.register(group, one)
    long = asyncio.create_task(lab.fetch("/long"))
    await asyncio.wait_for(asked.wait(), 5)
    lab.register(group, await lab.target(says("free")))
    assert [(await lab.fetch("/"))[1] for _ in range(4)] == ["free"] * 4
    let_go.set()
    assert await long == (200, "busy")
    assert {(await lab.fetch("/"))[1] for _ in range(4)} == {"free", "busy"}


async def test_weighted_random_reaches_every_target(lab: Lab) -> None:
    group = lab.group(algorithm="weighted_random")
    await lab.route(rule("/*", to=group))
    lab.register(group, *[await lab.target(says(name)) for name in "ab"])
    assert {(await lab.fetch("/"))[1] for _ in range(20)} == {"a", "b"}


async def test_a_forward_to_weighted_groups_reaches_them_in_proportion(lab: Lab) -> None:
    blue, green = lab.group("blue"), lab.group("green")
    weights = Forward((WeightedGroup(blue.arn, 3), WeightedGroup(green.arn, 1)))
    await lab.route(rule("/*", do=weights))
    lab.register(blue, await lab.target(says("blue")))
    lab.register(green, await lab.target(says("green")))
    assert Counter([(await lab.fetch("/"))[1] for _ in range(8)]) == {"blue": 6, "green": 2}
