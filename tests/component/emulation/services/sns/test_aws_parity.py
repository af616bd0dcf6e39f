"""SNS's deliveries, filter policies and refusals as on AWS."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from moto.sns.models import sns_backends

from tests.support.world import World, world
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.services.sqs import Sqs
from webordinary_testkit.emulation.state.moto_patches.sns_filters import matches

pytestmark = pytest.mark.asyncio(loop_scope="module")
ACCOUNT = "123456789012"
INVALID = "InvalidParameter: Invalid parameter: "


class Sns:
    def __init__(self, cloud: World) -> None:
        self.cloud = cloud
        self._made = 0

    async def call(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self.cloud.aws.call("sns", operation, **params)

    async def topic(self, suffix: str = "", **attributes: str) -> str:
        self._made += 1
        answer = await self.call("CreateTopic", Name=f"topic-{self._made}{suffix}", Attributes=attributes)
        return str(answer["TopicArn"])

    async def queue(self, topic: str, suffix: str = "", queue: dict[str, str] | None = None, **attributes: str) -> str:
        """A subscribed queue's name."""
        self._made += 1
        name = f"queue-{self._made}{suffix}"
        await self.cloud.aws.call("sqs", "CreateQueue", QueueName=name, Attributes=queue or {})
        endpoint = f"arn:aws:sqs:us-west-2:{ACCOUNT}:{name}"
        await self.call("Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=endpoint, Attributes=attributes)
        return name

    async def received(self, name: str) -> list[dict[str, Any]]:
        url = (await self.cloud.aws.call("sqs", "GetQueueUrl", QueueName=name))["QueueUrl"]
        asked = {"MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"], "AttributeNames": ["All"]}
        answer = await self.cloud.aws.call("sqs", "ReceiveMessage", QueueUrl=url, **asked)
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    async def refusal(self, operation: str, **params: Any) -> str:
        try:
            answer = await self.call(operation, **params)
        except AwsError as error:
            return f"{error.code}: {error.message}"
        return f"accepted: {answer}"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sns() -> AsyncIterator[Sns]:
    async with world(Sqs) as w:
        yield Sns(w)


async def test_a_queue_that_is_gone_harms_neither_the_publisher_nor_the_other_subscribers(sns: Sns) -> None:
    topic = await sns.topic()
    gone, there = await sns.queue(topic), await sns.queue(topic)
    url = (await sns.cloud.aws.call("sqs", "GetQueueUrl", QueueName=gone))["QueueUrl"]
    await sns.cloud.aws.call("sqs", "DeleteQueue", QueueUrl=url)
    await sns.call("Publish", TopicArn=topic, Message="hello")
    assert [json.loads(each["Body"])["Message"] for each in await sns.received(there)] == ["hello"]


async def test_what_cannot_be_delivered_goes_to_the_subscriptions_dead_letters(sns: Sns) -> None:
    topic = await sns.topic()
    dead = await sns.queue(await sns.topic())
    policy = json.dumps({"deadLetterTargetArn": f"arn:aws:sqs:us-west-2:{ACCOUNT}:{dead}"})
    gone = await sns.queue(topic, RedrivePolicy=policy)
    url = (await sns.cloud.aws.call("sqs", "GetQueueUrl", QueueName=gone))["QueueUrl"]
    await sns.cloud.aws.call("sqs", "DeleteQueue", QueueUrl=url)
    await sns.call("Publish", TopicArn=topic, Message="hello")
    assert [json.loads(each["Body"])["Message"] for each in await sns.received(dead)] == ["hello"]


