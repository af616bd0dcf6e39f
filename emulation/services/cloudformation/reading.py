"""The operations that only look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...core.controller import Call, Context, Handler
from . import answers
from .changesets import find
from .errors import ValidationError, missing_stack
from .requests import template_of
from .stacks import Resource, Stack, Stacks

HOLD_WALL_SECONDS = 2.0
"""How long DescribeStacks of one stack waits for an operation under way to end. Waiters look at once and then every 30
seconds of wall time: so `aws cloudformation wait` and `deploy` end when the stack does, not half a minute later."""


class Reading:
    def __init__(self, ctx: Context, stacks: Stacks) -> None:
        self._ctx = ctx
        self._stacks = stacks

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "DescribeStacks": self.describe_stacks,
            "DescribeStackEvents": self.describe_stack_events,
            "DescribeStackResource": self.describe_stack_resource,
            "DescribeStackResources": self.describe_stack_resources,
            "ListStackResources": self.list_stack_resources,
            "ListStacks": self.list_stacks,
            "ListExports": self.list_exports,
            "ListImports": self.list_imports,
            "GetTemplate": self.get_template,
            "GetTemplateSummary": self.get_template_summary,
            "ValidateTemplate": self.validate_template,
            "DescribeChangeSet": self.describe_change_set,
            "ListChangeSets": self.list_change_sets,
        }

    async def describe_stacks(self, call: Call) -> dict[str, Any]:
        if name := call.params.get("StackName"):
            stack = self._stacks.get(name)
            await self._held(stack)
            if stack.stack_id != name and not stack.alive:
                raise missing_stack(name)
            return {"Stacks": [answers.stack(stack)]}
        return self._page("Stacks", self._newest(stack for stack in self._stacks if stack.alive), answers.stack, call)

    async def _held(self, stack: Stack) -> None:
        clock = self._ctx.clock
        ended = asyncio.create_task(stack.settled.wait())
        patience = asyncio.create_task(clock.sleep(HOLD_WALL_SECONDS * clock.scale))
        try:
            await asyncio.wait({ended, patience}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            patience.cancel()

    async def describe_stack_events(self, call: Call) -> dict[str, Any]:
        stack = self._stack(call)
        newest = list(reversed(stack.events))
        return self._page("StackEvents", newest, lambda event: answers.event(stack, event), call)

    async def describe_stack_resource(self, call: Call) -> dict[str, Any]:
        stack = self._stack(call)
        resource = self._resource(stack, call.params["LogicalResourceId"])
        return {"StackResourceDetail": answers.resource_detail(stack, resource)}

    async def describe_stack_resources(self, call: Call) -> dict[str, Any]:
        name, physical = call.params.get("StackName"), call.params.get("PhysicalResourceId")
        if (name is None) == (physical is None):
            raise ValidationError("Exactly one of StackName and PhysicalResourceId must be given")
        if name is not None:
            stack = self._stacks.get(name)
        else:
            found = (
                each
                for each in self._stacks
                if each.alive and any(r.physical_id == physical for r in each.resources.values())
            )
            owner = next(found, None)
            if owner is None:
                raise ValidationError(f"Stack for {physical} does not exist")
            stack = owner
        if logical := call.params.get("LogicalResourceId"):
            return {"StackResources": [answers.resource(stack, self._resource(stack, logical))]}
        return {"StackResources": [answers.resource(stack, each) for each in stack.resources.values()]}

    async def list_stack_resources(self, call: Call) -> dict[str, Any]:
        stack = self._stacks.get(call.params["StackName"])
        return self._page("StackResourceSummaries", stack.resources.values(), answers.resource_summary, call)

    async def list_stacks(self, call: Call) -> dict[str, Any]:
        wanted = call.params.get("StackStatusFilter")
        chosen = (stack for stack in self._stacks if not wanted or stack.status in wanted)
        return self._page("StackSummaries", self._newest(chosen), answers.stack_summary, call)

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
        return answers.page("Imports", users, call.params.get("NextToken"))

    async def get_template(self, call: Call) -> dict[str, Any]:
        if change_set := call.params.get("ChangeSetName"):
            revision = find(self._stacks, change_set, call.params.get("StackName")).revision
        else:
            revision = self._stack(call).revision
        return {"TemplateBody": revision.template.body, "StagesAvailable": ["Original", "Processed"]}

    async def get_template_summary(self, call: Call) -> dict[str, Any]:
        if name := call.params.get("StackName"):
            return answers.full_template_summary(self._stacks.get(name).revision.template)
        return answers.full_template_summary(await template_of(self._ctx, call.params))

    async def validate_template(self, call: Call) -> dict[str, Any]:
        return answers.template_summary(await template_of(self._ctx, call.params))

    async def describe_change_set(self, call: Call) -> dict[str, Any]:
        change_set = find(self._stacks, call.params["ChangeSetName"], call.params.get("StackName"))
        return answers.change_set(change_set, call.params.get("NextToken"))

    async def list_change_sets(self, call: Call) -> dict[str, Any]:
        change_sets = self._stack(call).change_sets.values()
        return self._page("Summaries", change_sets, answers.change_set_summary, call)

    def _stack(self, call: Call) -> Stack:
        name = call.params.get("StackName", "")
        if (stack := self._stacks.find(name)) is None:
            raise ValidationError(f"Stack [{name}] does not exist")
        return stack

    def _resource(self, stack: Stack, logical_id: str) -> Resource:
        if logical_id not in stack.resources:
            raise ValidationError(f"Resource {logical_id} does not exist for stack {stack.name}")
        return stack.resources[logical_id]

    def _newest(self, stacks: Iterable[Stack]) -> list[Stack]:
        return sorted(stacks, key=lambda stack: -stack.created)

    def _page(
        self, key: str, entries: Iterable[Any], show: Callable[[Any], dict[str, Any]], call: Call
    ) -> dict[str, Any]:
        return answers.page(key, [show(each) for each in entries], call.params.get("NextToken"))
