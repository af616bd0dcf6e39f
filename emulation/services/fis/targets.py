"""Which resources a target means when an experiment starts."""

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
"""Resource types, and the parameters that a target of them may have."""


async def resolve(ctx: Context, target: Mapping[str, Any]) -> list[str]:
    """The ARNs meant, of what is there; chosen at random where the selection mode takes some of them."""
    kind = target["resourceType"]
    found = await (_tasks(ctx, target) if kind == "aws:ecs:task" else _subnets(ctx, target))
    mode = target["selectionMode"]
    number = re.search(r"\d+", mode)
    if number is None:
        return found
    count = int(number[0])
    most = count if mode.startswith("COUNT") else math.floor(len(found) * count / 100)
    return sorted(ctx.ids.source.sample(found, min(most, len(found))))


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
    clusters = [parameters["cluster"]] if "cluster" in parameters else await _all(ctx, "ListClusters", "clusterArns")
    found = []
    for cluster in clusters:
        where = {"cluster": cluster, **({"serviceName": parameters["service"]} if "service" in parameters else {})}
        try:
            arns = await _all(ctx, "ListTasks", "taskArns", **where)
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


async def _all(ctx: Context, operation: str, key: str, **params: Any) -> list[str]:
    answer = await ctx.aws.call("ecs", operation, **params)
    return list(answer[key])


async def _subnets(ctx: Context, target: Mapping[str, Any]) -> list[str]:
    place = f"arn:aws:ec2:{ctx.region}:{ctx.account}:subnet/"
    described = (await ctx.aws.call("ec2", "DescribeSubnets"))["Subnets"]
    parameters, tags = target.get("parameters", {}), target.get("resourceTags", {})
    wanted = target.get("resourceArns")
    return [
        place + each["SubnetId"]
        for each in described
        if (place + each["SubnetId"] in wanted if wanted else True)
        and parameters.get("vpc", each["VpcId"]) == each["VpcId"]
        and parameters.get("availabilityZoneIdentifier", each["AvailabilityZone"])
        in (each["AvailabilityZone"], each.get("AvailabilityZoneId"))
        and tags.items() <= {tag["Key"]: tag.get("Value", "") for tag in each.get("Tags", ())}.items()
    ]
