"""The tag and untag operations of each service; CloudFormation and the Tagging API share them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from ...state.models import operation_model

if TYPE_CHECKING:
    from botocore.model import Shape


@dataclass(frozen=True)
class TagOperations:
    service: str
    tag: str = "TagResource"
    untag: str = "UntagResource"
    resource: str = "ResourceArn"
    """The parameter that names the resource; `Name[]` where it takes a list."""
    keys: str = "TagKeys"
    """The parameter of `untag`: a list of keys, or for `Tags` a list of tags without values."""
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def tag_parameters(self, resource: str, tags: Mapping[str, str]) -> dict[str, Any]:
        return self._target(resource) | tag_parameters(self.service, self.tag, tags)

    def untag_parameters(self, resource: str, keys: Iterable[str]) -> dict[str, Any]:
        listed = [{"Key": key} if self.keys == "Tags" else key for key in keys]
        return {**self._target(resource), self.keys: listed}

    def _target(self, resource: str) -> dict[str, Any]:
        return {**list_parameter(self.resource, resource), **self.fixed}


def list_parameter(name: str, value: str) -> dict[str, Any]:
    """`{"Name": value}`, or `{"Name": [value]}` for the name `Name[]`."""
    return {name.removesuffix("[]"): [value] if name.endswith("[]") else value}


TAG_OPERATIONS = {
    each.service: each
    for each in (
        TagOperations("acm", "AddTagsToCertificate", "RemoveTagsFromCertificate", "CertificateArn", "Tags"),
        TagOperations("application-autoscaling", resource="ResourceARN"),
        TagOperations("cloudwatch", resource="ResourceARN"),
        TagOperations("dynamodb"),
        TagOperations("ec2", "CreateTags", "DeleteTags", "Resources[]", "Tags"),
        TagOperations("ecr", resource="resourceArn", keys="tagKeys"),
        TagOperations("ecs", resource="resourceArn", keys="tagKeys"),
        TagOperations("efs", resource="ResourceId"),
        TagOperations("elbv2", "AddTags", "RemoveTags", "ResourceArns[]"),
        TagOperations("fis", resource="resourceArn", keys="tagKeys"),
        TagOperations("iam", "TagRole", "UntagRole", "RoleName"),
        TagOperations("lambda", resource="Resource"),
        TagOperations("logs", resource="resourceArn", keys="tagKeys"),
        TagOperations("secretsmanager", resource="SecretId"),
        TagOperations("sesv2"),
        TagOperations("sns"),
        TagOperations("sqs", "TagQueue", "UntagQueue", "QueueUrl"),
        TagOperations(
            "ssm", "AddTagsToResource", "RemoveTagsFromResource", "ResourceId", fixed={"ResourceType": "Parameter"}
        ),
    )
}
"""By botocore's service name."""


def tag_parameters(service: str, operation: str, tags: Mapping[str, str], kind: str | None = None) -> dict[str, Any]:
    """The operation's tag parameter in the form its model has; empty without tags or without such a parameter.

    `kind` is EC2's resource type in a tag specification, such as `route-table`.
    """
    if not tags:
        return {}
    if kind is not None:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        return {"TagSpecifications": [{"ResourceType": kind, "Tags": listed}]}
    shape: Shape = operation_model(service, operation).input_shape
    name = members_by_lower_name(shape).get("tags")
    if name is None:
        return {}
    if shape.members[name].type_name == "map":
        return {name: dict(tags)}
    members = members_by_lower_name(shape.members[name].member)
    return {name: [{members["key"]: key, members["value"]: value} for key, value in tags.items()]}


@cache
def members_by_lower_name(shape: Shape) -> dict[str, str]:
    return {name.lower(): name for name in shape.members}
