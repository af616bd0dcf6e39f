"""IAM, Logs, CloudWatch, SSM and Secrets Manager resources, and dynamic references to the last two."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import pytest
import pytest_asyncio

from tests.support.stacks import Stacks, stacks
from webordinary_testkit.emulation.services.cloudwatch import Cloudwatch

IAM = ["CAPABILITY_NAMED_IAM"]


@pytest_asyncio.fixture
async def cfn() -> AsyncIterator[Stacks]:
    async with stacks(Cloudwatch) as each:
        yield each


ROLES = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: &trust
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: sts:AssumeRole}]
      Description: For tasks.
      ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy]
      Policies:
        - PolicyName: read
          PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: s3:GetObject, Resource: "*"}]}
      Tags: [{Key: team, Value: mail}]
  Inline:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: write
      Roles: [!Ref Role]
      PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: s3:PutObject, Resource: "*"}]}
  Managed:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: shared
      Roles: [!Ref Role]
      PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: sqs:SendMessage, Resource: "*"}]}
Outputs:
  Role: {Value: !Ref Role}
  Arn: {Value: !GetAtt Role.Arn}
  Managed: {Value: !Ref Managed}
""".replace("&trust", "")


async def test_a_role_and_its_policies_are_as_their_template_says(cfn: Stacks) -> None:
    found = await cfn.made(ROLES, Capabilities=IAM)
    call = cfn.aws.call
    role = (await call("iam", "GetRole", RoleName=found["Role"]))["Role"]
    assert (role["Arn"], role["Description"]) == (found["Arn"], "For tasks.")
    assert found["Role"].startswith("test-Role-")
    attached = (await call("iam", "ListAttachedRolePolicies", RoleName=found["Role"]))["AttachedPolicies"]
    assert {each["PolicyName"] for each in attached} == {"AmazonECSTaskExecutionRolePolicy", "shared"}
    inline = (await call("iam", "ListRolePolicies", RoleName=found["Role"]))["PolicyNames"]
    assert set(inline) == {"read", "write"}
    tags = (await call("iam", "ListRoleTags", RoleName=found["Role"]))["Tags"]
    assert {"Key": "team", "Value": "mail"} in tags
    assert found["Managed"] == "arn:aws:iam::123456789012:policy/shared"


async def test_roles_and_policies_change_in_place_and_go(cfn: Stacks) -> None:
    found = await cfn.made(ROLES, Capabilities=IAM)
    again = await cfn.changed(
        ROLES.replace("For tasks.", "For all.")
        .replace(
            "      ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy]\n", ""
        )
        .replace("PolicyName: read", "PolicyName: look")
        .replace("s3:PutObject", "s3:DeleteObject")
        .replace("sqs:SendMessage", "sqs:*")
        .replace("ecs-tasks", "lambda"),
        Capabilities=IAM,
    )
    assert again == found
    call = cfn.aws.call
    role = (await call("iam", "GetRole", RoleName=found["Role"]))["Role"]
    assert role["Description"] == "For all."
    assert "lambda" in json.dumps(role["AssumeRolePolicyDocument"])
    attached = (await call("iam", "ListAttachedRolePolicies", RoleName=found["Role"]))["AttachedPolicies"]
    assert [each["PolicyName"] for each in attached] == ["shared"]
    assert set((await call("iam", "ListRolePolicies", RoleName=found["Role"]))["PolicyNames"]) == {"look", "write"}
    written = await call("iam", "GetRolePolicy", RoleName=found["Role"], PolicyName="write")
    assert "s3:DeleteObject" in unquote(json.dumps(written["PolicyDocument"]))
    policy = (await call("iam", "GetPolicy", PolicyArn=found["Managed"]))["Policy"]
    version = await call("iam", "GetPolicyVersion", PolicyArn=found["Managed"], VersionId=policy["DefaultVersionId"])
    assert "sqs:*" in unquote(json.dumps(version["PolicyVersion"]["Document"]))
    await cfn.gone()
    assert (await call("iam", "ListRoles"))["Roles"] == []


