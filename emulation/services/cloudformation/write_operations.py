"""Operations that change stacks: they validate the request and start the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from ...core.controller import Call, Context
from ...core.errors import AwsError
from .change_plan import changed_outputs, plan
from .change_sets import NO_CHANGES, ChangeSet, ChangeSets
from .desired_state import DesiredState, StackIdentity
from .engine import Engine
from .errors import ValidationError
from .request_parsing import check_emulated, check_name, requested_state
from .stacks import DELETED, Stack, Stacks

_UPDATABLE = (
    "CREATE_COMPLETE",
    "CREATE_FAILED",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_COMPLETE",
)
_REVIEW = "REVIEW_IN_PROGRESS"


class WriteOperations:
    def __init__(self, ctx: Context, stacks: Stacks, change_sets: ChangeSets) -> None:
        self._ctx = ctx
        self._stacks = stacks
        self._change_sets = change_sets
        self._engine = Engine(ctx, stacks)
        self._running: dict[str, asyncio.Task[None]] = {}

    async def stop(self) -> None:
        """Cancel the operations under way."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

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
        """A stack not yet added to the stacks. Raises AlreadyExistsException, or what `requested_state` raises."""
        name, params = call.params["StackName"], call.params
        identity = self._new_identity(name)
        self._check_name_unused(name)
        desired = await requested_state(self._ctx, self._stacks, params, identity)
        self._check_name_unused(name)  # another request may have created it meanwhile
        return Stack(
            stack_id=identity.stack_id,
            name=name,
            created=self._ctx.clock.now(),
            desired=desired,
            capabilities=tuple(params.get("Capabilities", ())),
            role_arn=params.get("RoleARN"),
            disable_rollback=params.get("DisableRollback", params.get("OnFailure") == "DO_NOTHING"),
            timeout_minutes=params.get("TimeoutInMinutes"),
            termination_protection=params.get("EnableTerminationProtection", False),
            token=params.get("ClientRequestToken"),
        )

    def _check_name_unused(self, name: str) -> None:
        if self._stacks.find(name) is not None:
            raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")

    async def update_stack(self, call: Call) -> dict[str, Any]:
        check_emulated(call)
        stack = self._existing(call)
        self._check_updatable(stack)
        desired = await self._desired_state(stack, call)
        self._check_updatable(stack)
        if not plan(stack, desired) and not self._differs(stack, desired):
            raise ValidationError("No updates are to be performed.")
        stack.token = call.params.get("ClientRequestToken")
        disable_rollback = call.params.get("DisableRollback", False)
        self._update(stack, desired, tuple(call.params.get("Capabilities", ())), disable_rollback=disable_rollback)
        return {"StackId": stack.stack_id}

    def _update(
        self, stack: Stack, desired: DesiredState, capabilities: tuple[str, ...], *, disable_rollback: bool
    ) -> None:
        stack.capabilities = capabilities
        for each in self._change_sets.of(stack).values():
            if each.execution == "AVAILABLE":
                each.execution = "OBSOLETE"
        self._run(stack, self._engine.update(stack, desired, disable_rollback=disable_rollback))

    def _differs(self, stack: Stack, desired: DesiredState) -> bool:
        """Whether tags or outputs change although no resource does."""
        return desired.tags != stack.desired.tags or changed_outputs(stack, desired)

    async def _desired_state(self, stack: Stack, call: Call) -> DesiredState:
        identity = StackIdentity(self._ctx.account, self._ctx.region, stack.stack_id, stack.name)
        return await requested_state(self._ctx, self._stacks, call.params, identity, stack)

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
            stack, desired = await self._reviewed(call)
        elif kind == "UPDATE":
            stack = self._existing(call)
            self._check_updatable(stack)
            desired = await self._desired_state(stack, call)
        else:
            raise ValidationError(f"ChangeSetType {kind} is not emulated: use CREATE or UPDATE")
        name = call.params["ChangeSetName"]
        change_sets = self._change_sets.of(stack)
        if name in change_sets and change_sets[name].reserves_name:
            raise AwsError("AlreadyExistsException", f"ChangeSet {name} already exists")
        arn = f"arn:aws:cloudformation:{self._ctx.region}:{self._ctx.account}:changeSet/{name}/{self._ctx.ids.uuid()}"
        change_set = ChangeSet(
            change_set_id=arn,
            name=name,
            stack=stack,
            kind=kind,
            created=self._ctx.clock.now(),
            desired=desired,
            changes=plan(stack, desired),
            description=call.params.get("Description"),
            capabilities=tuple(call.params.get("Capabilities", ())),
            role_arn=call.params.get("RoleARN"),
            on_stack_failure=call.params.get("OnStackFailure"),
        )
        if not change_set.changes and kind == "UPDATE" and not self._differs(stack, desired):
            change_set.fail(NO_CHANGES)
        change_sets[name] = change_set
        if stack.status == "":
            self._stacks.add(stack)
            stack.become(self._ctx, _REVIEW, "User Initiated")
        return {"Id": arn, "StackId": stack.stack_id}

    async def _reviewed(self, call: Call) -> tuple[Stack, DesiredState]:
        """The stack under review for a change set of type CREATE, a new one if necessary."""
        name = call.params["StackName"]
        existing = self._stacks.find(name)
        if existing is not None and existing.status == _REVIEW:
            return existing, await self._desired_state(existing, call)
        if existing is not None:
            raise ValidationError(
                f"Stack [{name}] already exists and cannot be created again with the changeSet "
                f"[{call.params['ChangeSetName']}]."
            )
        check_name(name)
        stack = await self._new_stack(call)
        return stack, stack.desired

    async def execute_change_set(self, call: Call) -> dict[str, Any]:
        change_set = self._change_sets.find(call.params["ChangeSetName"], call.params.get("StackName"))
        change_set.check_executable()
        stack = change_set.stack
        if change_set.kind == "UPDATE":
            self._check_updatable(stack)
        change_set.execution = "EXECUTE_COMPLETE"
        stack.change_set_id = change_set.change_set_id
        stack.token = call.params.get("ClientRequestToken")
        disable_rollback = call.params.get("DisableRollback", change_set.on_stack_failure == "DO_NOTHING")
        change_sets = self._change_sets.of(stack)
        change_sets.clear()
        change_sets[change_set.name] = change_set
        if change_set.kind == "UPDATE":
            self._update(stack, change_set.desired, change_set.capabilities, disable_rollback=disable_rollback)
            return {}
        stack.desired, stack.capabilities = change_set.desired, change_set.capabilities
        stack.updated = self._ctx.clock.now()
        stack.disable_rollback = disable_rollback
        on_failure = "DO_NOTHING" if disable_rollback else change_set.on_stack_failure or "ROLLBACK"
        self._run(stack, self._engine.create(stack, on_failure))
        return {}

    async def delete_change_set(self, call: Call) -> dict[str, Any]:
        try:
            change_set = self._change_sets.find(call.params["ChangeSetName"], call.params.get("StackName"))
        except AwsError as error:
            if error.code == "ChangeSetNotFound":
                return {}
            raise
        self._change_sets.of(change_set.stack).pop(change_set.name, None)
        return {}

    def _existing(self, call: Call) -> Stack:
        name = call.params["StackName"]
        stack = self._stacks.find(name)
        if stack is None or not stack.alive:
            raise ValidationError(f"Stack [{name}] does not exist")
        return stack

    def _new_identity(self, name: str) -> StackIdentity:
        ctx = self._ctx
        stack_id = f"arn:aws:cloudformation:{ctx.region}:{ctx.account}:stack/{name}/{ctx.ids.uuid()}"
        return StackIdentity(ctx.account, ctx.region, stack_id, name)

    def _run(self, stack: Stack, operation: Coroutine[Any, Any, None], after: asyncio.Task[None] | None = None) -> None:
        """Run the operation in the background, after `after` has ended."""

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
