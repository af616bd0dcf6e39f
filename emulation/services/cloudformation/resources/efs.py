"""AWS::EFS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import PropertyError
from ..summary import words
from .base import ResourceType, Work, tagging
from .documents import document

retag = tagging("efs", "TagResource", "UntagResource", "ResourceId", by="")

_SEPARATE = "BackupPolicy FileSystemPolicy LifecyclePolicies"


async def create_file_system(work: Work) -> None:
    params = work.params("efs", "CreateFileSystem", leave=_SEPARATE)
    if _backed_up(work.properties):
        params["Backup"] = True
    answer = await work.call("efs", "CreateFileSystem", CreationToken=work.ctx.ids.uuid(), **params)
    work.made(answer["FileSystemId"], FileSystemId=answer["FileSystemId"], Arn=answer["FileSystemArn"])
    await _settings(work)


async def update_file_system(work: Work) -> None:
    if work.changed("ThroughputMode", "ProvisionedThroughputInMibps"):
        params = work.params("efs", "UpdateFileSystem", only="ThroughputMode ProvisionedThroughputInMibps")
        await work.call("efs", "UpdateFileSystem", FileSystemId=work.physical_id, **params)
    if _backed_up(work.properties) != _backed_up(work.before):
        status = "ENABLED" if _backed_up(work.properties) else "DISABLED"
        await work.call("efs", "PutBackupPolicy", FileSystemId=work.physical_id, BackupPolicy={"Status": status})
    await _settings(work)


def _backed_up(properties: Mapping[str, Any]) -> bool:
    policy = properties.get("BackupPolicy", {"Status": "DISABLED"})
    if not isinstance(policy, Mapping) or set(policy) != {"Status"}:
        raise PropertyError(f"BackupPolicy must have a Status and nothing else, got {policy}")
    return bool(policy["Status"] == "ENABLED")


async def _settings(work: Work) -> None:
    system = work.physical_id
    if work.changed("LifecyclePolicies"):
        params = {"LifecyclePolicies": []} | work.params("efs", "PutLifecycleConfiguration", only="LifecyclePolicies")
        await work.call("efs", "PutLifecycleConfiguration", FileSystemId=system, **params)
    if work.changed("FileSystemPolicy"):
        if "FileSystemPolicy" in work.properties:
            policy = document(work.get("FileSystemPolicy"))
            await work.call("efs", "PutFileSystemPolicy", FileSystemId=system, Policy=policy)
        else:
            await work.call("efs", "DeleteFileSystemPolicy", FileSystemId=system)


async def delete_file_system(work: Work) -> None:
    await work.call("efs", "DeleteFileSystem", FileSystemId=work.physical_id)


async def create_mount_target(work: Work) -> None:
    answer = await work.call("efs", "CreateMountTarget", **work.params("efs", "CreateMountTarget"))
    work.made(answer["MountTargetId"], Id=answer["MountTargetId"], IpAddress=answer.get("IpAddress", ""))


async def update_mount_target(work: Work) -> None:
    params = work.params("efs", "ModifyMountTargetSecurityGroups", only="SecurityGroups")
    await work.call("efs", "ModifyMountTargetSecurityGroups", MountTargetId=work.physical_id, **params)


async def delete_mount_target(work: Work) -> None:
    await work.call("efs", "DeleteMountTarget", MountTargetId=work.physical_id)


async def create_access_point(work: Work) -> None:
    params = {"ClientToken": work.ctx.ids.uuid()} | work.params("efs", "CreateAccessPoint")
    answer = await work.call("efs", "CreateAccessPoint", **params)
    work.made(answer["AccessPointId"], AccessPointId=answer["AccessPointId"], Arn=answer["AccessPointArn"])


async def update_access_point(work: Work) -> None:
    """Only tags can change."""


async def delete_access_point(work: Work) -> None:
    await work.call("efs", "DeleteAccessPoint", AccessPointId=work.physical_id)


TYPES = (
    ResourceType(
        "AWS::EFS::FileSystem",
        properties=words(
            "AvailabilityZoneName BackupPolicy Encrypted FileSystemPolicy FileSystemTags KmsKeyId LifecyclePolicies "
            "PerformanceMode ProvisionedThroughputInMibps ThroughputMode"
        ),
        replacing=words("AvailabilityZoneName Encrypted KmsKeyId PerformanceMode"),
        not_emulated=words("BypassPolicyLockoutSafetyCheck FileSystemProtection ReplicationConfiguration"),
        attributes=words("Arn FileSystemId"),
        tag_property="FileSystemTags",
        create=create_file_system,
        update=update_file_system,
        delete=delete_file_system,
        retag=retag,
    ),
    ResourceType(
        "AWS::EFS::MountTarget",
        properties=words("FileSystemId IpAddress IpAddressType Ipv6Address SecurityGroups SubnetId"),
        required=words("FileSystemId SecurityGroups SubnetId"),
        replacing=words("FileSystemId IpAddress IpAddressType Ipv6Address SubnetId"),
        attributes=words("Id IpAddress"),
        create=create_mount_target,
        update=update_mount_target,
        delete=delete_mount_target,
    ),
    ResourceType(
        "AWS::EFS::AccessPoint",
        properties=words("AccessPointTags ClientToken FileSystemId PosixUser RootDirectory"),
        required=words("FileSystemId"),
        replacing=words("FileSystemId ClientToken PosixUser RootDirectory"),
        attributes=words("AccessPointId Arn"),
        tag_property="AccessPointTags",
        create=create_access_point,
        update=update_access_point,
        delete=delete_access_point,
        retag=retag,
    ),
)
