"""The AWS CLI as judge: deploy, wait, describe."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.stacks import Stacks, stacks

AWS = shutil.which("aws", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
pytestmark = pytest.mark.skipif(AWS is None, reason="needs the AWS CLI")

TEMPLATE = """
Parameters: {Name: {Type: String, Default: jobs}}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Name, VisibilityTimeout: 30}}
Outputs: {Url: {Value: !Ref Queue}}
"""


@pytest_asyncio.fixture
async def cfn() -> AsyncIterator[Stacks]:
    async with stacks() as each:
        yield each


class File:
    """The template's file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write(TEMPLATE)

    def write(self, text: str) -> None:
        self.path.write_text(text)


@pytest.fixture
def template(tmp_path: Path) -> File:
    return File(tmp_path / "template.yaml")


async def aws(cfn: Stacks, *arguments: str | Path) -> tuple[int, str, str]:
    """Run the CLI against the world. Returns its exit code and what it printed."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(cfn.world.workdir),
        "AWS_ENDPOINT_URL": cfn.world.url,
        "AWS_REGION": "us-west-2",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_PAGER": "",
    }
    pipe = asyncio.subprocess.PIPE
    assert AWS is not None
    process = await asyncio.create_subprocess_exec(AWS, *map(str, arguments), stdout=pipe, stderr=pipe, env=environment)
    async with asyncio.timeout(25):  # below the 30 seconds between two looks of a waiter
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def deploy(cfn: Stacks, template: File, *more: str) -> tuple[int, str, str]:
    return await aws(cfn, "cloudformation", "deploy", "--stack-name", "cli", "--template-file", template.path, *more)


async def test_deploy_creates_and_then_updates_a_stack(cfn: Stacks, template: File) -> None:
    code, out, err = await deploy(cfn, template)
    assert (code, err) == (0, "")
    assert "Successfully created/updated stack - cli" in out
    template.write(TEMPLATE.replace("30", "60"))
    code, out, err = await deploy(cfn, template, "--tags", "team=mail")
    assert (code, err) == (0, "")
    stack = (await cfn.call("DescribeStacks", StackName="cli"))["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    queue = await cfn.aws.call(
        "sqs", "GetQueueAttributes", QueueUrl=stack["Outputs"][0]["OutputValue"], AttributeNames=["All"]
    )
    assert queue["Attributes"]["VisibilityTimeout"] == "60"


async def test_deploying_the_same_again_is_no_failure_unless_asked_for(cfn: Stacks, template: File) -> None:
    await deploy(cfn, template)
    code, out, _ = await deploy(cfn, template, "--no-fail-on-empty-changeset")
    assert code == 0
    assert "No changes to deploy. Stack cli is up to date" in out
    code, _, err = await deploy(cfn, template, "--fail-on-empty-changeset")
    assert code != 0
    assert "No changes to deploy" in err


async def test_deploy_keeps_parameters_that_are_not_given_again(cfn: Stacks, template: File) -> None:
    await deploy(cfn, template, "--parameter-overrides", "Name=own")
    template.write(TEMPLATE.replace("30", "60"))
    code, _, err = await deploy(cfn, template)
    assert (code, err) == (0, "")
    stack = (await cfn.call("DescribeStacks", StackName="cli"))["Stacks"][0]
    assert stack["Parameters"] == [{"ParameterKey": "Name", "ParameterValue": "own"}]


async def test_a_failed_deploy_fails_and_the_events_say_why(cfn: Stacks, template: File) -> None:
    template.write(TEMPLATE.replace("VisibilityTimeout: 30", "Colour: red"))
    code, _, err = await deploy(cfn, template)
    assert code != 0
    assert "Failed to create/update the stack" in err
    _, out, _ = await aws(cfn, "cloudformation", "describe-stack-events", "--stack-name", "cli", "--output", "json")
    reasons = [each.get("ResourceStatusReason") for each in json.loads(out)["StackEvents"]]
    assert "Encountered unsupported property Colour" in reasons


async def test_the_clis_waiters_end_with_the_stack(cfn: Stacks, template: File) -> None:
    code, _, err = await aws(
        cfn, "cloudformation", "create-stack", "--stack-name", "cli", "--template-body", f"file://{template.path}"
    )
    assert (code, err) == (0, "")
    code, _, err = await aws(cfn, "cloudformation", "wait", "stack-create-complete", "--stack-name", "cli")
    assert (code, err) == (0, "")
    await aws(cfn, "cloudformation", "delete-stack", "--stack-name", "cli")
    code, _, err = await aws(cfn, "cloudformation", "wait", "stack-delete-complete", "--stack-name", "cli")
    assert (code, err) == (0, "")


async def test_validate_template_names_the_place(cfn: Stacks, template: File) -> None:
    template.write("Resources:\n  A: {Type: AWS::SQS::Queue\n  B: x\n")
    code, _, err = await aws(cfn, "cloudformation", "validate-template", "--template-body", f"file://{template.path}")
    assert code != 0
    assert "ValidationError" in err
    assert "YAML not well-formed. (line 3, column" in err
