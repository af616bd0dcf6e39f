"""Tables, file systems, buckets."""

from __future__ import annotations

from collections.abc import Sequence

from .resource import Ground, Thing


async def tables(ground: Ground) -> Sequence[Thing]:
    names = await ground.aws.pages("dynamodb", "list_tables", "TableNames")
    return [Thing("AWS::DynamoDB::Table", name, ground.arn("dynamodb", f"table/{name}")) for name in names]


async def file_systems(ground: Ground) -> Sequence[Thing]:
    found = await ground.aws.pages("efs", "describe_file_systems", "FileSystems")
    return [
        Thing(
            "AWS::EFS::FileSystem",
            each["FileSystemId"],
            ground.arn("elasticfilesystem", f"file-system/{each['FileSystemId']}"),
        )
        for each in found
    ]


async def access_points(ground: Ground) -> Sequence[Thing]:
    found = await ground.aws.pages("efs", "describe_access_points", "AccessPoints")
    return [
        Thing("AWS::EFS::AccessPoint", each["AccessPointId"], each["AccessPointArn"], frozenset({each["FileSystemId"]}))
        for each in found
    ]


async def buckets(ground: Ground) -> Sequence[Thing]:
    answer = await ground.aws.call("s3", "list_buckets")
    return [
        Thing("AWS::S3::Bucket", each["Name"], f"arn:{ground.partition}:s3:::{each['Name']}")
        for each in answer.get("Buckets", ())
    ]
