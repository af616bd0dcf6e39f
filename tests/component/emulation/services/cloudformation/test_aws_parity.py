"""CloudFormation's answers and texts as recorded on AWS, and templates as public projects write them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.stacks import Stacks, stacks
from webordinary_testkit.emulation.core.errors import AwsError

pytestmark = pytest.mark.asyncio(loop_scope="module")
QUEUE = "Resources: {Q: {Type: AWS::SQS::Queue}}"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def cfn() -> AsyncIterator[Stacks]:
    async with stacks() as made:
        yield made


async def created(cfn: Stacks, name: str, template: str, **params: Any) -> dict[str, Any]:
    await cfn.call("CreateStack", StackName=name, TemplateBody=template, **params)
    return await cfn.ended(name)


async def refusal(cfn: Stacks, operation: str, **params: Any) -> str:
    with pytest.raises(AwsError) as refused:
        await cfn.call(operation, **params)
    return refused.value.message


async def test_a_stack_has_no_empty_lists_but_tags_and_topics(cfn: Stacks) -> None:
    stack = await created(cfn, "lists", QUEUE)
    assert not {"Parameters", "Outputs", "Capabilities"} & set(stack)
    assert (stack["Tags"], stack["NotificationARNs"]) == ([], [])


async def test_a_stack_under_review_has_nothing_of_its_change_set_yet(cfn: Stacks) -> None:
    template = f"Description: later\n{QUEUE}"
    given = {"StackName": "review", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": template}
    await cfn.call("CreateChangeSet", **given, Tags=[{"Key": "a", "Value": "b"}], IncludeNestedStacks=True)
    stack = (await cfn.call("DescribeStacks", StackName="review"))["Stacks"][0]
    assert stack["Tags"] == [] and not {"Description", "ChangeSetId", "EnableTerminationProtection"} & set(stack)
    change_set = await cfn.call("DescribeChangeSet", StackName="review", ChangeSetName="c")
    assert "Parameters" not in change_set and change_set["Tags"]
    await cfn.call("ExecuteChangeSet", StackName="review", ChangeSetName="c")
    stack = await cfn.ended("review")
    assert (stack["Description"], stack["EnableTerminationProtection"]) == ("later", False)
    assert stack["LastUpdatedTime"] >= stack["CreationTime"]


async def test_a_stack_that_was_rolled_back_has_a_deletion_time(cfn: Stacks) -> None:
    template = "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 901}}}"
    stack = await created(cfn, "rolled-back", template)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE" and "DeletionTime" in stack


async def test_texts_of_what_is_missing(cfn: Stacks) -> None:
    assert await refusal(cfn, "DescribeChangeSet", StackName="x", ChangeSetName="c") == "Stack [x] does not exist"
    assert await refusal(cfn, "DeleteChangeSet", StackName="x", ChangeSetName="c") == "Stack [x] does not exist"
    said = await refusal(cfn, "DescribeStackResource", StackName="x", LogicalResourceId="Q")
    assert said == "Stack 'x' does not exist"
    assert await refusal(cfn, "GetTemplate") == "StackName is required if ChangeSetName is not specified."


async def test_a_mapping_that_is_missing_is_refused_at_once(cfn: Stacks) -> None:
    template = json.dumps(
        {
            "Parameters": {"P": {"Type": "String", "Default": "C"}},
            "Mappings": {"M": {"A": {"Suffix": "a"}}},
            "Resources": {
                "Q": {
                    "Type": "AWS::SQS::Queue",
                    "Properties": {"QueueName": {"Fn::FindInMap": ["M", {"Ref": "P"}, "Suffix"]}},
                }
            },
        }
    )
    said = "Template error: Unable to get mapping for M::C::Suffix"
    assert await refusal(cfn, "CreateStack", StackName="map", TemplateBody=template) == said
    change_set = {"StackName": "map", "ChangeSetName": "c", "ChangeSetType": "CREATE"}
    assert await refusal(cfn, "CreateChangeSet", TemplateBody=template, **change_set) == said


async def test_a_policy_may_be_an_intrinsic_function(cfn: Stacks) -> None:
    template = """
Parameters: {Policy: {Type: String, Default: Delete}}
Conditions: {Keep: !Equals [a, a]}
Resources:
  Kept: {Type: AWS::SQS::Queue, DeletionPolicy: !If [Keep, Retain, Delete], UpdateReplacePolicy: !Ref Policy}
Outputs: {Url: {Value: !Ref Kept}}
"""
    stack = await created(cfn, "policies", template)
    await cfn.call("DeleteStack", StackName=stack["StackId"])
    assert (await cfn.ended(stack["StackId"]))["StackStatus"] == "DELETE_COMPLETE"
    url = stack["Outputs"][0]["OutputValue"]
    assert await cfn.aws.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["QueueArn"])
    given = {"StackName": "odd", "TemplateBody": template}
    said = await refusal(cfn, "CreateStack", **given, Parameters=[{"ParameterKey": "Policy", "ParameterValue": "No"}])
    assert said.startswith("Template error: UpdateReplacePolicy of [/Resources/Kept] must be one of")


async def test_a_parameters_generated_name(cfn: Stacks) -> None:
    template = "Resources: {Word: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: x}}}"
    await created(cfn, "names", template)
    assert re.fullmatch(r"CFN-Word-\w{12}", await cfn.physical_id("Word", "names"))


async def test_an_inline_policy_without_version_is_stored_as_written(cfn: Stacks) -> None:
    statement = "Statement: [{Effect: Allow, Action: 's3:*', Resource: '*'}]"
    trust = "{Statement: [{Effect: Allow, Principal: {Service: ecs.amazonaws.com}, Action: 'sts:AssumeRole'}]}"
    policies = f"[{{PolicyName: p, PolicyDocument: {{{statement}}}}}]"
    template = f"""
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties: {{RoleName: old, AssumeRolePolicyDocument: {trust}, Policies: {policies}}}
"""
    stack = await created(cfn, "inline", template, Capabilities=["CAPABILITY_NAMED_IAM"])
    assert stack["StackStatus"] == "CREATE_COMPLETE", await cfn.failures("inline")
    answer = await cfn.aws.call("iam", "GetRolePolicy", RoleName="old", PolicyName="p")
    assert "Version" not in str(answer["PolicyDocument"])
    managed = '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    with pytest.raises(AwsError, match="2012-10-17"):
        await cfn.aws.call("iam", "CreatePolicy", PolicyName="m", PolicyDocument=managed)


async def test_language_extensions_that_are_not_used_do_no_harm(cfn: Stacks) -> None:
    unused = f"Transform: AWS::LanguageExtensions\n{QUEUE}"
    assert (await created(cfn, "extended", unused))["StackStatus"] == "CREATE_COMPLETE"
    used = unused.replace("AWS::SQS::Queue}", "AWS::SQS::Queue, Properties: {DelaySeconds: {Fn::Length: [a]}}}")
    said = await refusal(cfn, "CreateStack", StackName="used", TemplateBody=used)
    assert said.startswith("Template section Transform is not emulated")


async def test_the_deployment_mode_of_the_cdk_is_taken(cfn: Stacks) -> None:
    stack = await created(cfn, "cdk", QUEUE, DeploymentConfig={"Mode": "STANDARD"})
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    await cfn.call("DeleteStack", StackName="cdk", DeploymentConfig={"Mode": "STANDARD"})
