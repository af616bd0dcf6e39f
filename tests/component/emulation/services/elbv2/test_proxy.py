"""emulation/services/elbv2/proxy.py: one request to its target and back, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from tests.support.balancer import Lab, balancer, echo, rule, says, until
from webordinary_testkit.emulation.services.elbv2.node import reserve
from webordinary_testkit.emulation.services.elbv2.routing_table import TargetGroup
from webordinary_testkit.emulation.services.elbv2.tls import server_context


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    async with balancer() as made:
        yield made


async def behind(lab: Lab, serve: Any, **settings: Any) -> TargetGroup:
    """Everything goes to one target."""
    group = lab.group(**settings)
    await lab.route(rule("/*", to=group))
    lab.register(group, await lab.target(serve))
    return group


async def canned(lab: Lab, answer: bytes, *, close: bool = True) -> int:
    """A target that sends these bytes for whatever comes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if close:
            writer.close()

    group = lab.group()
    await lab.route(rule("/*", to=group))
    port = await lab.listen(lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(), serve))
    lab.register(group, port)
    return port


async def seen(lab: Lab, method: str = "GET", path: str = "/", **options: Any) -> dict[str, Any]:
    """What the target got, headers by lower-case name."""
    async with lab.client.request(method, lab.url + path, **options) as answer:
        got = json.loads(await answer.text())
    got["headers"] = {name.lower(): value for name, value in got["headers"]}
    return dict(got)


async def test_the_request_reaches_the_target_as_it_was_sent(lab: Lab) -> None:
    await behind(lab, echo)
    got = await seen(lab, "PUT", "/a/../b%2Fc//d?x=%20&y", data=b"body", headers={"X-Own": "1", "Host": "site.test"})
    assert (got["method"], got["body"]) == ("PUT", "body")
    assert got["headers"]["host"] == "site.test"
    assert got["headers"]["x-own"] == "1"


async def test_the_path_is_neither_decoded_nor_tidied_up(lab: Lab) -> None:
    await behind(lab, echo)
    request = b"GET /a/../%2e%2e//b%2Fc?q=%20&r=;/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert rb"/a/../%2e%2e//b%2Fc?q=%20&r=;/" in await lab.raw(request)


async def test_forwarded_headers_tell_client_protocol_and_port(lab: Lab) -> None:
    await behind(lab, echo)
    headers = (await seen(lab))["headers"]
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-port"] == str(lab.address[1])


async def test_the_client_is_appended_to_those_it_forwards_for(lab: Lab) -> None:
    await behind(lab, echo)
    headers = (await seen(lab, headers={"X-Forwarded-For": "203.0.113.7, 10.0.0.1"}))["headers"]
    assert headers["x-forwarded-for"] == "203.0.113.7, 10.0.0.1, 127.0.0.1"


async def test_more_than_thirty_forwarders_are_refused_with_463(lab: Lab) -> None:
    await behind(lab, echo)
    assert (await lab.fetch("/", headers={"X-Forwarded-For": ",".join(["10.0.0.1"] * 31)}))[0] == 463


async def test_a_trace_id_is_made_and_one_that_came_is_kept(lab: Lab) -> None:
    await behind(lab, echo)
    made = (await seen(lab))["headers"]["x-amzn-trace-id"]
    came = "Root=1-67891233-abcdef012345678912345678"
    kept = (await seen(lab, headers={"X-Amzn-Trace-Id": f"{came};CalledFrom=app"}))["headers"]["x-amzn-trace-id"]
    assert made.startswith("Root=1-") and len(made) == len(came)
    assert kept.startswith("Self=1-") and kept.endswith(f";{came};CalledFrom=app")


async def test_hop_by_hop_headers_stay_behind(lab: Lab) -> None:
    await behind(lab, echo)
    answer = await lab.raw(
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close, X-Secret\r\n"
        b"X-Secret: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\n\r\n"
    )
    got = json.loads(answer.partition(b"\r\n\r\n")[2])
    names = {name.lower() for name, _ in got["headers"]}
    assert not names & {"x-secret", "keep-alive", "te", "connection"}


async def test_the_targets_headers_come_through_and_none_is_invented(lab: Lab) -> None:
    await canned(
        lab,
        b"HTTP/1.1 200 Fine\r\nDate: then\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Cafe: \xc3\xa9\r\n"
        b"Content-Length: 2\r\n\r\nok",
    )
    answer = await lab.raw(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 200 Fine",
        b"Date: then",
        b"Set-Cookie: a=1",
        b"Set-Cookie: b=2",
        b"X-Cafe: \xc3\xa9",
        b"Content-Length: 2",
        b"Connection: close",
    ]
    assert body == b"ok"


