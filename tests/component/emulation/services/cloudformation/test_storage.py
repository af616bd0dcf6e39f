"""AWS::DynamoDB, AWS::S3 and AWS::EFS resources, as the API shows them afterwards."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.stacks import Stacks, stacks
from webordinary_testkit.emulation.core.errors import AwsError


@pytest_asyncio.fixture
async def cfn() -> AsyncIterator[Stacks]:
    async with stacks() as each:
        yield each


TABLE = """
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: sessions
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: id, AttributeType: S}
        - {AttributeName: at, AttributeType: N}
        - {AttributeName: state, AttributeType: S}
      KeySchema: [{AttributeName: id, KeyType: HASH}, {AttributeName: at, KeyType: RANGE}]
      GlobalSecondaryIndexes:
        - IndexName: ByState
          KeySchema: [{AttributeName: state, KeyType: HASH}]
          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [owner]}
      LocalSecondaryIndexes:
        - IndexName: Local
          KeySchema: [{AttributeName: id, KeyType: HASH}, {AttributeName: state, KeyType: RANGE}]
          Projection: {ProjectionType: KEYS_ONLY}
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
      SSESpecification: {SSEEnabled: true}
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      Tags: [{Key: team, Value: mail}]
Outputs:
  Name: {Value: !Ref Table}
  Arn: {Value: !GetAtt Table.Arn}
  Stream: {Value: !GetAtt Table.StreamArn}
"""


async def table(cfn: Stacks) -> dict[str, Any]:
    found: dict[str, Any] = (await cfn.aws.call("dynamodb", "DescribeTable", TableName="sessions"))["Table"]
    return found


async def test_a_table_has_all_that_its_template_says(cfn: Stacks) -> None:
    found = await cfn.made(TABLE)
    description = await table(cfn)
    assert (found["Name"], found["Arn"]) == ("sessions", description["TableArn"])
    assert found["Stream"] == description["LatestStreamArn"]
    assert [each["IndexName"] for each in description["GlobalSecondaryIndexes"]] == ["ByState"]
    assert [each["IndexName"] for each in description["LocalSecondaryIndexes"]] == ["Local"]
    assert description["SSEDescription"]["Status"] == "ENABLED"
    assert description["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    ttl = await cfn.aws.call("dynamodb", "DescribeTimeToLive", TableName="sessions")
    assert ttl["TimeToLiveDescription"] == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    backups = await cfn.aws.call("dynamodb", "DescribeContinuousBackups", TableName="sessions")
    recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
    tags = await cfn.aws.call("dynamodb", "ListTagsOfResource", ResourceArn=found["Arn"])
    assert {"Key": "team", "Value": "mail"} in tags["Tags"]


async def test_a_table_keeps_its_items_through_an_update(cfn: Stacks) -> None:
    await cfn.made(TABLE)
    item = {"id": {"S": "1"}, "at": {"N": "1"}}
    await cfn.aws.call("dynamodb", "PutItem", TableName="sessions", Item=item)
    await cfn.changed(
        TABLE.replace("Enabled: true}\n      Point", "Enabled: false}\n      Point")
        .replace("PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false")
        .replace("IndexName: ByState", "IndexName: ByStateToo")
        .replace("      StreamSpecification: {StreamViewType: NEW_IMAGE}\n", "")
        .replace("  Stream: {Value: !GetAtt Table.StreamArn}\n", "")
        .replace("BillingMode: PAY_PER_REQUEST", "BillingMode: PAY_PER_REQUEST\n      DeletionProtectionEnabled: true")
        .replace("Key: team", "Key: group"),
    )
    description = await table(cfn)
    assert [each["IndexName"] for each in description["GlobalSecondaryIndexes"]] == ["ByStateToo"]
    assert description["DeletionProtectionEnabled"] is True
    assert not description.get("StreamSpecification", {}).get("StreamEnabled")
    ttl = await cfn.aws.call("dynamodb", "DescribeTimeToLive", TableName="sessions")
    assert ttl["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    tags = await cfn.aws.call("dynamodb", "ListTagsOfResource", ResourceArn=description["TableArn"])
    assert {each["Key"] for each in tags["Tags"] if not each["Key"].startswith("aws:")} == {"group"}
    kept = await cfn.aws.call("dynamodb", "GetItem", TableName="sessions", Key=item)
    assert kept["Item"] == item


async def test_a_tables_key_takes_a_new_table_which_its_own_name_forbids(cfn: Stacks) -> None:
    await cfn.made(TABLE)
    stack = await cfn.update(TABLE.replace("AttributeName: at, KeyType", "AttributeName: state, KeyType"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert any("custom-named resource requires replacing" in reason for _, _, reason in await cfn.events())


async def test_a_table_that_dynamodb_refuses_fails_with_its_words(cfn: Stacks) -> None:
    await cfn.create(TABLE.replace("        - {AttributeName: state, AttributeType: S}\n", ""))
    reasons = [reason for _, status, reason in await cfn.events() if status == "CREATE_FAILED"]
    assert "Error Code: ValidationException" in reasons[0]


BUCKET = """
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - {ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}, BucketKeyEnabled: true}
      PublicAccessBlockConfiguration:
        {BlockPublicAcls: true, BlockPublicPolicy: false, IgnorePublicAcls: true, RestrictPublicBuckets: false}
      OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}
      LifecycleConfiguration:
        Rules:
          - {Id: old, Status: Enabled, Prefix: logs/, ExpirationInDays: 30, NoncurrentVersionExpirationInDays: 7}
          - Id: move
            Status: Enabled
            TagFilters: [{Key: tier, Value: cold}]
            ObjectSizeGreaterThan: 1000
            Transitions: [{StorageClass: GLACIER, TransitionInDays: 1}]
      CorsConfiguration:
        CorsRules: [{AllowedMethods: [GET], AllowedOrigins: ["*"], ExposedHeaders: [ETag], MaxAge: 60, Id: all}]
      WebsiteConfiguration:
        IndexDocument: index.html
        ErrorDocument: error.html
        RoutingRules:
          - {RoutingRuleCondition: {KeyPrefixEquals: old/}, RedirectRule: {ReplaceKeyPrefixWith: new/}}
      Tags: [{Key: team, Value: mail}]
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Principal: "*", Action: s3:GetObject, Resource: !Sub "${Bucket.Arn}/*"}
Outputs:
  Name: {Value: !Ref Bucket}
  Arn: {Value: !GetAtt Bucket.Arn}
  Regional: {Value: !GetAtt Bucket.RegionalDomainName}
