"""Checks a template before anything is created, as ValidateTemplate does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .errors import ValidationError
from .graph import circle, dependencies
from .intrinsics import CONDITION_FUNCTIONS, FUNCTIONS
from .references import Reference, condition_graph, references
from .resources import TYPES
from .template import Template

PSEUDO_PARAMETERS = frozenset(
    f"AWS::{name}"
    for name in ("AccountId", "NoValue", "NotificationARNs", "Partition", "Region", "StackId", "StackName", "URLSuffix")
)


def check(template: Template) -> None:
    """Raises `ValidationError` for an unknown resource type, a malformed function, an unresolved name, or a circle."""
    _types(template)
    _functions(template)
    _conditions(template)
    _names(template)
    graph = dependencies(template.resources)
    if round_trip := circle(graph):
        members = ", ".join(sorted(set(round_trip)))
        raise ValidationError(f"Circular dependency between resources: [{members}] ({' -> '.join(round_trip)})")


def capabilities(template: Template) -> tuple[str | None, list[str]]:
    """The capability that the template requires, if any, and the resource types that require it."""
    needing = [each for each in template.resources.values() if each.type_name.startswith("AWS::IAM::")]
    named = any(TYPES[each.type_name].name_property in each.properties for each in needing)
    if not needing:
        return None, []
    return "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM", sorted({each.type_name for each in needing})


def _types(template: Template) -> None:
    unknown = sorted({each.type_name for each in template.resources.values()} - set(TYPES))
    if unknown:
        raise ValidationError(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")


def _functions(template: Template) -> None:
    for expression in _expressions(template):
        for call in _blocks(expression):
            for name in call:
                if name.startswith("Fn::") and (name not in FUNCTIONS or len(call) > 1):
                    raise ValidationError(
                        f"Template error: Encountered unsupported function: {name}{_where(call)} "
                        f"Supported functions are: [{', '.join(sorted(FUNCTIONS))}]"
                    )
            if len(call) == 1:
                (name, argument), *_ = call.items()
                fits, form = _FORMS.get(name, (_anything, ""))
                if not fits(argument):
                    raise ValidationError(f"Template error: every {name} object requires {form}{_where(call)}")


def _conditions(template: Template) -> None:
    def used() -> Iterator[tuple[str, str]]:
        for resource in template.resources.values():
            if resource.condition is not None:
                yield resource.condition, "Resources"
            for call in _blocks(resource.properties):
                if "Fn::If" in call:
                    yield call["Fn::If"][0], "Resources"
        for output in template.outputs.values():
            if output.condition is not None:
                yield output.condition, "Outputs"
            for call in _blocks(output.value):
                if "Fn::If" in call:
                    yield call["Fn::If"][0], "Outputs"

    for name, block in used():
        if name not in template.conditions:
            raise ValidationError(
                f"Template format error: Unresolved condition dependency {name} in the {block} block of the template"
            )
    _condition_circles(template)


def _condition_circles(template: Template) -> None:
    graph = condition_graph(template.conditions)
    for needed in graph.values():
        if missing := sorted(needed - set(graph)):
            raise ValidationError(
                f"Template format error: Unresolved condition dependency {missing[0]} in the Conditions block of the "
                "template"
            )
    if round_trip := circle(graph):
        raise ValidationError(f"Template error: Circular dependency between conditions: {' -> '.join(round_trip)}")


def _names(template: Template) -> None:
    values = PSEUDO_PARAMETERS | set(template.parameters)
    for name, expression in template.conditions.items():
        for reference in references(expression):
            if reference.attribute is not None or reference.name not in values:
                raise ValidationError(
                    f"Template format error: Unresolved dependencies [{reference.name}]. Cannot reference resources in "
                    f"the Conditions block of the template: condition {name}{reference.where}"
                )
    for resource in template.resources.values():
        for name in resource.depends_on:
            if name not in template.resources:
                raise _unresolved(name, "Resources")
        for reference in references(resource.properties):
            _resolvable(reference, template, values, "Resources", resource.logical_id)
    for output in template.outputs.values():
        for reference in references([output.value, output.export_name]):
            _resolvable(reference, template, values, "Outputs", output.name)


def _resolvable(
    reference: Reference, template: Template, values: set[str] | frozenset[str], block: str, user: str
) -> None:
    if reference.attribute is None:
        if reference.name not in values and reference.name not in template.resources:
            raise _unresolved(reference.name, block)
        return
    resource = template.resources.get(reference.name)
    if resource is None:
        raise ValidationError(
            f"Template error: instance of Fn::GetAtt references undefined resource {reference.name} "
            f"({user}{reference.where})"
        )
    attributes = TYPES[resource.type_name].attributes
    if reference.attribute and reference.attribute not in attributes:
        raise ValidationError(
            f"Template error: resource {reference.name} does not support attribute type {reference.attribute} in "
            f"Fn::GetAtt; {resource.type_name} has {', '.join(sorted(attributes)) or 'none'}{reference.where}"
        )


def _unresolved(name: str, block: str) -> ValidationError:
    return ValidationError(
        f"Template format error: Unresolved resource dependencies [{name}] in the {block} block of the template"
    )


def _expressions(template: Template) -> Iterator[Any]:
    yield template.conditions
    for resource in template.resources.values():
        yield resource.properties
    for output in template.outputs.values():
        yield output.value
        yield output.export_name


def _blocks(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _blocks(item)
    elif isinstance(value, list):
        for item in value:
            yield from _blocks(item)


def _where(call: Mapping[str, Any]) -> str:
    line = getattr(call, "line", None)
    return f" (line {line})" if line else "."


def _anything(argument: Any) -> bool:
    return True


def _list_of(*counts: int) -> Callable[[Any], bool]:
    return lambda argument: isinstance(argument, list) and len(argument) in counts


def _get_att(argument: Any) -> bool:
    if isinstance(argument, str):
        return argument.find(".") > 0
    return isinstance(argument, list) and len(argument) == 2 and isinstance(argument[0], str) and all(argument)


def _sub(argument: Any) -> bool:
    if isinstance(argument, list):
        return len(argument) == 2 and isinstance(argument[0], str) and isinstance(argument[1], dict)
    return isinstance(argument, str)


def _if(argument: Any) -> bool:
    return isinstance(argument, list) and len(argument) == 3 and isinstance(argument[0], str)


_FORMS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "Ref": (lambda argument: isinstance(argument, str), "a name"),
    "Fn::GetAtt": (_get_att, "two non-empty parameters, the resource name and the resource attribute"),
    "Fn::Sub": (_sub, "one string, or a string and an object of the values it names"),
    "Fn::Join": (_list_of(2), "two parameters, (1) a string delimiter and (2) a list of strings to be joined"),
    "Fn::Select": (_list_of(2), "a list of two elements: an integer index and a list"),
    "Fn::Split": (_list_of(2), "two parameters, (1) a string delimiter and (2) a string to be split"),
    "Fn::If": (_if, "a list of three: a condition name, the value if it holds, the value if not"),
    "Fn::FindInMap": (_list_of(3), "three parameters, the map name, map key and the attribute for return value"),
    "Fn::Cidr": (_list_of(2, 3), "an IP block, the number of blocks and, optionally, the number of host bits"),
    "Fn::Equals": (_list_of(2), "a list of two values"),
    "Fn::Not": (_list_of(1), "a list of one condition"),
    "Fn::And": (_list_of(*range(2, 11)), "a list of 2 to 10 conditions"),
    "Fn::Or": (_list_of(*range(2, 11)), "a list of 2 to 10 conditions"),
}

assert set(_FORMS) - {"Ref"} <= FUNCTIONS | CONDITION_FUNCTIONS
