"""The references of an expression, and its form once the conditions are decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .intrinsics import function_of, pieces
from .yaml_source import Block


@dataclass(frozen=True)
class Reference:
    """One use of a name: Ref (no attribute) or GetAtt, written out or inside an Fn::Sub."""

    name: str
    attribute: str | None = None
    line: int | None = None

    @property
    def where(self) -> str:
        return f" (line {self.line})" if self.line else ""


def references(value: Any) -> Iterator[Reference]:
    """Every parameter, pseudo parameter and resource that an expression names."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if not isinstance(value, dict):
        return
    line = getattr(value, "line", None)
    match function_of(value):
        case "Ref":
            yield Reference(str(value["Ref"]), line=line)
        case "Fn::GetAtt":
            argument = value["Fn::GetAtt"]
            name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
            if not isinstance(attribute, str):
                yield from references(attribute)
            yield Reference(str(name), attribute if isinstance(attribute, str) else "", line)
        case "Fn::Sub":
            yield from _in_sub(value["Fn::Sub"], line)
        case _:
            for item in value.values():
                yield from references(item)


def _in_sub(argument: Any, line: int | None) -> Iterator[Reference]:
    template, variables = (argument, {}) if isinstance(argument, str) else argument
    yield from references(list(variables.values()))
    for _, name in pieces(template):
        if name is None or name in variables:
            continue
        resource, _, attribute = name.partition(".")
        yield Reference(resource, attribute, line) if attribute else Reference(name, line=line)


def arguments(value: Any, function: str) -> Iterator[Any]:
    """The arguments of every call of a function in the expression."""
    if isinstance(value, list):
        for item in value:
            yield from arguments(item, function)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == function and len(value) == 1:
                yield item
            yield from arguments(item, function)


def condition_graph(conditions: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The conditions that each condition names."""
    return {
        name: frozenset(each for each in arguments(expression, "Condition") if isinstance(each, str))
        for name, expression in conditions.items()
    }


def resolve_conditions(value: Any, conditions: Mapping[str, bool]) -> Any:
    """The expression with every Fn::If replaced by the branch that holds."""
    if isinstance(value, list):
        return [resolve_conditions(item, conditions) for item in value]
    if not isinstance(value, dict):
        return value
    if function_of(value) == "Fn::If":
        condition, then, otherwise = value["Fn::If"]
        return resolve_conditions(then if conditions[condition] else otherwise, conditions)
    block = Block({key: resolve_conditions(item, conditions) for key, item in value.items()})
    block.line = getattr(value, "line", None)
    return block
