"""What a recorded call says of the resources it named."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.world import world
from webordinary_testkit.emulation.gateway.resource_names import resource_names


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"TableName": "t", "Item": {"id": {"S": "secret"}}}, {"TableName": "t"}),
        ({"RequestItems": {"a": [], "b": []}}, {"RequestItems": ["a", "b"]}),
        ({"TransactItems": [{"Put": {"TableName": "t", "Item": {}}}]}, {"TransactItems": ["t"]}),
        ({"cluster": "c", "service": "s", "desiredCount": 1}, {"cluster": "c", "service": "s"}),
        ({"QueueUrl": "http://x/1/q", "MessageBody": "private"}, {"QueueUrl": "http://x/1/q"}),
        ({"Bucket": "b", "Key": "k", "Body": b"x"}, {"Bucket": "b", "Key": "k"}),
        ({"executionRoleArn": "arn:x", "family": "f"}, {"executionRoleArn": "arn:x", "family": "f"}),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["s"], "securityGroups": ["g"]}}},
            {
                "networkConfiguration.awsvpcConfiguration.subnets": ["s"],
                "networkConfiguration.awsvpcConfiguration.securityGroups": ["g"],
            },
        ),
        ({"Name": "x" * 1000}, {}),
    ],
)
def test_what_names_something_is_kept_and_contents_are_not(params: object, expected: object) -> None:
    assert resource_names(params) == expected  # type: ignore[arg-type]  # written out above


@pytest.mark.asyncio
async def test_a_recorded_call_names_its_resources_also_when_it_is_refused() -> None:
    async with world() as w:
        client = w.client("dynamodb")
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            await asyncio.to_thread(client.get_item, TableName="none", Key={"id": {"S": "x"}})
        await w.aws.call("sqs", "CreateQueue", QueueName="q")
        (wire,) = (call for call in w.cloud.recorder.since() if call.operation == "GetItem")
        (inside,) = (call for call in w.cloud.recorder.since() if call.operation == "CreateQueue")

    assert (wire.caller_kind, wire.service, dict(wire.touches)) == ("external", "dynamodb", {"TableName": "none"})
    assert (inside.caller_kind, dict(inside.touches)) == ("service", {"QueueName": "q"})
