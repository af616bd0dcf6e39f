"""The IAM action, resources and condition keys of an API call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...state.models import service_model

_PREFIXES = {"cloudwatch": "cloudwatch", "resourcegroupstaggingapi": "tag"}
"""Services whose actions do not begin with their signing name."""
_ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:CopyObject": "s3:PutObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
}
"""Operations whose action has another name."""


@dataclass(frozen=True)
class Asked:
    """What a call asks IAM for."""

    action: str
    resources: Sequence[str | None]
    """ARNs; None for a resource that the table below does not know."""
    keys: Mapping[str, str]


def asked(service: str, operation: str, params: Mapping[str, Any], region: str, account: str) -> Asked:
    name = _PREFIXES.get(service) or service_model(service).signing_name
    action = f"{name}:{operation}"
    keys = {"aws:requestedregion": region}
    if (namespace := params.get("Namespace")) and service == "cloudwatch":
        keys["cloudwatch:namespace"] = namespace
    if (cluster := params.get("cluster")) and service == "ecs":
        keys["ecs:cluster"] = _ecs_arn(cluster, "cluster", region, account)
    of = _RESOURCES.get(service)
    resources = of(params, region, account) if of is not None else []
    return Asked(_ACTIONS.get(action, action), resources or [None], keys)


Resources = Callable[[Mapping[str, Any], str, str], list[str | None]]


def _ecs_arn(name: str, kind: str, region: str, account: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:ecs:{region}:{account}:{kind}/{name}"


def _ecs(params: Mapping[str, Any], region: str, account: str) -> list[str | None]:
    cluster = str(params.get("cluster", "default")).rpartition("/")[2]
    found: list[str | None] = []
    for name, kind in (("service", "service"), ("services", "service"), ("task", "task"), ("tasks", "task")):
        values = params.get(name) or ()
        for value in [values] if isinstance(values, str) else values:
            found.append(_ecs_arn(value if "/" in value else f"{cluster}/{value}", kind, region, account))
    return found


def _named(service: str, parameter: str, resource: str) -> Resources:
    """ARNs `arn:aws:SERVICE:region:account:RESOURCE` with the parameter's value, or the value if it is an ARN."""

    def resources(params: Mapping[str, Any], region: str, account: str) -> list[str | None]:
        if not (value := str(params.get(parameter, ""))):
            return []
        return [value if value.startswith("arn:") else f"arn:aws:{service}:{region}:{account}:{resource % value}"]

    return resources


def _queue(params: Mapping[str, Any], region: str, account: str) -> list[str | None]:
    name = params.get("QueueName") or str(params.get("QueueUrl", "")).rpartition("/")[2]
    return [f"arn:aws:sqs:{region}:{account}:{name}"] if name else []


def _table(params: Mapping[str, Any], region: str, account: str) -> list[str | None]:
    if not (name := params.get("TableName")):
        return []
    table = name if name.startswith("arn:") else f"arn:aws:dynamodb:{region}:{account}:table/{name}"
    return [f"{table}/index/{params['IndexName']}" if params.get("IndexName") else table]


def _object(params: Mapping[str, Any], region: str, account: str) -> list[str | None]:
    if not (bucket := params.get("Bucket")):
        return []
    return [f"arn:aws:s3:::{bucket}/{params['Key']}" if params.get("Key") else f"arn:aws:s3:::{bucket}"]


_RESOURCES: Mapping[str, Resources] = {
    "ecs": _ecs,
    "sqs": _queue,
    "dynamodb": _table,
    "s3": _object,
    "sns": _named("sns", "TopicArn", "%s"),
    "lambda": _named("lambda", "FunctionName", "function:%s"),
    "logs": _named("logs", "logGroupName", "log-group:%s:*"),
    "secretsmanager": _named("secretsmanager", "SecretId", "secret:%s"),
    "ssm": _named("ssm", "Name", "parameter/%s"),
}
"""How the resources of a service's calls are read from their parameters."""
