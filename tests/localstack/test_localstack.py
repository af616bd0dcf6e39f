"""LocalStack in a container, through testcontainers: what it serves, what is said when it does not start.

`nox -s localstack` builds the image before (LocalStack's published packages); KIT_TEST_LOCALSTACK_IMAGE names another.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.engine import BASE
from webordinary_testkit.emulation.cloud import Cloud, Wiring
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.container_engine import sweep
from webordinary_testkit.emulation.container_engine.engine import Engine
from webordinary_testkit.emulation.services.sqs import Sqs
from webordinary_testkit.emulation.state.localstack import IMAGE, LocalStackFailed
from webordinary_testkit.emulation.wiring import LATE_DELIVERIES

LOCALSTACK = os.environ.get("KIT_TEST_LOCALSTACK_IMAGE", "webordinary/localstack:test")
TOKEN = f"test-{os.getpid()}"
LABEL = "com.webordinary.kit.token"


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[Engine]:
    used = await Engine.open()
    yield used
    await used.close()


def cloud_of(image: str) -> Cloud:
    config = CloudConfig(insecure_keys="test", base="localstack", localstack_image=image, scale=20)
    return Cloud(config, lambda parts: Wiring([Sqs(parts.context("sqs"), LATE_DELIVERIES)]))


async def ours(engine: Engine) -> list[dict[str, Any]]:
    """What carries this test run's token in the engine."""
    return await asyncio.to_thread(sweep.find, engine.address, f"{LABEL}={TOKEN}")


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMULATION_RUN", TOKEN)
    monkeypatch.delenv("LOCALSTACK_AUTH_TOKEN", raising=False)


async def test_it_serves_what_it_has_on_loopback_and_nothing_is_left(engine: Engine) -> None:
    cloud = cloud_of(LOCALSTACK)
    await cloud.start()
    try:
        base = cloud.facts()["base"]
        assert {"cloudwatch", "logs", "s3", "ses", "sns", "sqs"} <= set(base["serves"])
        assert set(base["serves"]) | set(base["embedded"]) == {
            *("cloudwatch", "dynamodb", "dynamodbstreams", "logs", "s3", "ses", "sns", "sqs")
        }
        (container,) = await ours(engine)
        details = await engine.json(f"containers/{container['id']}/json", {})
        assert [port["HostIp"] for port in details["NetworkSettings"]["Ports"]["4566/tcp"]] == ["127.0.0.1"]
        assert not [mount for mount in details["Mounts"] if mount["Type"] == "volume"]

        aws = cloud.context("test").aws
        topic = (await aws.call("sns", "CreateTopic", Name="t"))["TopicArn"]
        url = (await aws.call("sqs", "CreateQueue", QueueName="q"))["QueueUrl"]
        assert url == f"{cloud.gateway.url}/{cloud.config.account}/q"
        arn = f"arn:aws:sqs:{cloud.config.region}:{cloud.config.account}:q"
        await aws.call("sns", "Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=arn)
        await aws.call("sns", "Publish", TopicArn=topic, Message="m")
        answer = await aws.call("sqs", "ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20)
        assert json.loads(answer["Messages"][0]["Body"])["Message"] == "m"
        await aws.call("dynamodb", "ListTables")
    finally:
        await cloud.stop()
    assert await ours(engine) == []


async def test_an_image_that_demands_a_token_says_what_to_do(engine: Engine) -> None:
    words = "License activation failed! No credentials were found in the environment."
    config = {"Image": BASE, "Labels": {LABEL: TOKEN}, "Cmd": ["sh", "-c", f"echo '{words}'; exit 55"]}
    container = await engine.client.containers.create(config)
    image = f"kit-test-{os.getpid()}-wants-a-token"
    try:
        await container.commit(repository=image, tag="1")
        cloud = cloud_of(f"{image}:1")
        with pytest.raises(LocalStackFailed) as failed:
            await cloud.start()
        said = str(failed.value)
        assert "demands a LocalStack token (exit code 55)" in said
        assert words in said
        assert f'localstack_image = "{IMAGE}"' in said
        assert "LOCALSTACK_AUTH_TOKEN" in said
        assert [item["kind"] for item in await ours(engine)] == ["containers", "images"], "the test's own only"
    finally:
        await container.delete(force=True)
        await engine.client.images.delete(f"{image}:1", force=True)


async def test_an_image_that_is_not_to_be_had_says_how_to_get_one() -> None:
    with pytest.raises(
        LocalStackFailed, match=r"not in the engine and cannot be had.*next: docker pull 127\.0\.0\.1:1"
    ):
        await cloud_of("127.0.0.1:1/localstack:0").start()


async def test_an_image_that_ends_at_once_is_reported_with_its_last_words() -> None:
    with pytest.raises(LocalStackFailed, match=r"ended with exit code \d+.*next: take the embedded base"):
        await cloud_of(BASE).start()


async def test_where_no_engine_is_it_is_said_and_what_to_do_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(OSError, match=r"no container engine answers at .*next: take the embedded base: --base moto"):
        await cloud_of(LOCALSTACK).start()


async def test_nothing_is_left_of_a_cloud_that_was_killed(engine: Engine) -> None:
    config = json.dumps({"base": "localstack", "localstack_image": LOCALSTACK})
    command = [sys.executable, "-m", "webordinary_testkit.emulation", "--config", config]
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=nowhere)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline()
        assert [item["kind"] for item in await ours(engine)] == ["containers"]
    finally:
        process.kill()
        await process.wait()
    until = time.monotonic() + 30
    while await ours(engine):
        assert time.monotonic() < until, "the guardian removes it within seconds"
        await asyncio.sleep(0.2)
