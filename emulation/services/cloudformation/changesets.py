"""Change sets: what would change, kept until somebody executes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import AwsError
from .errors import ValidationError
from .plan import Change
from .revision import Revision
from .stacks import Stack, Stacks

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


@dataclass
class ChangeSet:
    change_set_id: str
    name: str
    stack: Stack
    kind: str
    """CREATE or UPDATE."""
    created: float
    revision: Revision
    changes: Sequence[Change]
    description: str | None = None
    capabilities: tuple[str, ...] = ()
    role_arn: str | None = None
    on_stack_failure: str | None = None
    status: str = "CREATE_COMPLETE"
    reason: str | None = None
    execution: str = "AVAILABLE"

    @property
    def holds_its_name(self) -> bool:
        """Whether no other may take its name. `aws cloudformation deploy` names change sets by the second, and here
        two deployments fit into one: so what is over and done with gives its name away."""
        return self.execution in ("AVAILABLE", "OBSOLETE")

    def fail(self, reason: str) -> None:
        self.status, self.reason, self.execution = "FAILED", reason, "UNAVAILABLE"

    def check_executable(self) -> None:
        """Raises `AwsError` InvalidChangeSetStatus."""
        if self.execution != "AVAILABLE" or self.status != "CREATE_COMPLETE":
            raise AwsError(
                "InvalidChangeSetStatus",
                f"ChangeSet [{self.change_set_id}] cannot be executed in its current status of [{self.status}]"
                + (f", execution status [{self.execution}]" if self.execution != "UNAVAILABLE" else ""),
            )


def find(stacks: Stacks, name: str, stack_name: str | None) -> ChangeSet:
    """A change set by its id, or by its name and its stack. Raises `AwsError` ChangeSetNotFound."""
    if name.startswith("arn:"):
        for stack in stacks:
            for each in stack.change_sets.values():
                if each.change_set_id == name:
                    return each
        raise AwsError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", status=404)
    if not stack_name:
        raise ValidationError("StackName must be specified if ChangeSetName is not specified as an ARN.")
    stack = stacks.get(stack_name)
    if name not in stack.change_sets:
        raise AwsError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", status=404)
    return stack.change_sets[name]


def resource_change(change: Change) -> dict[str, Any]:
    """A change as DescribeChangeSet shows it."""
    shown: dict[str, Any] = {
        "Action": change.action,
        "LogicalResourceId": change.logical_id,
        "ResourceType": change.type_name,
        "Scope": [],
        "Details": [],
    }
    if change.physical_id:
        shown["PhysicalResourceId"] = change.physical_id
    if change.action == "Remove":
        shown["PolicyAction"] = "Retain" if change.retained else "Delete"
    if change.action == "Modify":
        shown["Replacement"] = change.replacement
        shown["Scope"] = [scope for scope, there in (("Properties", change.properties), ("Tags", change.tags)) if there]
        shown["Details"] = list(_details(change.properties or {}, tags=change.tags))
    return {"Type": "Resource", "ResourceChange": shown}


def _details(properties: Mapping[str, str], *, tags: bool) -> list[dict[str, Any]]:
    targets = [{"Attribute": "Properties", "Name": name, "RequiresRecreation": how} for name, how in properties.items()]
    if tags:
        targets.append({"Attribute": "Tags", "RequiresRecreation": "Never"})
    return [
        {
            "Target": target,
            "Evaluation": "Dynamic" if target["RequiresRecreation"] == "Conditionally" else "Static",
            "ChangeSource": "DirectModification",
        }
        for target in targets
    ]
