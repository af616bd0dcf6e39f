"""The desired state of a stack: a template with its parameters, conditions and tags decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from . import parameters
from .errors import ValidationError
from .graph import dependencies, ordered
from .intrinsics import Scope, evaluate, holds, text
from .references import arguments, condition_graph, references, resolve_conditions
from .template import OutputTemplate, ResourceTemplate, Template, check_policy


@dataclass(frozen=True)
class StackIdentity:
    """The values of the pseudo parameters."""

    account: str
    region: str
    stack_id: str
    stack_name: str


@dataclass(frozen=True)
class Output:
    name: str
    value: str
    description: str | None
    export_name: str | None


@dataclass(frozen=True)
class DesiredState:
    """Holds the resources and outputs whose conditions hold, with every Fn::If decided."""

    template: Template
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    resources: Mapping[str, ResourceTemplate]
    outputs: Mapping[str, OutputTemplate]
    scope: Scope
    """Everything but the resources."""

    @cached_property
    def graph(self) -> Mapping[str, frozenset[str]]:
        return dependencies(self.resources)

    @cached_property
    def order(self) -> list[str]:
        return ordered(self.graph)

    def scope_with(self, reference: Callable[[str], str], attribute: Callable[[str, str], Any]) -> Scope:
        """The scope for its expressions, given how to look up resources."""
        return replace(self.scope, reference=reference, attribute=attribute)

    def evaluated_outputs(self, scope: Scope) -> list[Output]:
        """Raises `ValidationError` for an output that is not a string."""
        return [_output(each, scope) for each in self.outputs.values()]

    def imports(self, scope: Scope) -> frozenset[str]:
        """Names of the exports it imports."""
        expressions = [each.properties for each in self.resources.values()] + [
            each.value for each in self.outputs.values()
        ]
        return frozenset(text(evaluate(each, scope)) for each in arguments(expressions, "Fn::ImportValue"))


def build_desired_state(
    template: Template,
    values: Mapping[str, str],
    tags: Mapping[str, str],
    identity: StackIdentity,
    *,
    zones: Sequence[str] = (),
    exports: Mapping[str, str] | None = None,
) -> DesiredState:
    """Decide the conditions of a checked template. Raises `ValidationError` for a reference to a resource whose
    condition does not hold."""
    scope = Scope(
        values=_pseudo(identity)
        | {name: parameters.typed(entry, values[name]) for name, entry in template.parameters.items()},
        mappings=template.mappings,
        zones=zones,
        exports=exports or {},
    )
    conditions = _conditions(template, scope)
    decided = replace(scope, conditions=conditions)
    resources = {
        name: replace(
            resource,
            properties=resolve_conditions(resource.properties, conditions),
            deletion_policy=_policy("DeletionPolicy", name, resource.deletion_policy, decided),
            update_replace_policy=_policy("UpdateReplacePolicy", name, resource.update_replace_policy, decided),
            depends_on=tuple(each for each in resource.depends_on if _active(template.resources[each], conditions)),
        )
        for name, resource in template.resources.items()
        if _active(resource, conditions)
    }
    outputs = {
        name: replace(
            output,
            value=resolve_conditions(output.value, conditions),
            export_name=resolve_conditions(output.export_name, conditions),
        )
        for name, output in template.outputs.items()
        if _active(output, conditions)
    }
    for block, expressions in (
        ("Resources", {name: resource.properties for name, resource in resources.items()}),
        ("Outputs", {name: [output.value, output.export_name] for name, output in outputs.items()}),
    ):
        for name, expression in expressions.items():
            for reference in references(expression):
                if reference.name in template.resources and reference.name not in resources:
                    raise ValidationError(
                        f"Template format error: Unresolved resource dependencies [{reference.name}] in the {block} "
                        f"block of the template ({name}{reference.where}): its condition does not hold"
                    )
        _check_mappings(expressions, decided)
    return DesiredState(template, values, tags, resources, outputs, decided)


def _policy(member: str, logical_id: str, policy: Any, scope: Scope) -> str:
    value = evaluate(policy, scope)
    return str(policy) if value is policy else check_policy(member, logical_id, value)


def _check_mappings(expressions: Mapping[str, Any], scope: Scope) -> None:
    """Raises `ValidationError` for an Fn::FindInMap that finds nothing, where no resource is part of the keys."""
    for argument in arguments(list(expressions.values()), "Fn::FindInMap"):
        if all(each.attribute is None and each.name in scope.values for each in references(argument)):
            evaluate({"Fn::FindInMap": argument}, scope)


def _pseudo(identity: StackIdentity) -> dict[str, Any]:
    return {
        "AWS::AccountId": identity.account,
        "AWS::NotificationARNs": [],
        "AWS::Partition": "aws",
        "AWS::Region": identity.region,
        "AWS::StackId": identity.stack_id,
        "AWS::StackName": identity.stack_name,
        "AWS::URLSuffix": "amazonaws.com",
    }


def _conditions(template: Template, scope: Scope) -> dict[str, bool]:
    decisions: dict[str, bool] = {}
    for name in ordered(condition_graph(template.conditions)):
        decisions[name] = holds(template.conditions[name], replace(scope, conditions=decisions))
    return decisions


def _active(entry: ResourceTemplate | OutputTemplate, conditions: Mapping[str, bool]) -> bool:
    return entry.condition is None or conditions[entry.condition]


def _output(output: OutputTemplate, scope: Scope) -> Output:
    value = evaluate(output.value, scope)
    if isinstance(value, list | dict):
        raise ValidationError(f"Template format error: Output {output.name} is malformed: its value must be a string")
    export = None if output.export_name is None else text(evaluate(output.export_name, scope))
    return Output(output.name, text(value), output.description, export)
