"""The resources and conditions of each action: the first rule that matches decides, unless it `continues`.

Resources are limited by name, by the kit's tag where AWS generates ids, and not at all where IAM knows no resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ....core.errors import KitError
from ..tags import MARKER

Condition = Mapping[str, Mapping[str, Any]]

OURS: Condition = {"StringEquals": {f"aws:ResourceTag/{MARKER}": "${Stack}"}}
"""On resources with the kit's tag, which CloudFormation adds to every resource of the stack."""
TO_BE_OURS: Condition = {"StringEquals": {f"aws:RequestTag/{MARKER}": "${Stack}"}}
IN_REGION: Condition = {"StringEquals": {"aws:RequestedRegion": "${Region}"}}
CREATES = ("CreateInternetGateway", "CreateRouteTable", "CreateSecurityGroup", "CreateSubnet", "CreateVpc")
EXECUTION_POLICY = "AmazonECSTaskExecutionRolePolicy"
"""The only managed policy of the template's roles."""
LINKED_ROLES = (
    "ecs.amazonaws.com",
    "ecs.application-autoscaling.amazonaws.com",
    "elasticfilesystem.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "fis.amazonaws.com",
)


@dataclass(frozen=True)
class Rule:
    """Action patterns and their resources."""

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    condition: Condition = field(default_factory=dict)
    continues: bool = False
    """Whether later rules that match the action apply as well."""

    def names(self, action: str) -> bool:
        return any(fnmatchcase(action, each) for each in self.actions)


def _arn(service: str, *resources: str, region: str = "${Region}", account: str = "${Account}") -> tuple[str, ...]:
    return tuple(f"arn:${{Partition}}:{service}:{region}:{account}:{each}" for each in resources)


def _ec2(*kinds: str) -> tuple[str, ...]:
    return _arn("ec2", *(f"{kind}/*" for kind in kinds))


_CLUSTER = _arn("ecs", "cluster/${Prefix}-*")
_TASKS = _arn("ecs", "task/${Prefix}-*")
_ROLES = _arn("iam", "role/${Stack}-*", region="")
_DOMAINS = _arn("ses", "identity/${Domain}", "identity/clients.${Domain}")
_IN_A_VPC = tuple(f"ec2:{create}" for create in CREATES if create not in ("CreateInternetGateway", "CreateVpc"))

