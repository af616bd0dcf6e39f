"""moto behind the gateway: serialised, on AWS time, strict where it has nothing."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.aws import SESSION
from tests.support.world import World, world
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.state import embedded
from webordinary_testkit.emulation.state.embedded import MotoStore
from webordinary_testkit.emulation.state.wire import HttpRequest
from webordinary_testkit.emulation.time.clock import Clock

TABLE: dict[str, Any] = {
    "TableName": "t",
    "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


async def test_sixteen_threads_lose_no_update(bare_world: World) -> None:
    await bare_world.aws.call("dynamodb", "CreateTable", **TABLE)
    client = bare_world.client("dynamodb", max_pool_connections=16)

    def add(times: int) -> None:
        for _ in range(times):
            client.update_item(
                TableName="t",
                Key={"k": {"S": "counter"}},
                UpdateExpression="ADD v :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
            )

    with ThreadPoolExecutor(16) as pool:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(pool, add, 40) for _ in range(16)))

    item = await bare_world.aws.call("dynamodb", "GetItem", TableName="t", Key={"k": {"S": "counter"}})
    assert item["Item"]["v"]["N"] == "640"


@pytest.mark.parametrize("quick", [True, False], ids=["where they arrive", "in the worker"])
async def test_moto_is_never_entered_twice(monkeypatch: pytest.MonkeyPatch, quick: bool) -> None:
    inside = threading.Lock()
    overlaps = []

    class Slow:
        def find(self, _: str) -> Any:
            return self.answer

        def answer(self, *_: Any) -> tuple[int, dict[str, str], str]:
            if not inside.acquire(blocking=False):
                overlaps.append(True)
            time.sleep(0.0005)
            inside.release()
            return 200, {}, ""

    monkeypatch.setattr(embedded, "views_of", lambda _: Slow())
    monkeypatch.setattr(embedded, "QUICK", 1.0 if quick else 0.0)
    base = MotoStore(Clock(), account="123456789012", host=lambda: "127.0.0.1:1")
    await base.start()
    try:
        request = HttpRequest("POST", "/", "", {})
        await asyncio.gather(*(base.forward("sqs", "ListQueues", request, "id") for _ in range(50)))
    finally:
        await base.stop()

    assert not overlaps


async def test_a_quick_call_waits_for_the_one_in_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    order = []

    class SlowAndQuick:
        def find(self, path: str) -> Any:
            return self.slow if path == "/slow" else self.quick

        def slow(self, *_: Any) -> tuple[int, dict[str, str], str]:
            released.wait(5)
            order.append("slow")
            return 200, {}, ""

        def quick(self, *_: Any) -> tuple[int, dict[str, str], str]:
            order.append("quick")
            return 200, {}, ""

    monkeypatch.setattr(embedded, "views_of", lambda _: SlowAndQuick())
    base = MotoStore(Clock(), account="123456789012", host=lambda: "127.0.0.1:1")
    await base.start()
    try:
        quick = HttpRequest("POST", "/quick", "", {})
        await base.forward("sqs", "ListQueues", quick, "id")
        slow_call = asyncio.create_task(base.forward("sqs", "SendMessage", HttpRequest("POST", "/slow", "", {}), "id"))
        await asyncio.sleep(0.01)
        quick_call = asyncio.create_task(base.forward("sqs", "ListQueues", quick, "id"))
        await asyncio.sleep(0.01)
        released.set()
        await asyncio.gather(slow_call, quick_call)
    finally:
        await base.stop()

    assert order == ["quick", "slow", "quick"]


async def test_a_slow_operation_does_not_hold_up_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    class Stuck:
        def find(self, _: str) -> Any:
            return lambda *_: (200, {}, str(released.wait(5)))

    monkeypatch.setattr(embedded, "views_of", lambda _: Stuck())
    base = MotoStore(Clock(), account="123456789012", host=lambda: "127.0.0.1:1")
    await base.start()
    try:
        call = asyncio.create_task(base.forward("sqs", "ListQueues", HttpRequest("POST", "/", "", {}), "id"))
        await asyncio.sleep(0.01)
        released.set()
        assert (await call).body == b"True"
    finally:
        await base.stop()


async def test_a_part_that_calls_and_calls_lets_others_have_their_turn(
    bare_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "QUICK", 10.0)
    await bare_world.aws.call("sqs", "ListQueues")
    turns: list[object] = []
    other = asyncio.create_task(asyncio.sleep(0))
    other.add_done_callback(turns.append)

    for _ in range(3):
        await bare_world.aws.call("sqs", "ListQueues")

    assert turns


async def test_a_message_becomes_visible_again_after_its_timeout_in_aws_time() -> None:
    async with world(scale=100) as w:
        queue = await w.aws.call("sqs", "CreateQueue", QueueName="q", Attributes={"VisibilityTimeout": "30"})
        await w.aws.call("sqs", "SendMessage", QueueUrl=queue["QueueUrl"], MessageBody="hello")

        received = await w.aws.call("sqs", "ReceiveMessage", QueueUrl=queue["QueueUrl"])
        hidden = await w.aws.call("sqs", "ReceiveMessage", QueueUrl=queue["QueueUrl"])
        await w.ctx.clock.sleep(31)
        again = await w.aws.call("sqs", "ReceiveMessage", QueueUrl=queue["QueueUrl"])

    assert received["Messages"][0]["Body"] == again["Messages"][0]["Body"] == "hello"
    assert "Messages" not in hidden


async def test_every_timestamp_is_aws_time() -> None:
    async with world(scale=100_000) as w:
        await asyncio.sleep(0.05)  # well over an hour of AWS time
        before = w.ctx.clock.now()
        table = await w.aws.call("dynamodb", "CreateTable", **TABLE)
        file_system = await w.aws.call("efs", "CreateFileSystem")
        await w.aws.call("logs", "CreateLogGroup", logGroupName="/g")
        groups = await w.aws.call("logs", "DescribeLogGroups")
        role = await w.aws.call("iam", "CreateRole", RoleName="r", AssumeRolePolicyDocument="{}")
        after = w.ctx.clock.now()

    created = [
        table["TableDescription"]["CreationDateTime"].timestamp(),
        file_system["CreationTime"].timestamp(),
        groups["logGroups"][0]["creationTime"] / 1000,
        role["Role"]["CreateDate"].timestamp(),
    ]
    assert all(before - 1 <= moment <= after + 1 for moment in created), (before, created, after)


async def test_a_published_message_reaches_the_subscribed_queue(bare_world: World) -> None:
    aws = bare_world.aws
    queue = (await aws.call("sqs", "CreateQueue", QueueName="q"))["QueueUrl"]
    attributes = await aws.call("sqs", "GetQueueAttributes", QueueUrl=queue, AttributeNames=["QueueArn"])
    topic = (await aws.call("sns", "CreateTopic", Name="t"))["TopicArn"]
    await aws.call("sns", "Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=attributes["Attributes"]["QueueArn"])

    await aws.call("sns", "Publish", TopicArn=topic, Message="hello", Subject="s")

    received = await aws.call("sqs", "ReceiveMessage", QueueUrl=queue)
    assert '"Message" : "hello"' in received["Messages"][0]["Body"]


async def test_an_object_is_what_was_put(bare_world: World) -> None:
    client = bare_world.client("s3")
    body = bytes(range(256)) * 2000

    def put_and_get() -> Any:
        client.create_bucket(Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        client.put_object(Bucket="bkt", Key="a b/ü%2F+c", Body=body, Metadata={"my_key": "1", "other-key": "2"})
        return client.get_object(Bucket="bkt", Key="a b/ü%2F+c")

    got = await asyncio.to_thread(put_and_get)

    assert await asyncio.to_thread(got["Body"].read) == body
    assert got["Metadata"] == {"my_key": "1", "other-key": "2"}


async def test_queue_urls_name_the_gateway_whoever_made_the_queue(bare_world: World) -> None:
    inside = await bare_world.aws.call("sqs", "CreateQueue", QueueName="inside")
    outside = await asyncio.to_thread(bare_world.client("sqs").create_queue, QueueName="outside")

    assert inside["QueueUrl"] == f"{bare_world.url}/123456789012/inside"
    assert outside["QueueUrl"] == f"{bare_world.url}/123456789012/outside"


async def test_a_twelve_digit_key_does_not_change_the_account(bare_world: World) -> None:
    client = SESSION.client(
        "sts",
        endpoint_url=bare_world.url,
        region_name="us-west-2",
        aws_access_key_id="999999999999",
        aws_secret_access_key="x",
    )

    assert (await asyncio.to_thread(client.get_caller_identity))["Account"] == "123456789012"


async def test_what_moto_lacks_is_an_error_that_says_so(bare_world: World) -> None:
    with pytest.raises(ClientError, match="not emulated") as refused:
        await asyncio.to_thread(
            bare_world.client("sqs").start_message_move_task, SourceArn="arn:aws:sqs:us-west-2:123456789012:q"
        )

    assert refused.value.response["Error"]["Code"] == "NotImplemented"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


async def test_a_service_moto_lacks_is_an_error_that_says_so(bare_world: World) -> None:
    with pytest.raises(ClientError, match="braket:SearchDevices is not emulated"):
        await asyncio.to_thread(bare_world.client("braket").search_devices, filters=[])


async def test_a_crash_of_moto_is_named_as_one(bare_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: Any, **__: Any) -> None:
        raise KeyError("memory")

    await bare_world.aws.call("sqs", "ListQueues")
    monkeypatch.setattr("moto.sqs.responses.SQSResponse.list_queues", crash)

    with pytest.raises(AwsError, match=r"sqs:ListQueues, failed with KeyError\('memory'\)") as refused:
        await bare_world.aws.call("sqs", "ListQueues")

    assert refused.value.status == 500


async def test_an_error_of_the_base_keeps_its_code_and_status(bare_world: World) -> None:
    with pytest.raises(AwsError) as refused:
        await bare_world.aws.call("efs", "DescribeFileSystems", FileSystemId="fs-0123456789abcdef0")

    assert (refused.value.code, refused.value.status) == ("FileSystemNotFound", 404)


async def test_parameters_the_model_refuses_are_named(bare_world: World) -> None:
    with pytest.raises(AwsError, match="QueueUrl"):
        await bare_world.aws.call("sqs", "SendMessage", MessageBody="b", QueueURL="typo")


async def test_instance_types_are_refused_rather_than_empty(bare_world: World) -> None:
    await bare_world.aws.call("ec2", "DescribeVpcs")

    with pytest.raises(AwsError, match="not emulated"):
        await bare_world.aws.call("ec2", "DescribeInstanceTypes")


async def test_nothing_is_left_for_the_next_world() -> None:
    async with world() as w:
        await w.aws.call("sqs", "CreateQueue", QueueName="q")
        assert "QueueUrls" in await w.aws.call("sqs", "ListQueues")
    async with world() as w:
        assert "QueueUrls" not in await w.aws.call("sqs", "ListQueues")


async def test_two_at_once_are_refused() -> None:
    async with world():
        with pytest.raises(RuntimeError, match="stop it first"):
            await MotoStore(Clock(), account="123456789012", host=lambda: "").start()


async def test_seeded_ids_repeat_themselves() -> None:
    seen = []
    for _ in range(2):
        async with world(seed=7) as w:
            seen.append((await w.aws.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16"))["Vpc"]["VpcId"])

    assert seen[0] == seen[1]


async def test_what_is_missing_is_refused_and_no_crash(bare_world: World) -> None:
    s3, ses, cloudwatch = (bare_world.client(service) for service in ("s3", "ses", "cloudwatch"))
    region = {"LocationConstraint": "us-west-2"}
    await asyncio.to_thread(s3.create_bucket, Bucket="uploads", CreateBucketConfiguration=region)
    parts = {"Parts": [{"ETag": "x", "PartNumber": 1}]}
    calls: list[tuple[Any, dict[str, Any], str]] = [
        (
            s3.complete_multipart_upload,
            {"Bucket": "uploads", "Key": "k", "UploadId": "none", "MultipartUpload": parts},
            "NoSuchUpload",
        ),
        (ses.delete_configuration_set, {"ConfigurationSetName": "none"}, "ConfigurationSetDoesNotExist"),
        (cloudwatch.put_dashboard, {"DashboardName": "bad name!", "DashboardBody": "{}"}, "InvalidParameterValue"),
    ]
    for call, params, code in calls:
        with pytest.raises(ClientError) as refused:
            await asyncio.to_thread(call, **params)
        assert refused.value.response["Error"]["Code"] == code
