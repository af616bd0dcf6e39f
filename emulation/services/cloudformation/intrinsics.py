"""Evaluates the intrinsic functions of templates."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import ValidationError

NO_VALUE = object()
"""The value of `Ref: AWS::NoValue`: the property or list item that holds it is omitted."""

SUBSTITUTION = re.compile(r"\$\{(!?)([^}]*)\}")
"""`${Name}`, `${Resource.Attribute}` and the escaped `${!Literal}` in an Fn::Sub string."""


class Unknown(str):
    """A value known only after the change; any value that contains it is unknown too."""

    __slots__ = ()


KNOWN_AFTER_APPLY = Unknown("{{changeSet:KNOWN_AFTER_APPLY}}")


@dataclass(frozen=True)
class Scope:
    """The values that an expression can refer to."""

    values: Mapping[str, Any]
    """Parameters and pseudo parameters."""
    mappings: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    conditions: Mapping[str, bool] = field(default_factory=dict)
    zones: Sequence[str] = ()
    """The region's availability zones."""
    exports: Mapping[str, str] = field(default_factory=dict)
    reference: Callable[[str], str] | None = None
    """The physical id of a resource, by logical id."""
    attribute: Callable[[str, str], Any] | None = None
    """An attribute of a resource, by logical id and name."""


def evaluate(value: Any, scope: Scope) -> Any:
    """The value of an expression in `scope`. Raises `ValidationError` for an unsuitable argument of a function."""
    if isinstance(value, list):
        return [item for each in value if (item := evaluate(each, scope)) is not NO_VALUE]
    if not isinstance(value, dict):
        return value
    name = function_of(value)
    if name is None:
        return {key: item for key, each in value.items() if (item := evaluate(each, scope)) is not NO_VALUE}
    return _FUNCTIONS[name](value[name], scope)


def function_of(value: Mapping[str, Any]) -> str | None:
    """The function this mapping is a call of, or None for data. `{"Condition": …}` is data here."""
    if len(value) != 1:
        return None
    name = next(iter(value))
    return name if name in _FUNCTIONS else None


