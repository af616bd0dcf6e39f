"""Validates the subnets, security groups and target groups of a service or task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....core.controller import Aws
from ....core.errors import AwsError
from ..errors import invalid, not_emulated
from ..task_definition import TaskDefinition

_MOST_SUBNETS = 16
_MOST_GROUPS = 5


async def check_network(
    aws: Aws, definition: TaskDefinition, network: Mapping[str, Any] | None
) -> tuple[tuple[str, str], ...]:
    """(subnet, zone) of each subnet; none unless the network mode is awsvpc. Raises InvalidParameterException."""
    configuration = (network or {}).get("awsvpcConfiguration")
    if definition.network_mode != "awsvpc":
        if configuration:
            raise invalid("Network Configuration is not valid for the given networkMode of this task definition.")
        return ()
    if not configuration:
        raise invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    subnets, groups = configuration["subnets"], configuration.get("securityGroups", [])
    if not subnets:
        raise invalid("subnets can not be empty.")
    if len(subnets) > _MOST_SUBNETS:
        raise invalid(f"subnets can have at most {_MOST_SUBNETS} items.")
    if len(groups) > _MOST_GROUPS:
        raise invalid(f"securityGroups can have at most {_MOST_GROUPS} items.")
    if configuration.get("assignPublicIp", "DISABLED") not in ("ENABLED", "DISABLED"):
        raise invalid("assignPublicIp must be ENABLED or DISABLED.")
    found = (await _described(aws, "subnet", "DescribeSubnets", SubnetIds=list(subnets)))["Subnets"]
    if groups:
        await _described(aws, "security group", "DescribeSecurityGroups", GroupIds=list(groups))
    zones = {each["SubnetId"]: each["AvailabilityZone"] for each in found}
    return tuple((subnet, zones[subnet]) for subnet in subnets)


async def _described(aws: Aws, what: str, operation: str, **ids: list[str]) -> dict[str, Any]:
    try:
        return await aws.call("ec2", operation, **ids)
    except AwsError as error:
        names = ", ".join(next(iter(ids.values())))
        raise invalid(
            f"Error retrieving {what} information for [{names}]: {error.message} (ErrorCode: {error.code})"
        ) from error


async def check_load_balancers(
    aws: Aws, definition: TaskDefinition, load_balancers: Sequence[Mapping[str, Any]]
) -> None:
    """Raises InvalidParameterException."""
    for each in load_balancers:
        if each.get("loadBalancerName"):
            raise invalid("Classic Load Balancers are not supported with Fargate.")
        if each.get("advancedConfiguration"):
            raise not_emulated("advancedConfiguration of loadBalancers")
        arn, name, port = each.get("targetGroupArn"), each.get("containerName"), each.get("containerPort")
        if not arn:
            raise invalid("targetGroupArn cannot be empty.")
        if not name or port is None:
            raise invalid("containerName and containerPort must be specified for a load balancer.")
        container = definition.container(name)
        if container is None:
            raise invalid(f"The container {name} does not exist in the task definition.")
        if port not in container.ports:
            raise invalid(f"The container {name} did not have a container port {port} defined.")
        await _check_target_group(aws, definition, arn)


async def _check_target_group(aws: Aws, definition: TaskDefinition, arn: str) -> None:
    try:
        answer = await aws.call("elbv2", "DescribeTargetGroups", TargetGroupArns=[arn])
    except AwsError as error:
        raise invalid(f"Unable to find the target group with targetGroupArn {arn}: {error.message}") from error
    group = answer["TargetGroups"][0]
    if not group.get("LoadBalancerArns"):
        raise invalid(f"The target group with targetGroupArn {arn} does not have an associated load balancer.")
    needed = "ip" if definition.network_mode == "awsvpc" else "instance"
    if group.get("TargetType", "instance") != needed:
        raise invalid(
            f"The provided target group {arn} has target type {group.get('TargetType', 'instance')}, which is "
            f"incompatible with the {definition.network_mode} network mode specified in the task definition."
        )
