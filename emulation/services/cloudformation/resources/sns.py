"""AWS::SNS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...tagging.tag_operations import tag_parameters
from ..errors import PropertyError
from ..intrinsics import text
from .base import Job, ResourceType, deleting, retagging
from .documents import document, policy_type, string_attributes

_TOPIC_ATTRIBUTES = (
    "ArchivePolicy ContentBasedDeduplication DisplayName FifoThroughputScope FifoTopic KmsMasterKeyId "
    "MaximumMessageSize SignatureVersion TracingConfig"
)


async def create_topic(job: Job) -> None:
    name = job.name(251)
    if job.flag("FifoTopic") and "TopicName" not in job.properties:
        name += ".fifo"
    attributes = string_attributes(job.properties, _TOPIC_ATTRIBUTES)
    params = {"Attributes": attributes} if attributes else {}
    tags = tag_parameters("sns", "CreateTopic", job.tags)
    await job.require_unused(name, "sns", "GetTopicAttributes", TopicArn=job.arn("sns", name))
    answer = await job.call("sns", "CreateTopic", Name=name, **params, **tags)
    job.created(answer["TopicArn"], TopicArn=answer["TopicArn"], TopicName=name)
    await _protect(job)
    for entry in _subscriptions(job.properties):
        await _subscribe(job, entry)


async def update_topic(job: Job) -> None:
    after = string_attributes(job.properties, _TOPIC_ATTRIBUTES)
    for name in _TOPIC_ATTRIBUTES.split():
        if job.changed(name):
            await _set_attribute(job, job.physical_id, name, after.get(name, ""))
    await _protect(job)
    had, has = _subscriptions(job.before), _subscriptions(job.properties)
    for entry in has:
        if entry not in had:
            await _subscribe(job, entry)
    if gone := [entry for entry in had if entry not in has]:
        listed = await job.call("sns", "ListSubscriptionsByTopic", TopicArn=job.physical_id)
        for each in listed["Subscriptions"]:
            if {"Protocol": each["Protocol"], "Endpoint": each["Endpoint"]} in gone:
                await job.call("sns", "Unsubscribe", SubscriptionArn=each["SubscriptionArn"])


async def _protect(job: Job) -> None:
    if job.changed("DataProtectionPolicy"):
        policy = document(job.get("DataProtectionPolicy", ""))
        await job.call("sns", "PutDataProtectionPolicy", ResourceArn=job.physical_id, DataProtectionPolicy=policy)


def _subscriptions(properties: Mapping[str, Any]) -> list[dict[str, str]]:
    entries = properties.get("Subscription", [])
    for entry in entries:
        if set(entry) != {"Endpoint", "Protocol"}:
            raise PropertyError(f"Each Subscription must have Endpoint and Protocol, got {sorted(entry)}")
    return [{"Protocol": text(each["Protocol"]), "Endpoint": text(each["Endpoint"])} for each in entries]


async def _subscribe(job: Job, entry: Mapping[str, str]) -> None:
    await job.call("sns", "Subscribe", TopicArn=job.physical_id, **entry)


async def delete_topic(job: Job) -> None:
    listed = await job.call("sns", "ListSubscriptionsByTopic", TopicArn=job.physical_id)
    for each in listed["Subscriptions"]:
        await job.call("sns", "Unsubscribe", SubscriptionArn=each["SubscriptionArn"])
    await job.call("sns", "DeleteTopic", TopicArn=job.physical_id)


async def _set_attribute(job: Job, topic: str, name: str, value: str) -> None:
    await job.call("sns", "SetTopicAttributes", TopicArn=topic, AttributeName=name, AttributeValue=value)


async def put_policy(job: Job, topic: str, policy: str | None) -> None:
    await _set_attribute(job, topic, "Policy", policy or _own_account_only(job, topic))


def _own_account_only(job: Job, topic: str) -> str:
    """The default policy of a topic."""
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
                    "Condition": {"StringEquals": {"AWS:SourceOwner": job.ctx.account}},
                }
            ],
        }
    )


_SUBSCRIPTION_ATTRIBUTES = (
    "DeliveryPolicy FilterPolicy FilterPolicyScope RawMessageDelivery RedrivePolicy ReplayPolicy SubscriptionRoleArn"
)


async def create_subscription(job: Job) -> None:
    attributes = string_attributes(job.properties, _SUBSCRIPTION_ATTRIBUTES)
    params = job.params("sns", "Subscribe", only="TopicArn Protocol Endpoint")
    if attributes:
        params["Attributes"] = attributes
    answer = await job.call("sns", "Subscribe", ReturnSubscriptionArn=True, **params)
    job.created(answer["SubscriptionArn"], Arn=answer["SubscriptionArn"])


async def update_subscription(job: Job) -> None:
    after = string_attributes(job.properties, _SUBSCRIPTION_ATTRIBUTES)
    for name in _SUBSCRIPTION_ATTRIBUTES.split():
        if job.changed(name):
            value = after.get(name, "false" if name == "RawMessageDelivery" else "{}")
            attribute = {"AttributeName": name, "AttributeValue": value}
            await job.call("sns", "SetSubscriptionAttributes", SubscriptionArn=job.physical_id, **attribute)


TYPES = (
    ResourceType(
        "AWS::SNS::Topic",
        properties=f"{_TOPIC_ATTRIBUTES} DataProtectionPolicy Subscription Tags TopicName",
        create_only="TopicName FifoTopic",
        not_emulated="DeliveryStatusLogging",
        attributes="TopicArn TopicName",
        name_property="TopicName",
        create=create_topic,
        update=update_topic,
        delete=delete_topic,
        retag=retagging("sns", by=""),
        stack_tags=False,
    ),
    policy_type("AWS::SNS::TopicPolicy", "Topics", put_policy),
    ResourceType(
        "AWS::SNS::Subscription",
        properties=f"{_SUBSCRIPTION_ATTRIBUTES} Endpoint Protocol TopicArn",
        required="Protocol TopicArn",
        create_only="Endpoint Protocol TopicArn",
        not_emulated="Region",
        attributes="Arn",
        create=create_subscription,
        update=update_subscription,
        delete=deleting("sns", "Unsubscribe", "SubscriptionArn"),
    ),
)
