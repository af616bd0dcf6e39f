"""The operations as boto3 sees them: answers, errors, waiters, pages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.support.stacks import Stacks, stacks
from tests.support.things import NAME, Things, install

QUEUES = """
AWSTemplateFormatVersion: 2010-09-09
Description: Two queues.
Parameters:
  Prefix: {Type: String, Default: it, Description: Begins all names., AllowedValues: [it, prod]}
  Secret: {Type: String, Default: s3cret, NoEcho: true}
Resources:
  Jobs:
    Type: AWS::SQS::Queue
    Metadata: {Owner: team}
    Properties:
      QueueName: !Sub "${Prefix}-jobs"
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
  Dead: {Type: AWS::SQS::Queue}
Outputs:
  Url: {Value: !Ref Jobs, Description: Where jobs go., Export: {Name: !Sub "${AWS::StackName}-url"}}
"""
THING = f"Resources: {{A: {{Type: {NAME}, Properties: {{Value: 1}}}}}}"
IMPORTER = f"Resources: {{A: {{Type: {NAME}, Properties: {{Value: !ImportValue shared}}}}}}"


def exporter(value: str) -> str:
    return f"Resources: {{A: {{Type: {NAME}}}}}\nOutputs: {{O: {{Value: {value}, Export: {{Name: shared}}}}}}"


@pytest.fixture
def things(monkeypatch: pytest.MonkeyPatch) -> Things:
    return install(monkeypatch)


@pytest_asyncio.fixture
async def cfn(things: Things) -> AsyncIterator[Stacks]:
    async with stacks() as each:
        yield each


class Boto:
    """A boto3 client, called off the event loop."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await asyncio.to_thread(getattr(self.client, operation), **params)
        return answer

    async def wait(self, waiter: str, **params: Any) -> None:
        config = {"Delay": 30, "MaxAttempts": 2}
        await asyncio.to_thread(self.client.get_waiter(waiter).wait, WaiterConfig=config, **params)

    async def refused(self, operation: str, **params: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as refusal:
            await self(operation, **params)
        error = refusal.value.response["Error"]
        return error["Code"], error["Message"]


@pytest.fixture
def boto(cfn: Stacks) -> Boto:
    return Boto(cfn.world.client("cloudformation"))


async def test_a_stack_lives_its_life_under_boto3s_waiters(boto: Boto) -> None:
    created = await boto("create_stack", StackName="queues", TemplateBody=QUEUES)
    async with asyncio.timeout(15):  # the waiters look at once, and then only every 30 seconds
        await boto.wait("stack_create_complete", StackName="queues")
        await boto.wait("stack_exists", StackName="queues")
        changed = QUEUES.replace("maxReceiveCount: 3", "maxReceiveCount: 5")
        await boto("update_stack", StackName="queues", TemplateBody=changed)
        await boto.wait("stack_update_complete", StackName="queues")
        await boto("delete_stack", StackName="queues")
        await boto.wait("stack_delete_complete", StackName="queues")
    stack = (await boto("describe_stacks", StackName=created["StackId"]))["Stacks"][0]
    assert stack["StackStatus"] == "DELETE_COMPLETE"


async def test_a_stack_is_described_in_full(boto: Boto) -> None:
    await boto("create_stack", StackName="queues", TemplateBody=QUEUES, Tags=[{"Key": "team", "Value": "mail"}])
    stack = (await boto("describe_stacks", StackName="queues"))["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Description"] == "Two queues."
    assert stack["StackId"].startswith("arn:aws:cloudformation:us-west-2:123456789012:stack/queues/")
    assert stack["Parameters"] == [
        {"ParameterKey": "Prefix", "ParameterValue": "it"},
        {"ParameterKey": "Secret", "ParameterValue": "****"},
    ]
    assert stack["Tags"] == [{"Key": "team", "Value": "mail"}]
    (output,) = stack["Outputs"]
    assert output["OutputValue"].endswith("/123456789012/it-jobs")
    assert (output["OutputKey"], output["ExportName"]) == ("Url", "queues-url")
    assert stack["CreationTime"].tzinfo is not None


async def test_its_resources_are_described_each_way(boto: Boto) -> None:
    await boto("create_stack", StackName="queues", TemplateBody=QUEUES)
    await boto.wait("stack_create_complete", StackName="queues")
    detail = (await boto("describe_stack_resource", StackName="queues", LogicalResourceId="Jobs"))[
        "StackResourceDetail"
    ]
    assert json.loads(detail["Metadata"]) == {"Owner": "team"}
    listed = (await boto("list_stack_resources", StackName="queues"))["StackResourceSummaries"]
    assert {each["LogicalResourceId"]: each["ResourceStatus"] for each in listed} == {
        "Jobs": "CREATE_COMPLETE",
        "Dead": "CREATE_COMPLETE",
    }
    url = detail["PhysicalResourceId"]
    found = await boto("describe_stack_resources", PhysicalResourceId=url, LogicalResourceId="Jobs")
    assert [each["StackName"] for each in found["StackResources"]] == ["queues"]
    assert await boto.refused("describe_stack_resource", StackName="queues", LogicalResourceId="Nope") == (
        "ValidationError",
        "Resource Nope does not exist for stack queues",
    )
    assert await boto.refused("describe_stack_resources", PhysicalResourceId="nope") == (
        "ValidationError",
        "Stack for nope does not exist",
    )


async def test_a_generated_name_tells_its_stack_and_resource(boto: Boto) -> None:
    await boto("create_stack", StackName="queues", TemplateBody=QUEUES)
    await boto.wait("stack_create_complete", StackName="queues")
    detail = await boto("describe_stack_resource", StackName="queues", LogicalResourceId="Dead")
    name = detail["StackResourceDetail"]["PhysicalResourceId"].rsplit("/", 1)[1]
    assert name.startswith("queues-Dead-")


async def test_events_come_newest_first_in_pages(boto: Boto) -> None:
    resources = "\n".join(f"  A{number}: {{Type: {NAME}}}" for number in range(40))
    await boto("create_stack", StackName="many", TemplateBody=f"Resources:\n{resources}")
    await boto.wait("stack_create_complete", StackName="many")
    paginator = boto.client.get_paginator("describe_stack_events")
    pages = await asyncio.to_thread(lambda: [page["StackEvents"] for page in paginator.paginate(StackName="many")])
    events = [event for page in pages for event in page]
    assert [len(page) for page in pages] == [100, 22]
    assert len({event["EventId"] for event in events}) == 122
    assert events[0]["ResourceStatus"] == "CREATE_COMPLETE"
    assert events[-1]["ResourceStatusReason"] == "User Initiated"
    assert [each["Timestamp"] for each in events] == sorted((each["Timestamp"] for each in events), reverse=True)


async def test_a_name_is_taken_while_its_stack_lives(boto: Boto) -> None:
    await boto("create_stack", StackName="one", TemplateBody=THING)
    assert await boto.refused("create_stack", StackName="one", TemplateBody=THING) == (
        "AlreadyExistsException",
        "Stack [one] already exists",
    )
    await boto("delete_stack", StackName="one")
    await boto.wait("stack_delete_complete", StackName="one")
    await boto("create_stack", StackName="one", TemplateBody=THING)


async def test_a_create_repeated_with_its_token_is_the_same_stack(boto: Boto) -> None:
    first = await boto("create_stack", StackName="one", TemplateBody=THING, ClientRequestToken="t1")
    assert (await boto("create_stack", StackName="one", TemplateBody=THING, ClientRequestToken="t1"))[
        "StackId"
    ] == first["StackId"]
    events = (await boto("describe_stack_events", StackName="one"))["StackEvents"]
    assert {event["ClientRequestToken"] for event in events} == {"t1"}


@pytest.mark.parametrize(
    ("operation", "params", "code", "message"),
    [
        ("describe_stacks", {"StackName": "nope"}, "ValidationError", "Stack with id nope does not exist"),
        ("describe_stack_events", {"StackName": "nope"}, "ValidationError", "Stack [nope] does not exist"),
        (
            "update_stack",
            {"StackName": "nope", "TemplateBody": THING},
            "ValidationError",
            "Stack [nope] does not exist",
        ),
        ("create_stack", {"StackName": "a_b", "TemplateBody": THING}, "ValidationError", "Value 'a_b' at 'stackName'"),
        (
            "create_stack",
            {"StackName": "a"},
            "ValidationError",
            "Either Template URL or Template Body must be specified.",
        ),
        (
            "create_stack",
            {"StackName": "a", "TemplateBody": THING, "Parameters": [{"ParameterKey": "X", "ParameterValue": "1"}]},
            "ValidationError",
            "Parameters: [X] do not exist in the template",
        ),
        (
            "create_stack",
            {"StackName": "a", "TemplateBody": "Resources: {A: {Type: AWS::Foo::Bar}}"},
            "ValidationError",
            "Template format error: Unrecognized resource types: [AWS::Foo::Bar]",
        ),
        (
            "create_stack",
            {
                "StackName": "a",
                "TemplateBody": "Resources: {R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}}}}",
            },
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_IAM]",
        ),
        (
            "create_stack",
            {"StackName": "a", "TemplateBody": THING, "OnFailure": "DELETE", "DisableRollback": True},
            "ValidationError",
            "You can't specify OnFailure and DisableRollback both",
        ),
        (
            "create_stack",
            {"StackName": "a", "TemplateBody": THING, "NotificationARNs": ["arn:aws:sns:us-west-2:123456789012:t"]},
            "NotImplemented",
            "CreateStack with NotificationARNs is not emulated",
        ),
        ("create_stack", {"StackName": "a", "TemplateBody": THING + " " * 52_000}, "ValidationError", "51200"),
        ("validate_template", {"TemplateBody": "A: ["}, "ValidationError", "YAML not well-formed. (line"),
        ("list_imports", {"ExportName": "x"}, "ValidationError", "Export 'x' is not imported by any stack."),
        ("list_stack_sets", {}, "NotImplemented", "cloudformation:ListStackSets is not emulated"),
    ],
)
async def test_a_request_is_refused_in_awss_words(
    boto: Boto, operation: str, params: dict[str, Any], code: str, message: str
) -> None:
    found = await boto.refused(operation, **params)
    assert found[0] == code
    assert message in found[1]


