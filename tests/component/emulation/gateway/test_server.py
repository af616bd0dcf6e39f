"""The gateway as clients meet it: admin answers, raw routes, bodies as they are, the AWS CLI."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.support.scripted import Scripted
from tests.support.world import World, world
from webordinary_testkit.emulation.core.controller import Caller


async def get(w: World, path: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession(headers=w.admin_headers) as session, session.get(w.url + path) as response:
        return response.status, await response.json(content_type=None)


async def test_insecure_keys_keep_the_checks_of_web_pages(bare_world: World) -> None:
    url = f"{bare_world.url}/?X-Amz-Credential=a/20260101/us-west-2/sns/aws4_request"
    form = {"Action": "ListTopics", "Version": "2010-03-31"}
    async with aiohttp.ClientSession() as session:
        async with session.post(url, data=form) as response:
            assert response.status == 200
        async with session.post(url, data=form, headers={"Origin": "http://evil.example"}) as response:
            assert response.status == 403


async def test_health_answers(bare_world: World) -> None:
    assert await get(bare_world, "/_emulation/health") == (200, {"status": "ok"})


async def test_status_says_where_everything_is(bare_world: World) -> None:
    _, status = await get(bare_world, "/_emulation/status")

    assert status["aws"] == bare_world.url
    assert status["clock"]["scale"] == 60


async def test_recorded_calls_can_be_read_from_a_number_on(bare_world: World) -> None:
    await bare_world.aws.call("sqs", "ListQueues")
    await bare_world.aws.call("sns", "ListTopics")

    _, everything = await get(bare_world, "/_emulation/calls")
    _, newer = await get(bare_world, "/_emulation/calls?since=1")

    assert [call["operation"] for call in everything] == ["ListQueues", "ListTopics"]
    assert newer == everything[1:]


async def test_a_wrong_admin_request_is_told_what_there_is(bare_world: World) -> None:
    assert await get(bare_world, "/_emulation/calls?since=x") == (
        400,
        {"error": "since must be a call's number, got 'x'"},
    )
    assert await get(bare_world, "/_emulation/nothing") == (
        404,
        {"error": "no /_emulation/nothing; there are calls, health, status"},
    )


class WithRoutes(Scripted):
    def routes(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        async def outbox() -> list[str]:
            return ["mail"]

        return {"outbox": outbox}

    def web_routes(self) -> Iterable[web.RouteDef]:
        async def echo(request: web.Request) -> web.WebSocketResponse:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            async for message in socket:
                await socket.send_str(message.data)
            return socket

        return [
            web.get("/v1/data-channel/{id}", echo),
            web.get("/v1/recorded/{id}", echo, name="ssmmessages.OpenDataChannel"),
        ]


async def test_a_controller_adds_admin_answers_and_raw_routes() -> None:
    async with world(lambda _: WithRoutes({})) as w, aiohttp.ClientSession() as session:
        assert await get(w, "/_emulation/outbox") == (200, ["mail"])
        async with session.ws_connect(f"{w.url}/v1/data-channel/1") as socket:
            await socket.send_str("hello")
            assert (await socket.receive_str()) == "hello"


async def test_a_raw_route_with_a_calls_name_is_recorded_as_that_call() -> None:
    scope = "Credential=AKIDEXAMPLE/20261122/us-west-2/ssmmessages/aws4_request"
    signed = {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}
    async with world(lambda _: WithRoutes({})) as w, aiohttp.ClientSession() as session:
        async with session.ws_connect(f"{w.url}/v1/recorded/one", headers=signed) as socket:
            await socket.send_str("hello")
            assert (await socket.receive_str()) == "hello"
        async with session.ws_connect(f"{w.url}/v1/data-channel/unnamed"):
            pass
        _, calls = await get(w, "/_emulation/calls")

    names = ("caller", "service", "operation", "status", "touches")
    assert [tuple(call[name] for name in names) for call in calls] == [
        ("AKIDEXAMPLE", "ssmmessages", "OpenDataChannel", 101, {"id": "one"})
    ]


async def test_a_key_that_was_revoked_opens_no_raw_route() -> None:
    async with world(lambda _: WithRoutes({})) as w, aiohttp.ClientSession() as session:
        key = w.cloud.keys.issue(Caller("task", "arn:task")).access_key_id
        w.cloud.keys.revoke(key)
        scope = f"Credential={key}/20261122/us-west-2/ssmmessages/aws4_request"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{w.url}/v1/recorded/one", headers={"Authorization": f"AWS4-HMAC-SHA256 {scope}"})
        assert refused.value.status == 403


async def test_two_controllers_cannot_answer_the_same_admin_name() -> None:
    with pytest.raises(ValueError, match="/_emulation/outbox is answered by two"):
        async with world(lambda _: WithRoutes({}), lambda _: WithRoutes({})):
            pass


async def test_a_gzipped_object_arrives_as_it_was_sent(bare_world: World) -> None:
    client = bare_world.client("s3")
    body = gzip.compress(b"hello" * 1000)

    def put_and_get() -> bytes:
        client.create_bucket(Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        client.put_object(Bucket="bkt", Key="k", Body=body, ContentEncoding="gzip")
        got = client.get_object(Bucket="bkt", Key="k")
        return bytes(got["Body"]._raw_stream.read(decode_content=False))

    assert await asyncio.to_thread(put_and_get) == body


async def test_the_head_of_an_object_tells_its_length_without_a_body(bare_world: World) -> None:
    client = bare_world.client("s3")

    def put_and_head() -> Any:
        client.create_bucket(Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        client.put_object(Bucket="bkt", Key="k", Body=b"x" * 12345)
        return client.head_object(Bucket="bkt", Key="k"), client.list_objects_v2(Bucket="bkt")

    head, listed = await asyncio.to_thread(put_and_head)

    assert head["ContentLength"] == 12345
    assert listed["KeyCount"] == 1


async def test_a_virtual_host_bucket_is_served(bare_world: World) -> None:
    client = bare_world.client("s3")

    def put() -> None:
        client.create_bucket(Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        client.put_object(Bucket="bkt", Key="a/b", Body=b"hello")

    await asyncio.to_thread(put)
    signed = "AWS4-HMAC-SHA256 Credential=AKIA1/20261122/us-west-2/s3/aws4_request, Signature=x"
    host = bare_world.url.removeprefix("http://").replace("127.0.0.1", "bkt.localhost")
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{bare_world.url}/a/b", headers={"Host": host, "Authorization": signed}) as response,
    ):
        assert await response.read() == b"hello"


async def test_a_presigned_url_reads_its_object(bare_world: World) -> None:
    client = bare_world.client("s3")

    def put_and_sign() -> str:
        client.create_bucket(Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        client.put_object(Bucket="bkt", Key="k", Body=b"hello")
        return str(client.generate_presigned_url("get_object", {"Bucket": "bkt", "Key": "k"}))

    url = await asyncio.to_thread(put_and_sign)
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert await response.read() == b"hello"


async def test_the_aws_cli_works_with_nothing_but_the_endpoint_in_its_environment(bare_world: World) -> None:
    # Not tried with sqs: AWS CLI 1 ignores AWS_ENDPOINT_URL there (its overridesslcommonname customisation) and
    # needs --endpoint-url.
    cli = Path(sys.executable).with_name("aws")
    if not cli.exists():
        pytest.skip("the AWS CLI is not installed beside this Python")
    topic = await bare_world.aws.call("sns", "CreateTopic", Name="t")
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": bare_world.url,
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(cli), "sns", "list-topics", env=environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()

    assert json.loads(output)["Topics"] == [{"TopicArn": topic["TopicArn"]}]
