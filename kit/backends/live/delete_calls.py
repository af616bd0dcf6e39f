"""How what a stack did not take along is removed by itself: retained on purpose, renamed, or made beside the stack."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ...aws.client import Aws
from ...core.errors import NotSupported
from .inventory import Thing

Removal = Callable[[Aws, Thing], Awaitable[Any]]


def _call(service: str, operation: str, parameter: str, **fixed: Any) -> Removal:
    async def remove(aws: Aws, thing: Thing) -> None:
        await aws.call(service, operation, **{parameter: thing.name}, **fixed)

    return remove


def _by_arn(service: str, operation: str, parameter: str) -> Removal:
    async def remove(aws: Aws, thing: Thing) -> None:
        await aws.call(service, operation, **{parameter: thing.arn})

    return remove


async def _alarm(aws: Aws, thing: Thing) -> None:
    await aws.call("cloudwatch", "delete_alarms", AlarmNames=[thing.name])


async def _receipt_rule(aws: Aws, thing: Thing) -> None:
    """From the active set, whose name is asked for at that moment."""
    active = (await aws.call("ses", "describe_active_receipt_rule_set"))["Metadata"]["Name"]
    await aws.call("ses", "delete_receipt_rule", RuleSetName=active, RuleName=thing.name)


async def _service(aws: Aws, thing: Thing) -> None:
    cluster = thing.arn.split("/")[1]
    await aws.call("ecs", "delete_service", cluster=cluster, service=thing.arn, force=True)


async def _task(aws: Aws, thing: Thing) -> None:
    cluster = thing.arn.split("/")[1]
    await aws.call("ecs", "stop_task", cluster=cluster, task=thing.arn, reason="its test run is over")


async def _experiment(aws: Aws, thing: Thing) -> None:
    await aws.call("fis", "stop_experiment", id=thing.name)


REMOVALS: Mapping[str, Removal] = {
    "FIS experiment": _experiment,
    "AWS::FIS::ExperimentTemplate": _call("fis", "delete_experiment_template", "id"),
    "ECS task": _task,
    "AWS::ECS::Service": _service,
    "AWS::ECS::TaskDefinition": _by_arn("ecs", "deregister_task_definition", "taskDefinition"),
    "AWS::ECS::Cluster": _by_arn("ecs", "delete_cluster", "cluster"),
    "AWS::SES::ReceiptRule": _receipt_rule,
    "AWS::SQS::Queue": _call("sqs", "delete_queue", "QueueUrl"),
    "AWS::SNS::Topic": _call("sns", "delete_topic", "TopicArn"),
    "AWS::DynamoDB::Table": _call("dynamodb", "delete_table", "TableName"),
    "AWS::Logs::LogGroup": _call("logs", "delete_log_group", "logGroupName"),
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _by_arn("elbv2", "delete_load_balancer", "LoadBalancerArn"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": _by_arn("elbv2", "delete_target_group", "TargetGroupArn"),
    "AWS::EFS::AccessPoint": _call("efs", "delete_access_point", "AccessPointId"),
    "AWS::EFS::FileSystem": _call("efs", "delete_file_system", "FileSystemId"),
    "AWS::EC2::NetworkInterface": _call("ec2", "delete_network_interface", "NetworkInterfaceId"),
    "AWS::EC2::SecurityGroup": _call("ec2", "delete_security_group", "GroupId"),
    "AWS::EC2::Subnet": _call("ec2", "delete_subnet", "SubnetId"),
    "AWS::EC2::RouteTable": _call("ec2", "delete_route_table", "RouteTableId"),
    "AWS::EC2::InternetGateway": _call("ec2", "delete_internet_gateway", "InternetGatewayId"),
    "AWS::EC2::VPC": _call("ec2", "delete_vpc", "VpcId"),
}
"""Kind → its removal, in the order of removal: what uses others first. Buckets and roles are left to people: what is in
a bucket, and who uses a role, nobody can tell from outside."""


async def remove(aws: Aws, thing: Thing) -> None:
    """Remove it. Raises what the call meets, and `NotSupported` for a kind that is left to people."""
    removal = REMOVALS.get(thing.kind)
    if removal is None:
        raise NotSupported(f"{thing} is not removed by itself", next=f"look at it, and remove it by hand: {thing.arn}")
    await removal(aws, thing)


def order(thing: Thing) -> int:
    """Its place in the order of removal."""
    return list(REMOVALS).index(thing.kind) if thing.kind in REMOVALS else len(REMOVALS)
