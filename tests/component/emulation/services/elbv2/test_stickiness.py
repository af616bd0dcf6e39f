"""emulation/services/elbv2/stickiness.py: cookies that bind a client to a target or a target group."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import pytest_asyncio
from aiohttp import web
from yarl import URL

from tests.support.balancer import Lab, balancer, rule, says, until
from webordinary_testkit.emulation.services.elbv2.actions import Forward, WeightedGroup
from webordinary_testkit.emulation.services.elbv2.routing_table import HealthCheck, Stickiness, TargetGroup


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    async with balancer() as made:
        yield made


async def ask(lab: Lab, cookies: dict[str, str] | None = None) -> tuple[str, dict[str, str]]:
    """The answer's text and the cookies it sets, with their attributes."""
    headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())} if cookies else {}
    async with lab.client.get(URL(lab.url), headers=headers) as answer:
        set_cookies = dict(value.split("=", 1) for value in answer.headers.getall("Set-Cookie", ()))
        return await answer.text(), set_cookies


def value(cookie: str) -> str:
    return cookie.partition(";")[0]


async def sticky(lab: Lab, *names: str, seconds: int = 3600, app: str | None = None) -> tuple[TargetGroup, list[int]]:
    group = lab.group(stickiness=Stickiness(seconds, app))
    await lab.route(rule("/*", to=group))
    ports = [await lab.target(says(name)) for name in names]
    lab.register(group, *ports)
    return group, ports


async def test_a_client_with_the_cookie_stays_with_its_target(lab: Lab) -> None:
    await sticky(lab, "a", "b", "c")
    first, cookies = await ask(lab)
    assert {(await ask(lab, {"AWSALB": value(cookies["AWSALB"])}))[0] for _ in range(5)} == {first}


async def test_a_client_without_the_cookie_does_not(lab: Lab) -> None:
    await sticky(lab, "a", "b")
    assert {(await ask(lab))[0] for _ in range(4)} == {"a", "b"}


async def test_the_cookie_comes_with_its_twin_for_cross_origin_requests(lab: Lab) -> None:
    await sticky(lab, "a", seconds=600)
    _, cookies = await ask(lab)
    assert set(cookies) == {"AWSALB", "AWSALBCORS"}
    assert value(cookies["AWSALB"]) == value(cookies["AWSALBCORS"])
    assert cookies["AWSALBCORS"].endswith("; Path=/; SameSite=None")
    expires = parsedate_to_datetime(cookies["AWSALB"].split("Expires=")[1].split(";")[0])
    assert 0 <= expires.timestamp() - lab.clock.now() <= 600


async def test_the_twin_alone_binds_too(lab: Lab) -> None:
    await sticky(lab, "a", "b")
    first, cookies = await ask(lab)
    assert {(await ask(lab, {"AWSALBCORS": value(cookies["AWSALBCORS"])}))[0] for _ in range(4)} == {first}


async def test_a_cookie_is_worth_nothing_after_its_duration(lab: Lab) -> None:
    await sticky(lab, "a", "b", seconds=3)
    _, cookies = await ask(lab)
    await lab.clock.sleep(6)
    assert {(await ask(lab, {"AWSALB": value(cookies["AWSALB"])}))[0] for _ in range(4)} == {"a", "b"}


async def test_a_forged_or_garbled_cookie_binds_nobody(lab: Lab) -> None:
    await sticky(lab, "a", "b")
    _, cookies = await ask(lab)
    good = value(cookies["AWSALB"])
    for bad in (good[:-4] + "AAAA", "A" + good, "not base64!", ""):
        assert {(await ask(lab, {"AWSALB": bad}))[0] for _ in range(4)} == {"a", "b"}


async def test_when_its_target_drains_the_client_gets_another_and_stays_there(lab: Lab) -> None:
    group, ports = await sticky(lab, "a", "b", "c")
    first, cookies = await ask(lab)
    lab.deregister(group, ports["abc".index(first)])
    second, renewed = await ask(lab, {"AWSALB": value(cookies["AWSALB"])})
    assert second != first
    assert {(await ask(lab, {"AWSALB": value(renewed["AWSALB"])}))[0] for _ in range(4)} == {second}


async def test_when_its_target_is_unhealthy_the_client_gets_another(lab: Lab) -> None:
    sick: set[str] = set()

    def target(name: str):  # type: ignore[no-untyped-def]
        async def serve(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(text=name, status=500 if name in sick and request.path == "/health" else 200)

        return serve

    check = HealthCheck(path="/health", interval=6.0, timeout=3.0)
    group = lab.group(health_check=check, stickiness=Stickiness(3600))
    await lab.route(rule("/*", to=group))
    ports = {name: await lab.target(target(name)) for name in "ab"}
    lab.register(group, *ports.values())
    await until(lambda: all(lab.state(group, port) == "healthy" for port in ports.values()))
    first, cookies = await ask(lab)
    sick.add(first)
    await until(lambda: lab.state(group, ports[first]) == "unhealthy")
    assert (await ask(lab, {"AWSALB": value(cookies["AWSALB"])}))[0] != first


async def application(lab: Lab) -> None:
    def target(name: str):  # type: ignore[no-untyped-def]
        async def serve(request: web.BaseRequest) -> web.StreamResponse:
            headers = {} if "SESSION" in request.cookies else {"Set-Cookie": "SESSION=1; HttpOnly"}
            return web.Response(text=name, headers=headers)

        return serve

    group = lab.group(stickiness=Stickiness(3600, "SESSION"))
    await lab.route(rule("/*", to=group))
    lab.register(group, await lab.target(target("a")), await lab.target(target("b")))


async def test_the_applications_cookie_brings_one_of_the_load_balancers(lab: Lab) -> None:
    await application(lab)
    first, cookies = await ask(lab)
    assert set(cookies) == {"SESSION", "AWSALBAPP-0"}
    both = {"SESSION": "1", "AWSALBAPP-0": value(cookies["AWSALBAPP-0"])}
    assert {(await ask(lab, both))[0] for _ in range(4)} == {first}


async def test_without_the_applications_cookie_nothing_binds(lab: Lab) -> None:
    await application(lab)
    _, cookies = await ask(lab)
    only = {"AWSALBAPP-0": value(cookies["AWSALBAPP-0"])}
    assert {(await ask(lab, only))[0] for _ in range(4)} == {"a", "b"}


async def test_a_client_stays_with_its_target_group(lab: Lab) -> None:
    blue, green = lab.group("blue"), lab.group("green")
    await lab.route(rule("/*", do=Forward((WeightedGroup(blue.arn, 1), WeightedGroup(green.arn, 1)), 3600)))
    lab.register(blue, await lab.target(says("blue")))
    lab.register(green, await lab.target(says("green")))
    first, cookies = await ask(lab)
    assert set(cookies) == {"AWSALBTG", "AWSALBTGCORS"}
    assert {(await ask(lab, {"AWSALBTG": value(cookies["AWSALBTG"])}))[0] for _ in range(4)} == {first}
    assert {(await ask(lab))[0] for _ in range(4)} == {"blue", "green"}


async def test_without_stickiness_no_cookie_is_set(lab: Lab) -> None:
    group = lab.group()
    await lab.route(rule("/*", to=group))
    lab.register(group, await lab.target(says("a")))
    assert (await ask(lab))[1] == {}
