"""Functions run as processes with a timeout, a memory limit, an environment, a log and keys of their own."""

from __future__ import annotations

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator

import pytest

from tests.support.functions import cloud_with_functions, python_function
from tests.support.world import World
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.services.lambda_.code import zipped


@pytest.fixture
async def cloud() -> AsyncIterator[World]:
    async with cloud_with_functions() as made:
        yield made


ECHO = """
    import os
    def handler(event, context):
        print("asked", event)
        return {"event": event, "pid": os.getpid(), "colour": os.environ.get("COLOUR"), "id": context.aws_request_id}
"""


async def test_a_function_returns_its_result_and_writes_its_log(cloud: World) -> None:
    function = await python_function(cloud.aws, "echo", ECHO, Environment={"Variables": {"COLOUR": "blue"}})
    first = await function.invoke({"a": 1}, LogType="Tail")
    assert first["StatusCode"] == 200
    assert first["Payload"]["event"] == {"a": 1}
    assert first["Payload"]["colour"] == "blue"
    tail = base64.b64decode(first["LogResult"]).decode().splitlines()
    assert [line.split()[0] for line in tail] == ["START", "asked", "END", "REPORT"]
    assert "Init Duration" in tail[-1]
    assert f"RequestId: {first['Payload']['id']}" in tail[0]
    second = await function.invoke({"a": 2})
    assert second["Payload"]["pid"] == first["Payload"]["pid"], "a warm environment is used again"
    await cloud.ctx.clock.sleep(10)
    lines = await function.log()
    assert [line.split()[0] for line in lines] == ["START", "asked", "END", "REPORT"] * 2


async def test_over_the_wire(cloud: World) -> None:
    await python_function(cloud.aws, "echo", ECHO)
    client = cloud.client("lambda")
    answer = await asyncio.to_thread(client.invoke, FunctionName="echo", Payload=b'{"a": 1}')
    assert answer["Payload"].read().startswith(b'{"event": {"a": 1}')
    described = await asyncio.to_thread(client.get_function, FunctionName="echo")
    assert described["Configuration"]["State"] == "Active"
    waiter = client.get_waiter("function_active_v2")
    await asyncio.to_thread(waiter.wait, FunctionName="echo")


async def test_an_exception_is_the_payload_of_an_unhandled_error(cloud: World) -> None:
    function = await python_function(cloud.aws, "broken", "def handler(event, context): raise ValueError('no')")
    answer = await function.invoke()
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert answer["Payload"]["errorType"] == "ValueError"
    assert answer["Payload"]["errorMessage"] == "no"


async def test_a_module_that_cannot_be_imported_is_an_initialization_error(cloud: World) -> None:
    function = await python_function(cloud.aws, "broken", "import nothing_of_this_name")
    assert (await function.invoke())["Payload"]["errorType"] == "ModuleNotFoundError"


async def test_a_function_is_killed_at_its_timeout() -> None:
    async with cloud_with_functions(scale=1) as cloud:
        source = "import time\ndef handler(event, context): time.sleep(60)"
        function = await python_function(cloud.aws, "slow", source, Timeout=1)
        answer = await function.invoke()
        assert answer["Payload"]["errorType"] == "Sandbox.Timedout"
        assert answer["Payload"]["errorMessage"].endswith("Task timed out after 1.00 seconds")


async def test_a_function_that_takes_too_much_memory_is_killed(cloud: World) -> None:
    source = "def handler(event, context): return len(bytearray(400 << 20))"
    function = await python_function(cloud.aws, "large", source, MemorySize=128)
    answer = await function.invoke()
    assert answer["Payload"]["errorType"] == "Runtime.ExitError"
    assert answer["Payload"]["errorMessage"].endswith("signal: killed")
    enough = await python_function(cloud.aws, "enough", source, MemorySize=1024)
    assert (await enough.invoke())["Payload"] == 400 << 20


WHO = """
    import boto3
    def handler(event, context):
        return boto3.client("sts").get_caller_identity()["Arn"]
"""


async def test_a_function_has_the_keys_of_its_role(cloud: World) -> None:
    function = await python_function(cloud.aws, "who", WHO)
    assert (await function.invoke())["Payload"] == "arn:aws:sts::123456789012:assumed-role/who-role/who"


SEND = """
    import boto3
    def handler(event, context):
        boto3.client("sqs").send_message(QueueUrl=event, MessageBody="x")
"""


async def test_a_function_may_do_only_what_its_role_allows(cloud: World) -> None:
    url = (await cloud.aws.call("sqs", "CreateQueue", QueueName="q"))["QueueUrl"]
    allow = {"Effect": "Allow", "Action": "sqs:Send*", "Resource": "arn:aws:sqs:us-west-2:123456789012:q"}
    allowed = await python_function(cloud.aws, "allowed", SEND, allow)
    other = await python_function(cloud.aws, "other", SEND, {**allow, "Resource": "arn:aws:sqs:*:*:p"})
    assert "FunctionError" not in await allowed.invoke(url)
    refused = await other.invoke(url)
    assert "AccessDenied" in refused["Payload"]["errorMessage"]
    assert "sqs:SendMessage on resource: arn:aws:sqs:us-west-2:123456789012:q" in refused["Payload"]["errorMessage"]


async def test_reserved_concurrency_of_zero_throttles(cloud: World) -> None:
    function = await python_function(cloud.aws, "echo", ECHO)
    await cloud.aws.call("lambda", "PutFunctionConcurrency", FunctionName="echo", ReservedConcurrentExecutions=0)
    with pytest.raises(AwsError) as refused:
        await function.invoke()
    assert (refused.value.code, refused.value.status) == ("TooManyRequestsException", 429)


async def test_new_code_runs_in_a_new_environment(cloud: World) -> None:
    function = await python_function(cloud.aws, "changing", "def handler(event, context): return 1")
    assert (await function.invoke())["Payload"] == 1
    code = zipped("index.py", "def handler(event, context): return 2")
    await cloud.aws.call(
        "s3", "CreateBucket", Bucket="code", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    await cloud.aws.call("s3", "PutObject", Bucket="code", Key="code.zip", Body=code)
    await cloud.aws.call("lambda", "UpdateFunctionCode", FunctionName="changing", S3Bucket="code", S3Key="code.zip")
    assert (await function.invoke())["Payload"] == 2


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
async def test_node(cloud: World) -> None:
    source = "exports.handler = async (event, context) => ({ got: event, name: context.functionName });"
    function = await python_function(cloud.aws, "node", source, Runtime="nodejs22.x", MemorySize=256)
    assert (await function.invoke({"a": 1}))["Payload"] == {"got": {"a": 1}, "name": "node"}


async def test_a_runtime_that_is_not_here_is_refused(cloud: World) -> None:
    with pytest.raises(AwsError, match=r"java21.*does not run here.*python3.x"):
        await python_function(cloud.aws, "java", "", Runtime="java21")
