"""Reads an account with plain boto3 calls and runs the kit's commands against it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from webordinary_testkit.kit.backends.emulated.rehearsal import (
    FOREIGN_CLUSTER,
    FOREIGN_QUEUE,
    FOREIGN_SERVICE,
    FOREIGN_STACK,
    RULE_SET,
    Account,
)

_VOLATILE = frozenset({"ResponseMetadata", "events", "LastUpdatedTimestamp", "deployments"})


@dataclass(frozen=True)
class Said:
    """The result of a command."""

    code: int
    text: str


async def kit(*words: str, report_dir: Path, environ: Mapping[str, str] | None = None) -> Said:
    """Runs `kit` to its end, as a user does."""
    process = await started(*words, report_dir=report_dir, environ=environ)
    output, _ = await process.communicate()
    assert process.returncode is not None
    return Said(process.returncode, output.decode())


async def started(
    *words: str, report_dir: Path, environ: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    """Starts `kit` with its output and errors in one stream."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "webordinary_testkit.kit", *words, "--set", f"report_dir={report_dir}"),
        env={**os.environ, **(environ or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


def inject(account: Account, **fault: Any) -> Callable[[], None]:
    """Inject a fault into the stand-in, for every caller. Returns what undoes it."""
    admin = account.ready.admin
    status, answer = admin.request("faults", method="POST", body={"callers": "everyone", **fault})
    assert status == 201, answer

    def end() -> None:
        admin.request(f"faults/{answer['id']}", method="DELETE")

    return end


def calls(account: Account) -> list[dict[str, Any]]:
    """Every call that was made to the stand-in."""
    made: list[dict[str, Any]] = account.ready.admin.get("calls?since=0")
    return made


def stacks() -> list[str]:
    """Names of the stacks except the foreign one."""
    found = boto3.client("cloudformation").describe_stacks()["Stacks"]
    return [stack["StackName"] for stack in found if stack["StackName"] != FOREIGN_STACK]


def foreign() -> dict[str, Any]:
    """All foreign resources, in full."""
    cloudformation, ecs, sqs, ses = map(boto3.client, ("cloudformation", "ecs", "sqs", "ses"))
    queue = sqs.get_queue_url(QueueName=FOREIGN_QUEUE)["QueueUrl"]
    resources = {
        "stack": cloudformation.describe_stacks(StackName=FOREIGN_STACK),
        "its resources": cloudformation.describe_stack_resources(StackName=FOREIGN_STACK),
        "its template": cloudformation.get_template(StackName=FOREIGN_STACK),
        "cluster": ecs.describe_clusters(clusters=[FOREIGN_CLUSTER], include=["TAGS", "SETTINGS"]),
        "service": ecs.describe_services(cluster=FOREIGN_CLUSTER, services=[FOREIGN_SERVICE]),
        "queue": sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"]),
        "active rule set": ses.describe_active_receipt_rule_set(),
        "rule sets": ses.list_receipt_rule_sets(),
        "rule set": ses.describe_receipt_rule_set(RuleSetName=RULE_SET),
    }
    return {name: _steady(value) for name, value in resources.items()}


def everything() -> dict[str, Any]:
    """The names of all resources in the account, of every kind that a stack or a run can create."""
    return {
        f"{service} {key}": sorted(_named(each) for each in _all(service, operation, key, **params))
        for service, operation, key, params in _LISTINGS
    } | {"rules": [each["Name"] for each in boto3.client("ses").describe_active_receipt_rule_set().get("Rules", ())]}


_LISTINGS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("cloudformation", "describe_stacks", "Stacks", {}),
    ("sqs", "list_queues", "QueueUrls", {}),
    ("sns", "list_topics", "Topics", {}),
    ("sns", "list_subscriptions", "Subscriptions", {}),
    ("dynamodb", "list_tables", "TableNames", {}),
    ("logs", "describe_log_groups", "logGroups", {}),
    ("cloudwatch", "describe_alarms", "MetricAlarms", {}),
    ("cloudwatch", "list_dashboards", "DashboardEntries", {}),
    ("ecs", "list_clusters", "clusterArns", {}),
    ("ecs", "list_task_definitions", "taskDefinitionArns", {"status": "ACTIVE"}),
    ("elbv2", "describe_load_balancers", "LoadBalancers", {}),
    ("elbv2", "describe_target_groups", "TargetGroups", {}),
    ("efs", "describe_file_systems", "FileSystems", {}),
    ("efs", "describe_access_points", "AccessPoints", {}),
    ("ec2", "describe_vpcs", "Vpcs", {}),
    ("ec2", "describe_subnets", "Subnets", {}),
    ("ec2", "describe_security_groups", "SecurityGroups", {}),
    ("ec2", "describe_internet_gateways", "InternetGateways", {}),
    ("ec2", "describe_route_tables", "RouteTables", {}),
    ("ec2", "describe_network_acls", "NetworkAcls", {}),
    ("ec2", "describe_network_interfaces", "NetworkInterfaces", {}),
    ("iam", "list_roles", "Roles", {}),
    ("application-autoscaling", "describe_scalable_targets", "ScalableTargets", {"ServiceNamespace": "ecs"}),
    ("application-autoscaling", "describe_scaling_policies", "ScalingPolicies", {"ServiceNamespace": "ecs"}),
    ("fis", "list_experiment_templates", "experimentTemplates", {}),
    ("s3", "list_buckets", "Buckets", {}),
    ("ses", "list_identities", "Identities", {}),
    ("ses", "list_receipt_rule_sets", "RuleSets", {}),
)
_NAMES = (
    *("StackName", "TopicArn", "SubscriptionArn", "logGroupName", "AlarmName", "DashboardName", "LoadBalancerName"),
    *("TargetGroupName", "AccessPointId", "FileSystemId", "SubnetId", "GroupId", "InternetGatewayId", "RouteTableId"),
    *("NetworkAclId", "NetworkInterfaceId", "VpcId", "RoleName", "PolicyName", "ResourceId", "id", "Name"),
)


def _all(service: str, operation: str, key: str, **params: Any) -> list[Any]:
    client = boto3.client(service)
    if not client.can_paginate(operation):
        return list(getattr(client, operation)(**params).get(key, ()))
    return [each for page in client.get_paginator(operation).paginate(**params) for each in page.get(key, ())]


def _named(each: Any) -> str:
    return each if isinstance(each, str) else next(str(each[name]) for name in _NAMES if name in each)


def _steady(value: Any) -> Any:
    """Removes values that change without a call."""
    if isinstance(value, dict):
        return {name: _steady(one) for name, one in value.items() if name not in _VOLATILE}
    return [_steady(one) for one in value] if isinstance(value, list) else value
