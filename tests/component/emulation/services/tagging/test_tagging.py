"""What carries which tags, asked by boto3 over the stack under test and over single resources."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.support import REPOSITORY
from tests.support.world import World
from webordinary_testkit.emulation.cloud import Cloud
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.services.tagging.filters import is_of_type
from webordinary_testkit.emulation.wiring import everything

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEMPLATE = REPOSITORY / "kit" / "system" / "integration-test-stack.yaml"
KINDS = [
    "application-autoscaling:scalable-target",
    "cloudformation:stack",
    "dynamodb:table",
    "ec2:internet-gateway",
    "ec2:route-table",
    "ec2:security-group",
    "ec2:subnet",
    "ec2:vpc",
    "ecs:cluster",
    "ecs:service",
    "ecs:task-definition",
    "elasticfilesystem:access-point",
    "elasticfilesystem:file-system",
    "elasticloadbalancing:listener",
    "elasticloadbalancing:listener-rule",
    "elasticloadbalancing:loadbalancer",
    "elasticloadbalancing:targetgroup",
    "ses:identity",
]
CLUSTER = "Cluster"
"""The cluster's logical id in the template."""
PROGRAMS = {"webordinary/hermes:test": ["true"], "webordinary/edit:test": ["true"]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def w() -> AsyncIterator[World]:
    """The stack under test, deployed with a tag, and nothing else."""
    cloud = Cloud(CloudConfig(insecure_keys="test", scale=600.0, programs=PROGRAMS), everything)
    await cloud.start()
    try:
        world = World(cloud, cloud.context("test"))
        await world.aws.call(
            "cloudformation",
            "CreateStack",
            StackName="it",
            TemplateBody=TEMPLATE.read_text(),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Tags=[{"Key": "kit:run", "Value": "r1"}],
        )
        client = world.client("cloudformation")
        waiter = client.get_waiter("stack_create_complete")
        await asyncio.to_thread(waiter.wait, StackName="it", WaiterConfig={"Delay": 1})
        yield world
    finally:
        await cloud.stop()


async def resources(w: World, **params: Any) -> dict[str, dict[str, str]]:
    client = w.client("resourcegroupstaggingapi")

    def collect() -> dict[str, dict[str, str]]:
        pages = client.get_paginator("get_resources").paginate(**params)
        return {
            each["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in each["Tags"]}
            for page in pages
            for each in page["ResourceTagMappingList"]
        }

    return await asyncio.to_thread(collect)


async def test_a_stacks_tag_is_on_everything_that_takes_tags(w: World) -> None:
    found = await resources(w, TagFilters=[{"Key": "kit:run", "Values": ["r1"]}])

    kinds = Counter(":".join([arn.split(":")[2], arn.split(":", 5)[5].partition("/")[0]]) for arn in found)
    for kind in KINDS:
        assert kinds[kind], f"no {kind} in {sorted(kinds)}"
    for service in ("sqs", "sns", "cloudwatch", "logs"):
        assert any(arn.split(":")[2] == service for arn in found), f"no {service}"


async def test_cloudformations_own_tags_say_stack_and_logical_id(w: World) -> None:
    found = await resources(w, TagFilters=[{"Key": "aws:cloudformation:stack-name", "Values": ["it"]}])
    clusters = {tags["aws:cloudformation:logical-id"] for arn, tags in found.items() if is_of_type(arn, "ecs:cluster")}

    assert clusters == {CLUSTER}
    assert not any(is_of_type(arn, "dynamodb:table") for arn in found)  # as on AWS
    assert all(tags["kit:run"] == "r1" for tags in found.values())


async def test_filters_narrow_by_type_and_by_any_of_the_values(w: World) -> None:
    either = [{"Key": "kit:run", "Values": ["other", "r1"]}]
    both = [*either, {"Key": "aws:cloudformation:logical-id", "Values": [CLUSTER]}]

    tables = await resources(w, ResourceTypeFilters=["dynamodb:table"], TagFilters=either)

    assert {arn.split(":")[2] for arn in tables} == {"dynamodb"}
    assert len(await resources(w, ResourceTypeFilters=["ecs"], TagFilters=both)) == 1
    assert not await resources(w, TagFilters=[{"Key": "kit:run", "Values": ["other"]}])


async def test_pages_go_on_to_the_end(w: World) -> None:
    everything_at_once = await resources(w)

    assert await resources(w, PaginationConfig={"PageSize": 3}) == everything_at_once


async def test_tags_can_be_set_and_removed_over_all_services(w: World) -> None:
    client = w.client("resourcegroupstaggingapi")
    before = await resources(w, TagFilters=[{"Key": "kit:run"}])
    some = [arn for arn in before if ":stack/" not in arn]
    for at in range(0, len(some), 20):
        answer = await asyncio.to_thread(
            client.tag_resources, ResourceARNList=some[at : at + 20], Tags={"lease": "soon"}
        )
        assert answer["FailedResourcesMap"] == {}
    leased = await resources(w, TagFilters=[{"Key": "lease", "Values": ["soon"]}])
    for at in range(0, len(some), 20):
        answer = await asyncio.to_thread(client.untag_resources, ResourceARNList=some[at : at + 20], TagKeys=["lease"])
        assert answer["FailedResourcesMap"] == {}

    assert set(leased) == set(some)
    assert await resources(w, TagFilters=[{"Key": "kit:run"}]) == before


async def test_what_is_not_there_fails_alone(w: World) -> None:
    missing = "arn:aws:dynamodb:us-west-2:123456789012:table/none"
    there = next(iter(await resources(w, ResourceTypeFilters=["dynamodb:table"])))
    client = w.client("resourcegroupstaggingapi")

    answer = await asyncio.to_thread(client.tag_resources, ResourceARNList=[missing, there], Tags={"a": "b"})

    assert list(answer["FailedResourcesMap"]) == [missing]
    assert answer["FailedResourcesMap"][missing]["ErrorCode"] == "InvalidParameterException"
    await asyncio.to_thread(client.untag_resources, ResourceARNList=[there], TagKeys=["a"])


@pytest.mark.parametrize(
    "params",
    [
        {"ResourceTypeFilters": ["nosuch:thing"]},
        {"ResourceARNList": ["not-an-arn-at-all"]},
        {"ResourceARNList": ["arn:aws:sqs:us-west-2:123456789012:q"], "TagFilters": [{"Key": "a"}]},
        {"ResourcesPerPage": 101},
    ],
)
async def test_what_cannot_be_asked_is_refused(w: World, params: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        await asyncio.to_thread(w.client("resourcegroupstaggingapi").get_resources, **params)

    assert refused.value.response["Error"]["Code"] == "InvalidParameterException"


async def test_keys_and_values_are_listed(w: World) -> None:
    client = w.client("resourcegroupstaggingapi")

    assert "kit:run" in (await asyncio.to_thread(client.get_tag_keys))["TagKeys"]
    assert (await asyncio.to_thread(client.get_tag_values, Key="kit:run"))["TagValues"] == ["r1"]


async def test_a_deleted_stack_leaves_only_deregistered_task_definitions(w: World) -> None:
    await w.aws.call("cloudformation", "DeleteStack", StackName="it")
    waiter = w.client("cloudformation").get_waiter("stack_delete_complete")
    await asyncio.to_thread(waiter.wait, StackName="it", WaiterConfig={"Delay": 1})
    found = await resources(w, TagFilters=[{"Key": "kit:run", "Values": ["r1"]}])

    assert {arn.split(":")[5].partition("/")[0] for arn in found} == {"task-definition"}
    for arn in found:
        answer = await w.aws.call("ecs", "DescribeTaskDefinition", taskDefinition=arn)
        assert answer["taskDefinition"]["status"] == "INACTIVE"