async def test_raw_delivery_keeps_a_binary_attribute(sns: Sns) -> None:
    topic = await sns.topic()
    name = await sns.queue(topic, RawMessageDelivery="true")
    attributes = {"b": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    await sns.call("Publish", TopicArn=topic, Message="raw", MessageAttributes=attributes)
    (message,) = await sns.received(name)
    assert (message["Body"], message["MessageAttributes"]) == ("raw", attributes)


@pytest.mark.parametrize(("version", "algorithm"), [("1", hashes.SHA1()), ("2", hashes.SHA256())])
async def test_a_notification_is_signed_as_its_topic_says(
    sns: Sns, version: str, algorithm: hashes.HashAlgorithm
) -> None:
    topic = await sns.topic(**({"SignatureVersion": "2"} if version == "2" else {}))
    name = await sns.queue(topic)
    await sns.call("Publish", TopicArn=topic, Message="hällo", Subject="s")
    (message,) = await sns.received(name)
    body = json.loads(message["Body"])
    assert body["SignatureVersion"] == version and message["Body"].startswith('{\n  "Type" : "Notification",')
    key_name = body["SigningCertURL"].rpartition("/")[2]
    certificate = x509.load_pem_x509_certificate(sns_backends[ACCOUNT]["us-west-2"]._message_public_keys[key_name])
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    signed = "".join(
        f"{each}\n{body[each]}\n" for each in ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    )
    key.verify(base64.b64decode(body["Signature"]), signed.encode(), padding.PKCS1v15(), algorithm)


async def test_a_fifo_topic_deduplicates_for_a_queue_that_does_not(sns: Sns) -> None:
    topic = await sns.topic(".fifo", FifoTopic="true", ContentBasedDeduplication="true")
    name = await sns.queue(topic, ".fifo", {"FifoQueue": "true"})
    for _ in range(2):
        await sns.call("Publish", TopicArn=topic, Message="once", MessageGroupId="g")
    (message,) = await sns.received(name)
    body = json.loads(message["Body"])
    assert len(body["SequenceNumber"]) == 20 and "Signature" not in body


@pytest.mark.parametrize(
    ("policy", "body", "passes"),
    [
        (
            {"source": ["a"], "$or": [{"m": ["x"]}, {"n": [{"numeric": [">", 0, "<=", 5]}]}]},
            {"source": "a", "n": 5},
            True,
        ),
        (
            {"source": ["a"], "$or": [{"m": ["x"]}, {"n": [{"numeric": [">", 0, "<=", 5]}]}]},
            {"source": "a", "n": 6},
            False,
        ),
        ({"v": [1, "x"]}, {"v": "x"}, True),
        ({"v": [True, "x"]}, {"v": "x"}, True),
        ({"v": [True]}, {"v": 1}, False),
        ({"v": ["x", None]}, {"v": None}, True),
        ({"v": ["x"]}, {}, False),
        ({"v": ["x"]}, {"v": ["y", "x"]}, True),
        ({"v": [1.5]}, {"v": 1.5}, True),
        ({"v": [{"exists": False}]}, {}, True),
        ({"v": [{"exists": True}]}, {"v": None}, True),
        ({"v": [{"anything-but": ["x"]}]}, {"v": "y"}, True),
        ({"v": [{"anything-but": {"prefix": "x"}}]}, {"v": "xy"}, False),
        ({"v": [{"anything-but": "x"}]}, {}, False),
        ({"v": [{"prefix": "a"}]}, {"v": 3}, False),
        ({"v": [{"equals-ignore-case": "ABC"}]}, {"v": "abc"}, True),
        ({"v": [{"wildcard": "a*c"}]}, {"v": "abbc"}, True),
        ({"ip": [{"cidr": "10.0.0.0/24"}]}, {"ip": "10.0.0.9"}, True),
        ({"ip": [{"cidr": "10.0.0.0/24"}]}, {"ip": "10.0.1.9"}, False),
        ({"ip": [{"cidr": "10.0.0.0/24"}]}, {"ip": "nowhere"}, False),
        ({"a": {"b": ["c"]}}, {"a": [{"b": "d"}, {"b": "c"}]}, True),
        ({"a": {"b": ["c"]}}, {"a": "c"}, False),
    ],
)
async def test_filter_policies(policy: dict[str, Any], body: dict[str, Any], passes: bool) -> None:
    assert matches(policy, body) is passes


async def test_a_policy_for_the_body_decides_what_is_delivered(sns: Sns) -> None:
    topic = await sns.topic()
    policy = json.dumps({"source": ["a"], "$or": [{"ip": [{"cidr": "10.0.0.0/24"}]}, {"n": [{"numeric": [">", 0]}]}]})
    name = await sns.queue(topic, FilterPolicy=policy, FilterPolicyScope="MessageBody", RawMessageDelivery="true")
    for body in ('{"source": "a", "n": 1}', '{"source": "a"}', '{"source": "a", "ip": "10.0.0.1"}', "text"):
        await sns.call("Publish", TopicArn=topic, Message=body)
    assert len(await sns.received(name)) == 2


async def test_a_policy_for_the_attributes_decides_what_is_delivered(sns: Sns) -> None:
    topic = await sns.topic()
    policy = json.dumps({"kind": ["x", {"anything-but": ["y", "z"]}], "n": [{"numeric": ["<", 5]}]})
    name = await sns.queue(topic, FilterPolicy=policy, RawMessageDelivery="true")
    for kind, number in (("x", "1"), ("y", "1"), ("w", "1"), ("x", "7")):
        attributes = {
            "kind": {"DataType": "String", "StringValue": kind},
            "n": {"DataType": "Number", "StringValue": number},
        }
        await sns.call("Publish", TopicArn=topic, Message=f"{kind}{number}", MessageAttributes=attributes)
    assert [each["Body"] for each in await sns.received(name)] == ["x1", "w1"]


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"Message": ""}, "Empty message"),
        ({"Message": "x", "Subject": ""}, "Subject"),
        ({"Message": "x", "Subject": "a\nb"}, "Subject"),
        ({"Message": "x", "Subject": "s" * 101}, "Subject"),
        ({"Message": "x", "MessageStructure": "json"}, "Message Structure - JSON message body failed to parse"),
        (
            {"Message": '{"sqs": "x"}', "MessageStructure": "json"},
            "Message Structure - No default entry in JSON message body",
        ),
    ],
)
async def test_messages_that_sns_does_not_take(sns: Sns, params: dict[str, str], text: str) -> None:
    said = await sns.refusal("Publish", TopicArn=await sns.topic(), **params)
    assert said == f"InvalidParameter: Invalid parameter: {text}"


