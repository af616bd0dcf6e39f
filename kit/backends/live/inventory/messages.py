"""Queues, topics, and receipt rules in the account's active rule set."""

from __future__ import annotations

from collections.abc import Sequence

from .resource import Ground, Thing, last


async def queues(ground: Ground) -> Sequence[Thing]:
    urls = await ground.aws.pages("sqs", "list_queues", "QueueUrls")
    return [Thing("AWS::SQS::Queue", url, ground.arn("sqs", last(url))) for url in urls]


async def topics(ground: Ground) -> Sequence[Thing]:
    found = await ground.aws.pages("sns", "list_topics", "Topics")
    return [Thing("AWS::SNS::Topic", each["TopicArn"], each["TopicArn"]) for each in found]


async def receipt_rules(ground: Ground) -> Sequence[Thing]:
    """Rules carry no tags; what they deliver to tells whom they work for."""
    answer = await ground.aws.call("ses", "describe_active_receipt_rule_set")
    return [
        Thing(
            "AWS::SES::ReceiptRule",
            rule["Name"],
            inside=frozenset(
                str(value)
                for action in rule.get("Actions", ())
                for settings in action.values()
                for name, value in settings.items()
                if name in ("TopicArn", "FunctionArn", "BucketName")
            ),
        )
        for rule in answer.get("Rules", ())
    ]
