"""boto3 is the judge of every protocol: what it sends arrives, what we answer it reads, errors are its classes."""

from __future__ import annotations

import asyncio
import gzip
import json
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from botocore.exceptions import ClientError

from tests.support.scripted import Scripted, scripted
from tests.support.wire import speaking
from tests.support.world import world
from webordinary_testkit.emulation.core.errors import AwsError

WHEN = datetime(2026, 11, 22, 8, 0, 0, 500000, UTC)

ROUND_TRIPS: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    (
        "ecs", "DescribeServices", "json 1.1",
        {"services": ["web"], "include": ["TAGS"]},
        {
            "services": [{"serviceName": "web", "desiredCount": 2, "createdAt": WHEN, "enableECSManagedTags": False}],
            "failures": [],
        },
    ),
    (
        "sqs", "ReceiveMessage", "json 1.0, once query",
        {"QueueUrl": "http://x/1/q", "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]},
        {
            "Messages": [
                {
                    "Body": 'a "b" \r\n <&> é 😀',
                    "MessageAttributes": {"n": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}},
                }
            ]
        },
    ),
    (
        "elbv2", "DescribeTargetHealth", "query",
        {"TargetGroupArn": "arn:tg", "Targets": [{"Id": "127.0.0.1", "Port": 80}], "Include": ["All"]},
        {
            "TargetHealthDescriptions": [
                {
                    "Target": {"Id": "127.0.0.1", "Port": 80},
                    "TargetHealth": {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "a < b & c"},
                }
            ]
        },
    ),
    (
        "sns", "GetTopicAttributes", "query, a map",
        {"TopicArn": "arn:topic"},
        {"Attributes": {"Owner": "1", "Policy": '{"a":"<b>"}'}},
    ),
    (
        "cloudformation", "DescribeStackEvents", "query, a timestamp",
        {"StackName": "s"},
        {"StackEvents": [{"StackId": "i", "EventId": "e", "StackName": "s", "Timestamp": WHEN}]},
    ),
    (
        "ec2", "DescribeSubnets", "ec2",
        {"SubnetIds": ["subnet-1", "subnet-2"], "Filters": [{"Name": "vpc-id", "Values": ["vpc-1"]}]},
        {"Subnets": [{"SubnetId": "subnet-1", "DefaultForAz": True, "Tags": [{"Key": "k", "Value": "v"}]}]},
    ),
    (
        "cloudwatch", "GetMetricData", "json, newly",
        {
            "StartTime": WHEN, "EndTime": WHEN,
            "MetricDataQueries": [{"Id": "m", "Expression": "SUM(METRICS())", "ReturnData": True}],
        },
        {"MetricDataResults": [{"Id": "m", "Timestamps": [WHEN], "Values": [0.0, 1.5, -3.0, 1e9]}]},
    ),
    (
        "efs", "DescribeAccessPoints", "rest-json",
        {"FileSystemId": "fs-1", "MaxResults": 5},
        {"AccessPoints": [{"AccessPointId": "fsap-1", "PosixUser": {"Uid": 1000, "Gid": 1000}}], "NextToken": "t"},
    ),
    (
        "efs", "UpdateFileSystem", "rest-json with a path label",
        {"FileSystemId": "fs-1", "ThroughputMode": "elastic"},
        {"OwnerId": "1", "CreationToken": "c", "FileSystemId": "fs-1", "CreationTime": WHEN,
         "LifeCycleState": "available", "NumberOfMountTargets": 0, "SizeInBytes": {"Value": 0},
         "PerformanceMode": "generalPurpose", "Tags": []},
    ),
    (
        "sesv2", "SendEmail", "rest-json with a blob",
        {"FromEmailAddress": "a@b.c", "Content": {"Raw": {"Data": b"Subject: x\r\n\r\n\xff"}}},
        {"MessageId": "m"},
    ),
    (
        "s3", "ListObjectsV2", "rest-xml",
        {"Bucket": "bkt", "Prefix": "a/", "MaxKeys": 3},
        {"Name": "bkt", "KeyCount": 1, "IsTruncated": False, "Contents": [{"Key": "a/<b>", "Size": 3}]},
    ),
    (
        "s3", "PutBucketTagging", "rest-xml with an XML body",
        {"Bucket": "bkt", "Tagging": {"TagSet": [{"Key": "k", "Value": "v"}, {"Key": "l", "Value": ""}]}},
        {},
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("service", "operation", "sent", "answer"),
    [pytest.param(*trip[:2], *trip[3:], id=f"{trip[0]}: {trip[2]}") for trip in ROUND_TRIPS],
)
async def test_what_is_sent_arrives_and_what_is_answered_is_read(
    service: str, operation: str, sent: dict[str, Any], answer: dict[str, Any]
) -> None:
    arrived, read = await round_trip(service, operation, sent, answer)

    assert {name: arrived.get(name) for name in sent} == sent
    assert read == answer


@pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "query"])
async def test_cloudwatch_answers_in_each_of_its_protocols(protocol: str) -> None:
    label, sent, answer = next((entry[2], entry[3], entry[4]) for entry in ROUND_TRIPS if entry[0] == "cloudwatch")
    with speaking(protocol):
        arrived, read = await round_trip("cloudwatch", "GetMetricData", sent, answer)

    assert arrived == sent, label
    assert read == answer


async def test_put_metric_data_arrives_in_cbor_with_everything() -> None:
    sent = {
        "Namespace": "N",
        "MetricData": [
            {
                "MetricName": "m",
                "Dimensions": [{"Name": "d", "Value": "v"}],
                "Timestamp": WHEN,
                "Values": [1.0, 2.5],
                "Counts": [3.0, 1.0],
                "StorageResolution": 1,
            }
        ],
    }
    with speaking("smithy-rpc-v2-cbor"):
        arrived, _ = await round_trip("cloudwatch", "PutMetricData", sent, {})

    assert arrived == sent


ERRORS: list[tuple[str, str, dict[str, Any], str, str | None, int]] = [
    ("ecs", "DescribeTasks", {"tasks": ["t"]}, "ClusterNotFoundException", "ClusterNotFoundException", 400),
    ("sqs", "GetQueueUrl", {"QueueName": "q"}, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", 400),
    ("elbv2", "DescribeListeners", {}, "ListenerNotFound", "ListenerNotFoundException", 400),
    ("cloudformation", "DescribeStacks", {}, "ValidationError", None, 400),
    ("ec2", "DescribeVpcs", {}, "InvalidVpcID.NotFound", None, 400),
    ("efs", "DescribeFileSystems", {}, "FileSystemNotFound", "FileSystemNotFound", 404),
    ("sesv2", "GetEmailTemplate", {"TemplateName": "t"}, "NotFoundException", "NotFoundException", 404),
    ("s3", "GetBucketPolicy", {"Bucket": "bkt"}, "NoSuchBucketPolicy", None, 404),
    ("cloudwatch", "GetDashboard", {"DashboardName": "d"}, "ResourceNotFound", "ResourceNotFound", 404),
    ("dynamodb", "DescribeTable", {"TableName": "t"}, "ResourceNotFoundException", "ResourceNotFoundException", 400),
]
"""Service, operation, parameters, the code raised, boto3's class for it, the status raised or modelled."""


@pytest.mark.parametrize("case", ERRORS, ids=[f"{case[0]}: {case[3]}" for case in ERRORS])
async def test_an_error_is_the_class_boto3_has_for_it(
    case: tuple[str, str, dict[str, Any], str, str | None, int],
) -> None:
    service, operation, params, code, exception, status = case
    error = AwsError(code, "no such <thing> & more", status=404 if service == "s3" else 400)

    assert await assert_error_is_read(service, operation, params, error, exception) == status


@pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "query"])
async def test_cloudwatch_refuses_in_each_of_its_protocols(protocol: str) -> None:
    with speaking(protocol):
        await assert_error_is_read(
            "cloudwatch",
            "GetDashboard",
            {"DashboardName": "d"},
            AwsError("ResourceNotFound", "no such dashboard"),
            "ResourceNotFound",
        )


