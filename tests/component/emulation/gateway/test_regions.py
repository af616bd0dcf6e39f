"""Calls for another region than the cloud's own: separate state, and a refusal of what would not happen there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.support.aws import SESSION
from tests.support.world import World
from webordinary_testkit.emulation.cloud import Cloud, CloudParts, Wiring
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.services.dynamodb import OnDemandThroughput
from webordinary_testkit.emulation.services.ecs import Ecs, ProcessRuntime
from webordinary_testkit.emulation.services.efs import Storage
from webordinary_testkit.emulation.services.sqs import Sqs

pytestmark = pytest.mark.asyncio(loop_scope="module")
TABLE = {
    "TableName": "pages",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def assemble(parts: CloudParts) -> Wiring:
    def both(region: str = "") -> list[Any]:
        throughput = OnDemandThroughput(parts.context("dynamodb", region), parts.dispatch.interceptors)
        return [Sqs(parts.context("sqs", region)), throughput]

    storage = Storage(parts.context("storage"), None)
    ecs = Ecs(parts.context("ecs"), ProcessRuntime({}, parts.guardian, parts.context("ecs").clock), storage)
    return Wiring([*both(), storage, ecs], regional=both)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def cloud() -> AsyncIterator[World]:
    cloud = Cloud(CloudConfig(scale=60, insecure_keys="test"), assemble)
    await cloud.start()
    try:
        yield World(cloud, cloud.context("test"))
    finally:
        await cloud.stop()


def client(cloud: World, service: str, region: str) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return SESSION.client(service, endpoint_url=cloud.url, region_name=region, **keys)


async def test_a_table_of_another_region_is_there_and_not_here(cloud: World) -> None:
    there = client(cloud, "dynamodb", "eu-west-1")

    def use() -> tuple[str, Any, list[str]]:
        arn = there.create_table(**TABLE)["TableDescription"]["TableArn"]
        there.put_item(TableName="pages", Item={"id": {"S": "a"}})
        item = there.get_item(TableName="pages", Key={"id": {"S": "a"}})["Item"]
        return arn, item, client(cloud, "dynamodb", "us-west-2").list_tables()["TableNames"]

    assert await asyncio.to_thread(use) == (
        "arn:aws:dynamodb:eu-west-1:123456789012:table/pages",
        {"id": {"S": "a"}},
        [],
    )


async def test_a_queue_of_another_region_delivers_long_polls(cloud: World) -> None:
    there = client(cloud, "sqs", "eu-west-1")

    def use() -> tuple[str, list[str]]:
        url = there.create_queue(QueueName="there")["QueueUrl"]
        there.send_message(QueueUrl=url, MessageBody="hello")
        (message,) = there.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
        here = client(cloud, "sqs", "us-west-2").list_queues().get("QueueUrls", [])
        return message["Body"], here

    assert await asyncio.to_thread(use) == ("hello", [])


async def test_what_only_happens_in_the_clouds_region_is_refused_elsewhere(cloud: World) -> None:
    with pytest.raises(ClientError, match=r"ecs:CreateCluster is emulated in us-west-2 only.*eu-west-1") as refused:
        await asyncio.to_thread(client(cloud, "ecs", "eu-west-1").create_cluster, clusterName="c")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


async def test_a_presigned_call_is_for_the_region_it_was_signed_for(cloud: World) -> None:
    here = client(cloud, "sns", "us-west-2")
    url = here.generate_presigned_url("create_topic", Params={"Name": "signed"})
    async with httpx.AsyncClient() as http:
        answer = await http.post(url) if "Action=" not in url else await http.get(url)
    assert "arn:aws:sns:us-west-2:123456789012:signed" in answer.text
