"""emulation/services/elbv2/targets.py: registering, failing open, draining."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from tests.support.balancer import Lab, balancer, rule, says, until
from webordinary_testkit.emulation.services.elbv2.node import reserve
from webordinary_testkit.emulation.services.elbv2.routing_table import HealthCheck

CHECK = HealthCheck(interval=6.0, timeout=3.0, unhealthy_threshold=2)


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    async with balancer() as made:
        yield made


class Slow:
    """A target that answers when it is let."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.set()
        await self.go.wait()
        return web.Response(text="done")


async def test_healthy_targets_are_preferred_to_others(lab: Lab) -> None:
    async def sick(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=500, text="sick")

    group = lab.group(health_check=CHECK)
    await lab.route(rule("/*", to=group))
    well = await lab.target(says("well"))
    lab.register(group, await lab.target(sick), well)
    await until(lambda: lab.state(group, well) == "healthy")
    assert {await lab.fetch("/") for _ in range(4)} == {(200, "well")}


async def test_with_no_healthy_target_the_load_balancer_fails_open(lab: Lab) -> None:
    async def sick(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=500, text="sick")

    group = lab.group(health_check=CHECK)
    await lab.route(rule("/*", to=group))
    port = await lab.target(sick)
    lab.register(group, port)
    await until(lambda: lab.state(group, port) == "unhealthy")
    assert await lab.fetch("/") == (500, "sick")


async def test_a_target_that_is_still_initial_gets_requests_when_it_is_all_there_is(lab: Lab) -> None:
    group = lab.group(health_check=CHECK)
    await lab.route(rule("/*", to=group))
    with reserve() as silent:
        port = silent.getsockname()[1]
        lab.register(group, port)
        assert lab.state(group, port) == "initial"
        assert (await lab.fetch("/"))[0] == 502  # not 503: there is a target, it does not listen yet


async def test_a_draining_target_gets_no_new_requests(lab: Lab) -> None:
    group = lab.group(deregistration_delay=60.0)
    await lab.route(rule("/*", to=group))
    old, new = await lab.target(says("old")), await lab.target(says("new"))
    lab.register(group, old, new)
    lab.deregister(group, old)
    assert lab.state(group, old) == "draining"
    assert {await lab.fetch("/") for _ in range(3)} == {(200, "new")}
    lab.deregister(group, new)
    assert (await lab.fetch("/"))[0] == 503


async def test_a_request_under_way_finishes_while_its_target_drains(lab: Lab) -> None:
    slow = Slow()
    group = lab.group(deregistration_delay=60.0)
    await lab.route(rule("/*", to=group))
    port = await lab.target(slow)
    lab.register(group, port)
    asking = asyncio.create_task(lab.fetch("/"))
    await asyncio.wait_for(slow.asked.wait(), 5)
    lab.deregister(group, port)
    slow.go.set()
    assert await asking == (200, "done")


async def test_a_request_that_outlives_the_delay_gets_502(lab: Lab) -> None:
    slow = Slow()
    group = lab.group(deregistration_delay=6.0)
    await lab.route(rule("/*", to=group))
    port = await lab.target(slow)
    lab.register(group, port)
    asking = asyncio.create_task(lab.fetch("/"))
    await asyncio.wait_for(slow.asked.wait(), 5)
    lab.deregister(group, port)
    assert (await asking)[0] == 502
    assert lab.state(group, port) == "unused"


async def test_an_answer_that_outlives_the_delay_breaks_off(lab: Lab) -> None:
    never = asyncio.Event()

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        await never.wait()
        return response

    group = lab.group(deregistration_delay=6.0)
    await lab.route(rule("/*", to=group))
    port = await lab.target(serve)
    lab.register(group, port)
    async with lab.client.get(lab.url) as answer:
        lab.deregister(group, port)
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()


async def test_draining_is_told_at_once_and_unused_when_the_delay_is_over(lab: Lab) -> None:
    group = lab.group(deregistration_delay=12.0)
    await lab.route(rule("/*", to=group))
    port = await lab.target(says("x"))
    lab.register(group, port)
    before = lab.clock.now()
    lab.deregister(group, port)
    assert (lab.news[-1].state, lab.news[-1].reason) == ("draining", "Target.DeregistrationInProgress")
    await until(lambda: lab.news[-1].state == "unused")
    assert lab.news[-1].reason == "Target.NotRegistered"
    assert 11 <= lab.clock.now() - before <= 30


async def test_a_target_registered_again_while_it_drains_is_back_in_service(lab: Lab) -> None:
    group = lab.group(deregistration_delay=6.0)
    await lab.route(rule("/*", to=group))
    port = await lab.target(says("back"))
    lab.register(group, port)
    lab.deregister(group, port)
    lab.register(group, port)
    await lab.clock.sleep(12)
    assert await lab.fetch("/") == (200, "back")


async def test_registering_twice_changes_nothing(lab: Lab) -> None:
    group = lab.group()
    await lab.route(rule("/*", to=group))
    port = await lab.target(says("x"))
    lab.register(group, port)
    before = list(lab.news)
    lab.register(group, port)
    assert lab.news == before


async def test_targets_of_a_deleted_group_are_gone(lab: Lab) -> None:
    group = lab.group()
    await lab.route(rule("/*", to=group))
    port = await lab.target(says("x"))
    lab.register(group, port)
    del lab.groups[group.arn]
    await lab.route()
    assert lab.news[-1].state == "unused"
    assert not list(lab.data_plane.targets.all())
