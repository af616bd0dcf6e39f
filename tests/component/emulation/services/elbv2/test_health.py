"""emulation/services/elbv2/target_health.py and checker.py: what checks make of a target."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tests.support.balancer import Lab, balancer, rule, says, until
from webordinary_testkit.emulation.services.elbv2.node import reserve
from webordinary_testkit.emulation.services.elbv2.routing_table import HealthCheck, TargetGroup
from webordinary_testkit.emulation.services.elbv2.target_health import FAILED, HEALTHY, HealthCheckHistory, mismatch

CHECK = HealthCheck(path="/health", interval=6.0, timeout=3.0, healthy_threshold=3, unhealthy_threshold=2)

QUICK = HealthCheck(interval=0.1, timeout=0.05, healthy_threshold=2, unhealthy_threshold=2)


def states(*results: bool) -> list[str]:
    record = HealthCheckHistory()
    return [record.note(HEALTHY if passed else FAILED, CHECK).state for passed in results]


def test_a_new_target_needs_one_pass() -> None:
    assert states(True) == ["healthy"]


def test_a_new_target_stays_initial_until_the_unhealthy_threshold() -> None:
    assert states(False, False) == ["initial", "unhealthy"]


def test_a_single_failure_does_not_take_a_healthy_target_out() -> None:
    assert states(True, False, True, False, False) == ["healthy"] * 4 + ["unhealthy"]


def test_an_unhealthy_target_needs_the_healthy_threshold_in_a_row() -> None:
    assert states(False, False, True, True, False, True, True, True)[2:] == ["unhealthy"] * 5 + ["healthy"]


def test_the_latest_failure_is_the_reason() -> None:
    record = HealthCheckHistory()
    for result in (FAILED, FAILED, mismatch(503)):
        health = record.note(result, CHECK)
    assert health.description == "Health checks failed with these codes: [503]"


@given(st.lists(st.booleans(), max_size=30))
def test_a_target_is_never_judged_by_fewer_checks_than_its_thresholds(results: list[bool]) -> None:
    before = "initial"
    for n, after in enumerate(states(*results), start=1):
        if after != before and after == "unhealthy":
            assert not any(results[n - CHECK.unhealthy_threshold : n])
        if after != before == "unhealthy":
            assert all(results[n - CHECK.healthy_threshold : n])
        before = after


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    async with balancer() as made:
        yield made


@pytest_asyncio.fixture
async def real_time() -> AsyncIterator[Lab]:
    """At scale 1 a check's timeout is exactly the configured one; a faster clock grants programs a wall second."""
    async with balancer(scale=1) as made:
        yield made


async def checked(lab: Lab, check: HealthCheck = CHECK) -> TargetGroup:
    group = lab.group(health_check=check)
    await lab.route(rule("/*", to=group))
    return group


async def reported(lab: Lab, state: str) -> list[tuple[str, str | None]]:
    """The published changes, once they end with this state."""
    await until(lambda: lab.news and lab.news[-1].state == state)
    return [(news.state, news.reason) for news in lab.news]


async def test_a_target_is_checked_at_once_and_goes_into_service(lab: Lab) -> None:
    seen: list[web.BaseRequest] = []

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request)
        return web.Response()

    group = await checked(lab)
    before = lab.clock.now()
    lab.register(group, await lab.target(serve))
    assert await reported(lab, "healthy") == [
        ("initial", "Elb.RegistrationInProgress"),
        ("initial", "Elb.InitialHealthChecking"),
        ("healthy", None),
    ]
    assert lab.clock.now() - before < CHECK.interval
    assert (seen[0].method, seen[0].path) == ("GET", "/health")
    assert seen[0].headers["User-Agent"] == "ELB-HealthChecker/2.0"


async def test_checks_go_on_at_the_interval(lab: Lab) -> None:
    times: list[float] = []

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        times.append(lab.clock.now())
        return web.Response()

    lab.register(await checked(lab), await lab.target(serve))
    # Over many, so that a single check which came late on a busy machine does not decide.
    await until(lambda: len(times) == 11)
    assert times[10] - times[0] == pytest.approx(10 * CHECK.interval, rel=0.25)


async def test_a_target_that_begins_to_listen_late_is_found_at_a_later_check(lab: Lab) -> None:
    group = await checked(lab)
    with reserve() as silent:
        port = silent.getsockname()[1]
        lab.register(group, port)
        await until(lambda: lab.news[-1].reason == "Elb.InitialHealthChecking")
    await lab.listen(web.Server(says("up"), access_log=None), port)
    await reported(lab, "healthy")


async def test_a_refused_connection_is_failed_health_checks(lab: Lab) -> None:
    with reserve() as silent:
        lab.register(await checked(lab), silent.getsockname()[1])
        assert (await reported(lab, "unhealthy"))[-1] == ("unhealthy", "Target.FailedHealthChecks")


async def test_a_wrong_code_is_a_response_code_mismatch(lab: Lab) -> None:
    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=404)

    lab.register(await checked(lab), await lab.target(serve))
    assert (await reported(lab, "unhealthy"))[-1] == ("unhealthy", "Target.ResponseCodeMismatch")


async def test_a_redirect_is_not_followed(lab: Lab) -> None:
    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/ok"}) if request.path != "/ok" else web.Response()

    lab.register(await checked(lab), await lab.target(serve))
    assert (await reported(lab, "unhealthy"))[-1] == ("unhealthy", "Target.ResponseCodeMismatch")


async def test_no_answer_in_time_is_a_timeout(real_time: Lab) -> None:
    never = asyncio.Event()

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        await never.wait()
        raise AssertionError

    real_time.register(await checked(real_time, QUICK), await real_time.target(serve))
    assert (await reported(real_time, "unhealthy"))[-1] == ("unhealthy", "Target.Timeout")


async def test_a_cut_link_makes_a_healthy_target_time_out(real_time: Lab) -> None:
    port = await real_time.target(says("up"))
    real_time.register(await checked(real_time, QUICK), port)
    await reported(real_time, "healthy")
    real_time.data_plane.links.cut("127.0.0.1", port)
    assert (await reported(real_time, "unhealthy"))[-1] == ("unhealthy", "Target.Timeout")
    real_time.data_plane.links.heal("127.0.0.1", port)
    await reported(real_time, "healthy")


async def test_a_target_of_a_group_that_nobody_uses_is_not_checked(lab: Lab) -> None:
    calls: list[str] = []

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        calls.append(request.path)
        return web.Response()

    group = lab.group(health_check=CHECK)
    await lab.route()
    lab.register(group, await lab.target(serve))
    assert await reported(lab, "unused") == [("unused", "Target.NotInUse")]
    await lab.clock.sleep(2 * CHECK.interval)
    assert calls == []
    await lab.route(rule("/*", to=group))
    await reported(lab, "healthy")
    await lab.route()
    await reported(lab, "unused")
