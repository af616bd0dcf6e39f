"""Every resource type there is, by name. A new one goes into the `TYPES` of the module of its service."""

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

TYPES: Mapping[str, ResourceType] = {
    each.name: each
    for module in (
        autoscaling,
        cloudwatch,
        dynamodb,
        ec2,
        ecs,
        efs,
        elbv2,
        iam,
        logs,
        s3,
        secretsmanager,
        security_groups,
        ses,
        sns,
        sqs,
        ssm,
    )
    for each in module.TYPES
}
