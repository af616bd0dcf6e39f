"""The capacity units of DynamoDB calls are published as AWS publishes them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.world import World, world
from webordinary_testkit.emulation.services.dynamodb import Metering
from webordinary_testkit.emulation.services.dynamodb.capacity import (
    index_write_units,
    item_size,
    read_units,
    write_units,
)


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"id": {"S": "abc"}}, 2 + 3),
        ({"ü": {"S": "ü"}}, 2 + 2),
        ({"n": {"N": "27"}}, 1 + 2),
        ({"n": {"N": "-0.00123"}}, 1 + 3),
        ({"b": {"B": b"1234"}}, 1 + 4),
        ({"t": {"BOOL": True}, "z": {"NULL": True}}, 2 + 2),
        ({"l": {"L": [{"S": "a"}, {"S": "b"}]}}, 1 + 3 + 2 * 2),
        ({"m": {"M": {"k": {"S": "v"}}}}, 1 + 3 + 3),
        ({"s": {"SS": ["ab", "c"]}}, 1 + 3),
    ],
)
def test_sizes_are_counted_as_dynamodb_counts_them(item: dict[str, Any], size: int) -> None:
    assert item_size(item) == size


def an_item(size: int) -> dict[str, Any]:
    return {"k": {"S": "x" * (size - 1)}}


@pytest.mark.parametrize(("size", "units"), [(1, 1), (1024, 1), (1025, 2), (4000, 4)])
def test_a_write_is_charged_by_the_begun_kilobyte_and_twice_in_a_transaction(size: int, units: int) -> None:
    assert write_units(None, an_item(size)) == units
    assert write_units(an_item(size), an_item(1)) == units, "the larger of before and after"
    assert write_units(None, an_item(size), transactional=True) == 2 * units


@pytest.mark.parametrize(("size", "units"), [(0, 1), (4096, 1), (4097, 2), (40_000, 10)])
def test_a_read_is_charged_by_the_begun_four_kilobytes(size: int, units: int) -> None:
    assert read_units(size, consistent=True) == units
    assert read_units(size, consistent=False) == units / 2
    assert read_units(size, consistent=True, transactional=True) == 2 * units


@given(st.integers(0, 400_000), st.integers(0, 400_000))
def test_more_never_costs_less(one: int, more: int) -> None:
    assert read_units(one, consistent=False) <= read_units(one + more, consistent=False)
    assert write_units(None, an_item(one + 1)) <= write_units(None, an_item(one + more + 1))


def test_an_index_is_written_when_its_entry_changes_and_twice_when_it_moves() -> None:
    old = {"id": {"S": "1"}, "status": {"S": "active"}, "n": {"N": "1"}}
    assert index_write_units(None, old, ("status",)) == 1
    assert index_write_units(old, {**old, "n": {"N": "2"}}, ("status",)) == 1
    assert index_write_units(old, {**old, "status": {"S": "expired"}}, ("status",)) == 2
    assert index_write_units(old, None, ("status",)) == 1
    assert index_write_units(old, old, ("status",)) == 0
    assert index_write_units(None, {"id": {"S": "1"}}, ("status",)) == 0, "it has no entry there"


async def consumed(w: World) -> dict[tuple[str, ...], float]:
    (controller,) = w.controllers
    assert isinstance(controller, Metering)
    return {
        (datum.name.removeprefix("Consumed").removesuffix("CapacityUnits"), *datum.dimensions.values()): sum(
            datum.values
        )
        for datum in await controller.collect()
    }


async def a_table(w: World) -> None:
    await w.aws.call(
        "dynamodb",
        "CreateTable",
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "status", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "ByStatus",
                "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


async def test_what_boto3_does_to_a_table_is_counted() -> None:
    async with world(Metering) as w:
        await a_table(w)
        client = w.client("dynamodb")

        def use() -> None:
            client.put_item(TableName="t", Item={"id": {"S": "1"}, "status": {"S": "a"}, "big": {"S": "x" * 3000}})
            client.update_item(
                TableName="t",
                Key={"id": {"S": "1"}},
                UpdateExpression="SET #s = :b",
                ExpressionAttributeNames={"#s": "status"},
                ExpressionAttributeValues={":b": {"S": "b"}},
            )
            client.get_item(TableName="t", Key={"id": {"S": "1"}}, ConsistentRead=True)
            client.get_item(TableName="t", Key={"id": {"S": "none"}})
            client.query(
                TableName="t",
                IndexName="ByStatus",
                KeyConditionExpression="#s = :b",
                FilterExpression="id = :none",
                ExpressionAttributeNames={"#s": "status"},
                ExpressionAttributeValues={":b": {"S": "b"}, ":none": {"S": "none"}},
            )
            client.transact_write_items(TransactItems=[{"Put": {"TableName": "t", "Item": {"id": {"S": "2"}}}}])
            client.delete_item(TableName="t", Key={"id": {"S": "1"}})

        await asyncio.to_thread(use)
        assert await consumed(w) == {
            ("Write", "t"): 3 + 3 + 2 + 3,
            ("Write", "t", "ByStatus"): 3 + 6 + 3,
            ("Read", "t"): 1 + 0.5,
            ("Read", "t", "ByStatus"): 0.5,
        }
        assert await consumed(w) == {}, "counters start anew"


async def test_an_update_whose_answer_shows_the_item_is_counted_by_it() -> None:
    async with world(Metering) as w:
        await a_table(w)
        client = w.client("dynamodb")

        def use() -> None:
            client.put_item(TableName="t", Item={"id": {"S": "1"}, "status": {"S": "a"}, "big": {"S": "x" * 3000}})
            client.update_item(
                TableName="t",
                Key={"id": {"S": "1"}},
                UpdateExpression="SET #s = :b",
                ExpressionAttributeNames={"#s": "status"},
                ExpressionAttributeValues={":b": {"S": "b"}},
                ReturnValues="ALL_NEW",
            )

        await asyncio.to_thread(use)
        assert await consumed(w) == {("Write", "t"): 3 + 3, ("Write", "t", "ByStatus"): 3 + 6}


async def test_what_a_condition_refused_changes_nothing() -> None:
    async with world(Metering) as w:
        await a_table(w)
        client = w.client("dynamodb")
        with pytest.raises(client.exceptions.ConditionalCheckFailedException):
            await asyncio.to_thread(
                client.put_item, TableName="t", Item={"id": {"S": "1"}}, ConditionExpression="attribute_exists(id)"
            )
        assert await consumed(w) == {}
