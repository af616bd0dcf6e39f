"""ECS: clusters, services, tasks, task definitions that can be run; and what scales services."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from botocore.exceptions import ClientError

from .resource import Ground, Thing, last


async def clusters(ground: Ground) -> Sequence[Thing]:
    """With their services, and the tasks that are to run: of all clusters, for what the Tagging API names and this does
    not list counts as gone. A cluster that is deleted meanwhile has neither."""
    found: list[Thing] = []
    arns = await ground.aws.pages("ecs", "list_clusters", "clusterArns")
    for cluster in arns:
        try:
            services, tasks = await asyncio.gather(
                ground.aws.pages("ecs", "list_services", "serviceArns", cluster=cluster),
                ground.aws.pages("ecs", "list_tasks", "taskArns", cluster=cluster),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ClusterNotFoundException":
                raise
            continue
        found.append(Thing("AWS::ECS::Cluster", last(cluster), cluster))
        inside = frozenset({cluster, last(cluster)})
        found += [Thing("AWS::ECS::Service", last(arn), arn, inside) for arn in services]
        found += [Thing("ECS task", arn, arn, inside) for arn in tasks]
    return found


async def task_definitions(ground: Ground) -> Sequence[Thing]:
    """Those that are active: a deregistered one runs nothing, costs nothing and stays listed for ever."""
    arns = await ground.aws.pages("ecs", "list_task_definitions", "taskDefinitionArns", status="ACTIVE")
    return [
        Thing("AWS::ECS::TaskDefinition", last(arn.rpartition(":")[0]), arn, frozenset({arn.rpartition(":")[0]}))
        for arn in arns
    ]


async def scalable_targets(ground: Ground) -> Sequence[Thing]:
    found = await ground.aws.pages(
        "application-autoscaling", "describe_scalable_targets", "ScalableTargets", ServiceNamespace="ecs"
    )
    return [
        Thing(
            "AWS::ApplicationAutoScaling::ScalableTarget",
            each["ResourceId"],
            each.get("ScalableTargetARN", ""),
            frozenset(each["ResourceId"].split("/")[1:]),
        )
        for each in found
    ]
