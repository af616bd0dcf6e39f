"""Stacks: their resources, events and status."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.controller import Context
from .desired_state import DesiredState, Output
from .errors import stack_not_found

DELETED = "DELETE_COMPLETE"
STACK_TYPE = "AWS::CloudFormation::Stack"


@dataclass
class Resource:
    """One resource of a stack."""

    logical_id: str
    type_name: str
    status: str = ""
    reason: str | None = None
    changed: float = 0.0
    """AWS time of the last status, epoch seconds."""
    physical_id: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    depends_on: frozenset[str] = frozenset()
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Event:
    event_id: str
    logical_id: str
    physical_id: str
    type_name: str
    status: str
    reason: str | None
    at: float
    properties: Mapping[str, Any] | None = None
    token: str | None = None


@dataclass
class Stack:
    stack_id: str
    name: str
    created: float
    desired: DesiredState
    """What the stack is, or is becoming while an operation is under way."""
    status: str = ""
    reason: str | None = None
    updated: float | None = None
    deleted: float | None = None
    capabilities: tuple[str, ...] = ()
    role_arn: str | None = None
    disable_rollback: bool = False
    timeout_minutes: int | None = None
    termination_protection: bool = False
    change_set_id: str | None = None
    """The change set executed last."""
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    """Oldest first."""
    imports: frozenset[str] = frozenset()
    """Names of the exports it imports."""
    token: str | None = None
    """The ClientRequestToken of the operation under way."""
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while no operation is under way."""

    @property
    def alive(self) -> bool:
        return self.status != DELETED

    def become(self, ctx: Context, status: str, reason: str | None = None) -> None:
        """Change the stack's status and record an event."""
        self.status, self.reason = status, reason
        if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            self.settled.clear()
        else:
            self.settled.set()
        now = ctx.clock.now()
        self.events.append(
            Event(ctx.ids.uuid(), self.name, self.stack_id, STACK_TYPE, status, reason, now, token=self.token)
        )

    def report(self, ctx: Context, resource: Resource, status: str, reason: str | None = None) -> None:
        """Change a resource's status and record an event."""
        resource.status, resource.reason, resource.changed = status, reason, ctx.clock.now()
        self.events.append(
            Event(
                f"{resource.logical_id}-{ctx.ids.uuid()}",
                resource.logical_id,
                resource.physical_id,
                resource.type_name,
                status,
                reason,
                resource.changed,
                resource.properties,
                self.token,
            )
        )


class Stacks:
    """All stacks, deleted ones included."""

    def __init__(self) -> None:
        self._by_id: dict[str, Stack] = {}

    def __iter__(self) -> Iterator[Stack]:
        return iter(self._by_id.values())

    def add(self, stack: Stack) -> None:
        self._by_id[stack.stack_id] = stack

    def find(self, name: str) -> Stack | None:
        """By id, or by the name of a stack that is not deleted."""
        if name in self._by_id:
            return self._by_id[name]
        return next((stack for stack in self if stack.name == name and stack.alive), None)

    def get(self, name: str) -> Stack:
        """As `find`. Raises `ValidationError` for a missing stack."""
        if (stack := self.find(name)) is None:
            raise stack_not_found(name)
        return stack

    def exports(self) -> dict[str, tuple[Stack, Output]]:
        """The exports of all stacks, by name."""
        return {
            output.export_name: (stack, output)
            for stack in self
            if stack.alive
            for output in stack.outputs
            if output.export_name is not None
        }

    def importers(self, export: str) -> list[str]:
        """The names of the stacks that import it."""
        return [stack.name for stack in self if stack.alive and export in stack.imports]
