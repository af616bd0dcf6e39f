"""How each service sets and removes tags: its own operations, told by ARN."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import AwsError
from ...state.models import operation_model
from .sources import Place
from .tagged import service_of


@dataclass(frozen=True)
class Way:
    """The two operations of one service, and how its resources are named there."""

    service: str
    tag: str
    untag: str
    resource: str
    """The parameter that names the resource; `Name[]` where it takes a list."""
    keys: str = "TagKeys"
    named: Callable[[str], str] = str
    """From the ARN to what the parameter takes."""
    fixed: Mapping[str, Any] | None = None

    def target(self, arn: str) -> dict[str, Any]:
        value = self.named(arn)
        name = self.resource.removesuffix("[]")
        return {name: [value] if self.resource.endswith("[]") else value, **(self.fixed or {})}


def _last(separator: str) -> Callable[[str], str]:
    return lambda arn: arn.rpartition(separator)[2]


_WAYS: Mapping[str, Way] = {
    "acm": Way("acm", "AddTagsToCertificate", "RemoveTagsFromCertificate", "CertificateArn", keys="Tags"),
    "application-autoscaling": Way("application-autoscaling", "TagResource", "UntagResource", "ResourceARN"),
    "cloudwatch": Way("cloudwatch", "TagResource", "UntagResource", "ResourceARN"),
    "dynamodb": Way("dynamodb", "TagResource", "UntagResource", "ResourceArn"),
    "ec2": Way("ec2", "CreateTags", "DeleteTags", "Resources[]", keys="Tags", named=_last("/")),
    "ecr": Way("ecr", "TagResource", "UntagResource", "resourceArn", keys="tagKeys"),
    "ecs": Way("ecs", "TagResource", "UntagResource", "resourceArn", keys="tagKeys"),
    "elasticfilesystem": Way("efs", "TagResource", "UntagResource", "ResourceId", named=_last("/")),
    "elasticloadbalancing": Way("elbv2", "AddTags", "RemoveTags", "ResourceArns[]"),
    "fis": Way("fis", "TagResource", "UntagResource", "resourceArn", keys="tagKeys"),
    "logs": Way("logs", "TagResource", "UntagResource", "resourceArn", keys="tagKeys"),
    "secretsmanager": Way("secretsmanager", "TagResource", "UntagResource", "SecretId"),
    "ses": Way("sesv2", "TagResource", "UntagResource", "ResourceArn"),
    "sns": Way("sns", "TagResource", "UntagResource", "ResourceArn"),
}


async def tag(place: Place, arn: str, tags: Mapping[str, str]) -> None:
    """Raises `AwsError`."""
    if service_of(arn) == "s3":
        await _bucket(place, arn, put=tags)
        return
    way = await _way(place, arn)
    await place.aws.call(way.service, way.tag, **way.target(arn), **_as_modelled(way, tags))


async def untag(place: Place, arn: str, keys: Sequence[str]) -> None:
    """Raises `AwsError`."""
    if service_of(arn) == "s3":
        await _bucket(place, arn, gone=keys)
        return
    way = await _way(place, arn)
    named: list[Any] = [{"Key": key} for key in keys] if way.keys == "Tags" else list(keys)
    await place.aws.call(way.service, way.untag, **way.target(arn), **{way.keys: named})


async def _way(place: Place, arn: str) -> Way:
    service = service_of(arn)
    if service == "dynamodb":  # its base takes tags for what is not there
        await place.aws.call("dynamodb", "DescribeTable", TableName=arn.rpartition("/")[2])
    if service == "sqs":
        url = (await place.aws.call("sqs", "GetQueueUrl", QueueName=arn.rpartition(":")[2]))["QueueUrl"]
        return Way("sqs", "TagQueue", "UntagQueue", "QueueUrl", named=lambda _: url)
    if service == "ssm":
        path = arn.partition(":parameter/")[2]
        name = f"/{path}" if "/" in path else path
        kind = {"ResourceType": "Parameter"}
        return Way("ssm", "AddTagsToResource", "RemoveTagsFromResource", "ResourceId", named=lambda _: name, fixed=kind)
    if service not in _WAYS:
        raise AwsError(
            "InvalidParameterException",
            f"Tags of {service or 'this'} resources cannot be changed here: {arn}"
            + (". A stack's tags are changed by updating the stack." if service == "cloudformation" else ""),
        )
    return _WAYS[service]


def _as_modelled(way: Way, tags: Mapping[str, str]) -> dict[str, Any]:
    """The tags as the operation takes them: a map, or a list of pairs in its own spelling."""
    shape = operation_model(way.service, way.tag).input_shape
    name = next(each for each in ("Tags", "tags", "TagsList") if each in shape.members)
    member = shape.members[name]
    if member.type_name == "map":
        return {name: dict(tags)}
    key, value = (
        next(each for each in member.member.members if each.lower().endswith(word)) for word in ("key", "value")
    )
    return {name: [{key: its, value: text} for its, text in tags.items()]}


async def _bucket(place: Place, arn: str, put: Mapping[str, str] | None = None, gone: Sequence[str] = ()) -> None:
    """S3 sets all tags of a bucket at once."""
    bucket = arn.rpartition(":::")[2]
    try:
        answer = await place.aws.call("s3", "GetBucketTagging", Bucket=bucket)
        tags = {each["Key"]: each["Value"] for each in answer["TagSet"]}
    except AwsError as error:
        if error.code != "NoSuchTagSet":
            raise
        tags = {}
    tags = {key: value for key, value in {**tags, **(put or {})}.items() if key not in gone}
    if tags:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        await place.aws.call("s3", "PutBucketTagging", Bucket=bucket, Tagging={"TagSet": listed})
    else:
        await place.aws.call("s3", "DeleteBucketTagging", Bucket=bucket)
