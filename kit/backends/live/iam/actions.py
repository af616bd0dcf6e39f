"""Maps calls to IAM actions: most have the operation's name, some another, and some calls need several."""

from __future__ import annotations

from collections.abc import Mapping

PREFIXES: Mapping[str, str] = {
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
    "sesv2": "ses",
}
"""Services whose actions have another prefix than boto3's service name."""

RENAMED: Mapping[str, tuple[str, ...]] = {
    "dynamodb.TransactGetItems": ("dynamodb:GetItem",),
    "dynamodb.TransactWriteItems": ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"),
    "s3.DeleteObjects": ("s3:DeleteObject",),
    "s3.HeadBucket": ("s3:ListBucket",),
    "s3.HeadObject": ("s3:GetObject",),
    "s3.ListBuckets": ("s3:ListAllMyBuckets",),
    "s3.ListObjects": ("s3:ListBucket",),
    "s3.ListObjectsV2": ("s3:ListBucket",),
    "sts.GetCallerIdentity": (),
}
"""Calls with other action names. GetCallerIdentity needs no permission and cannot be denied."""

DEPENDENT_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "application-autoscaling.PutScalingPolicy": (
        "application-autoscaling:DescribeScalingPolicies",
        "cloudwatch:DescribeAlarms",
    ),
    "application-autoscaling.RegisterScalableTarget": (
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:TagResource",
        "ecs:DescribeServices",
        "iam:CreateServiceLinkedRole",
    ),
    "cloudwatch.PutDashboard": ("cloudwatch:GetDashboard",),
    "cloudwatch.PutMetricAlarm": ("cloudwatch:DescribeAlarms", "cloudwatch:TagResource"),
    "dynamodb.CreateTable": (
        "dynamodb:DescribeContinuousBackups",
        "dynamodb:DescribeContributorInsights",
        "dynamodb:DescribeKinesisStreamingDestination",
        "dynamodb:DescribeTable",
        "dynamodb:DescribeTimeToLive",
        "dynamodb:GetResourcePolicy",
        "dynamodb:ListTagsOfResource",
        "dynamodb:TagResource",
    ),
    "ec2.AttachInternetGateway": ("ec2:DescribeVpnGateways",),
    "ec2.CreateInternetGateway": ("ec2:CreateTags", "ec2:DescribeInternetGateways"),
    "ec2.CreateRouteTable": ("ec2:CreateTags", "ec2:DescribeRouteTables"),
    "ec2.CreateSecurityGroup": ("ec2:CreateTags", "ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups"),
    "ec2.CreateSubnet": ("ec2:CreateTags", "ec2:DescribeSubnets"),
    "ec2.CreateVpc": ("ec2:CreateTags", "ec2:DescribeVpcAttribute", "ec2:DescribeVpcs"),
    "ec2.DeleteSecurityGroup": ("ec2:DescribeInstances",),
    "ecs.CreateCluster": ("ecs:DescribeClusters", "ecs:TagResource", "iam:CreateServiceLinkedRole"),
    "ecs.CreateService": (
        "ecs:DescribeServiceDeployments",
        "ecs:DescribeServices",
        "ecs:ListServiceDeployments",
        "ecs:TagResource",
        "ecs:UpdateService",
    ),
    "ecs.ExecuteCommand": ("ssmmessages:OpenDataChannel",),
    "ecs.RegisterTaskDefinition": ("ecs:DescribeTaskDefinition", "ecs:TagResource", "iam:PassRole"),
    "efs.CreateAccessPoint": ("elasticfilesystem:DescribeAccessPoints", "elasticfilesystem:TagResource"),
    "efs.CreateFileSystem": (
        "elasticfilesystem:DescribeBackupPolicy",
        "elasticfilesystem:DescribeFileSystemPolicy",
        "elasticfilesystem:DescribeFileSystems",
        "elasticfilesystem:DescribeLifecycleConfiguration",
        "elasticfilesystem:DescribeReplicationConfigurations",
        "elasticfilesystem:TagResource",
        "iam:CreateServiceLinkedRole",
    ),
    "efs.CreateMountTarget": (
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "elasticfilesystem:DescribeMountTargetSecurityGroups",
        "elasticfilesystem:DescribeMountTargets",
    ),
    "efs.DeleteMountTarget": ("ec2:DeleteNetworkInterface",),
    "elbv2.CreateListener": (
        "elasticloadbalancing:AddTags",
        "elasticloadbalancing:DescribeListenerAttributes",
        "elasticloadbalancing:DescribeListenerCertificates",
        "elasticloadbalancing:DescribeListeners",
    ),
    "elbv2.CreateLoadBalancer": (
        "ec2:DescribeAccountAttributes",
        "ec2:DescribeAddresses",
        "elasticloadbalancing:AddTags",
        "elasticloadbalancing:DescribeCapacityReservation",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTags",
        "iam:CreateServiceLinkedRole",
    ),
    "elbv2.CreateRule": ("elasticloadbalancing:DescribeRules",),
    "elbv2.CreateTargetGroup": (
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
    ),
    "fis.CreateExperimentTemplate": ("fis:TagResource", "iam:CreateServiceLinkedRole", "iam:PassRole"),
    "fis.StartExperiment": ("fis:GetExperiment", "fis:TagResource"),
    "iam.CreateRole": ("iam:GetRole", "iam:GetRolePolicy", "iam:ListRoleTags", "iam:TagRole"),
    "lambda.AddPermission": ("lambda:GetPolicy",),
    "lambda.CreateFunction": ("iam:PassRole", "lambda:GetFunction", "lambda:ListTags", "lambda:TagResource"),
    "logs.CreateLogGroup": (
        "logs:DescribeIndexPolicies",
        "logs:DescribeLogGroups",
        "logs:GetDataProtectionPolicy",
        "logs:ListTagsForResource",
        "logs:TagResource",
    ),
    "ses.CreateReceiptRule": ("ses:DescribeReceiptRule",),
    "sns.CreateTopic": (
        "sns:GetDataProtectionPolicy",
        "sns:GetTopicAttributes",
        "sns:ListTagsForResource",
        "sns:TagResource",
    ),
    "sns.Subscribe": ("sns:GetSubscriptionAttributes",),
    "sqs.CreateQueue": ("sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags", "sqs:TagQueue"),
}
"""Call → IAM's dependent actions, which no emulator checks: CloudFormation reads and tags resources that it creates,
and some services check the caller's permission for other services. From AWS's resource type schemas (`handlers`, see
`aws cloudformation describe-type`) and the services' documentation of 2026; not verified in a real account."""


def actions_of(call: str) -> tuple[str, ...]:
    """The IAM actions of `service.Operation`, without dependent actions."""
    if call in RENAMED:
        return RENAMED[call]
    service, _, operation = call.partition(".")
    return (f"{PREFIXES.get(service, service)}:{operation}",)
