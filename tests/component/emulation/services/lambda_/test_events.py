"""Asynchronous events, topics and queues invoke functions."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.functions import Made, cloud_with_functions, python_function
from tests.support.world import World
from webordinary_testkit.emulation.core.errors import AwsError

ARN = "arn:aws:sqs:us-west-2:123456789012:"


@pytest.fixture
async def cloud() -> AsyncIterator[World]:
    async with cloud_with_functions(scale=600) as made:
        yield made


async def queue(cloud: World, name: str, **attributes: str) -> str:
    return str((await cloud.aws.call("sqs", "CreateQueue", QueueName=name, Attributes=attributes))["QueueUrl"])


async def received(cloud: World, url: str, wait: int = 20) -> list[dict[str, Any]]:
    answer = await cloud.aws.call(
        "sqs", "ReceiveMessage", QueueUrl=url, WaitTimeSeconds=wait, MessageAttributeNames=["All"]
    )
    return list(answer.get("Messages", []))


def may(*actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"}


FORWARD = """
    import boto3, json
    def handler(event, context):
        boto3.client("sqs").send_message(QueueUrl=boto3.client("sqs").get_queue_url(QueueName="out")["QueueUrl"],
                                         MessageBody=json.dumps(event))
        return {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in event.get("Records", ())
                                      if each.get("body") == "bad"]}
"""
FORWARDS = may("sqs:SendMessage", "sqs:GetQueueUrl")


async def forwarder(cloud: World, *statements: dict[str, Any], **settings: Any) -> Made:
    return await python_function(cloud.aws, "forward", FORWARD, FORWARDS, *statements, **settings)


_POLLS = 300
"""Long polls for one message, ten wall seconds: functions start as processes, whatever the clock says."""


async def eventually(cloud: World, url: str) -> dict[str, Any]:
    for _ in range(_POLLS):
        for message in await received(cloud, url):
            await cloud.aws.call("sqs", "DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return message
    raise AssertionError(f"no message in {url}")


async def test_an_event_that_fails_is_tried_three_times_and_then_dead(cloud: World) -> None:
    dead, failed = await queue(cloud, "dead"), await queue(cloud, "failed")
    source = "def handler(event, context): raise ValueError('no')"
    function = await python_function(
        cloud.aws, "broken", source, may("sqs:SendMessage"), DeadLetterConfig={"TargetArn": f"{ARN}dead"}
    )
    await cloud.aws.call(
        "lambda",
        "PutFunctionEventInvokeConfig",
        FunctionName="broken",
        DestinationConfig={"OnFailure": {"Destination": f"{ARN}failed"}},
    )
    began = cloud.ctx.clock.now()
    assert (await function.invoke({"a": 1}, InvocationType="Event"))["StatusCode"] == 202
    letter = await eventually(cloud, dead)
    assert cloud.ctx.clock.now() - began >= 180, "retries after one and two minutes"
    assert json.loads(letter["Body"]) == {"a": 1}
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no"
    record = json.loads((await eventually(cloud, failed))["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responsePayload"]["errorType"] == "ValueError"


async def test_a_topic_invokes_a_function_that_permits_it(cloud: World) -> None:
    out = await queue(cloud, "out")
    function = await forwarder(cloud)
    topic = (await cloud.aws.call("sns", "CreateTopic", Name="t"))["TopicArn"]
    await cloud.aws.call("sns", "Subscribe", TopicArn=topic, Protocol="lambda", Endpoint=function.arn)
    await cloud.aws.call("sns", "Publish", TopicArn=topic, Message="unheard")
    assert await received(cloud, out) == [], "without a permission SNS invokes nothing"
    await cloud.aws.call(
        "lambda",
        "AddPermission",
        FunctionName="forward",
        StatementId="sns",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    await cloud.aws.call("sns", "Publish", TopicArn=topic, Message="hello", Subject="s")
    event = json.loads((await eventually(cloud, out))["Body"])
    record = event["Records"][0]
    assert (record["EventSource"], record["Sns"]["Message"], record["Sns"]["Subject"]) == ("aws:sns", "hello", "s")
    assert record["Sns"]["TopicArn"] == topic


READS = may("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


async def test_a_queue_invokes_a_function_which_can_fail_single_messages(cloud: World) -> None:
    out = await queue(cloud, "out")
    source = await queue(cloud, "in", VisibilityTimeout="600")
    await forwarder(cloud, READS)
    for body in ("good", "bad"):
        await cloud.aws.call("sqs", "SendMessage", QueueUrl=source, MessageBody=body)
    made = await cloud.aws.call(
        "lambda",
        "CreateEventSourceMapping",
        FunctionName="forward",
        EventSourceArn=f"{ARN}in",
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    seen: list[str] = []
    while seen.count("bad") < 2:
        seen += [each["body"] for each in json.loads((await eventually(cloud, out))["Body"])["Records"]]
    assert seen.count("good") == 1, "only the failed message comes again"
    await cloud.aws.call("lambda", "DeleteEventSourceMapping", UUID=made["UUID"])


async def test_a_mapping_needs_a_role_and_a_visibility_timeout_that_suffice(cloud: World) -> None:
    await queue(cloud, "in", VisibilityTimeout="10")
    await python_function(cloud.aws, "unable", FORWARD)
    await forwarder(cloud, READS)
    with pytest.raises(AwsError, match="does not have permissions to call ReceiveMessage on SQS"):
        await cloud.aws.call("lambda", "CreateEventSourceMapping", FunctionName="unable", EventSourceArn=f"{ARN}in")
    with pytest.raises(AwsError, match="Queue visibility timeout: 10 seconds is less than Function timeout: 30"):
        await cloud.aws.call("lambda", "CreateEventSourceMapping", FunctionName="forward", EventSourceArn=f"{ARN}in")


TEMPLATE = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]
  Topic: {Type: AWS::SNS::Topic}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Timeout: 10
      ReservedConcurrentExecutions: 2
      Environment: {Variables: {A: b}}
      Code:
        ZipFile: |
          def handler(event, context):
              return "from the template"
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Function
      Action: lambda:InvokeFunction
      Principal: sns.amazonaws.com
      SourceArn: !Ref Topic
Outputs:
  Name: {Value: !Ref Function}
"""


async def test_a_stack_with_an_inline_function(cloud: World) -> None:
    await cloud.aws.call(
        "cloudformation", "CreateStack", StackName="s", TemplateBody=TEMPLATE, Capabilities=["CAPABILITY_IAM"]
    )
    for _ in range(60):
        stack = (await cloud.aws.call("cloudformation", "DescribeStacks", StackName="s"))["Stacks"][0]
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            break
        await cloud.ctx.clock.sleep(5)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    function = Made(cloud.aws, stack["Outputs"][0]["OutputValue"], "")
    assert (await function.invoke())["Payload"] == "from the template"
    described = await cloud.aws.call("lambda", "GetFunction", FunctionName=function.name)
    assert described["Concurrency"] == {"ReservedConcurrentExecutions": 2}
    assert described["Tags"]["aws:cloudformation:stack-name"] == "s"
    policy = json.loads((await cloud.aws.call("lambda", "GetPolicy", FunctionName=function.name))["Policy"])
    assert policy["Statement"][0]["Principal"] == {"Service": "sns.amazonaws.com"}
    await cloud.aws.call("cloudformation", "DeleteStack", StackName="s")
    for _ in range(60):
        if not (await cloud.aws.call("lambda", "ListFunctions"))["Functions"]:
            return
        await cloud.ctx.clock.sleep(5)
    raise AssertionError("the function outlives its stack")