@pytest.mark.parametrize(
    ("operation", "params", "said"),
    [
        (
            "GetTopicAttributes",
            {"TopicArn": "x"},
            f"{INVALID}TopicArn Reason: An ARN must have at least 6 elements, not 1",
        ),
        ("Subscribe", {"TopicArn": "x", "Protocol": "sqs", "Endpoint": "x"}, "InvalidParameter: Invalid parameter"),
        ("Unsubscribe", {"SubscriptionArn": "x"}, "InvalidParameter: Invalid parameter: SubscriptionArn Reason"),
        (
            "Publish",
            {"TopicArn": f"arn:aws:sns:us-west-2:{ACCOUNT}:none", "Message": "x"},
            "NotFound: Topic does not exist",
        ),
        (
            "GetTopicAttributes",
            {"TopicArn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:t"},
            f"{INVALID}TopicArn",
        ),
        ("CreateTopic", {"Name": "a b"}, "InvalidParameter: Invalid parameter: Topic Name"),
    ],
)
async def test_refusals(sns: Sns, operation: str, params: dict[str, str], said: str) -> None:
    assert (await sns.refusal(operation, **params)).startswith(said)


async def test_an_unknown_protocol_is_refused(sns: Sns) -> None:
    said = await sns.refusal("Subscribe", TopicArn=await sns.topic(), Protocol="nope", Endpoint="x")
    assert said == "InvalidParameter: Invalid parameter: Amazon SNS does not support this protocol string: nope"


async def test_a_topic_is_not_made_again_with_other_attributes_or_tags(sns: Sns) -> None:
    tags = [{"Key": "a", "Value": "1"}]
    for _ in range(2):
        await sns.call("CreateTopic", Name="same", Attributes={"DisplayName": "one"}, Tags=tags)
    await sns.call("CreateTopic", Name="same")
    assert "different attributes" in await sns.refusal("CreateTopic", Name="same", Attributes={"DisplayName": "two"})
    assert "different tags" in await sns.refusal("CreateTopic", Name="same", Tags=[{"Key": "a", "Value": "2"}])


async def test_the_attributes_of_a_topic_and_a_subscription(sns: Sns) -> None:
    topic = await sns.topic()
    await sns.queue(topic)
    attributes = (await sns.call("GetTopicAttributes", TopicArn=topic))["Attributes"]
    assert "DeliveryPolicy" not in attributes
    assert json.loads(attributes["EffectiveDeliveryPolicy"])["http"]["defaultRequestPolicy"]
    (subscription,) = (await sns.call("ListSubscriptionsByTopic", TopicArn=topic))["Subscriptions"]
    answer = await sns.call("GetSubscriptionAttributes", SubscriptionArn=subscription["SubscriptionArn"])
    assert answer["Attributes"]["SubscriptionPrincipal"].startswith(f"arn:aws:iam::{ACCOUNT}:")
