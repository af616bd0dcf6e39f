"""AWS::S3. What a bucket's settings are called in the API is in `bucket_settings`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..summary import words
from .base import ResourceType, Work
from .bucket_settings import SETTINGS
from .documents import document

_AT_CREATION = "AccessControl BucketName ObjectLockEnabled"


async def create_bucket(work: Work) -> None:
    bucket, region = work.name(63, lower=True), work.ctx.region
    params: dict[str, Any] = {"Bucket": bucket}
    if region != "us-east-1":
        params["CreateBucketConfiguration"] = {"LocationConstraint": region}
    if "AccessControl" in work.properties:
        params["ACL"] = _canned(work.text("AccessControl"))
    if work.flag("ObjectLockEnabled"):
        params["ObjectLockEnabledForBucket"] = True
    if "OwnershipControls" in work.properties:  # at once: an ACL is refused without it
        rules = SETTINGS["OwnershipControls"].params(work.get("OwnershipControls"))["OwnershipControls"]["Rules"]
        params["ObjectOwnership"] = rules[0]["ObjectOwnership"]
    settings = {name: setting.params(work.get(name)) for name, setting in SETTINGS.items() if name in work.properties}
    await work.call("s3", "CreateBucket", **params)
    work.made(
        bucket,
        Arn=f"arn:aws:s3:::{bucket}",
        DomainName=f"{bucket}.s3.amazonaws.com",
        DualStackDomainName=f"{bucket}.s3.dualstack.{region}.amazonaws.com",
        RegionalDomainName=f"{bucket}.s3.{region}.amazonaws.com",
        WebsiteURL=f"http://{bucket}.s3-website-{region}.amazonaws.com",
    )
    if _user_tags(work):
        await retag(work, {})
    for name, given in settings.items():
        if name != "OwnershipControls":
            await work.call("s3", SETTINGS[name].put, Bucket=bucket, **given)


async def update_bucket(work: Work) -> None:
    if work.changed("AccessControl"):
        canned = _canned(str(work.get("AccessControl", "Private")))
        await work.call("s3", "PutBucketAcl", Bucket=work.physical_id, ACL=canned)
    for name, setting in SETTINGS.items():
        if not work.changed(name):
            continue
        if name in work.properties:
            await work.call("s3", setting.put, Bucket=work.physical_id, **setting.params(work.get(name)))
        elif setting.delete:
            await work.call("s3", setting.delete, Bucket=work.physical_id)
        else:
            await work.call("s3", setting.put, Bucket=work.physical_id, **setting.params(setting.off))


async def delete_bucket(work: Work) -> None:
    await work.call("s3", "DeleteBucket", Bucket=work.physical_id)


async def retag(work: Work, before: Mapping[str, str]) -> None:
    await work.call("s3", "PutBucketTagging", Bucket=work.physical_id, Tagging={"TagSet": _user_tags(work)})


def _user_tags(work: Work) -> list[dict[str, str]]:
    """All but the system tags: PutBucketTagging, being of the user's, does not take them."""
    return [{"Key": key, "Value": value} for key, value in work.tags.items() if not key.startswith("aws:")]


def _canned(access_control: str) -> str:
    """`PublicReadWrite` as the API writes it: `public-read-write`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", access_control).lower()


async def create_policy(work: Work) -> None:
    await update_policy(work)
    work.made(work.text("Bucket"))


async def update_policy(work: Work) -> None:
    policy = document(work.get("PolicyDocument"))
    await work.call("s3", "PutBucketPolicy", Bucket=work.text("Bucket"), Policy=policy)


async def delete_policy(work: Work) -> None:
    await work.call("s3", "DeleteBucketPolicy", Bucket=work.text("Bucket"))


TYPES = (
    ResourceType(
        "AWS::S3::Bucket",
        properties=words(f"{_AT_CREATION} {' '.join(SETTINGS)} Tags"),
        replacing=words("BucketName ObjectLockEnabled"),
        not_emulated=words(
            "AbacStatus AccelerateConfiguration AnalyticsConfigurations BucketNamePrefix BucketNamespace "
            "IntelligentTieringConfigurations InventoryConfigurations MetadataConfiguration MetadataTableConfiguration "
            "MetricsConfigurations ReplicationConfiguration"
        ),
        attributes=words("Arn DomainName DualStackDomainName RegionalDomainName WebsiteURL"),
        named="BucketName",
        create=create_bucket,
        update=update_bucket,
        delete=delete_bucket,
        retag=retag,
    ),
    ResourceType(
        "AWS::S3::BucketPolicy",
        properties=words("Bucket PolicyDocument"),
        required=words("Bucket PolicyDocument"),
        replacing=words("Bucket"),
        create=create_policy,
        update=update_policy,
        delete=delete_policy,
    ),
)