async def test_a_policy_for_nobody_is_refused(cfn: Stacks) -> None:
    body = "Resources: {P: {Type: AWS::IAM::Policy, Properties: {PolicyName: p, PolicyDocument: {}}}}"
    await cfn.create(body, Capabilities=IAM)
    assert ("P", "At least one of [Groups,Roles,Users] must be non-empty.") in await cfn.failures()


LOGS = """
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: /app, RetentionInDays: 7, Tags: [{Key: team, Value: mail}]}
Outputs: {Name: {Value: !Ref Group}, Arn: {Value: !GetAtt Group.Arn}}
"""


async def test_a_log_group_is_as_its_template_says_and_changes_in_place(cfn: Stacks) -> None:
    found = await cfn.made(LOGS)

    async def group() -> dict[str, Any]:
        listed = await cfn.aws.call("logs", "DescribeLogGroups", logGroupNamePrefix="/app")
        one: dict[str, Any] = listed["logGroups"][0]
        return one

    async def tags() -> dict[str, str]:
        arn = found["Arn"].removesuffix(":*")
        listed: dict[str, str] = (await cfn.aws.call("logs", "ListTagsForResource", resourceArn=arn))["tags"]
        return {key: value for key, value in listed.items() if not key.startswith("aws:")}

    assert (found["Name"], found["Arn"]) == ("/app", (await group())["arn"])
    assert (await group())["retentionInDays"] == 7
    assert await tags() == {"team": "mail"}
    await cfn.changed(LOGS.replace("RetentionInDays: 7, ", "").replace("Key: team", "Key: group"))
    assert "retentionInDays" not in await group()
    assert await tags() == {"group": "mail"}
    await cfn.gone()


ALARM = """
Resources:
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: busy
      Namespace: App
      MetricName: Work
      Dimensions: [{Name: Environment, Value: test}]
      Statistic: Maximum
      Period: 10
      EvaluationPeriods: 3
      DatapointsToAlarm: "2"
      Threshold: 0.5
      ComparisonOperator: GreaterThanThreshold
      TreatMissingData: notBreaching
  Board:
    Type: AWS::CloudWatch::Dashboard
    Properties:
      DashboardName: board
      DashboardBody: !Sub |
        {"widgets": [{"type": "text", "x": 0, "y": 0, "width": 1, "height": 1,
                      "properties": {"markdown": "${AWS::Region}"}}]}
Outputs: {Name: {Value: !Ref Alarm}, Arn: {Value: !GetAtt Alarm.Arn}}
"""


async def test_an_alarm_and_a_dashboard_are_as_their_template_says_and_change_in_place(cfn: Stacks) -> None:
    found = await cfn.made(ALARM)

    async def alarm() -> dict[str, Any]:
        listed = await cfn.aws.call("cloudwatch", "DescribeAlarms", AlarmNames=["busy"])
        one: dict[str, Any] = listed["MetricAlarms"][0]
        return one

    async def board() -> str:
        return str((await cfn.aws.call("cloudwatch", "GetDashboard", DashboardName="board"))["DashboardBody"])

    described = await alarm()
    assert (described["AlarmArn"], described["Threshold"], described["DatapointsToAlarm"]) == (found["Arn"], 0.5, 2)
    assert described["Dimensions"] == [{"Name": "Environment", "Value": "test"}]
    assert "us-west-2" in await board()
    assert await cfn.changed(ALARM.replace("0.5", "5").replace("${AWS::Region}", "x"), tags={"run": "1"}) == found
    assert (await alarm())["Threshold"] == 5
    assert "us-west-2" not in await board()
    tags = (await cfn.aws.call("cloudwatch", "ListTagsForResource", ResourceARN=found["Arn"]))["Tags"]
    assert {"Key": "run", "Value": "1"} in tags
    await cfn.gone()
    assert (await cfn.aws.call("cloudwatch", "DescribeAlarms"))["MetricAlarms"] == []


SECRETS = """
Resources:
  Parameter: {Type: AWS::SSM::Parameter, Properties: {Name: /app/size, Type: String, Value: "30", Tags: {team: mail}}}
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString:
        {SecretStringTemplate: '{"user": "app"}', GenerateStringKey: password, PasswordLength: 20}
      Description: Generated.
  Plain: {Type: AWS::SecretsManager::Secret, Properties: {Name: plain, SecretString: hush, Description: Old.}}
Outputs: {Parameter: {Value: !Ref Parameter}, Value: {Value: !GetAtt Parameter.Value}, Secret: {Value: !Ref Secret}}
"""


