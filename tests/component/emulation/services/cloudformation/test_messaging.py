"""AWS::SQS, AWS::SNS and AWS::SES resources, as the API shows them afterwards."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.stacks import Stacks, stacks
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.services.ses import Ses
from webordinary_testkit.emulation.services.sqs import Sqs


@pytest_asyncio.fixture
async def cfn() -> AsyncIterator[Stacks]:
    async with stacks(Sqs, Ses) as each:
        yield each


QUEUES = """
Resources:
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
      ReceiveMessageWaitTimeSeconds: "20"
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
      Tags: [{Key: team, Value: mail}]
  Dead: {Type: AWS::SQS::Queue, Properties: {MessageRetentionPeriod: 1209600}}
  Ordered: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true, ContentBasedDeduplication: true}}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Jobs]
      PolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: "*", Action: sqs:SendMessage, Resource: "*"}]
Outputs:
  Url: {Value: !Ref Jobs}
  Arn: {Value: !GetAtt Jobs.Arn}
  Name: {Value: !GetAtt Jobs.QueueName}
  Ordered: {Value: !Ref Ordered}
"""


async def attributes(cfn: Stacks, url: str) -> dict[str, str]:
    answer = await cfn.aws.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])
    found: dict[str, str] = answer["Attributes"]
    return found


async def test_queues_are_as_their_template_says(cfn: Stacks) -> None:
    found = await cfn.made(QUEUES)
    queue = await attributes(cfn, found["Url"])
    assert queue["QueueArn"] == found["Arn"]
    assert (queue["VisibilityTimeout"], queue["ReceiveMessageWaitTimeSeconds"]) == ("60", "20")
    assert json.loads(queue["RedrivePolicy"])["maxReceiveCount"] == 3
    assert json.loads(queue["Policy"])["Statement"][0]["Action"] == "sqs:SendMessage"
    assert found["Url"].endswith(found["Name"])
    tags = (await cfn.aws.call("sqs", "ListQueueTags", QueueUrl=found["Url"]))["Tags"]
    assert tags == {"team": "mail"}  # CloudFormation gives queues, topics and tables none of its own tags
    ordered = await attributes(cfn, found["Ordered"])
    assert found["Ordered"].endswith(".fifo")
    assert (ordered["FifoQueue"], ordered["ContentBasedDeduplication"]) == ("true", "true")


async def test_a_queue_keeps_its_messages_through_an_update(cfn: Stacks) -> None:
    found = await cfn.made(QUEUES)
    await cfn.aws.call("sqs", "SendMessage", QueueUrl=found["Url"], MessageBody="hello")
    again = await cfn.changed(
        QUEUES.replace("VisibilityTimeout: 60", "DelaySeconds: 0")
        .replace("maxReceiveCount: 3", "maxReceiveCount: 5")
        .replace("Key: team", "Key: group")
        .replace("Queues: [!Ref Jobs]", "Queues: [!Ref Dead]"),
    )
    assert again == found
    queue = await attributes(cfn, found["Url"])
    assert (queue["VisibilityTimeout"], queue["ApproximateNumberOfMessages"]) == ("30", "1")
    assert json.loads(queue["RedrivePolicy"])["maxReceiveCount"] == 5
    assert "Policy" not in queue or not queue["Policy"]
    tags = (await cfn.aws.call("sqs", "ListQueueTags", QueueUrl=found["Url"]))["Tags"]
    assert {key for key in tags if not key.startswith("aws:")} == {"group"}


async def test_a_queue_of_a_name_just_deleted_is_waited_for(cfn: Stacks) -> None:
    body = "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: mine}}}"
    await cfn.made(body)
    await cfn.delete()
    await cfn.made(body)


TOPIC = """
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {TopicName: news, DisplayName: News, Tags: [{Key: team, Value: mail}]}
  Policy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: ses.amazonaws.com}, Action: sns:Publish, Resource: !Ref Topic}]
  Queue: {Type: AWS::SQS::Queue}
  Subscription:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Topic
      Protocol: sqs
      Endpoint: !GetAtt Queue.Arn
      RawMessageDelivery: true
      FilterPolicy: {kind: [a, b]}
Outputs:
  Topic: {Value: !Ref Topic}
  Name: {Value: !GetAtt Topic.TopicName}
  Queue: {Value: !Ref Queue}
  Subscription: {Value: !Ref Subscription}
