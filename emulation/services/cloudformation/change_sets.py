"""Change sets: planned changes of a stack, until they are executed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import AwsError
from .change_plan import Change
from .desired_state import DesiredState
from .errors import ValidationError
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
    desired: DesiredState
    changes: Sequence[Change]
    description: str | None = None
    capabilities: tuple[str, ...] = ()
    role_arn: str | None = None
    on_stack_failure: str | None = None
    status: str = "CREATE_COMPLETE"
    reason: str | None = None
    execution: str = "AVAILABLE"

    @property
    def reserves_name(self) -> bool:
        """Whether another change set of its name is refused. `aws cloudformation deploy` names change sets by the
        second, in which two emulated deployments fit: so an executed or failed one gives its name up."""
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


class ChangeSets:
    """The change sets of all stacks."""

    def __init__(self, stacks: Stacks) -> None:
        self._stacks = stacks
        self._by_stack: defaultdict[str, dict[str, ChangeSet]] = defaultdict(dict)

    def of(self, stack: Stack) -> dict[str, ChangeSet]:
        """By name."""
        return self._by_stack[stack.stack_id]

    def find(self, name: str, stack_name: str | None) -> ChangeSet:
        """A change set by its id, or by its name and its stack. Raises `AwsError` ChangeSetNotFound."""
        if name.startswith("arn:"):
            matching = (each for of in self._by_stack.values() for each in of.values() if each.change_set_id == name)
            change_set = next(matching, None)
        elif not stack_name:
            raise ValidationError("StackName must be specified if ChangeSetName is not specified as an ARN.")
        else:
            stack = self._stacks.find(stack_name)
            if stack is None:
                raise ValidationError(f"Stack [{stack_name}] does not exist")
            change_set = self.of(stack).get(name)
        if change_set is None:
            raise AwsError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", status=404)
        return change_set


def resource_change(change: Change) -> dict[str, Any]:
    """A change as in DescribeChangeSet."""
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
