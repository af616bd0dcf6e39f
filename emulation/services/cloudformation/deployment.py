"""Making a stack's resources what a revision says: the order, each resource's way, and giving up.

A resource that is not there is created; one whose properties changed is updated in place, or replaced when its type
says so: the new one first, the old one in the cleanup, when nothing refers to it any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.controller import Context
from ...core.errors import AwsError
from .dynamic import resolved
from .errors import ResourceError, ValidationError
from .graph import walk
from .intrinsics import Scope, evaluate
from .resources import TYPES
from .resources.base import Work, changes, tags_of
from .revision import Revision
from .stacks import Resource, Stack
from .template import ResourceTemplate

CANCELLED = "Resource creation cancelled"
_NEEDS_REPLACEMENT = "Requested update requires the creation of a new physical resource; hence creating one."


@dataclass
class Deployment:
    """One revision being applied to one stack. `apply` once."""

    ctx: Context
    stack: Stack
    revision: Revision
    replaced: dict[str, Resource] = field(default_factory=dict)
    """The old resources, by logical id, which the cleanup deletes."""
    failed: dict[str, list[str]] = field(default_factory=lambda: {"create": [], "update": []})
    """Logical ids by what failed, in the order of failing."""
    _giving_up: asyncio.Event = field(default_factory=asyncio.Event)
    _why: str = ""

    async def apply(self) -> bool:
        """Whether all of the revision is there. On a failure nothing new is begun; what is being made is finished
        first, so that nothing is forgotten; who merely waits to be stable is cancelled."""
        await walk(self.revision.graph, self._visit)
        return not self._giving_up.is_set()

    def give_up(self, why: str) -> None:
        """Begin nothing more. `why` becomes part of the stack's status reason."""
        self._why = self._why or why
        self._giving_up.set()

    @property
    def reason(self) -> str:
        """Why it failed, as a stack's status reason says it."""
        parts = [
            f"The following resource(s) failed to {what}: [{', '.join(names)}]."
            for what, names in self.failed.items()
            if names
        ]
        return " ".join([self._why, *parts]).strip()

    def scope(self) -> Scope:
        return self.revision.within(self._reference, self._attribute)

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
        template = self.revision.resources[name]
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
                _declare(resource, template, self.revision.graph[name])
                await self._create(resource, properties, "CREATE")
        except Exception as error:
            resource = self.stack.resources.get(name, resource)
            self.stack.resources[name] = resource
            self.failed[verb.lower()].append(name)
            self.stack.report(self.ctx, resource, f"{verb}_FAILED", self._said(error, template))
            self._giving_up.set()
            return False
        return True

    def _said(self, error: Exception, template: ResourceTemplate) -> str:
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
        changed = changes(before.properties, properties) - ({kind.tag_property} if kind.retag else set())
        if not changed and tags == before.tags:
            _declare(before, template, self.revision.graph[template.logical_id])
            before.properties = properties
            if before.status.endswith("_FAILED"):  # refused before anything was changed, and now undone
                self.stack.report(self.ctx, before, "UPDATE_COMPLETE")
            return
        if replacing := kind.replaces(before.properties, properties):
            if kind.named in properties and properties[kind.named] == before.properties.get(kind.named):
                raise ResourceError(
                    "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
                    f"{properties[kind.named]} and update the stack again. (Changed: {', '.join(sorted(replacing))})"
                )
            resource = Resource(template.logical_id, template.type_name, physical_id=before.physical_id)
            self.replaced[template.logical_id] = before
            self.stack.resources[template.logical_id] = resource
            _declare(resource, template, self.revision.graph[template.logical_id])
            self.stack.report(self.ctx, resource, "UPDATE_IN_PROGRESS", _NEEDS_REPLACEMENT)
            resource.physical_id = ""
            await self._create(resource, properties, "UPDATE")
            return
        _declare(before, template, self.revision.graph[template.logical_id])
        await self._update(before, properties, tags, changed=bool(changed))

    async def _create(self, resource: Resource, properties: Mapping[str, Any], verb: str) -> None:
        template, kind = self.revision.resources[resource.logical_id], TYPES[resource.type_name]
        resource.properties = properties
        if verb == "CREATE":
            self.stack.report(self.ctx, resource, "CREATE_IN_PROGRESS")
        kind.check(properties)
        resource.tags = self._tags(template, properties)

        def made(physical_id: str) -> None:
            resource.physical_id = physical_id
            self.stack.report(self.ctx, resource, f"{verb}_IN_PROGRESS", "Resource creation Initiated")

        work = Work(
            self.ctx,
            self.stack.name,
            resource.logical_id,
            kind,
            await resolved(properties, self.ctx.aws),
            resource.tags,
            attributes=resource.attributes,
            on_made=made,
        )
        await kind.create(work)
        await self._stabilize(work)
        self.stack.report(self.ctx, resource, f"{verb}_COMPLETE")

    async def _update(
        self, resource: Resource, properties: Mapping[str, Any], tags: Mapping[str, str], *, changed: bool
    ) -> None:
        kind = TYPES[resource.type_name]
        before, tags_before = resource.properties, resource.tags
        resource.properties, resource.tags = properties, tags  # also if it fails: this is what a rollback undoes
        self.stack.report(self.ctx, resource, "UPDATE_IN_PROGRESS")
        work = Work(
            self.ctx,
            self.stack.name,
            resource.logical_id,
            kind,
            await resolved(properties, self.ctx.aws),
            tags,
            before=await resolved(before, self.ctx.aws),
            physical_id=resource.physical_id,
            attributes=resource.attributes,
        )
        if changed and kind.update is not None:
            await kind.update(work)
        if kind.retag is not None and tags != tags_before:
            await kind.retag(work, tags_before)
        await self._stabilize(work)
        self.stack.report(self.ctx, resource, "UPDATE_COMPLETE")

    async def _stabilize(self, work: Work) -> None:
        if work.type.stabilize is None:
            return
        if not await self._unless_given_up(work.type.stabilize(work)):
            raise ResourceError(CANCELLED)

    async def _unless_given_up(self, waiting: Coroutine[Any, Any, None]) -> bool:
        """Whether it ended before the deployment gave up; if not, it is cancelled."""
        waiter, giving_up = asyncio.create_task(waiting), asyncio.create_task(self._giving_up.wait())
        try:
            await asyncio.wait({waiter, giving_up}, return_when=asyncio.FIRST_COMPLETED)
            if waiter.done():
                waiter.result()
            return waiter.done()
        finally:
            for task in (waiter, giving_up):
                task.cancel()
            await asyncio.gather(waiter, giving_up, return_exceptions=True)

    def _tags(self, template: ResourceTemplate, properties: Mapping[str, Any]) -> dict[str, str]:
        """All tags of a resource, if its type takes any: the template's own win over the stack's."""
        kind = TYPES[template.type_name]
        if kind.retag is None:
            return {}
        return {
            **self.revision.tags,
            **tags_of(properties, kind.tag_property),
            "aws:cloudformation:stack-name": self.stack.name,
            "aws:cloudformation:stack-id": self.stack.stack_id,
            "aws:cloudformation:logical-id": template.logical_id,
        }


def _declare(resource: Resource, template: ResourceTemplate, depends_on: frozenset[str]) -> None:
    resource.depends_on = depends_on
    resource.deletion_policy = template.deletion_policy
    resource.update_replace_policy = template.update_replace_policy
    resource.metadata = template.metadata