"""


async def test_a_bucket_has_all_that_its_template_says(cfn: Stacks) -> None:
    found = await cfn.made(BUCKET)
    name = found["Name"]
    assert name.startswith("test-bucket-")
    assert (found["Arn"], found["Regional"]) == (f"arn:aws:s3:::{name}", f"{name}.s3.us-west-2.amazonaws.com")

    async def get(operation: str) -> dict[str, Any]:
        return await cfn.aws.call("s3", operation, Bucket=name)

    assert (await get("GetBucketVersioning"))["Status"] == "Enabled"
    encryption = (await get("GetBucketEncryption"))["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    block = (await get("GetPublicAccessBlock"))["PublicAccessBlockConfiguration"]
    assert (block["BlockPublicAcls"], block["BlockPublicPolicy"]) == (True, False)
    ownership = (await get("GetBucketOwnershipControls"))["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    old, move = (await get("GetBucketLifecycleConfiguration"))["Rules"]
    assert (old["Expiration"]["Days"], old["Filter"]["Prefix"]) == (30, "logs/")
    assert old["NoncurrentVersionExpiration"]["NoncurrentDays"] == 7
    assert move["Filter"]["And"]["Tags"] == [{"Key": "tier", "Value": "cold"}]
    assert move["Transitions"] == [{"Days": 1, "StorageClass": "GLACIER"}]
    cors = (await get("GetBucketCors"))["CORSRules"][0]
    assert (cors["ExposeHeaders"], cors["MaxAgeSeconds"]) == (["ETag"], 60)
    website = await get("GetBucketWebsite")
    assert website["IndexDocument"] == {"Suffix": "index.html"}
    policy = json.loads((await get("GetBucketPolicy"))["Policy"])
    assert policy["Statement"][0]["Resource"] == f"arn:aws:s3:::{name}/*"
    tags = {each["Key"]: each["Value"] for each in (await get("GetBucketTagging"))["TagSet"]}
    assert tags == {"team": "mail"}


async def test_a_buckets_settings_change_and_go(cfn: Stacks) -> None:
    name = (await cfn.made(BUCKET))["Name"]
    plain = (
        BUCKET[: BUCKET.index("      BucketEncryption")].replace("Enabled", "Suspended")
        + BUCKET[BUCKET.index("  Policy:") :]
    )
    assert (await cfn.changed(plain))["Name"] == name
    assert (await cfn.aws.call("s3", "GetBucketVersioning", Bucket=name))["Status"] == "Suspended"
    for operation in ("GetBucketCors", "GetBucketWebsite", "GetBucketLifecycleConfiguration", "GetPublicAccessBlock"):
        with pytest.raises(AwsError):
            await cfn.aws.call("s3", operation, Bucket=name)


async def test_a_bucket_with_something_in_it_is_not_deleted(cfn: Stacks) -> None:
    name = (await cfn.made(BUCKET))["Name"]
    await cfn.aws.call("s3", "PutObject", Bucket=name, Key="a", Body=b"x")
    stack = await cfn.delete()
    assert stack["StackStatusReason"] == "The following resource(s) failed to delete: [Bucket]. "
    assert any("BucketNotEmpty" in reason for _, _, reason in await cfn.events())


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ("{ReplicationConfiguration: {}}", "Property ReplicationConfiguration of AWS::S3::Bucket is not emulated"),
        (
            "{LifecycleConfiguration: {Rules: [{Status: Enabled, Expire: 1}]}}",
            "unsupported property LifecycleConfiguration/Rules/0/Expire",
        ),
        ("{CorsConfiguration: {Rules: []}}", "PutBucketCors cannot take"),
    ],
)
async def test_a_setting_that_cannot_be_says_why(cfn: Stacks, properties: str, message: str) -> None:
    await cfn.create(f"Resources: {{B: {{Type: AWS::S3::Bucket, Properties: {properties}}}}}")
    reasons = [reason for _, status, reason in await cfn.events() if status == "CREATE_FAILED"]
    assert message in reasons[0]
    assert (await cfn.aws.call("s3", "ListBuckets"))["Buckets"] == []


FILES = """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.1.0.0/16}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.1.0.0/24}}
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: NFS, VpcId: !Ref Vpc}}
  Other: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: other, VpcId: !Ref Vpc}}
  Files:
    Type: AWS::EFS::FileSystem
    Properties:
      Encrypted: true
      ThroughputMode: elastic
      BackupPolicy: {Status: DISABLED}
      LifecyclePolicies: [{TransitionToIA: AFTER_30_DAYS}]
      FileSystemTags: [{Key: Name, Value: files}]
  Target:
    Type: AWS::EFS::MountTarget
    Properties: {FileSystemId: !Ref Files, SubnetId: !Ref Subnet, SecurityGroups: [!Ref Group]}
  Point:
    Type: AWS::EFS::AccessPoint
    Properties:
      FileSystemId: !Ref Files
      PosixUser: {Uid: "1000", Gid: "1000"}
      RootDirectory: {Path: /work, CreationInfo: {OwnerUid: "1000", OwnerGid: 1000, Permissions: "0755"}}
      AccessPointTags: [{Key: Name, Value: point}]
