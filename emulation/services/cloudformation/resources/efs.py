"""AWS::EFS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import PropertyError
from .base import Job, ResourceType, deleting, retagging, update_tags_only
from .documents import document

retag = retagging("efs", by="")

_SEPARATE = "BackupPolicy FileSystemPolicy LifecyclePolicies"


async def create_file_system(job: Job) -> None:
    params = job.params("efs", "CreateFileSystem", omit=_SEPARATE)
    if _backed_up(job.properties):
        params["Backup"] = True
    answer = await job.call("efs", "CreateFileSystem", CreationToken=job.ctx.ids.uuid(), **params)
    job.created(answer["FileSystemId"], FileSystemId=answer["FileSystemId"], Arn=answer["FileSystemArn"])
    await _settings(job)


async def update_file_system(job: Job) -> None:
    if job.changed("ThroughputMode", "ProvisionedThroughputInMibps"):
        only = "ThroughputMode ProvisionedThroughputInMibps"
        await job.send("efs", "UpdateFileSystem", only=only, FileSystemId=job.physical_id)
    if _backed_up(job.properties) != _backed_up(job.before):
        status = "ENABLED" if _backed_up(job.properties) else "DISABLED"
        await job.call("efs", "PutBackupPolicy", FileSystemId=job.physical_id, BackupPolicy={"Status": status})
    await _settings(job)


def _backed_up(properties: Mapping[str, Any]) -> bool:
    policy = properties.get("BackupPolicy", {"Status": "DISABLED"})
    if not isinstance(policy, Mapping) or set(policy) != {"Status"}:
        raise PropertyError(f"BackupPolicy must have a Status and nothing else, got {policy}")
    return bool(policy["Status"] == "ENABLED")


async def _settings(job: Job) -> None:
    system = job.physical_id
    if job.changed("LifecyclePolicies"):
        params = {"LifecyclePolicies": []} | job.params("efs", "PutLifecycleConfiguration", only="LifecyclePolicies")
        await job.call("efs", "PutLifecycleConfiguration", FileSystemId=system, **params)
    await job.put_or_delete(
        "FileSystemPolicy",
        "efs",
        "PutFileSystemPolicy",
        "DeleteFileSystemPolicy",
        lambda policy: {"Policy": document(policy)},
        FileSystemId=system,
    )


async def create_mount_target(job: Job) -> None:
    answer = await job.send("efs", "CreateMountTarget")
    job.created(answer["MountTargetId"], Id=answer["MountTargetId"], IpAddress=answer.get("IpAddress", ""))


async def update_mount_target(job: Job) -> None:
    await job.send("efs", "ModifyMountTargetSecurityGroups", only="SecurityGroups", MountTargetId=job.physical_id)


async def create_access_point(job: Job) -> None:
    params = {"ClientToken": job.ctx.ids.uuid()} | job.params("efs", "CreateAccessPoint")
    answer = await job.call("efs", "CreateAccessPoint", **params)
    job.created(answer["AccessPointId"], AccessPointId=answer["AccessPointId"], Arn=answer["AccessPointArn"])


TYPES = (
    ResourceType(
        "AWS::EFS::FileSystem",
        properties=(
            "AvailabilityZoneName BackupPolicy Encrypted FileSystemPolicy FileSystemTags KmsKeyId LifecyclePolicies "
            "PerformanceMode ProvisionedThroughputInMibps ThroughputMode"
        ),
        create_only="AvailabilityZoneName Encrypted KmsKeyId PerformanceMode",
        not_emulated="BypassPolicyLockoutSafetyCheck FileSystemProtection ReplicationConfiguration",
        attributes="Arn FileSystemId",
        tag_property="FileSystemTags",
        create=create_file_system,
        update=update_file_system,
        delete=deleting("efs", "DeleteFileSystem", "FileSystemId"),
        retag=retag,
    ),
    ResourceType(
        "AWS::EFS::MountTarget",
        properties="FileSystemId IpAddress IpAddressType Ipv6Address SecurityGroups SubnetId",
        required="FileSystemId SecurityGroups SubnetId",
        create_only="FileSystemId IpAddress IpAddressType Ipv6Address SubnetId",
        attributes="Id IpAddress",
        create=create_mount_target,
        update=update_mount_target,
        delete=deleting("efs", "DeleteMountTarget", "MountTargetId"),
    ),
    ResourceType(
        "AWS::EFS::AccessPoint",
        properties="AccessPointTags ClientToken FileSystemId PosixUser RootDirectory",
        required="FileSystemId",
        create_only="FileSystemId ClientToken PosixUser RootDirectory",
        attributes="AccessPointId Arn",
        tag_property="AccessPointTags",
        create=create_access_point,
        update=update_tags_only,
        delete=deleting("efs", "DeleteAccessPoint", "AccessPointId"),
        retag=retag,
    ),
)
