"""AWS::S3. `bucket_settings` maps a bucket's settings to the API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .base import Job, ResourceType, deleting
from .bucket_settings import SETTINGS
from .documents import document

_AT_CREATION = "AccessControl BucketName ObjectLockEnabled"


async def create_bucket(job: Job) -> None:
    bucket, region = job.name(63, lower=True), job.ctx.region
    params: dict[str, Any] = {"Bucket": bucket}
    if region != "us-east-1":
        params["CreateBucketConfiguration"] = {"LocationConstraint": region}
    if "AccessControl" in job.properties:
        params["ACL"] = _canned(job.text("AccessControl"))
    if job.flag("ObjectLockEnabled"):
        params["ObjectLockEnabledForBucket"] = True
    if "OwnershipControls" in job.properties:  # in the creating call: an ACL is refused without it
        rules = SETTINGS["OwnershipControls"].params(job.get("OwnershipControls"))["OwnershipControls"]["Rules"]
        params["ObjectOwnership"] = rules[0]["ObjectOwnership"]
    settings = {name: setting.params(job.get(name)) for name, setting in SETTINGS.items() if name in job.properties}
    await job.call("s3", "CreateBucket", **params)
    job.created(
        bucket,
        Arn=f"arn:aws:s3:::{bucket}",
        DomainName=f"{bucket}.s3.amazonaws.com",
        DualStackDomainName=f"{bucket}.s3.dualstack.{region}.amazonaws.com",
        RegionalDomainName=f"{bucket}.s3.{region}.amazonaws.com",
        WebsiteURL=f"http://{bucket}.s3-website-{region}.amazonaws.com",
    )
    if _user_tags(job):
        await retag(job, {})
    for name, given in settings.items():
        if name != "OwnershipControls":
            await job.call("s3", SETTINGS[name].put, Bucket=bucket, **given)


async def update_bucket(job: Job) -> None:
    if job.changed("AccessControl"):
        canned = _canned(str(job.get("AccessControl", "Private")))
        await job.call("s3", "PutBucketAcl", Bucket=job.physical_id, ACL=canned)
    for name, setting in SETTINGS.items():
        if not job.changed(name):
            continue
        if name in job.properties:
            await job.call("s3", setting.put, Bucket=job.physical_id, **setting.params(job.get(name)))
        elif setting.delete:
            await job.call("s3", setting.delete, Bucket=job.physical_id)
        else:
            await job.call("s3", setting.put, Bucket=job.physical_id, **setting.params(setting.off))


async def retag(job: Job, before: Mapping[str, str]) -> None:
    await job.call("s3", "PutBucketTagging", Bucket=job.physical_id, Tagging={"TagSet": _user_tags(job)})


def _user_tags(job: Job) -> list[dict[str, str]]:
    """All but the `aws:` tags, which PutBucketTagging refuses."""
    return [{"Key": key, "Value": value} for key, value in job.tags.items() if not key.startswith("aws:")]


def _canned(access_control: str) -> str:
    """`PublicReadWrite` as the API writes it: `public-read-write`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", access_control).lower()


async def create_policy(job: Job) -> None:
    await update_policy(job)
    job.created(job.text("Bucket"))


async def update_policy(job: Job) -> None:
    policy = document(job.get("PolicyDocument"))
    await job.call("s3", "PutBucketPolicy", Bucket=job.text("Bucket"), Policy=policy)


TYPES = (
    ResourceType(
        "AWS::S3::Bucket",
        properties=f"{_AT_CREATION} {' '.join(SETTINGS)} Tags",
        create_only="BucketName ObjectLockEnabled",
        not_emulated=(
            "AbacStatus AccelerateConfiguration AnalyticsConfigurations BucketNamePrefix BucketNamespace "
            "IntelligentTieringConfigurations InventoryConfigurations MetadataConfiguration MetadataTableConfiguration "
            "MetricsConfigurations ReplicationConfiguration"
        ),
        attributes="Arn DomainName DualStackDomainName RegionalDomainName WebsiteURL",
        name_property="BucketName",
        create=create_bucket,
        update=update_bucket,
        delete=deleting("s3", "DeleteBucket", "Bucket"),
        retag=retag,
    ),
    ResourceType(
        "AWS::S3::BucketPolicy",
        properties="Bucket PolicyDocument",
        required="Bucket PolicyDocument",
        create_only="Bucket",
        create=create_policy,
        update=update_policy,
        delete=deleting("s3", "DeleteBucketPolicy", "Bucket"),
    ),
)