Outputs:
  Files: {Value: !Ref Files}
  Target: {Value: !Ref Target}
  Point: {Value: !Ref Point}
  PointArn: {Value: !GetAtt Point.Arn}
"""


async def test_a_file_system_is_as_its_template_says_and_changes_in_place(cfn: Stacks) -> None:
    found = await cfn.made(FILES)
    call = cfn.aws.call
    system = (await call("efs", "DescribeFileSystems", FileSystemId=found["Files"]))["FileSystems"][0]
    assert (system["Encrypted"], system["ThroughputMode"], system["Name"]) == (True, "elastic", "files")
    point = (await call("efs", "DescribeAccessPoints", AccessPointId=found["Point"]))["AccessPoints"][0]
    assert point["PosixUser"] == {"Uid": 1000, "Gid": 1000}
    assert point["RootDirectory"]["CreationInfo"] == {"OwnerUid": 1000, "OwnerGid": 1000, "Permissions": "0755"}
    assert point["AccessPointArn"] == found["PointArn"]
    again = await cfn.changed(FILES.replace("[!Ref Group]}", "[!Ref Other]}").replace("Value: point", "Value: p"))
    assert again == found
    groups = await call("efs", "DescribeMountTargetSecurityGroups", MountTargetId=found["Target"])
    assert groups["SecurityGroups"] == [await cfn.physical_id("Other")]
    await cfn.gone()
    assert (await call("efs", "DescribeFileSystems"))["FileSystems"] == []
