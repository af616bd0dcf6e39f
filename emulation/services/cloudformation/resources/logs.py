"""AWS::Logs."""

from __future__ import annotations

from ..intrinsics import text
from .base import Job, ResourceType, deleting, retagging
from .documents import document


async def create_group(job: Job) -> None:
    name = job.name(512)
    omit = "LogGroupName RetentionInDays DataProtectionPolicy"
    await job.send("logs", "CreateLogGroup", omit=omit, logGroupName=name)
    arn = job.arn("logs", f"log-group:{name}")
    job.created(name, Arn=f"{arn}:*", GroupArn=arn)
    await update_group(job)


async def update_group(job: Job) -> None:
    name = job.physical_id
    await job.put_or_delete(
        "RetentionInDays",
        "logs",
        "PutRetentionPolicy",
        "DeleteRetentionPolicy",
        lambda _: job.params("logs", "PutRetentionPolicy", only="RetentionInDays"),
        logGroupName=name,
    )
    await job.put_or_delete(
        "DataProtectionPolicy",
        "logs",
        "PutDataProtectionPolicy",
        "DeleteDataProtectionPolicy",
        lambda policy: {"policyDocument": document(policy)},
        logGroupIdentifier=name,
    )
    if job.before:  # CreateLogGroup took the key
        await job.put_or_delete(
            "KmsKeyId",
            "logs",
            "AssociateKmsKey",
            "DisassociateKmsKey",
            lambda key: {"kmsKeyId": text(key)},
            logGroupName=name,
        )


TYPES = (
    ResourceType(
        "AWS::Logs::LogGroup",
        properties="DataProtectionPolicy KmsKeyId LogGroupClass LogGroupName RetentionInDays Tags",
        create_only="LogGroupName LogGroupClass",
        not_emulated=(
            "BearerTokenAuthenticationEnabled DeletionProtectionEnabled FieldIndexPolicies ResourcePolicyDocument"
        ),
        attributes="Arn",
        name_property="LogGroupName",
        create=create_group,
        update=update_group,
        delete=deleting("logs", "DeleteLogGroup", "logGroupName"),
        retag=retagging("logs", by="GroupArn"),
    ),
)
