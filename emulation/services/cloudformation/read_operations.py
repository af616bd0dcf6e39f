"""Operations that read stacks, change sets and templates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from ...core.controller import Call, Context
from . import responses
from .change_sets import ChangeSets
from .errors import ValidationError, stack_not_found
from .request_parsing import template_of
from .stacks import Resource, Stack, Stacks

HOLD_WALL_SECONDS = 2.0
"""How long DescribeStacks of one stack waits for an operation under way to end. Waiters poll at once and then every 30
seconds of wall time: so `aws cloudformation wait` and `deploy` end with the operation, not half a minute later."""


class ReadOperations:
    def __init__(self, ctx: Context, stacks: Stacks, change_sets: ChangeSets) -> None:
        self._ctx = ctx
        self._stacks = stacks
        self._change_sets = change_sets

    async def describe_stacks(self, call: Call) -> dict[str, Any]:
        if name := call.params.get("StackName"):
            stack = self._stacks.get(name)
            await self._wait_until_settled(stack)
            if stack.stack_id != name and not stack.alive:
                raise stack_not_found(name)
            return {"Stacks": [responses.stack(stack)]}
        return self._page("Stacks", self._newest(stack for stack in self._stacks if stack.alive), responses.stack, call)

    async def _wait_until_settled(self, stack: Stack) -> None:
        clock = self._ctx.clock
        async with asyncio.TaskGroup() as group:
            settled = group.create_task(stack.settled.wait())
            timeout = group.create_task(clock.sleep(HOLD_WALL_SECONDS * clock.scale))
            await asyncio.wait({settled, timeout}, return_when=asyncio.FIRST_COMPLETED)
            settled.cancel()
            timeout.cancel()

    async def describe_stack_events(self, call: Call) -> dict[str, Any]:
        stack = self._stack(call)
        newest = list(reversed(stack.events))
        return self._page("StackEvents", newest, lambda event: responses.event(stack, event), call)

    async def describe_stack_resource(self, call: Call) -> dict[str, Any]:
        stack = self._stacks.find(call.params["StackName"])
        if stack is None:
            raise ValidationError(f"Stack '{call.params['StackName']}' does not exist")
        resource = self._resource(stack, call.params["LogicalResourceId"])
        return {"StackResourceDetail": responses.resource_detail(stack, resource)}

    async def describe_stack_resources(self, call: Call) -> dict[str, Any]:
        name, physical = call.params.get("StackName"), call.params.get("PhysicalResourceId")
        if (name is None) == (physical is None):
            raise ValidationError("Exactly one of StackName and PhysicalResourceId must be given")
        stack = self._stacks.get(name) if name is not None else self._owner(physical)
        if logical := call.params.get("LogicalResourceId"):
            return {"StackResources": [responses.resource(stack, self._resource(stack, logical))]}
        return {"StackResources": [responses.resource(stack, each) for each in stack.resources.values()]}

    async def list_stack_resources(self, call: Call) -> dict[str, Any]:
        stack = self._stacks.get(call.params["StackName"])
        return self._page("StackResourceSummaries", stack.resources.values(), responses.resource_summary, call)

    async def list_stacks(self, call: Call) -> dict[str, Any]:
        wanted = call.params.get("StackStatusFilter")
        chosen = (stack for stack in self._stacks if not wanted or stack.status in wanted)
        return self._page("StackSummaries", self._newest(chosen), responses.stack_summary, call)

    async def list_exports(self, call: Call) -> dict[str, Any]:
        exports = [
            {"ExportingStackId": stack.stack_id, "Name": name, "Value": output.value}
            for name, (stack, output) in self._stacks.exports().items()
        ]
        return self._page("Exports", exports, dict, call)

    async def list_imports(self, call: Call) -> dict[str, Any]:
        name = call.params["ExportName"]
        users = self._stacks.importers(name)
        if not users:
            raise ValidationError(f"Export '{name}' is not imported by any stack.")
        return responses.page("Imports", users, call.params.get("NextToken"))

    async def get_template(self, call: Call) -> dict[str, Any]:
        if change_set := call.params.get("ChangeSetName"):
            desired = self._change_sets.find(change_set, call.params.get("StackName")).desired
        elif "StackName" not in call.params:
            raise ValidationError("StackName is required if ChangeSetName is not specified.")
        else:
            desired = self._stack(call).desired
        return {"TemplateBody": desired.template.body, "StagesAvailable": ["Original", "Processed"]}

    async def get_template_summary(self, call: Call) -> dict[str, Any]:
        if name := call.params.get("StackName"):
            return responses.full_template_summary(self._stacks.get(name).desired.template)
        return responses.full_template_summary(await template_of(self._ctx, call.params))

    async def validate_template(self, call: Call) -> dict[str, Any]:
        return responses.template_summary(await template_of(self._ctx, call.params))

    async def describe_change_set(self, call: Call) -> dict[str, Any]:
        change_set = self._change_sets.find(call.params["ChangeSetName"], call.params.get("StackName"))
        return responses.change_set(change_set, call.params.get("NextToken"))

    async def list_change_sets(self, call: Call) -> dict[str, Any]:
        change_sets = self._change_sets.of(self._stack(call)).values()
        return self._page("Summaries", change_sets, responses.change_set_summary, call)

    def _stack(self, call: Call) -> Stack:
        name = call.params.get("StackName", "")
        if (stack := self._stacks.find(name)) is None:
            raise ValidationError(f"Stack [{name}] does not exist")
        return stack

    def _owner(self, physical_id: str | None) -> Stack:
        for stack in self._stacks:
            if stack.alive and any(each.physical_id == physical_id for each in stack.resources.values()):
                return stack
        raise ValidationError(f"Stack for {physical_id} does not exist")

    def _resource(self, stack: Stack, logical_id: str) -> Resource:
        if logical_id not in stack.resources:
            raise ValidationError(f"Resource {logical_id} does not exist for stack {stack.name}")
        return stack.resources[logical_id]

    def _newest(self, stacks: Iterable[Stack]) -> list[Stack]:
        return sorted(stacks, key=lambda stack: -stack.created)

    def _page(
        self, key: str, entries: Iterable[Any], show: Callable[[Any], dict[str, Any]], call: Call
    ) -> dict[str, Any]:
        return responses.page(key, [show(each) for each in entries], call.params.get("NextToken"))
