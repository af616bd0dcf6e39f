"""AWS::DynamoDB::Table."""

from __future__ import annotations

from typing import Any

from .. import shapes
from ..summary import words
from .base import ResourceType, Work, tagging
from .documents import document

_RENAMED = {"SSEEnabled": "Enabled"}
_SEPARATE = "TimeToLiveSpecification PointInTimeRecoverySpecification ResourcePolicy StreamSpecification"


async def create_table(work: Work) -> None:
    table = work.name()
    params = work.params("dynamodb", "CreateTable", leave=f"TableName {_SEPARATE}", renamed=_RENAMED)
    if work.get("StreamSpecification"):
        params |= _stream(work, "CreateTable")
    answer = await work.call("dynamodb", "CreateTable", TableName=table, **params)
    description = answer["TableDescription"]
    work.made(table, Arn=description["TableArn"])
    if "LatestStreamArn" in description:
        work.attributes["StreamArn"] = description["LatestStreamArn"]
    await _settings(work)


def _stream(work: Work, operation: str) -> dict[str, Any]:
    params = work.params("dynamodb", operation, only="StreamSpecification")
    params["StreamSpecification"]["StreamEnabled"] = True
    return params


async def update_table(work: Work) -> None:
    params: dict[str, Any] = {}
    if work.changed("BillingMode", "ProvisionedThroughput"):
        params |= work.params("dynamodb", "UpdateTable", only="BillingMode ProvisionedThroughput")
    for name in ("TableClass", "DeletionProtectionEnabled", "SSESpecification", "OnDemandThroughput", "WarmThroughput"):
        if work.changed(name):
            params |= work.params("dynamodb", "UpdateTable", only=name, renamed=_RENAMED)
    if work.changed("DeletionProtectionEnabled"):
        params["DeletionProtectionEnabled"] = work.flag("DeletionProtectionEnabled")
    if work.changed("SSESpecification") and "SSESpecification" not in work.properties:
        params["SSESpecification"] = {"Enabled": False}
    if params:
        await work.call("dynamodb", "UpdateTable", TableName=work.physical_id, **params)
    if work.changed("StreamSpecification"):
        if work.before.get("StreamSpecification"):
            off = {"StreamEnabled": False}
            await work.call("dynamodb", "UpdateTable", TableName=work.physical_id, StreamSpecification=off)
        if work.get("StreamSpecification"):
            params = _stream(work, "UpdateTable")
            answer = await work.call("dynamodb", "UpdateTable", TableName=work.physical_id, **params)
            work.attributes["StreamArn"] = answer["TableDescription"].get("LatestStreamArn", "")
    for update in _index_updates(work):
        definitions = shapes.parameters(
            "dynamodb", "UpdateTable", {"AttributeDefinitions": work.get("AttributeDefinitions", [])}
        )
        changes = shapes.parameters("dynamodb", "UpdateTable", {"GlobalSecondaryIndexUpdates": [update]})
        await work.call("dynamodb", "UpdateTable", TableName=work.physical_id, **definitions, **changes)
    await _settings(work)


def _index_updates(work: Work) -> list[dict[str, Any]]:
    """One change of an index at a time, as DynamoDB takes them: first the deletions."""
    had = {each["IndexName"]: each for each in work.before.get("GlobalSecondaryIndexes", [])}
    has = {each["IndexName"]: each for each in work.get("GlobalSecondaryIndexes", [])}
    rebuilt = {
        name
        for name in had.keys() & has.keys()
        if any(had[name].get(k) != has[name].get(k) for k in ("KeySchema", "Projection"))
    }
    updates: list[dict[str, Any]] = [
        {"Delete": {"IndexName": name}} for name in had if name not in has or name in rebuilt
    ]
    for name, index in has.items():
        if name not in had or name in rebuilt:
            updates.append({"Create": index})
        elif index != had[name]:
            throughput = ("IndexName", "ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput")
            updates.append({"Update": {key: value for key, value in index.items() if key in throughput}})
    return updates


async def _settings(work: Work) -> None:
    table = {"TableName": work.physical_id}
    if work.changed("TimeToLiveSpecification"):
        had = work.before.get("TimeToLiveSpecification")
        wanted = work.get("TimeToLiveSpecification", {**(had or {}), "Enabled": False})
        params = shapes.parameters("dynamodb", "UpdateTimeToLive", {"TimeToLiveSpecification": wanted})
        if params["TimeToLiveSpecification"].get("Enabled") or had:
            await work.call("dynamodb", "UpdateTimeToLive", **table, **params)
    if work.changed("PointInTimeRecoverySpecification"):
        wanted = {"PointInTimeRecoveryEnabled": False, **work.get("PointInTimeRecoverySpecification", {})}
        params = shapes.parameters("dynamodb", "UpdateContinuousBackups", {"PointInTimeRecoverySpecification": wanted})
        await work.call("dynamodb", "UpdateContinuousBackups", **table, **params)
    if work.changed("ResourcePolicy"):
        if "ResourcePolicy" in work.properties:
            policy = document(work.get("ResourcePolicy")["PolicyDocument"])
            await work.call("dynamodb", "PutResourcePolicy", ResourceArn=work.attributes["Arn"], Policy=policy)
        else:
            await work.call("dynamodb", "DeleteResourcePolicy", ResourceArn=work.attributes["Arn"])


async def delete_table(work: Work) -> None:
    await work.call("dynamodb", "DeleteTable", TableName=work.physical_id)


TYPES = (
    ResourceType(
        "AWS::DynamoDB::Table",
        properties=words(
            "AttributeDefinitions BillingMode DeletionProtectionEnabled GlobalSecondaryIndexes KeySchema "
            "LocalSecondaryIndexes OnDemandThroughput PointInTimeRecoverySpecification ProvisionedThroughput "
            "ResourcePolicy SSESpecification StreamSpecification TableClass TableName Tags TimeToLiveSpecification "
            "WarmThroughput"
        ),
        required=words("KeySchema"),
        replacing=words("TableName KeySchema LocalSecondaryIndexes"),
        not_emulated=words(
            "ContributorInsightsSpecification ImportSourceSpecification KinesisStreamSpecification VectorIndexes"
        ),
        attributes=words("Arn StreamArn"),
        named="TableName",
        create=create_table,
        update=update_table,
        delete=delete_table,
        retag=tagging("dynamodb", "TagResource", "UntagResource", "ResourceArn"),
    ),
)
