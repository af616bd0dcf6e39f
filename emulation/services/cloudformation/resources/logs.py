"""AWS::Logs."""

from __future__ import annotations

from ..summary import words
from .base import ResourceType, Work, tagging
from .documents import document


async def create_group(work: Work) -> None:
    name = work.name(512)
    params = work.params("logs", "CreateLogGroup", leave="LogGroupName RetentionInDays DataProtectionPolicy")
    await work.call("logs", "CreateLogGroup", logGroupName=name, **params)
    arn = f"arn:aws:logs:{work.ctx.region}:{work.ctx.account}:log-group:{name}"
    work.made(name, Arn=f"{arn}:*", GroupArn=arn)
    await update_group(work)


async def update_group(work: Work) -> None:
    name = work.physical_id
    if work.changed("RetentionInDays"):
        if "RetentionInDays" in work.properties:
            params = work.params("logs", "PutRetentionPolicy", only="RetentionInDays")
            await work.call("logs", "PutRetentionPolicy", logGroupName=name, **params)
        else:
            await work.call("logs", "DeleteRetentionPolicy", logGroupName=name)
    if work.changed("DataProtectionPolicy"):
        if "DataProtectionPolicy" in work.properties:
            policy = document(work.get("DataProtectionPolicy"))
            await work.call("logs", "PutDataProtectionPolicy", logGroupIdentifier=name, policyDocument=policy)
        else:
            await work.call("logs", "DeleteDataProtectionPolicy", logGroupIdentifier=name)
    if work.before and work.changed("KmsKeyId"):
        if "KmsKeyId" in work.properties:
            await work.call("logs", "AssociateKmsKey", logGroupName=name, kmsKeyId=work.text("KmsKeyId"))
        else:
            await work.call("logs", "DisassociateKmsKey", logGroupName=name)


async def delete_group(work: Work) -> None:
    await work.call("logs", "DeleteLogGroup", logGroupName=work.physical_id)


TYPES = (
    ResourceType(
        "AWS::Logs::LogGroup",
        properties=words("DataProtectionPolicy KmsKeyId LogGroupClass LogGroupName RetentionInDays Tags"),
        replacing=words("LogGroupName LogGroupClass"),
        not_emulated=words(
            "BearerTokenAuthenticationEnabled DeletionProtectionEnabled FieldIndexPolicies ResourcePolicyDocument"
        ),
        attributes=words("Arn"),
        named="LogGroupName",
        create=create_group,
        update=update_group,
        delete=delete_group,
        retag=tagging("logs", "TagResource", "UntagResource", "resourceArn", by="GroupArn", keys="tagKeys"),
    ),
)
