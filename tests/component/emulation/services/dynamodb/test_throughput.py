"""On-demand maximum throughput as boto3 meets it, and the metrics it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.support.ecs import eventually
from tests.support.world import World
from webordinary_testkit.emulation.cloud import Cloud, CloudParts, Wiring
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.services.cloudwatch import Cloudwatch
from webordinary_testkit.emulation.services.dynamodb import OnDemandThroughput
from webordinary_testkit.emulation.services.dynamodb.requested_capacity import Demand, demands

pytestmark = pytest.mark.asyncio(loop_scope="module")

ARN = "arn:aws:dynamodb:us-west-2:123456789012:table"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def w() -> AsyncIterator[World]:
    def assemble(parts: CloudParts) -> Wiring:
        on_demand = OnDemandThroughput(parts.context("dynamodb"), parts.dispatch.interceptors)
        return Wiring([on_demand, Cloudwatch(parts.context("cloudwatch"), [on_demand])])

    cloud = Cloud(CloudConfig(insecure_keys="test", scale=60.0), assemble)
    await cloud.start()
    try:
        yield World(cloud, cloud.context("test"))
    finally:
        await cloud.stop()


async def table(w: World, name: str, **more: Any) -> None:
    params: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        **more,
    }
    await asyncio.to_thread(w.client("dynamodb").create_table, **params)


async def put(w: World, name: str, size: int = 1) -> str:
    item = {"id": {"S": "x"}, "text": {"S": "x" * size}}
    try:
        await asyncio.to_thread(w.client("dynamodb").put_item, TableName=name, Item=item)
    except ClientError as error:
        reasons = error.response["ThrottlingReasons"]
        return f"{error.response['Error']['Code']} {reasons[0]['reason']} {reasons[0]['resource']}"
    return "ok"


async def limit(w: World, name: str, reads: int, writes: int) -> None:
    """Set a maximum, and wait until the table is ACTIVE again."""
    client = w.client("dynamodb")
    throughput = {"MaxReadRequestUnits": reads, "MaxWriteRequestUnits": writes}
    answer = await asyncio.to_thread(client.update_table, TableName=name, OnDemandThroughput=throughput)
    assert answer["TableDescription"]["TableStatus"] == "UPDATING"

    async def active() -> bool:
        described = await asyncio.to_thread(client.describe_table, TableName=name)
        return bool(described["Table"]["TableStatus"] == "ACTIVE")

    assert await eventually(active)


async def test_writes_beyond_the_maximum_are_throttled_and_reads_are_not(w: World) -> None:
    await table(w, "writes")
    await limit(w, "writes", -1, 1)
    answers = [await put(w, "writes", 100_000) for _ in range(3)]
    key = {"id": {"S": "x"}}
    await asyncio.to_thread(w.client("dynamodb").get_item, TableName="writes", Key=key, ConsistentRead=True)

    refusal = "ProvisionedThroughputExceededException TableWriteMaxOnDemandThroughputExceeded"
    assert answers == ["ok", f"{refusal} {ARN}/writes", f"{refusal} {ARN}/writes"]


async def test_without_a_maximum_everything_passes_again(w: World) -> None:
    await table(w, "again")
    await limit(w, "again", 1, 1)
    await put(w, "again", 300_000)
    assert await put(w, "again") != "ok"
    await limit(w, "again", -1, -1)

    assert [await put(w, "again", 100_000) for _ in range(3)] == ["ok"] * 3


async def test_the_maximum_is_told_and_goes_with_its_table(w: World) -> None:
    await table(w, "told", OnDemandThroughput={"MaxWriteRequestUnits": 7})
    client = w.client("dynamodb")
    described = await asyncio.to_thread(client.describe_table, TableName="told")
    await asyncio.to_thread(client.delete_table, TableName="told")
    await table(w, "told")
    made_again = await asyncio.to_thread(client.describe_table, TableName="told")

    assert described["Table"]["OnDemandThroughput"] == {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 7}
    assert "OnDemandThroughput" not in made_again["Table"]


async def test_a_provisioned_table_takes_no_maximum(w: World) -> None:
    await table(
        w,
        "provisioned",
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    with pytest.raises(ClientError, match="ValidationException"):
        await asyncio.to_thread(
            w.client("dynamodb").update_table, TableName="provisioned", OnDemandThroughput={"MaxReadRequestUnits": 1}
        )


async def test_a_table_that_is_updating_takes_no_second_update(w: World) -> None:
    await table(w, "busy")
    client = w.client("dynamodb")
    throughput = {"MaxWriteRequestUnits": 1}
    await asyncio.to_thread(client.update_table, TableName="busy", OnDemandThroughput=throughput)
    with pytest.raises(client.exceptions.ResourceInUseException):
        await asyncio.to_thread(client.update_table, TableName="busy", OnDemandThroughput=throughput)


async def test_throttled_writes_are_counted_in_cloudwatch(w: World) -> None:
    await table(w, "counted")
    await limit(w, "counted", -1, 1)
    await put(w, "counted", 300_000)
    throttled = [await put(w, "counted") for _ in range(3)]

    async def told() -> float:
        now = w.cloud.clock.utcnow().timestamp()
        answer = await asyncio.to_thread(
            w.client("cloudwatch").get_metric_statistics,
            Namespace="AWS/DynamoDB",
            MetricName="WriteThrottleEvents",
            Dimensions=[{"Name": "TableName", "Value": "counted"}],
            StartTime=now - 3600,
            EndTime=now + 60,
            Period=3600,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in answer["Datapoints"]))

    assert "ok" not in throttled

    async def all_told() -> bool:
        return await told() == 3

    await eventually(all_told, within=10)


@pytest.mark.parametrize(
    ("operation", "params", "expected"),
    [
        ("GetItem", {"TableName": "t", "Key": {}}, [Demand("t", 0.5)]),
        ("GetItem", {"TableName": f"{ARN}/t", "ConsistentRead": True}, [Demand("t", 1.0)]),
        ("PutItem", {"TableName": "t", "Item": {"a": {"S": "x" * 3000}}}, [Demand("t", 3.0)]),
        ("BatchGetItem", {"RequestItems": {"t": {"Keys": [{}, {}]}}}, [Demand("t", 1.0)]),
        ("TransactWriteItems", {"TransactItems": [{"Delete": {"TableName": "t"}}]}, [Demand("t", 2.0)]),
        ("DescribeTable", {"TableName": "t"}, []),
    ],
)
async def test_units_are_counted_as_dynamodb_counts_them(
    operation: str, params: dict[str, Any], expected: list[Demand]
) -> None:
    assert demands(operation, params) == expected
