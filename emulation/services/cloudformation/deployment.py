"""Applies a desired state to a stack's resources in dependency order.

A missing resource is created; a changed one is updated in place or, where its type requires it, replaced: the new one
is created first, the old one deleted in the cleanup, when nothing refers to it any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.controller import Context
from ...core.errors import AwsError
from .desired_state import DesiredState
from .dynamic_references import resolve_dynamic_references
from .errors import ResourceError, ValidationError
from .graph import walk
from .intrinsics import Scope, evaluate
from .resources import TYPES
from .resources.base import Job, tags_of
from .stacks import Resource, Stack
from .template import ResourceTemplate

CANCELLED = "Resource creation cancelled"
_NEEDS_REPLACEMENT = "Requested update requires the creation of a new physical resource; hence creating one."


@dataclass
class Deployment:
    """One desired state being applied to one stack. Call `apply` once."""

    ctx: Context
    stack: Stack
    desired: DesiredState
    replaced: dict[str, Resource] = field(default_factory=dict)
    """The old resources, by logical id, which the cleanup deletes."""
    failed: dict[str, list[str]] = field(default_factory=lambda: {"create": [], "update": []})
    """Logical ids by what failed, in the order of failing."""
    _giving_up: asyncio.Event = field(default_factory=asyncio.Event)
    _why: str = ""

    async def apply(self) -> bool:
        """Whether every resource is in its desired state. On a failure, no further resource is started; creations
        under way are finished, so that no resource is lost, and waits for stabilization are cancelled."""
        await walk(self.desired.graph, self._visit)
        return not self._giving_up.is_set()

    def give_up(self, why: str) -> None:
        """Start no further resource. `why` becomes part of the stack's status reason."""
        self._why = self._why or why
        self._giving_up.set()

    @property
    def reason(self) -> str:
        """The stack's status reason for the failure."""
        parts = [
            f"The following resource(s) failed to {what}: [{', '.join(names)}]."
            for what, names in self.failed.items()
            if names
        ]
        return " ".join([self._why, *parts]).strip()

    def scope(self) -> Scope:
        return self.desired.scope_with(self._reference, self._attribute)

    def _reference(self, name: str) -> str:
        return self.stack.resources[name].physical_id

    def _attribute(self, name: str, attribute: str) -> Any:
        attributes = self.stack.resources[name].attributes
        if attribute not in attributes:
            raise ValidationError(f"Attribute '{attribute}' of resource {name} has no value")
        return attributes[attribute]

    async def _visit(self, name: str) -> bool:
        if self._giving_up.is_set():
            return False
        template = self.desired.resources[name]
        before = self.stack.resources.get(name)
        there = before is not None and before.physical_id != "" and before.status != "CREATE_FAILED"
        resource = before if before is not None and there else Resource(name, template.type_name)
        verb = "UPDATE" if there else "CREATE"
        try:
            properties = evaluate(template.properties, self.scope())
            if before is not None and there:
                await self._change(template, before, properties)
            else:
                if before is not None and before.physical_id:
                    self.replaced[name] = before  # left over from a failed creation that was not rolled back
                self.stack.resources[name] = resource
                _declare(resource, template, self.desired.graph[name])
                await self._create(resource, properties, "CREATE")
        except Exception as error:
            resource = self.stack.resources.get(name, resource)
            self.stack.resources[name] = resource
            self.failed[verb.lower()].append(name)
            self.stack.report(self.ctx, resource, f"{verb}_FAILED", self._failure_reason(error, template))
            self._giving_up.set()
            return False
        return True

    def _failure_reason(self, error: Exception, template: ResourceTemplate) -> str:
        if isinstance(error, ResourceError):
            return error.reason
        if isinstance(error, AwsError):
            return error.message
        self.ctx.log.error("%s %s", template.type_name, template.logical_id, exc_info=error)
        return f"Internal error in the emulation of {template.type_name}: {error!r}"

    async def _change(self, template: ResourceTemplate, before: Resource, properties: Mapping[str, Any]) -> None:
        kind = TYPES[template.type_name]
        kind.check(properties)
        tags = self._tags(template, properties)
        changed = kind.changed(before.properties, properties)
        if not changed and tags == before.tags:
            _declare(before, template, self.desired.graph[template.logical_id])
            before.properties = properties
            if before.status.endswith("_FAILED"):  # the update failed before any change, and is rolled back
                self.stack.report(self.ctx, before, "UPDATE_COMPLETE")
            return
        if replacing := kind.replaces(before.properties, properties):
            name = properties.get(kind.name_property)
            if name is not None and name == before.properties.get(kind.name_property):
                raise ResourceError(
                    "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
                    f"{name} and update the stack again. (Changed: {', '.join(sorted(replacing))})"
                )
            resource = Resource(template.logical_id, template.type_name, physical_id=before.physical_id)
            self.replaced[template.logical_id] = before
            self.stack.resources[template.logical_id] = resource
            _declare(resource, template, self.desired.graph[template.logical_id])
            self.stack.report(self.ctx, resource, "UPDATE_IN_PROGRESS", _NEEDS_REPLACEMENT)
            resource.physical_id = ""
            await self._create(resource, properties, "UPDATE")
            return
        _declare(before, template, self.desired.graph[template.logical_id])
        await self._update(before, properties, tags, changed=bool(changed))

    async def _create(self, resource: Resource, properties: Mapping[str, Any], verb: str) -> None:
        template, kind = self.desired.resources[resource.logical_id], TYPES[resource.type_name]
        resource.properties = properties
        if verb == "CREATE":
            self.stack.report(self.ctx, resource, "CREATE_IN_PROGRESS")
        kind.check(properties)
        resource.tags = self._tags(template, properties)

        def on_created(physical_id: str) -> None:
            resource.physical_id = physical_id
            self.stack.report(self.ctx, resource, f"{verb}_IN_PROGRESS", "Resource creation Initiated")

        job = await new_job(self.ctx, self.stack, resource)
        job.on_created = on_created
        await kind.create(job)
        await self._stabilize(job)
        delays = self.ctx.latency.resource(f"{resource.logical_id} of {self.stack.name}")
        seconds = delays.draw("stack.create", variant=resource.type_name)
        if seconds and not await self._unless_given_up(self.ctx.clock.sleep(seconds)):
            raise ResourceError(CANCELLED)
        self.stack.report(self.ctx, resource, f"{verb}_COMPLETE")

    async def _update(
        self, resource: Resource, properties: Mapping[str, Any], tags: Mapping[str, str], *, changed: bool
    ) -> None:
        kind = TYPES[resource.type_name]
        before, tags_before = resource.properties, resource.tags
        resource.properties, resource.tags = properties, tags  # even if it fails: a rollback reverts to `before`
        self.stack.report(self.ctx, resource, "UPDATE_IN_PROGRESS")
        job = await new_job(self.ctx, self.stack, resource, before)
        if changed and kind.update is not None:
            await kind.update(job)
        if kind.retag is not None and tags != tags_before:
            await kind.retag(job, tags_before)
        await self._stabilize(job)
        self.stack.report(self.ctx, resource, "UPDATE_COMPLETE")

    async def _stabilize(self, job: Job) -> None:
        if job.type.stabilize is None:
            return
        if not await self._unless_given_up(job.type.stabilize(job)):
            raise ResourceError(CANCELLED)

    async def _unless_given_up(self, waiting: Coroutine[Any, Any, None]) -> bool:
        """Whether `waiting` ended before the deployment gave up; if not, it is cancelled."""
        waiter, giving_up = asyncio.create_task(waiting), asyncio.create_task(self._giving_up.wait())
        try:
            await asyncio.wait({waiter, giving_up}, return_when=asyncio.FIRST_COMPLETED)
            if waiter.done():
                waiter.result()
            return waiter.done()
        finally:
            waiter.cancel()
            giving_up.cancel()
            await asyncio.wait({waiter, giving_up})

    def _tags(self, template: ResourceTemplate, properties: Mapping[str, Any]) -> dict[str, str]:
        """All tags of a resource, if its type takes any; the template's take precedence over the stack's."""
        kind = TYPES[template.type_name]
        if kind.retag is None:
            return {}
        own = {**self.desired.tags, **tags_of(properties, kind.tag_property)}
        if not kind.stack_tags:
            return own
        return {
            **own,
            "aws:cloudformation:stack-name": self.stack.name,
            "aws:cloudformation:stack-id": self.stack.stack_id,
            "aws:cloudformation:logical-id": template.logical_id,
        }


async def new_job(ctx: Context, stack: Stack, resource: Resource, before: Mapping[str, Any] | None = None) -> Job:
    """A job on a resource with its dynamic references resolved; `before` are the properties before an update."""
    return Job(
        ctx,
        stack.name,
        resource.logical_id,
        TYPES[resource.type_name],
        await resolve_dynamic_references(resource.properties, ctx.aws),
        resource.tags,
        before=await resolve_dynamic_references(before or {}, ctx.aws),
        physical_id=resource.physical_id,
        attributes=resource.attributes,
    )


def _declare(resource: Resource, template: ResourceTemplate, depends_on: frozenset[str]) -> None:
    resource.depends_on = depends_on
    resource.deletion_policy = template.deletion_policy
    resource.update_replace_policy = template.update_replace_policy
    resource.metadata = template.metadata