async def test_compressed_bodies_stay_compressed(lab: Lab) -> None:
    packed = gzip.compress(b"hello" * 100)

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        assert await request.read() == b"hello" * 100  # aiohttp unpacks by Content-Encoding
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    await behind(lab, serve)
    headers = {"Content-Encoding": "gzip"}
    async with lab.client.post(lab.url, data=packed, headers=headers, auto_decompress=False) as answer:
        assert await answer.read() == packed


async def test_a_connection_serves_many_requests(lab: Lab) -> None:
    await behind(lab, echo)
    for _ in range(3):
        await lab.fetch("/")
    clients = {line.split()[3] for line in await lab.log(3)}
    assert len(clients) == 1


async def test_pipelined_requests_are_answered_in_order(lab: Lab) -> None:
    await behind(lab, echo)
    answer = await lab.raw(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 2
    assert answer.index(b'"/1"') < answer.index(b'"/2"')


async def test_head_has_the_length_and_no_body(lab: Lab) -> None:
    await behind(lab, says("twelve bytes"))
    answer = await lab.raw(b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"\r\nContent-Length: 12\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_that_may_have_no_body_has_none(lab: Lab, status: int) -> None:
    await canned(lab, b"HTTP/1.1 %d X\r\nETag: y\r\n\r\n" % status, close=False)
    answer = await lab.raw(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"etag: y" in answer.lower() and b"chunked" not in answer and answer.endswith(b"\r\n\r\n")


async def test_http_1_0_gets_an_unchunked_answer_that_ends_with_the_connection(lab: Lab) -> None:
    await canned(lab, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    answer = await lab.raw(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
    assert answer.endswith(b"\r\n\r\nabc") and b"chunked" not in answer


async def test_a_body_reaches_the_target_while_it_is_still_being_sent(lab: Lab) -> None:
    first_seen = asyncio.Event()

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        size = len(await request.content.readexactly(5))
        first_seen.set()
        return web.Response(text=str(size + len(await request.read())))

    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        await first_seen.wait()
        yield b"second"

    await behind(lab, serve)
    async with lab.client.post(lab.url, data=body()) as answer:
        assert await answer.text() == "11"


async def test_an_answer_reaches_the_client_while_it_is_still_being_made(lab: Lab) -> None:
    go_on = asyncio.Event()

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for _ in range(2):
            await go_on.wait()
            go_on.clear()
            await response.write(b"data: x\n\n")
        return response

    await behind(lab, serve)
    async with lab.client.get(lab.url) as answer:  # headers before any body
        for _ in range(2):
            go_on.set()
            assert await answer.content.readany() == b"data: x\n\n"


async def test_large_bodies_pass_both_ways_without_being_gathered(lab: Lab) -> None:
    size = 32 * 1024 * 1024

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        async for chunk in request.content.iter_any():
            await response.write(chunk)
        return response

    async def body() -> AsyncIterator[bytes]:
        for _ in range(size // 65536):
            yield bytes(65536)

    await behind(lab, serve)
    got = 0
    async with lab.client.post(lab.url, data=body(), headers={"Content-Length": str(size)}) as answer:
        async for chunk in answer.content.iter_any():
            got += len(chunk)
    assert got == size


async def test_expect_is_answered_with_continue_before_the_body_is_sent(lab: Lab) -> None:
    await behind(lab, echo)
    reader, writer = await asyncio.open_connection(*lab.address)
    writer.write(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"body")
    assert b'"body": "body"' in await asyncio.wait_for(reader.read(), 5)
    writer.close()


async def test_expect_is_not_answered_when_nobody_takes_the_body(lab: Lab) -> None:
    await lab.route(rule("/*", to=lab.group()))
    answer = await lab.head(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 503 ")


async def test_a_client_that_leaves_takes_its_request_with_it(lab: Lab) -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        assert await reader.read() == b""
        left.set()

    group = lab.group()
    await lab.route(rule("/*", to=group))
    port = await lab.listen(lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(), serve))
    lab.register(group, port)
    _, writer = await asyncio.open_connection(*lab.address)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.wait_for(asked.wait(), 5)
    writer.close()
    await asyncio.wait_for(left.wait(), 5)
    assert " 460 - " in (await lab.log())[0]


async def test_nobody_listening_is_502_in_awss_own_words(lab: Lab) -> None:
    group = lab.group()
    await lab.route(rule("/*", to=group))
    with reserve() as silent:
        lab.register(group, silent.getsockname()[1])
        answer = await lab.raw(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 502 Bad Gateway\r\nServer: awselb/2.0\r\nDate: ")
    assert b"Content-Type: text/html\r\n" in head
    assert body == (
        b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
        b"<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
    )


async def test_no_registered_target_is_503_with_the_162_bytes_of_aws(lab: Lab) -> None:
    await lab.route(rule("/*", to=lab.group()))
    status, body = await lab.fetch("/")
    assert (status, len(body)) == (503, 162)
    assert "<title>503 Service Temporarily Unavailable</title>" in body


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
    ids=["nothing", "no HTTP", "bad length", "bad header", "an unrequested upgrade"],
)
async def test_what_is_no_answer_is_502(lab: Lab, answer: bytes) -> None:
    await canned(lab, answer)
    assert (await lab.fetch("/"))[0] == 502


async def test_an_answer_later_than_the_idle_timeout_is_504(lab: Lab) -> None:
    never = asyncio.Event()

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        await never.wait()
        raise AssertionError

    group = await behind(lab, serve)
    await lab.route(rule("/*", to=group), idle_timeout=6.0)  # 0.1 s
    status, body = await lab.fetch("/")
    assert status == 504 and "<h1>504 Gateway Time-out</h1>" in body


async def test_a_target_that_sends_now_and_then_is_not_too_late(lab: Lab) -> None:
    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(6):
            await lab.clock.sleep(6)
            await response.write(b".")
        return response

    group = await behind(lab, serve)
    await lab.route(rule("/*", to=group), idle_timeout=18.0)
    assert await lab.fetch("/") == (200, "......")


async def test_an_answer_that_breaks_off_breaks_off_for_the_client_too(lab: Lab) -> None:
    await canned(lab, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
    with pytest.raises(aiohttp.ClientPayloadError):
        await lab.fetch("/")


async def test_a_client_that_stops_in_its_body_gets_408(lab: Lab) -> None:
    group = await behind(lab, echo)
    await lab.route(rule("/*", to=group), idle_timeout=6.0)
    answer = await lab.head(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_an_answer_before_the_body_is_complete_comes_through(lab: Lab) -> None:
    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=413, text="too large")

    await behind(lab, serve)
    reader, writer = await asyncio.open_connection(*lab.address)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000)
    assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def test_rubbish_from_a_client_is_400_from_the_load_balancer(lab: Lab) -> None:
    await behind(lab, echo)
    answer = await lab.raw(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    assert b" 400 Bad Request\r\n" in answer and b"Server: awselb/2.0" in answer


async def test_trace_is_not_allowed(lab: Lab) -> None:
    await behind(lab, echo)
    assert (await lab.raw(b"TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).startswith(b"HTTP/1.1 405 ")


async def test_the_absolute_form_means_its_path(lab: Lab) -> None:
    await behind(lab, echo)
    answer = await lab.raw(b"GET http://site.test/abs?x=1 HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n")
    assert b'"path": "/abs?x=1"' in answer


async def test_a_target_group_with_https_is_spoken_to_in_tls_without_verifying(lab: Lab) -> None:
    context = server_context(lab.workdir / "target.pem", lab.clock)
    server = await asyncio.get_running_loop().create_server(
        web.Server(says("over TLS"), access_log=None),
        "127.0.0.1",
        0,
        ssl=context,
    )
    group = lab.group(protocol="HTTPS")
    await lab.route(rule("/*", to=group))
    lab.register(group, server.sockets[0].getsockname()[1])
    assert await lab.fetch("/") == (200, "over TLS")
    server.close()


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"forwarded_for": "preserve"}, "10.0.0.1"),
        ({"forwarded_for": "remove"}, None),
        ({"client_port_forwarded": True}, "10.0.0.1, 127.0.0.1:"),
    ],
)
async def test_the_load_balancers_attributes_decide_about_forwarders(
    lab: Lab, settings: dict[str, Any], wanted: str | None
) -> None:
    group = await behind(lab, echo)
    await lab.route(rule("/*", to=group), **settings)
    got = (await seen(lab, headers={"X-Forwarded-For": "10.0.0.1"}))["headers"].get("x-forwarded-for")
    assert got == wanted or (wanted is not None and got.startswith(wanted))


async def test_a_target_that_closed_an_idle_connection_is_simply_called_again(lab: Lab) -> None:
    calls = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    group = lab.group()
    await lab.route(rule("/*", to=group))
    lab.register(group, await lab.listen(lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(), serve)))
    assert await lab.fetch("/") == (200, "ok")
    assert await lab.fetch("/") == (200, "ok")
    await until(lambda: calls == 2)
