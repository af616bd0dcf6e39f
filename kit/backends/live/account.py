"""Access to the account, and checks of what it needs before a deployment; changes nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from ...aws.client import Access, Aws
from ...aws.errors import error_code
from ...core.clock import Clock
from ...core.errors import UsageError
from ...settings import Settings

_ECR = re.compile(
    r"^(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<name>[a-z0-9._/-]+?)"
    r"(@(?P<digest>sha256:[0-9a-f]{64})|:(?P<tag>[A-Za-z0-9._-]+))?$"
)


EcrImage = re.Match[str]
"""An image's name in parts: account, region, name, digest, tag."""


def clock_of(settings: Settings) -> Clock:
    """AWS's clock: wall time, unless the settings give the endpoint another origin or scale."""
    clock = settings.live.clock
    return Clock(clock.scale, clock.origin, allowance=clock.allowance)


def access_of(settings: Settings) -> Access:
    """Region, profile and role from the settings."""
    return Access(region=settings.region, profile=settings.aws_profile or None, role=settings.live.role or None)


def endpoint() -> str:
    """The endpoint that the environment sets in place of AWS; empty for AWS itself."""
    return os.environ.get("AWS_ENDPOINT_URL", "")


def ecr_image(image: str) -> EcrImage | None:
    """The parts of an image's name; None for an image of another registry."""
    return _ECR.match(image)


def image_id(found: EcrImage) -> dict[str, str]:
    """The image id for ECR's calls."""
    return {"imageDigest": found["digest"]} if found["digest"] else {"imageTag": found["tag"] or "latest"}


async def identity(aws: Aws) -> dict[str, Any]:
    """The caller: `Account`, `Arn`, `UserId`."""
    return await aws.call("sts", "get_caller_identity")


async def active_rule_set(aws: Aws) -> str:
    """The name of the account's active receipt rule set. Raises `UsageError` when it has none."""
    answer = await aws.call("ses", "describe_active_receipt_rule_set")
    name = answer.get("Metadata", {}).get("Name", "")
    if not name:
        raise UsageError(
            "the account has no active receipt rule set, so SES receives no mail",
            where=f"SES in {aws.access.region}",
            next="create and activate one, once and by hand (the kit never switches the active set): aws ses "
            "create-receipt-rule-set --rule-set-name inbound && aws ses set-active-receipt-rule-set "
            "--rule-set-name inbound; or leave live.mail_domain empty",
        )
    return str(name)


async def refuse_unverified(aws: Aws, domain: str) -> None:
    """Raises `UsageError` when SES has not verified the mail domain."""
    answer = await aws.call("ses", "get_identity_verification_attributes", Identities=[domain])
    status = answer["VerificationAttributes"].get(domain, {}).get("VerificationStatus", "absent")
    if status != "Success":
        raise UsageError(
            f"SES has not verified {domain}: its verification is {status}",
            where=f"SES in {aws.access.region}, setting live.mail_domain",
            next=f"verify it: aws ses verify-domain-identity --domain {domain}, and set its DNS records; "
            "or leave live.mail_domain empty",
        )


def refuse_local_images(images: Iterable[str]) -> None:
    """Raises `UsageError` for an image without a registry: it is local, and AWS cannot pull it."""
    for image in images:
        host, slash, _ = image.partition("/")
        if not slash or not ("." in host or ":" in host):
            raise UsageError(
                f"image {image!r} names no registry that AWS could pull it from",
                where="stack.parameters: HermesImage, EditImage",
                next='push it, for example to ECR, and name it: [stack.parameters] EditImage = "'
                '<account>.dkr.ecr.<region>.amazonaws.com/webordinary/edit:<tag>"',
            )


async def refuse_missing_images(aws: Aws, images: Iterable[str]) -> None:
    """Raises `UsageError` for a missing ECR image. Other registries are not checked."""
    for image in images:
        found = ecr_image(image)
        if found is None:
            continue
        try:
            await aws.call(
                "ecr",
                "describe_images",
                registryId=found["account"],
                repositoryName=found["name"],
                imageIds=[image_id(found)],
            )
        except ClientError as error:
            if error_code(error) not in ("ImageNotFoundException", "RepositoryNotFoundException"):
                raise
            raise UsageError(
                f"image {image!r} is not in ECR: {error.response['Error']['Message']}",
                where="stack.parameters: HermesImage, EditImage",
                next="push it: docker push " + image,
            ) from error
