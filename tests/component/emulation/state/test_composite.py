"""Which base serves what: found out by asking, kept together where services deliver to each other."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from aiohttp import web

from tests.support.endpoint import Failure, moto_server, partial_endpoint
from tests.support.world import World, world
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.state.composite import CompositeStore
from webordinary_testkit.emulation.state.signing import Keys


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server() as url:
        yield url


def base(w: World) -> CompositeStore:
    assert isinstance(w.cloud.base, CompositeStore)
    return w.cloud.base


async def test_what_the_endpoint_lacks_comes_from_the_embedded_base_with_its_reason(endpoint: str) -> None:
    async with partial_endpoint(endpoint, lacking=["elasticloadbalancing"]) as front, world(base=front.url) as w:
        told = w.cloud.facts()["base"]
        assert told["endpoint"] == front.url
        assert {"dynamodb", "logs", "s3", "sns", "sqs"} <= set(told["serves"])
        assert "not included in your current license plan" in told["embedded"]["elbv2"]

        front.requests.clear()
        answer = await asyncio.to_thread(w.client("elbv2").describe_load_balancers)
        assert (answer["LoadBalancers"], front.requests) == ([], [])


async def test_services_that_deliver_to_each_other_come_from_the_same_base(endpoint: str) -> None:
    async with partial_endpoint(endpoint, lacking=["sns"]) as front, world(base=front.url) as w:
        told = w.cloud.facts()["base"]
        assert not {"sqs", "sns", "s3"} & set(told["serves"])
        assert "it works together with sns" in told["embedded"]["sqs"]

        topic = (await w.aws.call("sns", "CreateTopic", Name="t"))["TopicArn"]
        url = (await w.aws.call("sqs", "CreateQueue", QueueName="q"))["QueueUrl"]
        arn = f"arn:aws:sqs:us-west-2:{w.cloud.config.account}:q"
        await w.aws.call("sns", "Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=arn)
        await w.aws.call("sns", "Publish", TopicArn=topic, Message="m")
        assert (await w.aws.call("sqs", "ReceiveMessage", QueueUrl=url))["Messages"]


async def test_aws_s_own_policies_decide_about_iam(endpoint: str) -> None:
    async with world(base=endpoint) as w:
        assert "AmazonECSTaskExecutionRolePolicy" in w.cloud.facts()["base"]["embedded"]["iam"]


async def test_a_service_nobody_asked_for_is_found_out_about_at_its_first_call(endpoint: str) -> None:
    async with partial_endpoint(endpoint, lacking=["secretsmanager"]) as front, world(base=front.url) as w:
        front.requests.clear()
        await asyncio.to_thread(w.client("kms").list_keys)
        await asyncio.to_thread(w.client("kms").list_keys)
        assert [service for service, _ in front.requests] == ["kms", "kms", "kms"], "one question, two calls"
        await asyncio.to_thread(w.client("secretsmanager").create_secret, Name="s", SecretString="x")
        await asyncio.to_thread(w.client("secretsmanager").get_secret_value, SecretId="s")

        assert [service for service, _ in front.requests].count("secretsmanager") == 1
        assert "kms" in base(w).serving
        assert "license plan" in base(w).lacking["secretsmanager"]


@pytest.mark.parametrize(
    "answer", [Failure(), Failure(503, "<html>Busy</html>"), Failure(502, ""), Failure(0)], ids=repr
)
async def test_a_base_that_fails_for_a_while_serves_what_it_has(
    endpoint: str, answer: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webordinary_testkit.emulation.state.probes.PATIENCE", 2.0)
    monkeypatch.setattr("webordinary_testkit.emulation.state.probes._PAUSE", 0.05)
    failing = {"dynamodb": replace(answer, times=2)}
    async with partial_endpoint(endpoint, failing=failing) as front, world(base=front.url) as w:
        assert {"dynamodb", "dynamodbstreams"} <= set(w.cloud.facts()["base"]["serves"])


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (Failure(), "InternalError: exception while calling it"),
        (Failure(503, "<html>Busy</html>"), "status 503: Busy"),
        (Failure(0), r"no answer to ListTables within 0\.5 s"),
    ],
    ids=repr,
)
async def test_a_base_that_keeps_failing_is_an_error_and_not_one_that_lacks_the_service(
    endpoint: str, answer: Failure, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webordinary_testkit.emulation.state.probes.PATIENCE", 0.5)
    monkeypatch.setattr("webordinary_testkit.emulation.state.probes.FAILING_FOR", 1.0)
    only = ("dynamodb",)
    async with partial_endpoint(endpoint, failing={"dynamodb": answer}) as front:
        with pytest.raises(
            OSError, match=rf"is failing: asked \d+ times in \d+ s whether it has dynamodb, .*{seen}.*next: "
        ):
            async with world(base=front.url, base_services=only):
                pass


async def test_a_service_that_fails_at_its_first_call_is_asked_for_again_at_the_next(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webordinary_testkit.emulation.state.probes.FAILING_FOR", 0.1)
    async with partial_endpoint(endpoint) as front, world(base=front.url) as w:
        front.failing["kms"] = Failure()
        with pytest.raises(AwsError, match=r"is failing: asked .* whether it has kms"):
            await w.aws.call("kms", "ListKeys")
        del front.failing["kms"]
        await w.aws.call("kms", "ListKeys")
        assert "kms" in base(w).serving


async def test_only_the_services_that_are_named_are_taken_from_the_endpoint(endpoint: str) -> None:
    async with partial_endpoint(endpoint) as front:
        async with world(base=front.url, base_services=("dynamodb", "dynamodbstreams")) as w:
            assert w.cloud.facts()["base"]["serves"] == ["dynamodb", "dynamodbstreams"]
            await asyncio.to_thread(w.client("sqs").list_queues)
        assert {service for service, _ in front.requests} == {"sts", "dynamodb"}


async def test_an_address_where_nothing_answers_is_named(unused_port: int) -> None:
    with pytest.raises(OSError, match=rf"nothing answers at the base http://127.0.0.1:{unused_port}.*next: start"):
        async with world(base=f"http://127.0.0.1:{unused_port}"):
            pass


async def test_a_web_server_that_is_no_aws_is_told_from_one(unused_port: int) -> None:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="<html><body>It works!</body></html>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hello)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_port).start()
    try:
        with pytest.raises(OSError, match=r"has none of .* next: name an AWS-compatible endpoint"):
            async with world(base=f"http://127.0.0.1:{unused_port}"):
                pass
    finally:
        await runner.cleanup()


def test_half_a_pair_of_credentials_is_refused() -> None:
    with pytest.raises(ValueError, match="BASE_AWS_SECRET_ACCESS_KEY is missing"):
        Keys.of("123456789012", {"BASE_AWS_ACCESS_KEY_ID": "A"})
    assert Keys.of("123456789012", {}).access_key_id == "123456789012"


@pytest.mark.parametrize("wrong", ["dynalite", "http://", "localhost:4566", "http://host/path", "http://a b"])
def test_a_base_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="base must be one of moto, localstack, or the URL"):
        CloudConfig(base=wrong)


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
