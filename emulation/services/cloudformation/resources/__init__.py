"""All resource types by name. A new one goes into the `TYPES` of its service's module."""

from __future__ import annotations

from collections.abc import Mapping

from . import (
    autoscaling,
    cloudwatch,
    dynamodb,
    ec2,
    ecs,
    efs,
    elbv2,
    iam,
    lambda_,
    logs,
    s3,
    secretsmanager,
    security_groups,
    ses,
    sns,
    sqs,
    ssm,
)
from .base import ResourceType

_MODULES = (
    autoscaling, cloudwatch, dynamodb, ec2, ecs, efs, elbv2, iam, lambda_, logs, s3, secretsmanager, security_groups,
    ses, sns, sqs, ssm,
)  # fmt: skip
TYPES: Mapping[str, ResourceType] = {each.name: each for module in _MODULES for each in module.TYPES}