async def test_modelled_members_of_an_error_are_read() -> None:
    reasons = [{"Code": "ConditionalCheckFailed", "Message": "no"}]
    error = AwsError("TransactionCanceledException", "cancelled", CancellationReasons=reasons)
    async with world(scripted({("dynamodb", "TransactGetItems"): error})) as w:
        with pytest.raises(ClientError) as refused:
            await asyncio.to_thread(
                w.client("dynamodb").transact_get_items,
                TransactItems=[{"Get": {"TableName": "t", "Key": {"k": {"S": "1"}}}}],
            )

    assert refused.value.response["CancellationReasons"] == reasons


async def test_an_error_has_the_status_of_its_model_unless_it_brings_its_own() -> None:
    not_found = AwsError("FileSystemNotFound", "no fs")
    throttled = AwsError("ThrottlingException", "slow down", status=429)
    async with world(
        scripted({("efs", "DescribeFileSystems"): not_found, ("efs", "DescribeMountTargets"): throttled})
    ) as w:
        client = w.client("efs")
        with pytest.raises(client.exceptions.FileSystemNotFound) as missing:
            await asyncio.to_thread(client.describe_file_systems)
        with pytest.raises(client.exceptions.ThrottlingException) as slow:
            await asyncio.to_thread(client.describe_mount_targets, FileSystemId="fs-1")

    assert missing.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert slow.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


async def test_a_gzipped_request_is_read() -> None:
    body = gzip.compress(json.dumps({"services": ["web"]}).encode())
    async with world(scripted({("ecs", "DescribeServices"): {"services": []}})) as w:
        status, _ = await post(w.url, "ecs", "AmazonEC2ContainerServiceV20141113.DescribeServices", body, gzipped=True)
        (controller,) = w.controllers

    assert status == 200
    assert isinstance(controller, Scripted)
    assert controller.calls[0].params == {"services": ["web"]}


async def test_a_body_that_is_no_json_is_refused() -> None:
    async with world(scripted({("ecs", "DescribeServices"): {"services": []}})) as w:
        status, answer = await post(w.url, "ecs", "AmazonEC2ContainerServiceV20141113.DescribeServices", b"{oops")

    assert status == 400
    assert answer["__type"] == "SerializationException"


async def test_a_missing_parameter_is_refused_by_name() -> None:
    async with world(scripted({("ecs", "DescribeServices"): {"services": []}})) as w:
        status, answer = await post(w.url, "ecs", "AmazonEC2ContainerServiceV20141113.DescribeServices", b"{}")

    assert status == 400
    assert 'Missing required parameter in input: "services"' in answer["Message"]


async def round_trip(
    service: str, operation: str, sent: dict[str, Any], answer: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the handler got, and what boto3 read."""
    async with world(scripted({(service, operation): answer})) as w:
        read = await asyncio.to_thread(w.client(service)._make_api_call, operation, sent)
        (controller,) = w.controllers
        assert isinstance(controller, Scripted)
        headers = read.pop("ResponseMetadata")["HTTPHeaders"]
        assert headers["x-amzn-requestid"] == controller.calls[0].request_id
        return dict(controller.calls[0].params), read


async def assert_error_is_read(
    service: str, operation: str, params: dict[str, Any], error: AwsError, exception: str | None
) -> int:
    """Returns the HTTP status."""
    async with world(scripted({(service, operation): error})) as w:
        client = w.client(service)
        with pytest.raises(ClientError) as refused:
            await asyncio.to_thread(client._make_api_call, operation, params)

    assert refused.value.response["Error"]["Code"] == error.code
    assert refused.value.response["Error"]["Message"] == error.message
    assert type(refused.value).__name__ == (exception or "ClientError")
    return int(refused.value.response["ResponseMetadata"]["HTTPStatusCode"])


async def post(url: str, service: str, target: str, body: bytes, *, gzipped: bool = False) -> tuple[int, Any]:
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential=AKIA1/20261122/us-west-2/{service}/aws4_request, Signature=x",
        "X-Amz-Target": target,
        "Content-Type": "application/x-amz-json-1.1",
        **({"Content-Encoding": "gzip"} if gzipped else {}),
    }
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
        return response.status, json.loads(await response.text())
