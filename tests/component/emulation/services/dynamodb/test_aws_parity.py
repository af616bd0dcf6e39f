"""DynamoDB's numbers, levels, transaction tokens and the members of its answers as on AWS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.world import World, world
from webordinary_testkit.emulation.core.errors import AwsError

pytestmark = pytest.mark.asyncio(loop_scope="module")
INDEX = {
    "IndexName": "by-b",
    "KeySchema": [{"AttributeName": "b", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}


class Table:
    def __init__(self, cloud: World) -> None:
        self.cloud = cloud

    async def call(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self.cloud.aws.call("dynamodb", operation, **params)

    async def create(self, name: str, **options: Any) -> dict[str, Any]:
        names = ["a", "b"] if "GlobalSecondaryIndexes" in options else ["a"]
        answer = await self.call(
            "CreateTable",
            TableName=name,
            KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in names],
            **{"BillingMode": "PAY_PER_REQUEST", **options},
        )
        table: dict[str, Any] = answer["TableDescription"]
        return table

    async def put(self, **attributes: Any) -> Any:
        await self.call("PutItem", TableName="items", Item={"a": {"S": "x"}, **attributes})
        answer = await self.call("GetItem", TableName="items", Key={"a": {"S": "x"}})
        return answer["Item"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def table() -> AsyncIterator[Table]:
    async with world() as w:
        made = Table(w)
        await made.create("items")
        yield made


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1.50", "1.5"), ("1e2", "100"), ("-0", "0"), ("0.10", "0.1"), ("007", "7"), ("1E-3", "0.001"),
        ("9" * 38, "9" * 38), ("1" + "0" * 60, "1" + "0" * 60),
    ],
)  # fmt: skip
async def test_numbers_are_read_as_dynamodb_stores_them(table: Table, written: str, read: str) -> None:
    assert (await table.put(n={"N": written}))["n"] == {"N": read}
    assert (await table.put(n={"L": [{"M": {"N": {"N": written}}}]}))["n"] == {"L": [{"M": {"N": {"N": read}}}]}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("1" * 39, "more than 38 significant digits"),
        ("1e126", "Number overflow"),
        ("1e-131", "Number underflow"),
        ("abc", "cannot be converted to a numeric value: abc"),
        ("NaN", "cannot be converted to a numeric value: NaN"),
    ],
)
async def test_numbers_out_of_range_are_refused(table: Table, written: str, said: str) -> None:
    with pytest.raises(AwsError, match=said) as refused:
        await table.put(n={"N": written})
    assert refused.value.code == "ValidationException"


async def test_items_have_up_to_32_levels(table: Table) -> None:
    def nested(levels: int) -> Any:
        value: Any = {"S": "x"}
        for _ in range(levels):
            value = {"L": [value]}
        return value

    await table.put(deep=nested(32))
    with pytest.raises(AwsError, match="Nesting Levels have exceeded supported limits"):
        await table.put(deep=nested(33))


async def test_a_transaction_runs_once_for_its_token(table: Table) -> None:
    await table.put(n={"N": "0"})

    def add(amount: str) -> Any:
        update = {
            "TableName": "items",
            "Key": {"a": {"S": "x"}},
            "UpdateExpression": "ADD n :n",
            "ExpressionAttributeValues": {":n": {"N": amount}},
        }
        return [{"Update": update}]

    for _ in range(2):
        await table.call("TransactWriteItems", TransactItems=add("1"), ClientRequestToken="once")
    answer = await table.call("GetItem", TableName="items", Key={"a": {"S": "x"}})
    assert answer["Item"]["n"] == {"N": "1"}
    with pytest.raises(AwsError) as refused:
        await table.call("TransactWriteItems", TransactItems=add("2"), ClientRequestToken="once")
    assert refused.value.code == "IdempotentParameterMismatchException"


async def test_a_table_is_described_with_what_it_has(table: Table) -> None:
    made = await table.create(
        "plain", BillingMode="PROVISIONED", ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    )
    assert made["TableStatus"] == "CREATING" and "WarmThroughput" not in made
    described = (await table.call("DescribeTable", TableName="plain"))["Table"]
    assert described["TableStatus"] == "ACTIVE" and described["TableId"] == made["TableId"]
    assert not {"GlobalSecondaryIndexes", "LocalSecondaryIndexes", "BillingModeSummary"} & set(described)
    assert described["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 0


async def test_an_index_is_described_with_its_arn_and_size(table: Table) -> None:
    made = await table.create("indexed", GlobalSecondaryIndexes=[INDEX])
    assert made["GlobalSecondaryIndexes"][0]["IndexStatus"] == "CREATING"
    (index,) = (await table.call("DescribeTable", TableName="indexed"))["Table"]["GlobalSecondaryIndexes"]
    assert (index["IndexArn"], index["ItemCount"], index["IndexSizeBytes"]) == (
        "arn:aws:dynamodb:us-west-2:123456789012:table/indexed/index/by-b",
        0,
        0,
    )


async def test_a_deleted_table_is_deleting_and_has_no_schema(table: Table) -> None:
    await table.create("gone")
    answer = (await table.call("DeleteTable", TableName="gone"))["TableDescription"]
    assert answer["TableStatus"] == "DELETING" and "KeySchema" not in answer
    with pytest.raises(AwsError, match="Requested resource not found: Table: gone not found"):
        await table.call("DeleteTable", TableName="gone")


async def test_capacity_and_metrics_come_when_asked_for(table: Table) -> None:
    put = {"items": [{"PutRequest": {"Item": {"a": {"S": "b"}}}}]}
    get = {"items": {"Keys": [{"a": {"S": "b"}}]}}
    for operation, items in (("BatchWriteItem", put), ("BatchGetItem", get)):
        answer = await table.call(operation, RequestItems=items)
        assert not {"ConsumedCapacity", "ItemCollectionMetrics"} & set(answer)
        asked = await table.call(operation, RequestItems=items, ReturnConsumedCapacity="TOTAL")
        assert asked["ConsumedCapacity"][0]["TableName"] == "items"


async def test_stream_records_have_version_1_1_and_their_region(table: Table) -> None:
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    arn = (await table.create("streamed", StreamSpecification=stream))["LatestStreamArn"]
    await table.call("PutItem", TableName="streamed", Item={"a": {"S": "x"}})
    shard = (await table.cloud.aws.call("dynamodbstreams", "DescribeStream", StreamArn=arn))["StreamDescription"]
    iterator = await table.cloud.aws.call(
        "dynamodbstreams",
        "GetShardIterator",
        StreamArn=arn,
        ShardId=shard["Shards"][0]["ShardId"],
        ShardIteratorType="TRIM_HORIZON",
    )
    records = await table.cloud.aws.call("dynamodbstreams", "GetRecords", ShardIterator=iterator["ShardIterator"])
    assert [(each["eventVersion"], each["awsRegion"]) for each in records["Records"]] == [("1.1", "us-west-2")]