async def secret(cfn: Stacks, name: str) -> str:
    return str((await cfn.aws.call("secretsmanager", "GetSecretValue", SecretId=name))["SecretString"])


async def test_parameters_and_secrets_are_kept_and_changed(cfn: Stacks) -> None:
    found = await cfn.made(SECRETS)
    assert (found["Parameter"], found["Value"]) == ("/app/size", "30")
    generated = json.loads(await secret(cfn, found["Secret"]))
    assert (generated["user"], len(generated["password"])) == ("app", 20)
    assert await secret(cfn, "plain") == "hush"
    again = await cfn.changed(
        SECRETS.replace('"30"', '"60"').replace("hush", "hush hush").replace("Generated.", "Kept."), tags={"run": "1"}
    )
    assert again == {**found, "Value": "60"}
    parameter = (await cfn.aws.call("ssm", "GetParameter", Name="/app/size"))["Parameter"]
    assert parameter["Value"] == "60"
    tags = await cfn.aws.call("ssm", "ListTagsForResource", ResourceType="Parameter", ResourceId="/app/size")
    assert {"Key": "team", "Value": "mail"} in tags["TagList"]
    assert {"Key": "run", "Value": "1"} in tags["TagList"]
    assert json.loads(await secret(cfn, found["Secret"])) == generated
    assert await secret(cfn, "plain") == "hush hush"
    await cfn.gone()
    assert (await cfn.aws.call("secretsmanager", "ListSecrets"))["SecretList"] == []


async def test_dynamic_references_are_read_when_a_resource_is_made(cfn: Stacks) -> None:
    await cfn.made(SECRETS, name="secrets")
    await cfn.aws.call("secretsmanager", "CreateSecret", Name="keyed", SecretString='{"name": "x"}')
    body = """
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Join
        - "-"
        - - q
          - "{{resolve:ssm:/app/size}}"
          - "{{resolve:secretsmanager:plain}}"
          - "{{resolve:secretsmanager:keyed:SecretString:name}}"
      VisibilityTimeout: "{{resolve:ssm:/app/size}}"
"""
    await cfn.made(body)
    url = await cfn.physical_id("Queue")
    assert url.endswith("/q-30-hush-x")
    queue = await cfn.aws.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    assert queue["Attributes"] == {"VisibilityTimeout": "30"}


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("ssm:/not/there", "Could not resolve the dynamic reference {{resolve:ssm:/not/there}}: ParameterNotFound"),
        ("secretsmanager:nope", "ResourceNotFoundException"),
        ("vault:x", "vault is none of ssm, secretsmanager"),
    ],
)
async def test_a_dynamic_reference_to_nothing_fails_the_resource(cfn: Stacks, reference: str, message: str) -> None:
    await cfn.create(
        f'Resources: {{Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: "{{{{resolve:{reference}}}}}"}}}}}}'
    )
    ((name, reason), *_) = await cfn.failures()
    assert name == "Q"
    assert message in reason


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (
            "{Type: AWS::SSM::Parameter, Properties: {Type: SecureString, Value: x}}",
            "Type must be String or StringList",
        ),
        (
            "{Type: AWS::SecretsManager::Secret, Properties: {SecretString: x, GenerateSecretString: {}}}",
            "You can't specify both SecretString and GenerateSecretString",
        ),
        (
            "{Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {GenerateStringKey: x}}}",
            "GenerateStringKey and SecretStringTemplate must be given together",
        ),
        (
            "{Type: AWS::CloudWatch::Alarm, Properties: {Threshold: high}}",
            "Value of property Threshold must be of type Double",
        ),
    ],
)
async def test_a_property_that_cannot_be_says_why(cfn: Stacks, resource: str, message: str) -> None:
    await cfn.create(f"Resources: {{X: {resource}}}")
    assert message in (await cfn.failures())[0][1]
