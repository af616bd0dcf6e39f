"""Sets and removes tags of a resource, given by ARN."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...core.errors import AwsError
from .filters import service_of
from .listings import AwsAccount, bucket_tags
from .tag_operations import TAG_OPERATIONS, TagOperations

_CHANGEABLE = (
    "acm", "application-autoscaling", "cloudwatch", "dynamodb", "ec2", "ecr", "ecs", "elasticfilesystem",
    "elasticloadbalancing", "fis", "lambda", "logs", "secretsmanager", "ses", "sns", "sqs", "ssm",
)  # fmt: skip
"""Services by their name in ARNs."""
_BOTOCORE_NAMES = {"elasticfilesystem": "efs", "elasticloadbalancing": "elbv2", "ses": "sesv2"}
_IDENTIFIERS: Mapping[str, Callable[[str], str]] = {
    "ec2": lambda arn: arn.rpartition("/")[2],
    "elasticfilesystem": lambda arn: arn.rpartition("/")[2],
    "ssm": lambda arn: _parameter_name(arn.partition(":parameter/")[2]),
}
"""How the tag operations identify a resource, where not by its ARN."""


async def tag(account: AwsAccount, arn: str, tags: Mapping[str, str]) -> None:
    """Raises `AwsError`."""
    if service_of(arn) == "s3":
        await _tag_bucket(account, arn, put=tags)
        return
    operations, resource = await _operations(account, arn)
    await account.aws.call(operations.service, operations.tag, **operations.tag_parameters(resource, tags))


async def untag(account: AwsAccount, arn: str, keys: Sequence[str]) -> None:
    """Raises `AwsError`."""
    if service_of(arn) == "s3":
        await _tag_bucket(account, arn, removed=keys)
        return
    operations, resource = await _operations(account, arn)
    await account.aws.call(operations.service, operations.untag, **operations.untag_parameters(resource, keys))


async def _operations(account: AwsAccount, arn: str) -> tuple[TagOperations, str]:
    """The tag operations of a resource's service, and the resource's identifier there."""
    service = service_of(arn)
    if service not in _CHANGEABLE:
        raise AwsError(
            "InvalidParameterException",
            f"Tags of {service or 'this'} resources cannot be changed here: {arn}"
            + (". A stack's tags are changed by updating the stack." if service == "cloudformation" else ""),
        )
    if service == "dynamodb":  # the state store accepts tags for a missing table
        await account.aws.call("dynamodb", "DescribeTable", TableName=arn.rpartition("/")[2])
    if service == "sqs":
        resource = (await account.aws.call("sqs", "GetQueueUrl", QueueName=arn.rpartition(":")[2]))["QueueUrl"]
    else:
        resource = _IDENTIFIERS.get(service, str)(arn)
    return TAG_OPERATIONS[_BOTOCORE_NAMES.get(service, service)], resource


def _parameter_name(path: str) -> str:
    return f"/{path}" if "/" in path else path


async def _tag_bucket(
    account: AwsAccount, arn: str, put: Mapping[str, str] | None = None, removed: Sequence[str] = ()
) -> None:
    """PutBucketTagging replaces all tags of a bucket."""
    bucket = arn.rpartition(":::")[2]
    before = await bucket_tags(account, bucket)
    tags = {key: value for key, value in {**before, **(put or {})}.items() if key not in removed}
    if tags:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        await account.aws.call("s3", "PutBucketTagging", Bucket=bucket, Tagging={"TagSet": listed})
    else:
        await account.aws.call("s3", "DeleteBucketTagging", Bucket=bucket)
