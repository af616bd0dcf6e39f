"""Deletes resources that outlive their stack; one API call per resource type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from operator import attrgetter
from typing import Any

from ...aws.client import Aws
from ...core.errors import NotSupported
from .inventory import Resource

DeleteCall = Callable[[Aws, Resource], Awaitable[Any]]

_name, _arn = attrgetter("name"), attrgetter("arn")


def cluster_of(resource: Resource) -> str:
    """The cluster in the ARN of an ECS task or service."""
    return resource.arn.split("/")[1]


def _call(service: str, operation: str, /, **parameters: Callable[[Resource], Any]) -> DeleteCall:
    async def delete(aws: Aws, resource: Resource) -> None:
        await aws.call(service, operation, **{key: value(resource) for key, value in parameters.items()})

    return delete


async def _receipt_rule(aws: Aws, resource: Resource) -> None:
    """Deletes the rule from the rule set that is active at that moment."""
    active = (await aws.call("ses", "describe_active_receipt_rule_set"))["Metadata"]["Name"]
    await aws.call("ses", "delete_receipt_rule", RuleSetName=active, RuleName=resource.name)


DELETE_CALLS: Mapping[str, DeleteCall] = {
    "FIS experiment": _call("fis", "stop_experiment", id=_name),
    "AWS::FIS::ExperimentTemplate": _call("fis", "delete_experiment_template", id=_name),
    "ECS task": _call("ecs", "stop_task", cluster=cluster_of, task=_arn, reason=lambda _: "its test run is over"),
    "AWS::ECS::Service": _call("ecs", "delete_service", cluster=cluster_of, service=_arn, force=lambda _: True),
    "AWS::ECS::TaskDefinition": _call("ecs", "deregister_task_definition", taskDefinition=_arn),
    "AWS::ECS::Cluster": _call("ecs", "delete_cluster", cluster=_arn),
    "AWS::SES::ReceiptRule": _receipt_rule,
    "AWS::Lambda::Function": _call("lambda", "delete_function", FunctionName=_name),
    "AWS::SQS::Queue": _call("sqs", "delete_queue", QueueUrl=_name),
    "AWS::SNS::Topic": _call("sns", "delete_topic", TopicArn=_name),
    "AWS::DynamoDB::Table": _call("dynamodb", "delete_table", TableName=_name),
    "AWS::Logs::LogGroup": _call("logs", "delete_log_group", logGroupName=_name),
    "AWS::CloudWatch::Alarm": _call("cloudwatch", "delete_alarms", AlarmNames=lambda alarm: [alarm.name]),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _call("elbv2", "delete_load_balancer", LoadBalancerArn=_arn),
    "AWS::ElasticLoadBalancingV2::TargetGroup": _call("elbv2", "delete_target_group", TargetGroupArn=_arn),
    "AWS::EFS::AccessPoint": _call("efs", "delete_access_point", AccessPointId=_name),
    "AWS::EFS::FileSystem": _call("efs", "delete_file_system", FileSystemId=_name),
    "AWS::EC2::NetworkInterface": _call("ec2", "delete_network_interface", NetworkInterfaceId=_name),
    "AWS::EC2::SecurityGroup": _call("ec2", "delete_security_group", GroupId=_name),
    "AWS::EC2::Subnet": _call("ec2", "delete_subnet", SubnetId=_name),
    "AWS::EC2::RouteTable": _call("ec2", "delete_route_table", RouteTableId=_name),
    "AWS::EC2::InternetGateway": _call("ec2", "delete_internet_gateway", InternetGatewayId=_name),
    "AWS::EC2::VPC": _call("ec2", "delete_vpc", VpcId=_name),
}
"""Kind → call, in order of deletion: users before what they use. Buckets and roles are left to people: the contents of
a bucket and the users of a role cannot be judged from outside."""


async def delete(aws: Aws, resource: Resource) -> None:
    """Deletes the resource. Raises the call's errors, and `NotSupported` for kinds that are left to people."""
    call = DELETE_CALLS.get(resource.kind)
    if call is None:
        raise NotSupported(
            f"{resource} is not deleted automatically", next=f"look at it, and delete it by hand: {resource.arn}"
        )
    await call(aws, resource)


def order(resource: Resource) -> int:
    """Position in the order of deletion."""
    return list(DELETE_CALLS).index(resource.kind) if resource.kind in DELETE_CALLS else len(DELETE_CALLS)
