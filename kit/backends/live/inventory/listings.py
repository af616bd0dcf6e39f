"""Lists every kind of resource that a run can leave behind; one row per API call."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ....aws.errors import error_code
from .resource import AwsAccount, Resource, last

Reader = Callable[[AwsAccount], Awaitable[Sequence[Resource]]]
"""Lists all resources of a kind, whoever owns them. Changes nothing. Raises the errors of its calls."""
Item = Any
"""One element of an API answer: a name, an ARN or a mapping."""

_EXPERIMENT_ENDED = ("completed", "stopped", "failed", "cancelled")


@dataclass(frozen=True)
class Listing:
    """One kind or service."""

    what: str
    """For messages: `log groups`."""
    arn_types: tuple[str, ...]
    """ARN types (`type_of`) that the listing covers completely."""
    read: Reader


def _pages(
    types: str,
    service: str,
    operation: str,
    key: str,
    resource: Callable[[AwsAccount, Item], Resource | None],
    **params: Any,
) -> Listing:
    """A paginated operation, by the ARN types it covers; `resource` returns None for items to ignore."""

    async def read(account: AwsAccount) -> list[Resource]:
        items = await account.aws.pages(service, operation, key, **params)
        return [found for item in items if (found := resource(account, item)) is not None]

    return Listing(operation.partition("_")[2].replace("_", " "), tuple(types.split()), read)


def _fields(kind: str, name: str, arn: str = "", inside: str = "") -> Callable[[AwsAccount, Item], Resource]:
    """Takes name, ARN and container from these fields of an item; no ARN where `arn` is empty."""
    return lambda _, item: Resource(
        f"AWS::{kind}", item[name], item[arn] if arn else "", frozenset({item[inside]} if inside else ())
    )


def _composed(kind: str, name: str, service: str, prefix: str) -> Callable[[AwsAccount, Item], Resource]:
    """Takes the name from this field of an item and composes the ARN; the item itself where `name` is empty."""

    def read(account: AwsAccount, item: Item) -> Resource:
        value = item[name] if name else item
        return Resource(f"AWS::{kind}", value, account.arn(service, prefix + value))

    return read


def _stack(_: AwsAccount, item: Item) -> Resource | None:
    """ListStacks keeps deleted stacks for 90 days."""
    if item["StackStatus"] == "DELETE_COMPLETE":
        return None
    return Resource("AWS::CloudFormation::Stack", item["StackName"], item["StackId"])


def _experiment(account: AwsAccount, item: Item) -> Resource | None:
    """Experiments stay listed after their end."""
    if item["state"]["status"] in _EXPERIMENT_ENDED:
        return None
    arn = account.arn("fis", f"experiment/{item['id']}")
    return Resource("FIS experiment", item["id"], arn, frozenset({item["experimentTemplateId"]}))


def _definition(_: AwsAccount, arn: Item) -> Resource:
    family = arn.rpartition(":")[0]
    return Resource("AWS::ECS::TaskDefinition", last(family), arn, frozenset({family}))


def _queue(account: AwsAccount, url: Item) -> Resource:
    return Resource("AWS::SQS::Queue", url, account.arn("sqs", last(url)))


def _scalable_target(_: AwsAccount, item: Item) -> Resource:
    id = item["ResourceId"]
    kind = "AWS::ApplicationAutoScaling::ScalableTarget"
    return Resource(kind, id, item.get("ScalableTargetARN", ""), frozenset(id.split("/")[1:]))


def _ec2(kind: str, id: str) -> Callable[[AwsAccount, Item], Resource]:
    """`NetworkAcl` has ARNs `network-acl/…`; an interface is inside its VPC and its security groups."""
    type = kind.lower() if kind.isupper() else re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower()

    def read(account: AwsAccount, item: Item) -> Resource:
        groups = {group["GroupId"] for group in item.get("Groups", ())}
        inside = frozenset({item.get("VpcId", ""), *groups} - {item[id], ""})
        return Resource(f"AWS::EC2::{kind}", item[id], account.arn("ec2", f"{type}/{item[id]}"), inside)

    return read


async def _clusters(account: AwsAccount) -> list[Resource]:
    """Clusters with their services and running tasks. A cluster that is deleted meanwhile has none.

    Reads all clusters of the account: a tagged service or task that is not listed here counts as gone.
    """
    found: list[Resource] = []
    for cluster in await account.aws.pages("ecs", "list_clusters", "clusterArns"):
        try:
            services = await account.aws.pages("ecs", "list_services", "serviceArns", cluster=cluster)
            tasks = await account.aws.pages("ecs", "list_tasks", "taskArns", cluster=cluster)
        except ClientError as error:
            if error_code(error) != "ClusterNotFoundException":
                raise
            continue
        inside = frozenset({cluster, last(cluster)})
        found.append(Resource("AWS::ECS::Cluster", last(cluster), cluster))
        found += [Resource("AWS::ECS::Service", last(arn), arn, inside) for arn in services]
        found += [Resource("ECS task", arn, arn, inside) for arn in tasks]
    return found


async def _receipt_rules(account: AwsAccount) -> list[Resource]:
    """Rules of the active rule set. They carry no tags; their targets identify the owner."""
    answer = await account.aws.call("ses", "describe_active_receipt_rule_set")
    return [
        Resource("AWS::SES::ReceiptRule", rule["Name"], inside=frozenset(_targets(rule)))
        for rule in answer.get("Rules", ())
    ]


def _targets(rule: Item) -> Iterable[str]:
    for action in rule.get("Actions", ()):
        for settings in action.values():
            yield from (str(settings[name]) for name in ("TopicArn", "FunctionArn", "BucketName") if name in settings)


async def _buckets(account: AwsAccount) -> list[Resource]:
    buckets = (await account.aws.call("s3", "list_buckets")).get("Buckets", ())
    return [
        Resource("AWS::S3::Bucket", each["Name"], f"arn:{account.partition}:s3:::{each['Name']}") for each in buckets
    ]


LISTINGS: Sequence[Listing] = (
    # DescribeStacks without a name needs permission to describe every stack of the account; ListStacks does not.
    _pages("cloudformation:stack", "cloudformation", "list_stacks", "StackSummaries", _stack),
    Listing("clusters", ("ecs:cluster", "ecs:service", "ecs:task"), _clusters),
    # Deregistered definitions run nothing, cost nothing and stay listed for ever.
    _pages("ecs:task-definition", "ecs", "list_task_definitions", "taskDefinitionArns", _definition, status="ACTIVE"),
    _pages(
        "application-autoscaling:scalable-target",
        "application-autoscaling",
        "describe_scalable_targets",
        "ScalableTargets",
        _scalable_target,
        ServiceNamespace="ecs",
    ),
    _pages(
        "cloudwatch:alarm",
        "cloudwatch",
        "describe_alarms",
        "MetricAlarms",
        _fields("CloudWatch::Alarm", "AlarmName", "AlarmArn"),
    ),
    # Dashboards carry no tags, and their ARNs have no region.
    _pages("", "cloudwatch", "list_dashboards", "DashboardEntries", _fields("CloudWatch::Dashboard", "DashboardName")),
    _pages(
        "lambda:function",
        "lambda",
        "list_functions",
        "Functions",
        _fields("Lambda::Function", "FunctionName", "FunctionArn"),
    ),
    _pages(
        "logs:log-group",
        "logs",
        "describe_log_groups",
        "logGroups",
        _composed("Logs::LogGroup", "logGroupName", "logs", "log-group:"),
    ),
    _pages("ec2:vpc", "ec2", "describe_vpcs", "Vpcs", _ec2("VPC", "VpcId")),
    _pages("ec2:subnet", "ec2", "describe_subnets", "Subnets", _ec2("Subnet", "SubnetId")),
    _pages("ec2:security-group", "ec2", "describe_security_groups", "SecurityGroups", _ec2("SecurityGroup", "GroupId")),
    _pages("ec2:network-acl", "ec2", "describe_network_acls", "NetworkAcls", _ec2("NetworkAcl", "NetworkAclId")),
    _pages(
        "ec2:internet-gateway",
        "ec2",
        "describe_internet_gateways",
        "InternetGateways",
        _ec2("InternetGateway", "InternetGatewayId"),
    ),
    _pages("ec2:route-table", "ec2", "describe_route_tables", "RouteTables", _ec2("RouteTable", "RouteTableId")),
    _pages(
        "ec2:network-interface",
        "ec2",
        "describe_network_interfaces",
        "NetworkInterfaces",
        _ec2("NetworkInterface", "NetworkInterfaceId"),
    ),
    _pages(
        " ".join(f"elasticloadbalancing:{each}" for each in ("loadbalancer", "listener", "listener-rule")),
        "elbv2",
        "describe_load_balancers",
        "LoadBalancers",
        _fields("ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerName", "LoadBalancerArn"),
    ),
    _pages(
        "elasticloadbalancing:targetgroup",
        "elbv2",
        "describe_target_groups",
        "TargetGroups",
        _fields("ElasticLoadBalancingV2::TargetGroup", "TargetGroupName", "TargetGroupArn"),
    ),
    _pages(
        "elasticfilesystem:file-system",
        "efs",
        "describe_file_systems",
        "FileSystems",
        _composed("EFS::FileSystem", "FileSystemId", "elasticfilesystem", "file-system/"),
    ),
    _pages(
        "elasticfilesystem:access-point",
        "efs",
        "describe_access_points",
        "AccessPoints",
        _fields("EFS::AccessPoint", "AccessPointId", "AccessPointArn", inside="FileSystemId"),
    ),
    _pages(
        "dynamodb:table",
        "dynamodb",
        "list_tables",
        "TableNames",
        _composed("DynamoDB::Table", "", "dynamodb", "table/"),
    ),
    Listing("buckets", ("s3:",), _buckets),
    _pages("sqs:", "sqs", "list_queues", "QueueUrls", _queue),
    _pages("sns:", "sns", "list_topics", "Topics", _fields("SNS::Topic", "TopicArn", "TopicArn")),
    Listing("receipt rules", (), _receipt_rules),
    # The Tagging API does not list roles: CloudFormation names them after stack and logical id.
    _pages("iam:role", "iam", "list_roles", "Roles", _fields("IAM::Role", "RoleName", "Arn")),
    _pages(
        "fis:experiment-template",
        "fis",
        "list_experiment_templates",
        "experimentTemplates",
        _composed("FIS::ExperimentTemplate", "id", "fis", "experiment-template/"),
    ),
    _pages("fis:experiment", "fis", "list_experiments", "experiments", _experiment),
)