RULES = (
    # ---- Where IAM knows no resource, or a read covers all of them
    Rule(("application-autoscaling:Describe*", "ec2:Describe*", "elasticloadbalancing:Describe*")),
    Rule(("ecs:DeregisterTaskDefinition", "ecs:DescribeTaskDefinition", "ecs:ListClusters", "ecs:ListTaskDefinitions")),
    Rule(("ecs:ListServices", "ecs:ListTasks")),
    Rule(("cloudformation:ListStacks", "cloudwatch:GetMetric*", "cloudwatch:ListMetrics", "cloudwatch:ListDashboards")),
    Rule(("cloudwatch:DescribeAlarms", "logs:DescribeLogGroups", "logs:DescribeIndexPolicies")),
    Rule(("tag:GetResources", "servicequotas:*", "sqs:ListQueues", "sns:ListTopics", "dynamodb:ListTables")),
    Rule(("lambda:ListFunctions",)),
    Rule(("s3:ListAllMyBuckets", "iam:ListRoles", "fis:List*", "acm:ListCertificates", "pricing:GetProducts")),
    Rule(("elasticfilesystem:DescribeFileSystems", "elasticfilesystem:DescribeAccessPoints")),
    Rule(("elasticfilesystem:DescribeMountTargets", "elasticfilesystem:CreateFileSystem")),
    Rule(("ses:*ReceiptRule", "ses:Describe*ReceiptRuleSet", "ses:ListReceiptRuleSets", "ses:GetIdentity*")),
    Rule(("route53:ListHostedZones*", "sns:ListSubscriptions")),
    Rule(("ses:GetSendQuota", "ses:GetAccount", "ses:ListIdentities", "ses:GetAccountSendingEnabled")),
    # ---- The stack itself
    Rule(("cloudformation:*",), _arn("cloudformation", "stack/${Stack}/*")),
    Rule(("ecr:*",), _arn("ecr", "repository/${Hermes}", "repository/${Edit}")),
    Rule(("acm:DescribeCertificate",), _arn("acm", "certificate/*")),
    # ---- Tasks
    Rule(("ecs:*Cluster*",), _CLUSTER),
    Rule(("ecs:ExecuteCommand",), (*_CLUSTER, *_TASKS)),
    # IAM's reference knows no resource for it; AWS's managed policies name the session, as ECS does.
    Rule(("ssmmessages:OpenDataChannel",), _arn("ssm", "session/ecs-execute-command-*")),
    Rule(("ecs:DescribeTasks", "ecs:StopTask"), _TASKS),
    Rule(("ecs:*ServiceDeployments", "ecs:*Service", "ecs:DescribeServices"), _arn("ecs", "service*/${Prefix}-*")),
    Rule(("ecs:RegisterTaskDefinition",), _arn("ecs", "task-definition/${Prefix}-*")),
    Rule(("ecs:TagResource",), _arn("ecs", "*/${Prefix}-*")),
    # ---- Load balancer
    Rule(("elasticloadbalancing:AddTags",), _arn("elasticloadbalancing", "*/${Prefix}-*")),
    Rule(
        ("elasticloadbalancing:*LoadBalancer*", "elasticloadbalancing:CreateListener"),
        _arn("elasticloadbalancing", "loadbalancer/app/${Prefix}-*"),
    ),
    Rule(("elasticloadbalancing:*TargetGroup*",), _arn("elasticloadbalancing", "targetgroup/${Prefix}-*")),
    Rule(
        ("elasticloadbalancing:*Listener", "elasticloadbalancing:*Rule"),
        _arn("elasticloadbalancing", "listener*/app/${Prefix}-*"),
    ),
    # ---- Network: AWS generates the ids, so the tag decides; new resources have none yet, but their VPC does
    Rule(("ec2:CreateVpc", "ec2:CreateInternetGateway"), _ec2("internet-gateway", "vpc")),
    Rule(_IN_A_VPC, _ec2("route-table", "security-group", "subnet"), continues=True),
    Rule(_IN_A_VPC, _ec2("vpc"), OURS),
    Rule(("ec2:CreateTags",), _ec2("*"), {"StringEquals": {"ec2:CreateAction": CREATES}}),
    # EFS makes and deletes a mount target's interface with the caller's rights, and neither tags it nor could a policy
    # name its VPC: any interface, then. EC2 deletes none that is in use; the guard knows the run's own.
    Rule(("ec2:DeleteNetworkInterface",), _ec2("network-interface")),
    Rule(("ec2:CreateNetworkInterface",), _ec2("network-interface"), continues=True),
    Rule(("ec2:*",), _ec2("internet-gateway", "route-table", "security-group", "subnet", "vpc"), OURS),
    # ---- Mail
    Rule(("ses:Send*",), _DOMAINS, {"StringLike": {"ses:FromAddress": ("*@${Domain}", "*@clients.${Domain}")}}),
    Rule(("ses:*Identity*",), _DOMAINS),
    # They name a subscription; sources disagree whether IAM checks the topic, all of the account, or nothing.
    Rule(("sns:GetSubscriptionAttributes", "sns:Unsubscribe"), ("*",), IN_REGION),
    Rule(("sns:*",), _arn("sns", "${Prefix}-*")),
    Rule(("sqs:*",), _arn("sqs", "${Prefix}-*")),
    # ---- Data
    Rule(("dynamodb:Query", "dynamodb:Scan"), _arn("dynamodb", "table/${Prefix}-*", "table/${Prefix}-*/index/*")),
    Rule(("dynamodb:*",), _arn("dynamodb", "table/${Prefix}-*")),
    Rule(
        ("elasticfilesystem:TagResource",),
        _arn("elasticfilesystem", "access-point/*", "file-system/*"),
        {"StringEquals": {"elasticfilesystem:CreateAction": ("CreateAccessPoint", "CreateFileSystem")}},
    ),
    Rule(("elasticfilesystem:*",), _arn("elasticfilesystem", "access-point/*", "file-system/*"), OURS),
    Rule(("lambda:*",), _arn("lambda", "function:${Prefix}-*")),
    Rule(("logs:*",), _arn("logs", "log-group:/ecs/${Prefix}/*")),
    # ---- Scaling and figures
    Rule(("application-autoscaling:TagResource",), _arn("application-autoscaling", "scalable-target/*"), TO_BE_OURS),
    Rule(
        ("application-autoscaling:*",),
        _arn("application-autoscaling", "scalable-target/*"),
        {"StringEquals": {"application-autoscaling:service-namespace": "ecs"}},
    ),
    Rule(("cloudwatch:PutMetricData",), ("*",), {"StringEquals": {"cloudwatch:namespace": "${Namespace}"}}),
    Rule(("cloudwatch:*Dashboard*",), _arn("cloudwatch", "dashboard/${Prefix}-*", region="")),
    Rule(("cloudwatch:*",), _arn("cloudwatch", "alarm:${Prefix}-*")),
    # ---- Roles
    Rule(
        ("iam:PassRole",),
        _ROLES,
        {
            "StringEquals": {
                "iam:PassedToService": ("ecs-tasks.amazonaws.com", "fis.amazonaws.com", "lambda.amazonaws.com")
            }
        },
    ),
    Rule(
        ("iam:CreateServiceLinkedRole",),
        _arn("iam", "role/aws-service-role/*", region=""),
        {"StringEquals": {"iam:AWSServiceName": LINKED_ROLES}},
    ),
    Rule(
        ("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
        _ROLES,
        {"ArnEquals": {"iam:PolicyARN": f"arn:${{Partition}}:iam::aws:policy/service-role/{EXECUTION_POLICY}"}},
    ),
    Rule(("iam:*",), _ROLES),
    # ---- Faults
    Rule(("fis:CreateExperimentTemplate",), _arn("fis", "action/*"), continues=True),
    Rule(("fis:CreateExperimentTemplate", "fis:TagResource"), _arn("fis", "experiment*/*"), TO_BE_OURS),
    Rule(("fis:StartExperiment",), _arn("fis", "experiment-template/*"), OURS, continues=True),
    Rule(("fis:StartExperiment",), _arn("fis", "experiment/*"), TO_BE_OURS),
    Rule(("fis:*",), _arn("fis", "experiment*/*"), OURS),
)


def rules_of(action: str) -> list[Rule]:
    """The rules that allow an action. Raises `KitError` when there is none."""
    found = []
    for rule in RULES:
        if rule.names(action):
            found.append(rule)
            if not rule.continues:
                return found
    raise KitError(
        f"no rule limits the resources of {action}",
        where="kit/backends/live/iam/rules.py",
        next="add a rule: by name, by the kit's tag, or for all resources where IAM knows none for it",
    )
