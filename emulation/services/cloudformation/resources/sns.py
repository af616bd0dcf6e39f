"""AWS::SNS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import PropertyError
from ..intrinsics import text
from ..names import physical_name
from ..summary import words
from .base import ResourceType, Work, tagging
from .documents import document

_TOPIC_ATTRIBUTES = (
    "ArchivePolicy ContentBasedDeduplication DisplayName FifoThroughputScope FifoTopic KmsMasterKeyId "
    "MaximumMessageSize SignatureVersion TracingConfig"
)


def _attributes(properties: Mapping[str, Any], names: str) -> dict[str, str]:
    return {
        name: document(value) if isinstance(value := properties[name], dict) else text(value)
        for name in names.split()
        if name in properties
    }


async def create_topic(work: Work) -> None:
    name = work.name(251)
    if work.flag("FifoTopic") and "TopicName" not in work.properties:
        name += ".fifo"
    attributes = _attributes(work.properties, _TOPIC_ATTRIBUTES)
    params = {"Attributes": attributes} if attributes else {}
    tags = {"Tags": [{"Key": key, "Value": value} for key, value in work.tags.items()]} if work.tags else {}
    arn = f"arn:aws:sns:{work.ctx.region}:{work.ctx.account}:{name}"
    await work.refuse_taken(name, "sns", "GetTopicAttributes", TopicArn=arn)
    answer = await work.call("sns", "CreateTopic", Name=name, **params, **tags)
    work.made(answer["TopicArn"], TopicArn=answer["TopicArn"], TopicName=name)
    await _protect(work)
    for entry in _subscriptions(work.properties):
        await _subscribe(work, entry)


async def update_topic(work: Work) -> None:
    after = _attributes(work.properties, _TOPIC_ATTRIBUTES)
    for name in _TOPIC_ATTRIBUTES.split():
        if work.changed(name):
            await work.call(
                "sns",
                "SetTopicAttributes",
                TopicArn=work.physical_id,
                AttributeName=name,
                AttributeValue=after.get(name, ""),
            )
    await _protect(work)
    had, has = _subscriptions(work.before), _subscriptions(work.properties)
    for entry in has:
        if entry not in had:
            await _subscribe(work, entry)
    if gone := [entry for entry in had if entry not in has]:
        listed = await work.call("sns", "ListSubscriptionsByTopic", TopicArn=work.physical_id)
        for each in listed["Subscriptions"]:
            if {"Protocol": each["Protocol"], "Endpoint": each["Endpoint"]} in gone:
                await work.call("sns", "Unsubscribe", SubscriptionArn=each["SubscriptionArn"])


async def _protect(work: Work) -> None:
    if work.changed("DataProtectionPolicy"):
        policy = document(work.get("DataProtectionPolicy", ""))
        await work.call("sns", "PutDataProtectionPolicy", ResourceArn=work.physical_id, DataProtectionPolicy=policy)


def _subscriptions(properties: Mapping[str, Any]) -> list[dict[str, str]]:
    entries = properties.get("Subscription", [])
    for entry in entries:
        if set(entry) != {"Endpoint", "Protocol"}:
            raise PropertyError(f"Each Subscription must have Endpoint and Protocol, got {sorted(entry)}")
    return [{"Protocol": text(each["Protocol"]), "Endpoint": text(each["Endpoint"])} for each in entries]


async def _subscribe(work: Work, entry: Mapping[str, str]) -> None:
    await work.call("sns", "Subscribe", TopicArn=work.physical_id, **entry)


async def delete_topic(work: Work) -> None:
    listed = await work.call("sns", "ListSubscriptionsByTopic", TopicArn=work.physical_id)
    for each in listed["Subscriptions"]:
        await work.call("sns", "Unsubscribe", SubscriptionArn=each["SubscriptionArn"])
    await work.call("sns", "DeleteTopic", TopicArn=work.physical_id)


async def create_policy(work: Work) -> None:
    name = physical_name(work.stack_name, work.logical_id, work.ctx.ids, 80)
    work.made(name, Id=name)
    await update_policy(work)


async def update_policy(work: Work) -> None:
    topics = [text(topic) for topic in work.get("Topics")]
    for topic in [text(each) for each in work.before.get("Topics", []) if each not in topics]:
        await _set_policy(work, topic, _own_account_only(work, topic))
    for topic in topics:
        await _set_policy(work, topic, document(work.get("PolicyDocument")))


async def delete_policy(work: Work) -> None:
    for topic in work.get("Topics"):
        await _set_policy(work, text(topic), _own_account_only(work, text(topic)))


async def _set_policy(work: Work, topic: str, policy: str) -> None:
    await work.call("sns", "SetTopicAttributes", TopicArn=topic, AttributeName="Policy", AttributeValue=policy)


def _own_account_only(work: Work, topic: str) -> str:
    """The policy a topic is born with, to which it returns."""
    actions = "GetTopicAttributes SetTopicAttributes AddPermission RemovePermission DeleteTopic Subscribe"
    return document(
        {
            "Version": "2008-10-17",
            "Id": "__default_policy_ID",
            "Statement": [
                {
                    "Sid": "__default_statement_ID",
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": [f"SNS:{name}" for name in f"{actions} ListSubscriptionsByTopic Publish".split()],
                    "Resource": topic,
                    "Condition": {"StringEquals": {"AWS:SourceOwner": work.ctx.account}},
                }
            ],
        }
    )


_SUBSCRIPTION_ATTRIBUTES = (
    "DeliveryPolicy FilterPolicy FilterPolicyScope RawMessageDelivery RedrivePolicy ReplayPolicy SubscriptionRoleArn"
)


async def create_subscription(work: Work) -> None:
    attributes = _attributes(work.properties, _SUBSCRIPTION_ATTRIBUTES)
    params = work.params("sns", "Subscribe", only="TopicArn Protocol Endpoint")
    if attributes:
        params["Attributes"] = attributes
    answer = await work.call("sns", "Subscribe", ReturnSubscriptionArn=True, **params)
    work.made(answer["SubscriptionArn"], Arn=answer["SubscriptionArn"])


async def update_subscription(work: Work) -> None:
    after = _attributes(work.properties, _SUBSCRIPTION_ATTRIBUTES)
    for name in _SUBSCRIPTION_ATTRIBUTES.split():
        if work.changed(name):
            value = after.get(name, "false" if name == "RawMessageDelivery" else "{}")
            await work.call(
                "sns",
                "SetSubscriptionAttributes",
                SubscriptionArn=work.physical_id,
                AttributeName=name,
                AttributeValue=value,
            )


async def delete_subscription(work: Work) -> None:
    await work.call("sns", "Unsubscribe", SubscriptionArn=work.physical_id)


TYPES = (
    ResourceType(
        "AWS::SNS::Topic",
        properties=words(f"{_TOPIC_ATTRIBUTES} DataProtectionPolicy Subscription Tags TopicName"),
        replacing=words("TopicName FifoTopic"),
        not_emulated=words("DeliveryStatusLogging"),
        attributes=words("TopicArn TopicName"),
        named="TopicName",
        create=create_topic,
        update=update_topic,
        delete=delete_topic,
        retag=tagging("sns", "TagResource", "UntagResource", "ResourceArn", by=""),
    ),
    ResourceType(
        "AWS::SNS::TopicPolicy",
        properties=words("PolicyDocument Topics"),
        required=words("PolicyDocument Topics"),
        attributes=words("Id"),
        create=create_policy,
        update=update_policy,
        delete=delete_policy,
    ),
    ResourceType(
        "AWS::SNS::Subscription",
        properties=words(f"{_SUBSCRIPTION_ATTRIBUTES} Endpoint Protocol TopicArn"),
        required=words("Protocol TopicArn"),
        replacing=words("Endpoint Protocol TopicArn"),
        not_emulated=words("Region"),
        attributes=words("Arn"),
        create=create_subscription,
        update=update_subscription,
        delete=delete_subscription,
    ),
)