"""


async def received(cfn: Stacks, queue: str) -> list[str]:
    answer = await cfn.aws.call("sqs", "ReceiveMessage", QueueUrl=queue, MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", [])]


async def publish(cfn: Stacks, topic: str, kind: str) -> None:
    attribute = {"kind": {"DataType": "String", "StringValue": kind}}
    await cfn.aws.call("sns", "Publish", TopicArn=topic, Message=kind, MessageAttributes=attribute)


async def test_a_subscription_delivers_what_its_filter_lets_through(cfn: Stacks) -> None:
    found = await cfn.made(TOPIC)
    for kind in ("a", "c"):
        await publish(cfn, found["Topic"], kind)
    assert await received(cfn, found["Queue"]) == ["a"]


async def test_a_topic_is_as_its_template_says_and_changes_in_place(cfn: Stacks) -> None:
    found = await cfn.made(TOPIC)
    assert (found["Topic"], found["Name"]) == ("arn:aws:sns:us-west-2:123456789012:news", "news")
    topic = (await cfn.aws.call("sns", "GetTopicAttributes", TopicArn=found["Topic"]))["Attributes"]
    assert topic["DisplayName"] == "News"
    assert json.loads(topic["Policy"])["Statement"][0]["Principal"] == {"Service": "ses.amazonaws.com"}
    again = await cfn.changed(
        TOPIC.replace("DisplayName: News", "DisplayName: Other")
        .replace("kind: [a, b]", "kind: [c]")
        .replace("RawMessageDelivery: true", "RawMessageDelivery: false")
        .replace("ses.amazonaws.com", "events.amazonaws.com"),
    )
    assert again == found
    topic = (await cfn.aws.call("sns", "GetTopicAttributes", TopicArn=found["Topic"]))["Attributes"]
    assert topic["DisplayName"] == "Other"
    assert "events.amazonaws.com" in topic["Policy"]
    await publish(cfn, found["Topic"], "c")
    assert json.loads((await received(cfn, found["Queue"]))[0])["Message"] == "c"


async def test_without_its_policy_a_topic_has_the_one_it_was_born_with(cfn: Stacks) -> None:
    found = await cfn.made(TOPIC)
    without = TOPIC[: TOPIC.index("  Policy:")] + TOPIC[TOPIC.index("  Queue:") :]
    await cfn.changed(without)
    topic = (await cfn.aws.call("sns", "GetTopicAttributes", TopicArn=found["Topic"]))["Attributes"]
    assert json.loads(topic["Policy"])["Id"] == "__default_policy_ID"


async def test_subscriptions_inside_the_topic_come_and_go(cfn: Stacks) -> None:
    body = """
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Topic: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: sqs, Endpoint: !GetAtt Queue.Arn}]}}
Outputs: {Topic: {Value: !Ref Topic}}
"""

    async def endpoints(topic: str) -> list[str]:
        listed = await cfn.aws.call("sns", "ListSubscriptionsByTopic", TopicArn=topic)
        return [each["Endpoint"].rsplit(":", 1)[1].rsplit("-", 1)[0] for each in listed["Subscriptions"]]

    topic = (await cfn.made(body))["Topic"]
    assert await endpoints(topic) == ["test-Queue"]
    await cfn.changed(body.replace("[{Protocol: sqs, Endpoint: !GetAtt Queue.Arn}]", "[]"))
    assert await endpoints(topic) == []


RULES = """
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Set: {Type: AWS::SES::ReceiptRuleSet, Properties: {RuleSetName: rules}}
  First:
    Type: AWS::SES::ReceiptRule
    Properties:
      RuleSetName: !Ref Set
      Rule:
        Name: first
        Enabled: true
        ScanEnabled: "true"
        Recipients: [a.test]
        Actions: [{SNSAction: {TopicArn: !Ref Topic, Encoding: UTF-8}}, {StopAction: {Scope: RuleSet}}]
  Second:
    Type: AWS::SES::ReceiptRule
    Properties: {RuleSetName: !Ref Set, After: !Ref First, Rule: {Enabled: true, Recipients: [b.test]}}
  Identity: {Type: AWS::SES::EmailIdentity, Properties: {EmailIdentity: a.test, Tags: [{Key: team, Value: mail}]}}
Outputs:
  Second: {Value: !Ref Second}
  Identity: {Value: !Ref Identity}
  Token: {Value: !GetAtt Identity.DkimDNSTokenValue1}
"""


async def rules(cfn: Stacks) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await cfn.aws.call("ses", "DescribeReceiptRuleSet", RuleSetName="rules"))["Rules"]
    return found


async def test_receipt_rules_stand_in_order(cfn: Stacks) -> None:
    found = await cfn.made(RULES)
    first, second = await rules(cfn)
    assert (first["Name"], first["Enabled"], first["ScanEnabled"], first["Recipients"]) == (
        "first",
        True,
        True,
        ["a.test"],
    )
    assert [next(iter(action)) for action in first["Actions"]] == ["SNSAction", "StopAction"]
    assert second["Name"] == found["Second"]
    assert second["Name"].startswith("test-Second-")
    assert found["Identity"] == "a.test"
    assert found["Token"].endswith(".dkim.amazonses.com")


async def test_a_receipt_rule_is_updated_in_place_and_deleted(cfn: Stacks) -> None:
    found = await cfn.made(RULES)
    assert await cfn.changed(RULES.replace("[a.test]", "[c.test]").replace(", After: !Ref First", "")) == found
    assert sorted(rule["Recipients"][0] for rule in await rules(cfn)) == ["b.test", "c.test"]
    await cfn.gone()
    with pytest.raises(AwsError, match="does not exist"):
        await rules(cfn)


async def test_a_renamed_rule_is_a_new_rule(cfn: Stacks) -> None:
    await cfn.made(RULES)
    await cfn.changed(RULES.replace("Name: first", "Name: other"))
    assert "first" not in [rule["Name"] for rule in await rules(cfn)]
    assert await cfn.physical_id("First") == "other"


@pytest.mark.parametrize(
    ("type", "properties", "create", "listing"),
    [
        ("AWS::SQS::Queue", "QueueName: taken", ("sqs", "CreateQueue", {"QueueName": "taken"}), ("sqs", "ListQueues")),
        ("AWS::SNS::Topic", "TopicName: taken", ("sns", "CreateTopic", {"Name": "taken"}), ("sns", "ListTopics")),
    ],
)
async def test_a_stack_neither_takes_nor_deletes_what_is_there_already(
    cfn: Stacks, type: str, properties: str, create: tuple[str, str, dict[str, str]], listing: tuple[str, str]
) -> None:
    await cfn.aws.call(create[0], create[1], **create[2])
    stack = await cfn.create(f"Resources:\n  Mine: {{Type: {type}, Properties: {{{properties}}}}}\n")
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert ("Mine", "taken already exists") in await cfn.failures()
    assert "taken" in str(await cfn.aws.call(*listing))