async def test_deleting_what_is_not_there_succeeds(boto: Boto) -> None:
    await boto("delete_stack", StackName="nope")


async def test_what_is_refused_leaves_no_stack(boto: Boto) -> None:
    await boto.refused("create_stack", StackName="a", TemplateBody="Resources: {}")
    assert (await boto("list_stacks"))["StackSummaries"] == []


async def test_termination_protection_keeps_the_stack(boto: Boto) -> None:
    await boto("create_stack", StackName="one", TemplateBody=THING, EnableTerminationProtection=True)
    await boto.wait("stack_create_complete", StackName="one")
    assert await boto.refused("delete_stack", StackName="one") == (
        "ValidationError",
        "Stack [one] cannot be deleted while TerminationProtection is enabled",
    )
    await boto("update_termination_protection", StackName="one", EnableTerminationProtection=False)
    await boto("delete_stack", StackName="one")
    await boto.wait("stack_delete_complete", StackName="one")


async def test_a_stack_in_the_middle_of_something_cannot_be_updated(boto: Boto, things: Things) -> None:
    waiting = THING.replace("Value: 1", "Wait: true")
    created = await boto("create_stack", StackName="one", TemplateBody=waiting)
    assert await boto.refused("update_stack", StackName="one", TemplateBody=THING) == (
        "ValidationError",
        f"Stack:{created['StackId']} is in CREATE_IN_PROGRESS state and can not be updated.",
    )
    things.release.set()


