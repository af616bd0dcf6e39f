"""The operations that change stacks: they check everything that can be checked, start the engine, and answer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from ...core.controller import Call, Context, Handler
from ...core.errors import AwsError
from .changesets import NO_CHANGES, ChangeSet, find
from .engine import Engine
from .errors import ValidationError
from .plan import changed_outputs, plan
from .requests import check_emulated, check_name, revision_of
from .revision import Place, Revision
from .stacks import DELETED, Stack, Stacks

_UPDATABLE = (
    "CREATE_COMPLETE",
    "CREATE_FAILED",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_COMPLETE",
)
_REVIEW = "REVIEW_IN_PROGRESS"


class Changing:
    def __init__(self, ctx: Context, stacks: Stacks) -> None:
        self._ctx = ctx
        self._stacks = stacks
        self._engine = Engine(ctx, stacks)
        self._running: dict[str, asyncio.Task[None]] = {}

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "CreateStack": self.create_stack,
            "UpdateStack": self.update_stack,
            "DeleteStack": self.delete_stack,
            "UpdateTerminationProtection": self.update_termination_protection,
            "CreateChangeSet": self.create_change_set,
            "ExecuteChangeSet": self.execute_change_set,
            "DeleteChangeSet": self.delete_change_set,
        }

    async def stop(self) -> None:
        """End the operations under way where they are."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def create_stack(self, call: Call) -> dict[str, Any]:
        check_emulated(call)
        name = call.params["StackName"]
        check_name(name)
        token = call.params.get("ClientRequestToken")
        existing = self._stacks.find(name)
        if existing is not None and token is not None and existing.token == token:
            return {"StackId": existing.stack_id}
        if "OnFailure" in call.params and "DisableRollback" in call.params:
            raise ValidationError("You can't specify OnFailure and DisableRollback both")
        stack = await self._new_stack(call)
        self._stacks.add(stack)
        on_failure = call.params.get("OnFailure", "DO_NOTHING" if stack.disable_rollback else "ROLLBACK")
        self._run(stack, self._engine.create(stack, on_failure))
        return {"StackId": stack.stack_id}

    async def _new_stack(self, call: Call) -> Stack:
        """A stack that is not among the stacks yet. Raises AlreadyExistsException, or what `revision_of` does."""
        name, params = call.params["StackName"], call.params
        place = self._place(name)
        self._refuse_living(name)
        revision = await revision_of(self._ctx, self._stacks, params, place)
        self._refuse_living(name)  # somebody may have come first meanwhile
        return Stack(
            stack_id=place.stack_id,
            name=name,
            created=self._ctx.clock.now(),
            revision=revision,
            capabilities=tuple(params.get("Capabilities", ())),
            role_arn=params.get("RoleARN"),
            disable_rollback=params.get("DisableRollback", params.get("OnFailure") == "DO_NOTHING"),
            timeout_minutes=params.get("TimeoutInMinutes"),
            termination_protection=params.get("EnableTerminationProtection", False),
            token=params.get("ClientRequestToken"),
        )

    def _refuse_living(self, name: str) -> None:
        if self._stacks.find(name) is not None:
            raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")

    async def update_stack(self, call: Call) -> dict[str, Any]:
        check_emulated(call)
        stack = self._existing(call)
        self._check_updatable(stack)
        revision = await self._revision(stack, call)
        self._check_updatable(stack)
        if not plan(stack, revision) and not self._differs(stack, revision):
            raise ValidationError("No updates are to be performed.")
        stack.token = call.params.get("ClientRequestToken")
        disable_rollback = call.params.get("DisableRollback", False)
        self._update(stack, revision, tuple(call.params.get("Capabilities", ())), disable_rollback=disable_rollback)
        return {"StackId": stack.stack_id}

    def _update(
        self, stack: Stack, revision: Revision, capabilities: tuple[str, ...], *, disable_rollback: bool
    ) -> None:
        stack.capabilities = capabilities
        for each in stack.change_sets.values():
            if each.execution == "AVAILABLE":
                each.execution = "OBSOLETE"
        self._run(stack, self._engine.update(stack, revision, disable_rollback=disable_rollback))

    def _differs(self, stack: Stack, revision: Revision) -> bool:
        """Whether there is something to do although no resource changes."""
        return revision.tags != stack.revision.tags or changed_outputs(stack, revision)

    async def _revision(self, stack: Stack, call: Call) -> Revision:
        place = Place(self._ctx.account, self._ctx.region, stack.stack_id, stack.name)
        return await revision_of(self._ctx, self._stacks, call.params, place, stack)

    def _check_updatable(self, stack: Stack) -> None:
        if stack.status not in _UPDATABLE:
            raise ValidationError(f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")

    async def delete_stack(self, call: Call) -> dict[str, Any]:
        stack = self._stacks.find(call.params["StackName"])
        if stack is None or stack.status in (DELETED, "DELETE_IN_PROGRESS"):
            return {}
        if stack.termination_protection:
            raise ValidationError(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        if stack.status.startswith("UPDATE_") and stack.status.endswith("_IN_PROGRESS"):
            raise ValidationError(f"Stack [{stack.stack_id}] cannot be deleted while in status {stack.status}")
        retain = call.params.get("RetainResources", ())
        if call.params.get("DeletionMode") == "FORCE_DELETE_STACK":
            retain = [each.logical_id for each in stack.resources.values() if each.status == "DELETE_FAILED"]
        elif retain and stack.status != "DELETE_FAILED":
            raise ValidationError(
                f"Invalid operation on stack [{stack.stack_id}]. RetainResources can be given only for a stack in "
                f"DELETE_FAILED, it is in {stack.status}"
            )
        stack.token = call.params.get("ClientRequestToken")
        self._engine.abandon(stack)
        self._run(stack, self._engine.delete(stack, retain=retain), after=self._running.get(stack.stack_id))
        return {}

    async def update_termination_protection(self, call: Call) -> dict[str, Any]:
        stack = self._existing(call)
        stack.termination_protection = call.params["EnableTerminationProtection"]
        return {"StackId": stack.stack_id}

    async def create_change_set(self, call: Call) -> dict[str, Any]:
        check_emulated(call)
        kind = call.params.get("ChangeSetType", "UPDATE")
        if kind == "CREATE":
            stack, revision = await self._reviewed(call)
        elif kind == "UPDATE":
            stack = self._existing(call)
            self._check_updatable(stack)
            revision = await self._revision(stack, call)
        else:
            raise ValidationError(f"ChangeSetType {kind} is not emulated: use CREATE or UPDATE")
        name = call.params["ChangeSetName"]
        if name in stack.change_sets and stack.change_sets[name].holds_its_name:
            raise AwsError("AlreadyExistsException", f"ChangeSet {name} already exists")
        arn = f"arn:aws:cloudformation:{self._ctx.region}:{self._ctx.account}:changeSet/{name}/{self._ctx.ids.uuid()}"
        change_set = ChangeSet(
            change_set_id=arn,
            name=name,
            stack=stack,
            kind=kind,
            created=self._ctx.clock.now(),
            revision=revision,
            changes=plan(stack, revision),
            description=call.params.get("Description"),
            capabilities=tuple(call.params.get("Capabilities", ())),
            role_arn=call.params.get("RoleARN"),
            on_stack_failure=call.params.get("OnStackFailure"),
        )
        if not change_set.changes and kind == "UPDATE" and not self._differs(stack, revision):
            change_set.fail(NO_CHANGES)
        stack.change_sets[name] = change_set
        if stack.status == "":
            self._stacks.add(stack)
            stack.become(self._ctx, _REVIEW, "User Initiated")
        return {"Id": arn, "StackId": stack.stack_id}

    async def _reviewed(self, call: Call) -> tuple[Stack, Revision]:
        """The stack under review that a change set of type CREATE belongs to, a new one if need be."""
        name = call.params["StackName"]
        existing = self._stacks.find(name)
        if existing is not None and existing.status == _REVIEW:
            return existing, await self._revision(existing, call)
        if existing is not None:
            raise ValidationError(
                f"Stack [{name}] already exists and cannot be created again with the changeSet "
                f"[{call.params['ChangeSetName']}]."
            )
        check_name(name)
        stack = await self._new_stack(call)
        return stack, stack.revision

    async def execute_change_set(self, call: Call) -> dict[str, Any]:
        change_set = find(self._stacks, call.params["ChangeSetName"], call.params.get("StackName"))
        change_set.check_executable()
        stack = change_set.stack
        if change_set.kind == "UPDATE":
            self._check_updatable(stack)
        change_set.execution = "EXECUTE_COMPLETE"
        stack.change_set_id = change_set.change_set_id
        stack.token = call.params.get("ClientRequestToken")
        disable_rollback = call.params.get("DisableRollback", change_set.on_stack_failure == "DO_NOTHING")
        stack.change_sets = {change_set.name: change_set}
        if change_set.kind == "UPDATE":
            self._update(stack, change_set.revision, change_set.capabilities, disable_rollback=disable_rollback)
            return {}
        stack.revision, stack.capabilities = change_set.revision, change_set.capabilities
        stack.disable_rollback = disable_rollback
        on_failure = "DO_NOTHING" if disable_rollback else change_set.on_stack_failure or "ROLLBACK"
        self._run(stack, self._engine.create(stack, on_failure))
        return {}

    async def delete_change_set(self, call: Call) -> dict[str, Any]:
        try:
            change_set = find(self._stacks, call.params["ChangeSetName"], call.params.get("StackName"))
        except AwsError as error:
            if error.code == "ChangeSetNotFound":
                return {}
            raise
        change_set.stack.change_sets.pop(change_set.name, None)
        return {}

    def _existing(self, call: Call) -> Stack:
        name = call.params["StackName"]
        stack = self._stacks.find(name)
        if stack is None or not stack.alive:
            raise ValidationError(f"Stack [{name}] does not exist")
        return stack

    def _place(self, name: str) -> Place:
        ctx = self._ctx
        stack_id = f"arn:aws:cloudformation:{ctx.region}:{ctx.account}:stack/{name}/{ctx.ids.uuid()}"
        return Place(ctx.account, ctx.region, stack_id, name)

    def _run(self, stack: Stack, operation: Coroutine[Any, Any, None], after: asyncio.Task[None] | None = None) -> None:
        """Run the operation in the background, after the one that is ending."""

        async def run() -> None:
            if after is not None:
                await asyncio.wait({after})
            try:
                await operation
            except Exception as error:
                self._ctx.log.exception("stack %s", stack.name)
                verb = stack.status.split("_", 1)[0]
                stack.become(
                    self._ctx, f"{verb}_FAILED", f"Internal error in the emulation of CloudFormation: {error!r}"
                )

        stack.settled.clear()
        task = asyncio.create_task(run())
        self._running[stack.stack_id] = task
        task.add_done_callback(lambda done: self._finished(stack, done))

    def _finished(self, stack: Stack, task: asyncio.Task[None]) -> None:
        if self._running.get(stack.stack_id) is task:
            del self._running[stack.stack_id]
