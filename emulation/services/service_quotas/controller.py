"""Service Quotas: the quotas of a new account that concern the stack under test.

Values: the quota pages of each service; for Fargate's vCPUs and the network, the lower values of new accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...core.controller import Call, Context
from ...core.errors import AwsError
from ..controller_base import ServiceController


@dataclass(frozen=True)
class Quota:
    service: str
    code: str
    name: str
    value: float
    adjustable: bool = True


QUOTAS = (
    Quota("fargate", "L-3032A538", "Fargate On-Demand vCPU resource count", 6),
    Quota("fargate", "L-36FBB829", "Fargate Spot vCPU resource count", 6),
    Quota("vpc", "L-F678F1CE", "VPCs per Region", 5),
    Quota("vpc", "L-A4707A72", "Internet gateways per Region", 5),
    Quota("vpc", "L-E79EC296", "VPC security groups per Region", 2500),
    Quota("vpc", "L-0EA8095F", "Inbound or outbound rules per security group", 60),
    Quota("vpc", "L-DF5E4CA3", "Network interfaces per Region", 5000),
    Quota("elasticloadbalancing", "L-53DA6B97", "Application Load Balancers per Region", 50),
    Quota("elasticloadbalancing", "L-B22855CB", "Target Groups per Region", 3000),
    Quota("elasticfilesystem", "L-848C634D", "File systems per account", 1000),
    Quota("cloudformation", "L-0485CB21", "Stack count", 2000),
    Quota("ecs", "L-21C621EB", "Clusters per account", 10000),
    Quota("ecs", "L-9EF96962", "Services per cluster", 5000),
    Quota("dynamodb", "L-F98FE922", "Maximum number of tables", 2500),
    Quota("fis", "L-2B2CEAB4", "Experiment templates", 500, adjustable=False),
    Quota("iam", "L-FE177D64", "Roles per account", 1000),
)
_NAMES = {
    "fargate": "AWS Fargate",
    "vpc": "Amazon Virtual Private Cloud (Amazon VPC)",
    "elasticloadbalancing": "Elastic Load Balancing",
    "elasticfilesystem": "Amazon Elastic File System (EFS)",
    "cloudformation": "AWS CloudFormation",
    "ecs": "Amazon Elastic Container Service (Amazon ECS)",
    "dynamodb": "Amazon DynamoDB",
    "fis": "AWS Fault Injection Simulator",
    "iam": "AWS Identity and Access Management (IAM)",
}


class Quotas(ServiceController):
    """Answers quotas; nothing enforces them."""

    service = "service-quotas"

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def get_service_quota(self, call: Call) -> dict[str, Any]:
        wanted = call.params["ServiceCode"], call.params["QuotaCode"]
        for quota in QUOTAS:
            if (quota.service, quota.code) == wanted:
                return {"Quota": self._quota(quota)}
        raise AwsError(
            "NoSuchResourceException",
            f"The request failed because the specified service quota does not exist: {wanted[0]} {wanted[1]} "
            "(only quotas that concern the stack under test are emulated)",
        )

    async def list_service_quotas(self, call: Call) -> dict[str, Any]:
        service = call.params["ServiceCode"]
        if service not in _NAMES:
            raise AwsError(
                "NoSuchResourceException",
                f"The specified service {service} does not exist; there are {', '.join(_NAMES)}",
            )
        return {"Quotas": [self._quota(each) for each in QUOTAS if each.service == service]}

    get_aws_default_service_quota = get_service_quota
    list_aws_default_service_quotas = list_service_quotas

    async def list_services(self, call: Call) -> dict[str, Any]:
        return {"Services": [{"ServiceCode": code, "ServiceName": name} for code, name in _NAMES.items()]}

    def _quota(self, quota: Quota) -> dict[str, Any]:
        region, account = self._ctx.region, self._ctx.account
        return {
            "ServiceCode": quota.service,
            "ServiceName": _NAMES[quota.service],
            "QuotaArn": f"arn:aws:servicequotas:{region}:{account}:{quota.service}/{quota.code}",
            "QuotaCode": quota.code,
            "QuotaName": quota.name,
            "Value": quota.value,
            "Unit": "None",
            "Adjustable": quota.adjustable,
            "GlobalQuota": quota.service == "iam",
            "QuotaAppliedAtLevel": "ACCOUNT",
        }
