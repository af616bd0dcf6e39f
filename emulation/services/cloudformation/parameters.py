"""Resolves parameter values (given, previous or default) and checks their constraints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import ValidationError
from .intrinsics import text

_PLAIN_TYPES = ("String", "Number", "CommaDelimitedList", "List<Number>", "List<String>")
_AWS_TYPE = re.compile(r"(List<)?AWS::(EC2|Route53)::[A-Za-z0-9]+::[A-Za-z0-9]+>?")


def resolve(
    declared: Mapping[str, Mapping[str, Any]],
    given: Sequence[Mapping[str, Any]],
    previous: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Every declared parameter's value as text, by name. `given` is the Parameters member of a request; `previous`
    are the stack's values, for UsePreviousValue. Raises `ValidationError` in CloudFormation's words."""
    supplied = _supplied(given, previous)
    if unknown := [name for name in supplied if name not in declared]:
        raise ValidationError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    if missing := [name for name, entry in declared.items() if name not in supplied and "Default" not in entry]:
        raise ValidationError(f"Parameters: [{', '.join(missing)}] must have values")
    values = {}
    for name, entry in declared.items():
        _known_type(entry)
        values[name] = supplied[name] if name in supplied else _default(name, entry)
        _allow(name, entry, values[name])
    return values


def typed(entry: Mapping[str, Any], value: str) -> str | list[str]:
    """The value of Ref: a list for the list types, else the text itself."""
    kind = str(entry["Type"])
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [part.strip() for part in value.split(",")] if value else []
    return value


def shown(entry: Mapping[str, Any], value: str) -> str:
    """The value as DescribeStacks shows it: a NoEcho one is masked."""
    return "****" if no_echo(entry) else value


def no_echo(entry: Mapping[str, Any]) -> bool:
    return str(entry.get("NoEcho", "")).lower() == "true"


def _supplied(given: Sequence[Mapping[str, Any]], previous: Mapping[str, str] | None) -> dict[str, str]:
    supplied: dict[str, str] = {}
    for entry in given:
        name = entry.get("ParameterKey", "")
        if name in supplied:
            raise ValidationError(f"Parameter {name} is given twice")
        if entry.get("UsePreviousValue"):
            if "ParameterValue" in entry:
                raise ValidationError(
                    f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true and also "
                    "specify a value"
                )
            if previous is None or name not in previous:
                raise ValidationError(
                    f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter "
                    "key not in the previous template"
                )
            supplied[name] = previous[name]
        elif "ParameterValue" in entry:
            supplied[name] = str(entry["ParameterValue"])
    return supplied


def _known_type(entry: Mapping[str, Any]) -> None:
    kind = str(entry["Type"])
    if kind.startswith("AWS::SSM::"):
        raise ValidationError(
            f"Parameter type {kind} is not emulated. Pass the value itself in a parameter of type String."
        )
    if kind not in _PLAIN_TYPES and not _AWS_TYPE.fullmatch(kind):
        raise ValidationError(f"Template format error: Unrecognized parameter type: {kind}")


def _default(name: str, entry: Mapping[str, Any]) -> str:
    default = entry["Default"]
    if isinstance(default, list | dict):
        raise ValidationError(f"Template format error: Every Default member must be a string: parameter {name}")
    return text(default)


def _allow(name: str, entry: Mapping[str, Any], value: str) -> None:
    kind = str(entry["Type"])
    items = typed(entry, value)
    for item in [items] if isinstance(items, str) else items:
        if message := _refusal(name, entry, item, number="Number" in kind):
            because = entry.get("ConstraintDescription")
            raise ValidationError(f"Parameter {name} failed to satisfy constraint: {because}" if because else message)


def _refusal(name: str, entry: Mapping[str, Any], item: str, *, number: bool) -> str | None:
    if number:
        try:
            amount = float(item)
        except ValueError:
            return f"Parameter '{name}' must be a number"
        if "MinValue" in entry and amount < float(entry["MinValue"]):
            return f"Parameter '{name}' must be a number not less than {entry['MinValue']}"
        if "MaxValue" in entry and amount > float(entry["MaxValue"]):
            return f"Parameter '{name}' must be a number not greater than {entry['MaxValue']}"
    if "AllowedValues" in entry and item not in [text(each) for each in entry["AllowedValues"]]:
        allowed = ", ".join(text(each) for each in entry["AllowedValues"])
        return f"Parameter '{name}' must be one of AllowedValues: [{allowed}]"
    if "MinLength" in entry and len(item) < int(entry["MinLength"]):
        return f"Parameter '{name}' must contain at least {entry['MinLength']} characters"
    if "MaxLength" in entry and len(item) > int(entry["MaxLength"]):
        return f"Parameter '{name}' must contain at most {entry['MaxLength']} characters"
    if "AllowedPattern" in entry and not re.fullmatch(str(entry["AllowedPattern"]), item):
        return f"Parameter '{name}' must match pattern {entry['AllowedPattern']}"
    return None