def text(value: Any) -> str:
    """A scalar as CloudFormation writes it into a string. Raises `ValidationError` for a list or a mapping."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.15g}" if isinstance(value, float) else str(value)
    raise ValidationError(f"Template error: expected a string, got {type(value).__name__} {value!r}")


def pieces(template: str) -> list[tuple[str, str | None]]:
    """An Fn::Sub string as (text before, name to put after it) pairs; the last name is None."""
    found: list[tuple[str, str | None]] = []
    before, position = "", 0
    for match in SUBSTITUTION.finditer(template):
        before += template[position : match.start()]
        position = match.end()
        if match[1]:
            before += "${" + match[2] + "}"
        else:
            found.append((before, match[2].strip()))
            before = ""
    return [*found, (before + template[position:], None)]


def _ref(name: Any, scope: Scope) -> Any:
    if name == "AWS::NoValue":
        return NO_VALUE
    if name in scope.values:
        return scope.values[name]
    if scope.reference is None:
        raise ValidationError(
            f"Template format error: Unresolved dependencies [{name}]. Cannot reference resources here"
        )
    return scope.reference(name)


def _get_att(argument: Any, scope: Scope) -> Any:
    resource, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
    attribute = evaluate(attribute, scope)
    if scope.attribute is None:
        raise ValidationError(f"Template error: Fn::GetAtt {resource}.{attribute} cannot be used here")
    return scope.attribute(resource, text(attribute))


def _sub(argument: Any, scope: Scope) -> str:
    template, variables = (argument, {}) if isinstance(argument, str) else argument
    parts: list[str] = []
    for before, name in pieces(template):
        parts.append(before)
        if name is None:
            continue
        if name in variables:
            parts.append(text(evaluate(variables[name], scope)))
        elif name in scope.values or "." not in name:
            parts.append(text(_ref(name, scope)))
        else:
            parts.append(text(_get_att(name, scope)))
    return _joined("", parts)


def _join(argument: Any, scope: Scope) -> str:
    delimiter, values = argument[0], evaluate(argument[1], scope)
    if isinstance(values, Unknown):
        return values
    if not isinstance(values, list):
        raise ValidationError(f"Template error: Fn::Join joins a list, got {values!r}")
    return _joined(text(evaluate(delimiter, scope)), [text(value) for value in values])


def _joined(delimiter: str, parts: Sequence[str]) -> str:
    if any(isinstance(part, Unknown) for part in parts):
        return KNOWN_AFTER_APPLY
    return delimiter.join(parts)


def _select(argument: Any, scope: Scope) -> Any:
    index, values = evaluate(argument[0], scope), evaluate(argument[1], scope)
    if isinstance(values, Unknown):
        return values
    if not isinstance(values, list):
        raise ValidationError(f"Template error: Fn::Select selects from a list, got {values!r}")  # noqa: S608 - an error text
    try:
        position = int(text(index))
    except ValueError:
        raise ValidationError(f"Template error: Fn::Select takes an integer index, got {index!r}") from None
    if not 0 <= position < len(values):
        raise ValidationError(f"Template error: Fn::Select cannot select nonexistent value at index {position}")
    return values[position]


def _split(argument: Any, scope: Scope) -> Any:
    delimiter, source = evaluate(argument[0], scope), evaluate(argument[1], scope)
    if isinstance(source, Unknown):
        return source
    if not delimiter:
        raise ValidationError("Template error: Fn::Split needs a delimiter")
    return text(source).split(text(delimiter))


def _if(argument: Any, scope: Scope) -> Any:
    condition, then, otherwise = argument
    return evaluate(then if holds({"Condition": condition}, scope) else otherwise, scope)


def _find_in_map(argument: Any, scope: Scope) -> Any:
    keys = [text(evaluate(key, scope)) for key in argument]
    found: Any = scope.mappings
    for key in keys:
        if not isinstance(found, Mapping) or key not in found:
            raise ValidationError(f"Template error: Unable to get mapping for {'::'.join(keys)}")
        found = found[key]
    return found


def _import_value(argument: Any, scope: Scope) -> str:
    name = text(evaluate(argument, scope))
    if name not in scope.exports:
        raise ValidationError(f"No export named {name} found.")
    return scope.exports[name]


def _base64(argument: Any, scope: Scope) -> str:
    value = text(evaluate(argument, scope))
    return value if isinstance(value, Unknown) else base64.b64encode(value.encode()).decode()


def _get_azs(argument: Any, scope: Scope) -> list[str]:
    region = text(evaluate(argument, scope))
    if region and region != scope.values["AWS::Region"]:
        raise ValidationError(
            f"Template error: Fn::GetAZs knows only this region, {scope.values['AWS::Region']}, not {region}"
        )
    return list(scope.zones)


def _cidr(argument: Any, scope: Scope) -> Any:
    block, count, *bits = (evaluate(each, scope) for each in argument)
    if isinstance(block, Unknown):
        return block
    try:
        network = ipaddress.ip_network(text(block))
        wanted, host_bits = int(text(count)), int(text(bits[0])) if bits else 8
        prefix = network.max_prefixlen - host_bits
        available = 1 << max(0, prefix - network.prefixlen)
        if not (network.prefixlen <= prefix and 1 <= wanted <= min(256, available)):
            raise ValueError(f"{wanted} blocks of {host_bits} bits do not fit into {block}")
    except ValueError as error:
        raise ValidationError(f"Template error: Fn::Cidr: {error}") from error
    subnets = network.subnets(new_prefix=prefix)
    return [str(next(subnets)) for _ in range(wanted)]


def holds(expression: Any, scope: Scope) -> bool:
    """Whether a condition expression holds: And, Or, Not, Equals, or the name of a condition.

    Raises `ValidationError` for anything else.
    """
    if isinstance(expression, dict) and len(expression) == 1:
        (name, argument), *_ = expression.items()
        if name == "Condition" and isinstance(argument, str) and argument in scope.conditions:
            return scope.conditions[argument]
        if name == "Fn::Equals":
            left, right = (evaluate(each, scope) for each in argument)
            return bool(_comparable(left) == _comparable(right))
        if name == "Fn::Not":
            return not holds(argument[0], scope)
        if name == "Fn::And":
            return all(holds(each, scope) for each in argument)
        if name == "Fn::Or":
            return any(holds(each, scope) for each in argument)
    raise ValidationError(
        f"Template format error: Unresolved condition {expression!r}: a condition is made of Fn::And, Fn::Or, "
        "Fn::Not, Fn::Equals and the names of other conditions"
    )


def _comparable(value: Any) -> Any:
    return [_comparable(each) for each in value] if isinstance(value, list) else text(value)


_FUNCTIONS: Mapping[str, Callable[[Any, Scope], Any]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::If": _if,
    "Fn::FindInMap": _find_in_map,
    "Fn::ImportValue": _import_value,
    "Fn::Base64": _base64,
    "Fn::GetAZs": _get_azs,
    "Fn::Cidr": _cidr,
}

CONDITION_FUNCTIONS = frozenset({"Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals"})
FUNCTIONS = frozenset(_FUNCTIONS) | CONDITION_FUNCTIONS
