"""emulation/services/elbv2/metrics.py"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web

from tests.support.balancer import Lab, balancer, rule, says, until
from webordinary_testkit.emulation.services.elbv2.actions import FixedResponse, Redirect
from webordinary_testkit.emulation.services.elbv2.node import reserve
from webordinary_testkit.emulation.services.elbv2.routing_table import HealthCheck

BALANCER = ("LoadBalancer", "app/web/1234567890abcdef")
GROUP = ("TargetGroup", "targetgroup/web/1")


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    async with balancer() as made:
        yield made


def collected(lab: Lab) -> dict[tuple[str, frozenset[tuple[str, str]]], tuple[float, ...]]:
    return {(datum.name, frozenset(datum.dimensions.items())): datum.values for datum in lab.data_plane.collect()}


def of(*dimensions: tuple[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(dimensions)


async def test_a_503_without_targets_counts_for_the_load_balancer(lab: Lab) -> None:
    await lab.route(rule("/*", to=lab.group()))
    await lab.fetch("/")
    await lab.fetch("/")
    data = collected(lab)
    assert data["HTTPCode_ELB_503_Count", of(BALANCER)] == (1.0, 1.0)
    assert data["HTTPCode_ELB_5XX_Count", of(BALANCER)] == (1.0, 1.0)
    assert not [name for name, _ in data if name in ("RequestCount", "HealthyHostCount")]


async def test_what_a_target_answers_counts_for_load_balancer_and_group(lab: Lab) -> None:
    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=int(request.path[1:]))

    group = lab.group()
    await lab.route(rule("/*", to=group))
    lab.register(group, await lab.target(serve))
    for status in (200, 201, 302, 404, 502):
        await lab.fetch(f"/{status}")
    data = collected(lab)
    for where in (of(BALANCER), of(BALANCER, GROUP)):
        assert sum(data["RequestCount", where]) == 5
        assert sum(data["HTTPCode_Target_2XX_Count", where]) == 2
        for kind in "345":
            assert sum(data[f"HTTPCode_Target_{kind}XX_Count", where]) == 1
        assert len(data["TargetResponseTime", where]) == 5
        assert all(seconds > 0 for seconds in data["TargetResponseTime", where])
    assert not [name for name, _ in data if name.startswith("HTTPCode_ELB")]


async def test_a_502_of_the_load_balancers_own_counts_as_its_own(lab: Lab) -> None:
    group = lab.group()
    await lab.route(rule("/*", to=group))
    with reserve() as silent:
        lab.register(group, silent.getsockname()[1])
        await lab.fetch("/")
    data = collected(lab)
    assert sum(data["HTTPCode_ELB_502_Count", of(BALANCER)]) == 1
    assert sum(data["TargetConnectionErrorCount", of(BALANCER, GROUP)]) == 1
    assert not [name for name, _ in data if name.startswith("HTTPCode_Target")]


async def test_fixed_responses_are_counted_as_such(lab: Lab) -> None:
    await lab.route(default=FixedResponse(404, "text/plain", b""))
    await lab.fetch("/")
    data = collected(lab)
    assert data["HTTP_Fixed_Response_Count", of(BALANCER)] == (1.0,)
    assert data["HTTPCode_ELB_4XX_Count", of(BALANCER)] == (1.0,)


async def test_collecting_begins_anew(lab: Lab) -> None:
    await lab.route()
    await lab.fetch("/")
    collected(lab)
    assert not [name for name, _ in collected(lab) if name.startswith("HTTP")]


async def test_hosts_are_counted_while_targets_are_registered(lab: Lab) -> None:
    group = lab.group(health_check=HealthCheck())
    await lab.route(rule("/*", to=group))
    port = await lab.target(says("x"))
    lab.register(group, port)
    await until(lambda: lab.state(group, port) == "healthy")
    data = collected(lab)
    assert data["HealthyHostCount", of(BALANCER, GROUP)] == (1.0,)
    assert data["UnHealthyHostCount", of(BALANCER, GROUP)] == (0.0,)
    lab.deregister(group, port)
    assert "HealthyHostCount" not in {name for name, _ in collected(lab)}


async def test_an_open_websocket_is_a_request_and_an_active_connection(lab: Lab) -> None:
    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:
            pass
        return socket

    group = lab.group()
    await lab.route(rule("/*", to=group))
    lab.register(group, await lab.target(serve))
    async with lab.client.ws_connect(lab.url):
        data = collected(lab)
        assert sum(data["RequestCount", of(BALANCER)]) == 1
        assert data["ActiveConnectionCount", of(BALANCER)] == (1.0,)
        assert data["NewConnectionCount", of(BALANCER)] == (1.0,)
    await lab.log()
    data = collected(lab)
    assert ("RequestCount", of(BALANCER)) not in data
    assert data["ProcessedBytes", of(BALANCER)][0] > 0


@pytest.mark.parametrize("status", [301, 302])
async def test_redirects_are_counted_as_such(lab: Lab, status: int) -> None:
    await lab.route(default=Redirect("#{protocol}", "site.test", "80", "/", "", status))
    await lab.fetch("/")
    data = collected(lab)
    assert data["HTTP_Redirect_Count", of(BALANCER)] == (1.0,)
    assert data["HTTPCode_ELB_3XX_Count", of(BALANCER)] == (1.0,)
