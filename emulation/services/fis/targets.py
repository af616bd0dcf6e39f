"""Resolves the targets of an experiment to resources."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from ...core.controller import Context
from ...core.errors import AwsError

TYPES: Mapping[str, frozenset[str]] = {
    "aws:ecs:task": frozenset({"cluster", "service"}),
    "aws:ec2:subnet": frozenset({"availabilityZoneIdentifier", "vpc"}),
}
"""The parameters of a target, by resource type."""


async def resolve(ctx: Context, target: Mapping[str, Any]) -> list[str]:
    """The ARNs of the resources selected; a random sample for the selection modes COUNT and PERCENT."""
    kind = target["resourceType"]
    arns = await (_tasks(ctx, target) if kind == "aws:ecs:task" else _subnets(ctx, target))
    mode = target["selectionMode"]
    number = re.search(r"\d+", mode)
    if number is None:
        return arns
    count = int(number[0])
    most = count if mode.startswith("COUNT") else math.floor(len(arns) * count / 100)
    return sorted(ctx.ids.chance("fis targets").sample(arns, min(most, len(arns))))


async def _tasks(ctx: Context, target: Mapping[str, Any]) -> list[str]:
    if arns := target.get("resourceArns"):
        found = []
        for arn in arns:
            cluster = arn.split(":", 5)[5].split("/")[1]
            try:
                answer = await ctx.aws.call("ecs", "DescribeTasks", cluster=cluster, tasks=[arn])
            except AwsError:  # no such cluster, no such task
                continue
            found += [each["taskArn"] for each in answer["tasks"] if each["lastStatus"] == "RUNNING"]
        return found
    parameters, tags = target.get("parameters", {}), target.get("resourceTags", {})
    if "cluster" in parameters:
        clusters = [parameters["cluster"]]
    else:
        clusters = (await ctx.aws.call("ecs", "ListClusters"))["clusterArns"]
    found = []
    for cluster in clusters:
        where = {"cluster": cluster, **({"serviceName": parameters["service"]} if "service" in parameters else {})}
        try:
            arns = (await ctx.aws.call("ecs", "ListTasks", **where))["taskArns"]
        except AwsError:
            continue
        if not arns:
            continue
        answer = await ctx.aws.call("ecs", "DescribeTasks", cluster=cluster, tasks=arns, include=["TAGS"])
        found += [
            each["taskArn"]
            for each in answer["tasks"]
            if each["lastStatus"] == "RUNNING"
            and tags.items() <= {tag["key"]: tag["value"] for tag in each.get("tags", ())}.items()
        ]
    return found


async def _subnets(ctx: Context, target: Mapping[str, Any]) -> list[str]:
    prefix = f"arn:aws:ec2:{ctx.region}:{ctx.account}:subnet/"
    described = (await ctx.aws.call("ec2", "DescribeSubnets"))["Subnets"]
    parameters, tags = target.get("parameters", {}), target.get("resourceTags", {})
    wanted = target.get("resourceArns")
    return [
        prefix + each["SubnetId"]
        for each in described
        if (prefix + each["SubnetId"] in wanted if wanted else True)
        and parameters.get("vpc", each["VpcId"]) == each["VpcId"]
        and parameters.get("availabilityZoneIdentifier", each["AvailabilityZone"])
        in (each["AvailabilityZone"], each.get("AvailabilityZoneId"))
        and tags.items() <= {tag["Key"]: tag.get("Value", "") for tag in each.get("Tags", ())}.items()
    ]
