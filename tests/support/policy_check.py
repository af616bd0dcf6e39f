"""Checks whether a policy allows a recorded call, by action and ARN. Conditions on tags count as met: checking them
would need the account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from webordinary_testkit.kit.backends.live.iam.actions import actions_of

_NAMED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "acm": (("CertificateArn", "{}"),),
    "cloudformation": (("StackName", "cloudformation:{R}:{A}:stack/{}/id"),),
    "cloudwatch": (
        ("AlarmName", "cloudwatch:{R}:{A}:alarm:{}"),
        ("AlarmNames", "cloudwatch:{R}:{A}:alarm:{}"),
        ("DashboardName", "cloudwatch::{A}:dashboard/{}"),
        ("DashboardNames", "cloudwatch::{A}:dashboard/{}"),
    ),
    "dynamodb": (("TableName", "dynamodb:{R}:{A}:table/{}"),),
    "ecr": (("repositoryName", "ecr:{R}:{A}:repository/{}"),),
    "ecs": (
        ("cluster", "ecs:{R}:{A}:cluster/{}"),
        ("clusterName", "ecs:{R}:{A}:cluster/{}"),
        ("family", "ecs:{R}:{A}:task-definition/{}:1"),
    ),
    "elbv2": (("ListenerArn", "{}"), ("LoadBalancerArn", "{}"), ("RuleArn", "{}"), ("TargetGroupArn", "{}")),
    "iam": (("RoleName", "iam::{A}:role/{}"),),
    "logs": (("logGroupName", "logs:{R}:{A}:log-group:{}"),),
    "sns": (("Name", "sns:{R}:{A}:{}"), ("TopicArn", "sns:{R}:{A}:{}")),
    "ssmmessages": (("session_id", "ssm:{R}:{A}:session/{}"),),
    "sqs": (("QueueName", "sqs:{R}:{A}:{}"), ("QueueUrl", "sqs:{R}:{A}:{}")),
}
"""Parameters that name what a call touches, and the ARN that IAM then looks at."""

EVERYTHING = "*"
"""What IAM looks at for a call that names nothing, or whose action knows no resource: only this resource matches it."""
_OF_NOTHING = frozenset({"ecs.ListServices", "ecs.ListTasks"})
"""Calls that name something IAM does not look at: the cluster is a condition of theirs."""
_CREATED_AS = {"CreateLoadBalancer": "loadbalancer/app", "CreateTargetGroup": "targetgroup"}


def arns(call: Mapping[str, Any], region: str, account: str) -> list[str]:
    """What a recorded call touches, as ARNs or `EVERYTHING`; empty where its parameters do not tell (ids that AWS made
    up, which carry tags)."""
    if f"{call['service']}.{call['operation']}" in _OF_NOTHING:
        return [EVERYTHING]
    if not call["touches"] and not call["operation"].startswith("Create"):  # it names what it creates in its tags
        return [EVERYTHING]
    found = []
    for name, shape in _NAMED.get(call["service"], ()):
        told = call["touches"].get(name, ())
        for value in [told] if isinstance(told, str) else told:
            last = value.rpartition("/")[2] if name == "QueueUrl" else value
            arn = value if value.startswith("arn:") else f"arn:aws:{shape.format(last, R=region, A=account)}"
            found.append(arn)
    if call["operation"] in _CREATED_AS:
        shape = _CREATED_AS[call["operation"]]
        found = [f"arn:aws:elasticloadbalancing:{region}:{account}:{shape}/{call['touches']['Name']}/id"]
    if call["service"] == "ecs":
        cluster = str(call["touches"].get("cluster", ""))
        services = [*_all(call["touches"].get("services")), *_all(call["touches"].get("service"))]
        services += _all(call["touches"].get("serviceName")) if call["operation"] == "CreateService" else []
        named = [
            each if each.startswith("arn:") else f"arn:aws:ecs:{region}:{account}:service/{cluster}/{each}"
            for each in services
        ]
        tasks = [*_all(call["touches"].get("tasks")), *_all(call["touches"].get("task"))]
        kind = call["operation"]
        if named or tasks:
            found = [*named, *tasks, *(found if kind == "ExecuteCommand" else [])]
    return found


def allows(document: Mapping[str, Any], action: str, arn: str) -> bool:
    """Whether one of the document's statements has this action on this ARN."""
    return any(
        action in _all(each["Action"]) and any(fnmatchcase(arn, pattern) for pattern in _all(each["Resource"]))
        for each in document["Statement"]
    )


def refused(document: Mapping[str, Any], call: Mapping[str, Any], region: str, account: str) -> Iterator[str]:
    """What the document would not let a recorded call do: action and ARN."""
    for action in actions_of(f"{call['service']}.{call['operation']}"):
        named = arns(call, region, account)
        for arn in named or [EVERYTHING]:
            if not (allows(document, action, arn) if named else _somehow(document, action)):
                yield f"{action} on {arn}"


def _somehow(document: Mapping[str, Any], action: str) -> bool:
    return any(action in _all(each["Action"]) for each in document["Statement"])


def _all(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)
