"""Creates, updates and deletes stacks in a test's world, and waits for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.world import Factory, World, world
from webordinary_testkit.emulation.cloud import Cloud
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.core.controller import Aws, Context, Controller
from webordinary_testkit.emulation.services.cloudformation import Cloudformation
from webordinary_testkit.emulation.wiring import everything
from webordinary_testkit.kit.aws.outputs import outputs_of


@dataclass(frozen=True)
class Stacks:
    world: World

    @property
    def aws(self) -> Aws:
        return self.world.aws

    async def call(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self.aws.call("cloudformation", operation, **params)

    async def create(self, template: str, name: str = "test", **params: Any) -> dict[str, Any]:
        """Creates a stack and waits for the end. Returns it as DescribeStacks does."""
        created = await self.call("CreateStack", StackName=name, TemplateBody=template, **_settled(params))
        return await self.ended(created["StackId"])

    async def update(self, template: str, name: str = "test", **params: Any) -> dict[str, Any]:
        updated = await self.call("UpdateStack", StackName=name, TemplateBody=template, **_settled(params))
        return await self.ended(updated["StackId"])

    async def delete(self, name: str = "test", **params: Any) -> dict[str, Any]:
        stack = (await self.call("DescribeStacks", StackName=name))["Stacks"][0]
        await self.call("DeleteStack", StackName=name, **params)
        return await self.ended(stack["StackId"])

    async def made(self, template: str, name: str = "test", **params: Any) -> dict[str, str]:
        """The outputs of a stack that must be created."""
        return await self._succeeded(await self.create(template, name, **params), "CREATE_COMPLETE")

    async def changed(self, template: str, name: str = "test", **params: Any) -> dict[str, str]:
        """The outputs of a stack that must be updated."""
        return await self._succeeded(await self.update(template, name, **params), "UPDATE_COMPLETE")

    async def gone(self, name: str = "test") -> None:
        """A stack that must be deleted."""
        await self._succeeded(await self.delete(name), "DELETE_COMPLETE")

    async def _succeeded(self, stack: dict[str, Any], status: str) -> dict[str, str]:
        assert stack["StackStatus"] == status, f"{stack['StackStatus']}: {await self.failures(stack['StackId'])}"
        return outputs(stack)

    async def ended(self, stack: str) -> dict[str, Any]:
        """The stack once no operation is under way."""
        while True:
            found: dict[str, Any] = (await self.call("DescribeStacks", StackName=stack))["Stacks"][0]
            if not found["StackStatus"].endswith("_IN_PROGRESS"):
                return found

    async def events(self, stack: str = "test") -> list[tuple[str, str, str]]:
        """(logical id, status, reason), oldest first."""
        answer = await self.call("DescribeStackEvents", StackName=stack)
        return [
            (each["LogicalResourceId"], each["ResourceStatus"], each.get("ResourceStatusReason", ""))
            for each in reversed(answer["StackEvents"])
        ]

    async def failures(self, stack: str = "test") -> list[tuple[str, str]]:
        """(logical id, reason) of every failure event."""
        return [(name, reason) for name, status, reason in await self.events(stack) if "FAILED" in status]

    async def physical_id(self, logical_id: str, stack: str = "test") -> str:
        answer = await self.call("DescribeStackResource", StackName=stack, LogicalResourceId=logical_id)
        return str(answer["StackResourceDetail"]["PhysicalResourceId"])


def outputs(stack: Mapping[str, Any]) -> dict[str, str]:
    return outputs_of(stack)


def _settled(params: Mapping[str, Any]) -> dict[str, Any]:
    """Converts `parameters={"Name": "value"}` and `tags={…}` to CloudFormation's form."""
    given = dict(params)
    if "parameters" in given:
        given["Parameters"] = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in given.pop("parameters").items()
        ]
    if "tags" in given:
        given["Tags"] = [{"Key": key, "Value": value} for key, value in given.pop("tags").items()]
    return given


def cloudformation(ctx: Context) -> Controller:
    return Cloudformation(ctx)


@asynccontextmanager
async def stacks(*factories: Factory, scale: float = 60.0) -> AsyncIterator[Stacks]:
    """A world with CloudFormation and the controllers named."""
    async with world(*factories, cloudformation, scale=scale) as w:
        yield Stacks(w)


@asynccontextmanager
async def whole_cloud(
    programs: Mapping[str, Sequence[str]], *, scale: float = 60.0, **settings: Any
) -> AsyncIterator[Stacks]:
    """CloudFormation and all else. `programs` maps image names to the command lines they run."""
    cloud = Cloud(CloudConfig(insecure_keys="test", scale=scale, programs=programs, **settings), everything)
    await cloud.start()
    try:
        yield Stacks(World(cloud, cloud.context("test")))
    finally:
        await cloud.stop()
