"""emulation/services/elbv2/node.py and tls.py: ports of this machine."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from tests.support.balancer import Lab, balancer, rule, says
from webordinary_testkit.emulation.core.addressing import Addressing
from webordinary_testkit.emulation.services.elbv2.actions import FixedResponse, Redirect
from webordinary_testkit.emulation.services.elbv2.node import ListenerPort
from webordinary_testkit.emulation.services.elbv2.routing_table import Listener, Rule


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    async with balancer() as made:
        yield made


def listener(lab: Lab, port: int, text: str, protocol: str = "HTTP") -> Listener:
    answer = FixedResponse(200, "text/plain", text.encode())
    return Listener(f"listener-{port}", lab.load_balancer.arn, port, protocol, (Rule("default", 0, (), answer),))


async def get(lab: Lab, address: str) -> str:
    async with lab.client.get(f"http://{address}") as answer:
        return await answer.text()


async def test_before_any_listener_the_port_is_held_and_refuses(lab: Lab) -> None:
    await lab.apply()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*lab.address)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(lab.address)


async def test_the_lowest_port_has_the_load_balancers_address(lab: Lab) -> None:
    await lab.apply(listener(lab, 8080, "test"), listener(lab, 80, "main"))
    assert await get(lab, lab.url.removeprefix("http://")) == "main"
    assert await get(lab, lab.data_plane.listener_address("listener-80")) == "main"
    assert await get(lab, lab.data_plane.listener_address("listener-8080")) == "test"


async def test_a_listener_with_a_lower_port_takes_the_address_over(lab: Lab) -> None:
    await lab.apply(listener(lab, 8080, "test"))
    before = lab.url
    assert await get(lab, before.removeprefix("http://")) == "test"
    await lab.apply(listener(lab, 8080, "test"), listener(lab, 80, "main"))
    assert lab.url == before
    assert await get(lab, before.removeprefix("http://")) == "main"
    assert await get(lab, lab.data_plane.listener_address("listener-8080")) == "test"


async def test_a_deleted_listener_refuses_and_the_port_stays_held(lab: Lab) -> None:
    await lab.apply(listener(lab, 80, "main"))
    address = lab.address
    await lab.apply()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)
    await lab.apply(listener(lab, 80, "again"))
    assert lab.address == address
    assert await get(lab, f"{address[0]}:{address[1]}") == "again"


async def test_an_idle_client_connection_is_closed_after_the_idle_timeout(lab: Lab) -> None:
    await lab.route(idle_timeout=6.0)
    reader, writer = await asyncio.open_connection(*lab.address)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 5)  # ends when the load balancer closes
    assert answer.startswith(b"HTTP/1.1 404 ") and b"Connection: keep-alive" in answer
    writer.close()


async def test_an_https_listener_speaks_tls_with_a_certificate_one_can_trust(lab: Lab) -> None:
    await lab.apply(listener(lab, 443, "secret", "HTTPS"))
    trust = ssl.create_default_context(cafile=str(lab.workdir / "tls" / "alb-web.pem"))
    url = f"https://{lab.data_plane.listener_address('listener-443')}"
    async with lab.client.get(url, ssl=trust) as answer:
        assert await answer.text() == "secret"


async def test_websockets_and_forwarded_headers_work_over_tls(lab: Lab) -> None:
    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        talk = web.WebSocketResponse()
        await talk.prepare(request)
        await talk.send_str(request.headers["X-Forwarded-Proto"])
        async for message in talk:
            await talk.send_str(message.data)
        return talk

    group = lab.group()
    conditions, action = rule("/*", to=group)
    rules = (Rule("rule", 1, conditions, action), Rule("default", 0, (), FixedResponse(404, "text/plain", b"")))
    await lab.apply(Listener("secure", lab.load_balancer.arn, 443, "HTTPS", rules))
    lab.register(group, await lab.target(serve))
    url = f"https://{lab.data_plane.listener_address('secure')}"
    async with lab.client.ws_connect(url, ssl=False) as talk:
        assert await talk.receive_str(timeout=5) == "https"
        await talk.send_str("x" * 100_000)
        assert await talk.receive_str(timeout=5) == "x" * 100_000


async def test_a_redirect_to_https_leads_to_the_https_listener(lab: Lab) -> None:
    to_https = Redirect("HTTPS", "#{host}", "443", "/#{path}", "#{query}", 301)
    plain = Listener("plain", lab.load_balancer.arn, 80, "HTTP", (Rule("default", 0, (), to_https),))
    await lab.apply(plain, listener(lab, 443, "secret", "HTTPS"))
    async with lab.client.get(f"{lab.url}/x", ssl=False) as answer:
        assert (str(answer.url), await answer.text()) == (
            f"https://{lab.data_plane.listener_address('listener-443')}/x",
            "secret",
        )


def test_a_port_of_the_users_that_is_taken_is_told_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"listen on 127\.0\.0\.1, port {port}: .*next: .*load_balancer_port to 0"):
            ListenerPort(Addressing(), port)


async def test_two_load_balancers_have_two_ports() -> None:
    async with balancer() as one, balancer() as other:
        await one.route(default=FixedResponse(200, "text/plain", b"one"))
        await other.route(default=FixedResponse(200, "text/plain", b"other"))
        assert [await one.fetch("/"), await other.fetch("/")] == [(200, "one"), (200, "other")]


async def test_closing_ends_open_requests_and_connections() -> None:
    async with balancer() as lab:
        never = asyncio.Event()
        asked = asyncio.Event()

        async def serve(request: web.BaseRequest) -> web.StreamResponse:
            asked.set()
            await never.wait()
            raise AssertionError

        group = lab.group()
        await lab.route(rule("/*", to=group))
        lab.register(group, await lab.target(serve), await lab.target(says("x")))
        asking = [asyncio.create_task(lab.fetch("/")) for _ in range(2)]
        await asyncio.wait_for(asked.wait(), 5)
        address = lab.address
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert any(isinstance(result, aiohttp.ClientError) for result in results)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)
