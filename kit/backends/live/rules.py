"""What each call that changes something touches, and what is never done. A call that stands nowhere here is refused.

`service.Operation` as AWS spells it → the parameters that name what it touches; every one of them must be the run's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

READS = (
    *("Describe", "List", "Get", "Query", "Scan", "BatchGet", "Lookup", "Filter", "Validate", "Search", "Head"),
    *("Simulate", "Estimate", "Select", "TestMetricFilter", "StartQuery", "StopQuery"),
)
"""How operations begin that change nothing. `ReceiveMessage` is none: it hides what it receives from others."""

TOUCHES: Mapping[str, tuple[str, ...]] = {
    "application-autoscaling.RegisterScalableTarget": ("ResourceId",),
    "cloudformation.CreateChangeSet": ("StackName",),
    "cloudformation.DeleteChangeSet": ("ChangeSetName",),
    "cloudformation.DeleteStack": ("StackName",),
    "cloudformation.ExecuteChangeSet": ("ChangeSetName",),
    "cloudwatch.DeleteAlarms": ("AlarmNames",),
    "cloudwatch.DisableAlarmActions": ("AlarmNames",),
    "cloudwatch.EnableAlarmActions": ("AlarmNames",),
    "cloudwatch.PutMetricData": ("Namespace",),
    "cloudwatch.SetAlarmState": ("AlarmName",),
    "dynamodb.DeleteItem": ("TableName",),
    "dynamodb.DeleteTable": ("TableName",),
    "dynamodb.PutItem": ("TableName",),
    "dynamodb.UpdateItem": ("TableName",),
    "dynamodb.UpdateTable": ("TableName",),
    "ec2.AuthorizeSecurityGroupEgress": ("GroupId",),
    "ec2.AuthorizeSecurityGroupIngress": ("GroupId",),
    "ec2.DeleteInternetGateway": ("InternetGatewayId",),
    "ec2.DeleteNetworkInterface": ("NetworkInterfaceId",),
    "ec2.DeleteRouteTable": ("RouteTableId",),
    "ec2.DeleteSecurityGroup": ("GroupId",),
    "ec2.DeleteSubnet": ("SubnetId",),
    "ec2.DeleteVpc": ("VpcId",),
    "ec2.RevokeSecurityGroupEgress": ("GroupId",),
    "ec2.RevokeSecurityGroupIngress": ("GroupId",),
    "ecs.DeleteCluster": ("cluster",),
    "ecs.DeleteService": ("cluster", "service"),
    "ecs.DeregisterTaskDefinition": ("taskDefinition",),
    "ecs.ExecuteCommand": ("cluster", "task"),
    "ecs.RegisterTaskDefinition": ("family",),
    "ecs.StopTask": ("cluster", "task"),
    "ecs.UpdateService": ("cluster", "service"),
    "efs.DeleteAccessPoint": ("AccessPointId",),
    "efs.DeleteFileSystem": ("FileSystemId",),
    "elbv2.DeleteLoadBalancer": ("LoadBalancerArn",),
    "elbv2.DeleteTargetGroup": ("TargetGroupArn",),
    "elbv2.ModifyLoadBalancerAttributes": ("LoadBalancerArn",),
    "elbv2.ModifyTargetGroupAttributes": ("TargetGroupArn",),
    "fis.DeleteExperimentTemplate": ("id",),
    "fis.StartExperiment": ("experimentTemplateId",),
    "fis.StopExperiment": ("id",),
    "logs.DeleteLogGroup": ("logGroupName",),
    "ses.DeleteReceiptRule": ("RuleName",),
    "sns.DeleteTopic": ("TopicArn",),
    "sqs.ChangeMessageVisibility": ("QueueUrl",),
    "sqs.DeleteMessage": ("QueueUrl",),
    "sqs.DeleteQueue": ("QueueUrl",),
    "sqs.PurgeQueue": ("QueueUrl",),
    "sqs.ReceiveMessage": ("QueueUrl",),
    "sqs.SendMessage": ("QueueUrl",),
}

WHEN_GIVEN: Mapping[str, tuple[str, ...]] = {"ecs.UpdateService": ("taskDefinition",)}
"""Parameters that may be left out, and must be the run's where they stand."""

TAGGED = frozenset({"cloudformation.CreateChangeSet", "ecs.RegisterTaskDefinition", "fis.CreateExperimentTemplate"})
"""What creates something that can carry tags: it must carry the kit's, with the stack's name."""

MAILS: Mapping[str, tuple[str, ...]] = {"ses.SendRawEmail": ("Source", "Destinations")}
"""Parameters with mail addresses: each must be in a domain of the stack's."""

NEVER: Mapping[str, str] = {
    "ses.SetActiveReceiptRuleSet": "an account has one active receipt rule set, and its mail would be lost",
    "ses.DeleteReceiptRuleSet": "receipt rule sets are the account's",
    "ses.CreateReceiptRuleSet": "rules are added to the active set; another one would be of no use",
    "ses.ReorderReceiptRuleSet": "the order of other people's rules is not the run's to change",
    "ses.UpdateReceiptRule": "rules are added and removed by the stack",
    "ses.CreateReceiptRule": "rules are added and removed by the stack",
    "ses.DeleteIdentity": "identities are the account's",
    "ses.VerifyDomainIdentity": "identities are the account's",
}
"""Calls that no run ever makes, and why."""


def named(params: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Parameter and value, for each value in these parameters; one that is absent, or an empty list, is an empty value:
    AWS then takes what the parameter would have named from elsewhere (SES the recipients from a mail's own headers)."""
    for name in names:
        value = params.get(name) or ""
        if isinstance(value, list | tuple):
            yield from ((name, str(each)) for each in value)
        else:
            yield name, str(value)


def texts(value: Any, longest: int = 512) -> Iterator[str]:
    """Every short text in a call's parameters; long ones (a template, a mail) name nothing."""
    if isinstance(value, str):
        if len(value) <= longest:
            yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from texts(each, longest)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each, longest)
