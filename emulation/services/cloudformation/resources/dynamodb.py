"""AWS::DynamoDB::Table."""

from __future__ import annotations

from typing import Any

from .. import property_mapping
from .base import Job, ResourceType, deleting, retagging
from .documents import document

_RENAMED = {"SSEEnabled": "Enabled"}
_SEPARATE = "TimeToLiveSpecification PointInTimeRecoverySpecification ResourcePolicy StreamSpecification"


async def create_table(job: Job) -> None:
    table = job.name()
    params = job.params("dynamodb", "CreateTable", omit=f"TableName {_SEPARATE}", renamed=_RENAMED)
    if job.get("StreamSpecification"):
        params |= _stream(job, "CreateTable")
    description = (await job.call("dynamodb", "CreateTable", TableName=table, **params))["TableDescription"]
    job.created(table, Arn=description["TableArn"])
    if "LatestStreamArn" in description:
        job.attributes["StreamArn"] = description["LatestStreamArn"]
    await _settings(job)


def _stream(job: Job, operation: str) -> dict[str, Any]:
    params = job.params("dynamodb", operation, only="StreamSpecification")
    params["StreamSpecification"]["StreamEnabled"] = True
    return params


async def update_table(job: Job) -> None:
    params: dict[str, Any] = {}
    if job.changed("BillingMode", "ProvisionedThroughput"):
        params |= job.params("dynamodb", "UpdateTable", only="BillingMode ProvisionedThroughput")
    for name in ("TableClass", "DeletionProtectionEnabled", "SSESpecification", "OnDemandThroughput", "WarmThroughput"):
        if job.changed(name):
            params |= job.params("dynamodb", "UpdateTable", only=name, renamed=_RENAMED)
    if job.changed("DeletionProtectionEnabled"):
        params["DeletionProtectionEnabled"] = job.flag("DeletionProtectionEnabled")
    if job.changed("SSESpecification") and "SSESpecification" not in job.properties:
        params["SSESpecification"] = {"Enabled": False}
    if params:
        await job.call("dynamodb", "UpdateTable", TableName=job.physical_id, **params)
    if job.changed("StreamSpecification"):
        if job.before.get("StreamSpecification"):
            off = {"StreamEnabled": False}
            await job.call("dynamodb", "UpdateTable", TableName=job.physical_id, StreamSpecification=off)
        if job.get("StreamSpecification"):
            params = _stream(job, "UpdateTable")
            answer = await job.call("dynamodb", "UpdateTable", TableName=job.physical_id, **params)
            job.attributes["StreamArn"] = answer["TableDescription"].get("LatestStreamArn", "")
    for update in _index_updates(job):
        changes = {
            "AttributeDefinitions": job.get("AttributeDefinitions", []),
            "GlobalSecondaryIndexUpdates": [update],
        }
        params = property_mapping.to_parameters("dynamodb", "UpdateTable", changes)
        await job.call("dynamodb", "UpdateTable", TableName=job.physical_id, **params)
    await _settings(job)


def _index_updates(job: Job) -> list[dict[str, Any]]:
    """The index changes, deletions first; DynamoDB takes one a call."""
    had = {each["IndexName"]: each for each in job.before.get("GlobalSecondaryIndexes", [])}
    has = {each["IndexName"]: each for each in job.get("GlobalSecondaryIndexes", [])}
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


async def _settings(job: Job) -> None:
    table = {"TableName": job.physical_id}
    if job.changed("TimeToLiveSpecification"):
        had = job.before.get("TimeToLiveSpecification")
        wanted = job.get("TimeToLiveSpecification", {**(had or {}), "Enabled": False})
        params = property_mapping.to_parameters("dynamodb", "UpdateTimeToLive", {"TimeToLiveSpecification": wanted})
        if params["TimeToLiveSpecification"].get("Enabled") or had:
            await job.call("dynamodb", "UpdateTimeToLive", **table, **params)
    if job.changed("PointInTimeRecoverySpecification"):
        wanted = {"PointInTimeRecoveryEnabled": False, **job.get("PointInTimeRecoverySpecification", {})}
        params = property_mapping.to_parameters(
            "dynamodb", "UpdateContinuousBackups", {"PointInTimeRecoverySpecification": wanted}
        )
        await job.call("dynamodb", "UpdateContinuousBackups", **table, **params)
    await job.put_or_delete(
        "ResourcePolicy",
        "dynamodb",
        "PutResourcePolicy",
        "DeleteResourcePolicy",
        lambda policy: {"Policy": document(policy["PolicyDocument"])},
        ResourceArn=job.attributes["Arn"],
    )


TYPES = (
    ResourceType(
        "AWS::DynamoDB::Table",
        properties=(
            "AttributeDefinitions BillingMode DeletionProtectionEnabled GlobalSecondaryIndexes KeySchema "
            "LocalSecondaryIndexes OnDemandThroughput PointInTimeRecoverySpecification ProvisionedThroughput "
            "ResourcePolicy SSESpecification StreamSpecification TableClass TableName Tags TimeToLiveSpecification "
            "WarmThroughput"
        ),
        required="KeySchema",
        create_only="TableName KeySchema LocalSecondaryIndexes",
        not_emulated=(
            "ContributorInsightsSpecification ImportSourceSpecification KinesisStreamSpecification VectorIndexes"
        ),
        attributes="Arn StreamArn",
        name_property="TableName",
        create=create_table,
        update=update_table,
        delete=deleting("dynamodb", "DeleteTable", "TableName"),
        retag=retagging("dynamodb"),
        stack_tags=False,
    ),
)