async def test_describing_a_stack_under_way_is_answered_when_it_ends_or_after_a_while(
    boto: Boto, things: Things
) -> None:
    await boto("create_stack", StackName="one", TemplateBody=THING.replace("Value: 1", "Wait: true"))
    assert (await boto("describe_stacks", StackName="one"))["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
    describing = asyncio.create_task(boto("describe_stacks", StackName="one"))
    await asyncio.sleep(0.05)
    things.release.set()
    assert (await describing)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"


async def test_stacks_are_listed_by_status_newest_first(cfn: Stacks, boto: Boto) -> None:
    for name in ("one", "two", "three"):
        await cfn.create(THING, name)
    await cfn.delete("two")
    alive = (await boto("describe_stacks"))["Stacks"]
    assert [each["StackName"] for each in alive] == ["three", "one"]
    dead = (await boto("list_stacks", StackStatusFilter=["DELETE_COMPLETE"]))["StackSummaries"]
    assert [each["StackName"] for each in dead] == ["two"]
    assert len((await boto("list_stacks"))["StackSummaries"]) == 3


async def test_a_template_is_given_back_as_it_was(cfn: Stacks, boto: Boto) -> None:
    await cfn.create(QUEUES, "queues")
    answer = await boto("get_template", StackName="queues")
    assert answer["TemplateBody"] == QUEUES
    as_json = json.dumps({"Resources": {"A": {"Type": NAME}}})
    await cfn.create(as_json, "json")
    assert (await boto("get_template", StackName="json"))["TemplateBody"] == json.loads(as_json)


async def test_a_template_is_summed_up(boto: Boto) -> None:
    summary = await boto("get_template_summary", TemplateBody=QUEUES)
    prefix, secret = summary["Parameters"]
    assert prefix["ParameterConstraints"] == {"AllowedValues": ["it", "prod"]}
    assert (prefix["DefaultValue"], prefix["ParameterType"], prefix["NoEcho"]) == ("it", "String", False)
    assert secret["NoEcho"] is True
    assert summary["ResourceTypes"] == ["AWS::SQS::Queue"]
    role = "Resources: {R: {Type: AWS::IAM::Role, Properties: {RoleName: r, AssumeRolePolicyDocument: {}}}}"
    validated = await boto("validate_template", TemplateBody=role)
    assert validated["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert validated["CapabilitiesReason"] == "The following resource(s) require capabilities: [AWS::IAM::Role]"


async def test_a_template_may_lie_in_s3(cfn: Stacks, boto: Boto) -> None:
    where = {"LocationConstraint": "us-west-2"}
    await cfn.aws.call("s3", "CreateBucket", Bucket="templates", CreateBucketConfiguration=where)
    await cfn.aws.call("s3", "PutObject", Bucket="templates", Key="a/t.yaml", Body=THING.encode())
    for name, url in (
        ("path", "https://s3.us-west-2.amazonaws.com/templates/a/t.yaml"),
        ("host", "https://templates.s3.us-west-2.amazonaws.com/a/t.yaml"),
        ("local", f"{cfn.world.url}/templates/a/t.yaml"),
    ):
        await boto("create_stack", StackName=name, TemplateURL=url)
        await boto.wait("stack_create_complete", StackName=name)
    _, message = await boto.refused("create_stack", StackName="no", TemplateURL="https://s3.amazonaws.com/templates/no")
    assert message.startswith("S3 error: ")


async def test_the_previous_template_and_values_can_be_kept(cfn: Stacks, boto: Boto) -> None:
    body = f"""
Parameters: {{Value: {{Type: String}}, Other: {{Type: String, Default: x}}}}
Resources: {{A: {{Type: {NAME}, Properties: {{Value: !Sub "${{Value}}-${{Other}}"}}}}}}
Outputs: {{O: {{Value: !GetAtt A.Value}}}}
"""
    await cfn.create(body, "one", parameters={"Value": "kept"})
    await boto(
        "update_stack",
        StackName="one",
        UsePreviousTemplate=True,
        Parameters=[
            {"ParameterKey": "Value", "UsePreviousValue": True},
            {"ParameterKey": "Other", "ParameterValue": "y"},
        ],
    )
    await boto.wait("stack_update_complete", StackName="one")
    stack = (await boto("describe_stacks", StackName="one"))["Stacks"][0]
    assert stack["Outputs"][0]["OutputValue"] == "kept-y"


async def test_an_export_is_shared_and_guarded(cfn: Stacks, boto: Boto, things: Things) -> None:
    await cfn.create(exporter("one"), "from")
    await cfn.create(IMPORTER, "to")
    assert things.there["thing-2"] == {"Value": "one"}
    (export,) = (await boto("list_exports"))["Exports"]
    assert (export["Name"], export["Value"]) == ("shared", "one")
    assert (await boto("list_imports", ExportName="shared"))["Imports"] == ["to"]

    second = await cfn.create(exporter("two"), "second")
    assert second["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any(
        "Export with name shared is already exported by stack from." in why for _, _, why in await cfn.events("second")
    )

    changed = await cfn.update(exporter("other"), "from")
    assert changed["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert any(why == "Cannot update export shared as it is in use by to." for _, _, why in await cfn.events("from"))

    undeleted = await cfn.delete("from")
    assert undeleted["StackStatus"] == "DELETE_FAILED"
    assert undeleted["StackStatusReason"] == "Delete canceled. Cannot delete export shared as it is in use by to."

    await cfn.delete("to")
    assert (await cfn.delete("from"))["StackStatus"] == "DELETE_COMPLETE"
    assert (await boto("list_exports"))["Exports"] == []


async def test_an_import_of_nothing_fails_the_resource(cfn: Stacks) -> None:
    stack = await cfn.create(IMPORTER)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert ("A", "CREATE_FAILED", "No export named shared found.") in await cfn.events()


async def test_a_resource_without_its_condition_is_not_there(cfn: Stacks, things: Things) -> None:
    body = f"""
Parameters: {{Live: {{Type: String}}}}
Conditions: {{Live: !Equals [!Ref Live, "yes"]}}
Resources:
  A: {{Type: {NAME}, Condition: Live, Properties: {{Value: 1}}}}
  B: {{Type: {NAME}, DependsOn: A, Properties: {{Value: !If [Live, !Ref A, !Ref AWS::NoValue]}}}}
Outputs:
  A: {{Value: !Ref A, Condition: Live}}
  B: {{Value: !If [Live, !Ref A, none]}}
"""
    stack = await cfn.create(body, parameters={"Live": "no"})
    assert things.log == ["create B"]
    assert things.there["thing-1"] == {}
    assert [(each["OutputKey"], each["OutputValue"]) for each in stack["Outputs"]] == [("B", "none")]
    await cfn.update(body, parameters={"Live": "yes"})
    assert things.log == ["create B", "create A", "update B"]


async def test_what_refers_to_a_resource_without_its_condition_is_refused(boto: Boto) -> None:
    body = f"""
Conditions: {{Never: !Equals [a, b]}}
Resources:
  A: {{Type: {NAME}, Condition: Never}}
  B: {{Type: {NAME}, Properties: {{Value: !Ref A}}}}
"""
    _, message = await boto.refused("create_stack", StackName="a", TemplateBody=body)
    assert "Unresolved resource dependencies [A] in the Resources block of the template" in message


async def test_pseudo_parameters_say_where_the_stack_is(cfn: Stacks) -> None:
    body = (
        f"Resources: {{A: {{Type: {NAME}}}}}\n"
        "Outputs: {"
        'O: {Value: !Sub "${AWS::Partition} ${AWS::Region} ${AWS::AccountId} ${AWS::StackName} ${AWS::URLSuffix}"},'
        " I: {Value: !Ref AWS::StackId}, Z: {Value: !Join [',', !GetAZs '']}}"
    )
    stack = await cfn.create(body)
    found = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    assert found["O"] == "aws us-west-2 123456789012 test amazonaws.com"
    assert found["I"] == stack["StackId"]
    assert found["Z"].startswith("us-west-2a,us-west-2b")
