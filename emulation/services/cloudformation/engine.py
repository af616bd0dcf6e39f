"""Runs create, update and delete operations of stacks, with AWS's statuses.

create:  CREATE_IN_PROGRESS -> CREATE_COMPLETE
                            \\-> ROLLBACK_IN_PROGRESS -> ROLLBACK_COMPLETE | ROLLBACK_FAILED
update:  UPDATE_IN_PROGRESS -> UPDATE_COMPLETE_CLEANUP_IN_PROGRESS -> UPDATE_COMPLETE
                            \\-> UPDATE_ROLLBACK_IN_PROGRESS -> …_CLEANUP_IN_PROGRESS -> UPDATE_ROLLBACK_COMPLETE
delete:  DELETE_IN_PROGRESS -> DELETE_COMPLETE | DELETE_FAILED
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ...core.controller import Context
from .deletion import remove
from .deployment import Deployment
from .desired_state import DesiredState, Output
from .errors import ValidationError
from .stacks import Resource, Stack, Stacks

_USER = "User Initiated"
_BY_USER = "Rollback requested by user."


class Engine:
    """Runs operations; at most one at a time for a stack."""

    def __init__(self, ctx: Context, stacks: Stacks) -> None:
        self._ctx = ctx
        self._stacks = stacks
        self._creating: dict[str, Deployment] = {}

    async def create(self, stack: Stack, on_failure: str) -> None:
        """Create all of `stack.desired`. `on_failure`: ROLLBACK, DELETE or DO_NOTHING."""
        stack.become(self._ctx, "CREATE_IN_PROGRESS", _USER)
        deployment = Deployment(self._ctx, stack, stack.desired)
        self._creating[stack.stack_id] = deployment
        timer = asyncio.create_task(self._time_out(stack, deployment))
        try:
            done = await self._applied(deployment)
        finally:
            timer.cancel()
            abandoned = self._creating.pop(stack.stack_id, None) is None
        if abandoned:
            return
        if done:
            stack.become(self._ctx, "CREATE_COMPLETE")
        elif on_failure == "DO_NOTHING":
            stack.become(self._ctx, "CREATE_FAILED", deployment.reason)
        elif on_failure == "DELETE":
            await self.delete(stack, reason=f"{deployment.reason} Delete requested by user.")
        else:
            stack.deleted = self._ctx.clock.now()
            stack.become(self._ctx, "ROLLBACK_IN_PROGRESS", f"{deployment.reason} {_BY_USER}")
            left = await remove(self._ctx, stack, stack.resources.values(), kept=_kept(stack, created_now=True))
            stack.become(self._ctx, *_outcome("ROLLBACK", left))

    def abandon(self, stack: Stack) -> None:
        """Stop creating the stack, without a rollback, because it is about to be deleted."""
        if deployment := self._creating.pop(stack.stack_id, None):
            deployment.give_up("Deleted while it was created.")

    async def update(self, stack: Stack, desired: DesiredState, *, disable_rollback: bool = False) -> None:
        """Bring the stack to the desired state, or back to the one before."""
        before, stack.desired = stack.desired, desired
        stack.updated = self._ctx.clock.now()
        stack.become(self._ctx, "UPDATE_IN_PROGRESS", _USER)
        deployment = Deployment(self._ctx, stack, desired)
        if await self._applied(deployment):
            stack.become(self._ctx, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            await self._clean_up(stack, old=deployment.replaced.values())
            stack.become(self._ctx, "UPDATE_COMPLETE")
        elif disable_rollback:
            stack.become(self._ctx, "UPDATE_FAILED", deployment.reason)
        else:
            stack.become(self._ctx, "UPDATE_ROLLBACK_IN_PROGRESS", deployment.reason)
            stack.desired = before
            await self._roll_back(stack, deployment)

    async def _roll_back(self, stack: Stack, failed: Deployment) -> None:
        new = _restore(stack, failed.replaced)
        deployment = Deployment(self._ctx, stack, stack.desired)
        if not await self._applied(deployment):
            stack.become(self._ctx, "UPDATE_ROLLBACK_FAILED", deployment.reason)
            return
        stack.become(self._ctx, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        await self._clean_up(stack, new=new)
        stack.become(self._ctx, "UPDATE_ROLLBACK_COMPLETE")

    async def delete(self, stack: Stack, *, retain: Iterable[str] = (), reason: str = _USER) -> None:
        """Delete the stack and its resources, except the retained ones."""
        stack.become(self._ctx, "DELETE_IN_PROGRESS", reason)
        for output in stack.outputs:
            if output.export_name and (users := self._stacks.importers(output.export_name)):
                why = (
                    f"Delete canceled. Cannot delete export {output.export_name} as it is in use by {', '.join(users)}."
                )
                stack.become(self._ctx, "DELETE_FAILED", why)
                return
        kept = [*retain, *_kept(stack, created_now=False)]
        left = await remove(self._ctx, stack, stack.resources.values(), kept=kept)
        if not left:
            stack.deleted = self._ctx.clock.now()
            stack.outputs, stack.imports = [], frozenset()
        stack.become(self._ctx, *_outcome("DELETE", left))

    async def _applied(self, deployment: Deployment) -> bool:
        """Whether resources and outputs were all applied."""
        stack = deployment.stack
        if not await deployment.apply():
            return False
        try:
            scope = deployment.scope()
            outputs, imports = deployment.desired.evaluated_outputs(scope), deployment.desired.imports(scope)
            self._check_exports(stack, outputs)
        except ValidationError as error:
            deployment.give_up(error.message)
            return False
        stack.outputs, stack.imports = outputs, imports
        return True

    def _check_exports(self, stack: Stack, outputs: Iterable[Output]) -> None:
        others = self._stacks.exports()
        exported = {output.export_name: output for output in outputs if output.export_name}
        for name in exported:
            if name in others and others[name][0] is not stack:
                raise ValidationError(f"Export with name {name} is already exported by stack {others[name][0].name}.")
        for old in stack.outputs:
            if old.export_name and (users := self._stacks.importers(old.export_name)):
                kept = exported.get(old.export_name)
                if kept is None or kept.value != old.value:
                    verb = "delete" if kept is None else "update"
                    raise ValidationError(
                        f"Cannot {verb} export {old.export_name} as it is in use by {', '.join(users)}."
                    )

    async def _clean_up(self, stack: Stack, *, old: Iterable[Resource] = (), new: Iterable[Resource] = ()) -> None:
        """Delete resources that the desired state lacks, the `old` ones that were replaced and the `new` ones that a
        rollback removed. Resources that cannot be deleted are left, as on AWS."""
        surplus = [each for name, each in stack.resources.items() if name not in stack.desired.resources]
        kept = [each.logical_id for each in old if each.update_replace_policy != "Delete"]
        kept += [each.logical_id for each in surplus if each.deletion_policy != "Delete"]
        await remove(self._ctx, stack, [*surplus, *old, *new], kept=kept)
        for each in surplus:
            del stack.resources[each.logical_id]

    async def _time_out(self, stack: Stack, deployment: Deployment) -> None:
        if stack.timeout_minutes is not None:
            await self._ctx.clock.sleep(60.0 * stack.timeout_minutes)
            deployment.give_up("Stack creation time exceeded the specified timeout.")


def _restore(stack: Stack, replaced: dict[str, Resource]) -> list[Resource]:
    """Restore the old resources. Returns the new ones, for deletion."""
    new = []
    for name, old in replaced.items():
        if stack.resources[name].physical_id:
            new.append(stack.resources[name])
        stack.resources[name] = old
    return new


def _kept(stack: Stack, *, created_now: bool) -> list[str]:
    """Logical ids of the resources that a deletion policy retains."""
    keeping = ("Retain",) if created_now else ("Retain", "RetainExceptOnCreate")
    return [
        each.logical_id for each in stack.resources.values() if each.physical_id and each.deletion_policy in keeping
    ]


def _outcome(verb: str, left: list[str]) -> tuple[str, str | None]:
    if left:
        return f"{verb}_FAILED", f"The following resource(s) failed to delete: [{', '.join(left)}]. "
    return f"{verb}_COMPLETE", None
