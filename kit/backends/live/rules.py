"""The guard's rules: the parameters of each changing call that name what it changes. Calls without a rule are refused.

`service.Operation` as AWS spells it → the parameters; every value in them must be the run's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

READS = (
    *("Describe", "List", "Get", "Query", "Scan", "BatchGet", "Lookup", "Filter", "Validate", "Search", "Head"),
    *("Simulate", "Estimate", "Select", "TestMetricFilter", "StartQuery", "StopQuery"),
)
"""Prefixes of operations that change nothing. `ReceiveMessage` is not one: it hides messages from other readers."""

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
    "lambda.DeleteFunction": ("FunctionName",),
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
"""Optional parameters that must be the run's where given."""

TAGGED = frozenset({"cloudformation.CreateChangeSet", "ecs.RegisterTaskDefinition", "fis.CreateExperimentTemplate"})
"""Calls that create taggable resources: they must pass the kit's tags with the stack's name."""

MAILS: Mapping[str, tuple[str, ...]] = {"ses.SendRawEmail": ("Source", "Destinations")}
"""Parameters with mail addresses: each must be in a domain of the stack."""

NEVER: Mapping[str, str] = {
    "ses.SetActiveReceiptRuleSet": "an account has one active receipt rule set, and its mail would be lost",
    "ses.DeleteReceiptRuleSet": "receipt rule sets are the account's",
    "ses.CreateReceiptRuleSet": "rules are added to the active set; another set would receive nothing",
    "ses.ReorderReceiptRuleSet": "the order of foreign rules must not change",
    "ses.UpdateReceiptRule": "rules are added and removed by the stack",
    "ses.CreateReceiptRule": "rules are added and removed by the stack",
    "ses.DeleteIdentity": "identities are the account's",
    "ses.VerifyDomainIdentity": "identities are the account's",
}
"""Calls that no run may make, with the reason."""


def named(params: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Parameter and value, for each value in these parameters. An absent parameter or an empty list yields an empty
    value: AWS then finds the target elsewhere (SES takes recipients from the mail's headers)."""
    for name in names:
        value = params.get(name) or ""
        if isinstance(value, list | tuple):
            yield from ((name, str(each)) for each in value)
        else:
            yield name, str(value)


def texts(value: Any, longest: int = 512) -> Iterator[str]:
    """Every string in a call's parameters that can be a name; longer ones are templates or mails."""
    if isinstance(value, str):
        if len(value) <= longest:
            yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from texts(each, longest)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each, longest)
