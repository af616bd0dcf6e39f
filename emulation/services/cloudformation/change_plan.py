"""Computes the changes that bring a stack to a desired state: the content of a change set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .desired_state import DesiredState
from .errors import ValidationError
from .intrinsics import KNOWN_AFTER_APPLY, Scope, Unknown, evaluate
from .resources import TYPES
from .resources.base import tags_of
from .stacks import Resource, Stack
from .template import ResourceTemplate


@dataclass(frozen=True)
class Change:
    """The change of one resource."""

    action: str
    """Add, Modify or Remove."""
    logical_id: str
    type_name: str
    physical_id: str = ""
    replacement: str = ""
    """True, False or Conditional, for Modify."""
    properties: Mapping[str, str] | None = None
    """The changed properties, and whether each requires a replacement: Never, Conditionally or Always."""
    tags: bool = False
    retained: bool = False
    """For Remove: the resource itself is retained."""


def plan(stack: Stack, desired: DesiredState) -> list[Change]:
    """The changes, in the order of the template, the removals last. Raises `ValidationError` for an expression that
    cannot be evaluated."""
    moved = [
        name
        for name, each in desired.resources.items()
        if name in stack.resources and stack.resources[name].type_name != each.type_name
    ]
    if moved:
        raise ValidationError(
            "Update of resource type is not permitted. The new template modifies resource type of the following "
            f"resources: [{', '.join(moved)}]"
        )
    planned: dict[str, Change] = {}
    scope = _scope(stack, desired, planned)
    for name in desired.order:
        change = _change(stack.resources.get(name), desired, desired.resources[name], scope)
        if change is not None:
            planned[name] = change
    listed = [planned[name] for name in desired.resources if name in planned]
    removed = [
        Change("Remove", name, each.type_name, each.physical_id, retained=each.deletion_policy != "Delete")
        for name, each in stack.resources.items()
        if name not in desired.resources
    ]
    return [*listed, *removed]


def changed_outputs(stack: Stack, desired: DesiredState) -> bool:
    """Whether the outputs differ when no resource does."""
    return desired.evaluated_outputs(_scope(stack, desired, {})) != stack.outputs


def _scope(stack: Stack, desired: DesiredState, planned: Mapping[str, Change]) -> Scope:
    def is_new(name: str) -> bool:
        change = planned.get(name)
        return change is not None and (change.action == "Add" or change.replacement == "True")

    def reference(name: str) -> str:
        return KNOWN_AFTER_APPLY if is_new(name) else stack.resources[name].physical_id

    def attribute(name: str, attribute: str) -> Any:
        return KNOWN_AFTER_APPLY if is_new(name) else stack.resources[name].attributes.get(attribute, KNOWN_AFTER_APPLY)

    return desired.scope_with(reference, attribute)


def _change(now: Resource | None, desired: DesiredState, template: ResourceTemplate, scope: Scope) -> Change | None:
    kind, name = TYPES[template.type_name], template.logical_id
    if now is None or not now.physical_id or now.status == "CREATE_FAILED":
        return Change("Add", name, template.type_name)
    properties = evaluate(template.properties, scope)
    changed = kind.changed(now.properties, properties)
    own = {key: value for key, value in now.tags.items() if not key.startswith("aws:cloudformation:")}
    retagged = kind.retag is not None and own != {**desired.tags, **tags_of(properties, kind.tag_property)}
    if not changed and not retagged and not now.status.endswith("_FAILED"):
        return None
    replacing = kind.replaces(now.properties, properties)
    certain = {path for path in replacing if not _holds_unknown(properties.get(path.split(".")[0]))}
    tops, certain_tops = ({path.split(".")[0] for path in paths} for paths in (replacing, certain))
    return Change(
        "Modify",
        name,
        template.type_name,
        now.physical_id,
        replacement="True" if certain else "Conditional" if replacing else "False",
        properties={
            each: "Always" if each in certain_tops else "Conditionally" if each in tops else "Never"
            for each in sorted(changed)
        },
        tags=retagged,
    )


def _holds_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_unknown(each) for each in value.values())
    if isinstance(value, list):
        return any(_holds_unknown(each) for each in value)
    return isinstance(value, Unknown)
