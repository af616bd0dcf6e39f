"""From properties as CloudFormation spells them to parameters as an API spells them, by botocore's model.

`EFSVolumeConfiguration: {FilesystemId: …}` becomes `efsVolumeConfiguration: {fileSystemId: …}`, `"60"` becomes 60
where the API takes an integer, and a property the API has no member for is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ...state.models import operation_model
from .errors import PropertyError
from .intrinsics import text

if TYPE_CHECKING:
    from botocore.model import Shape

_INTEGERS = ("integer", "long")
_FLOATS = ("float", "double")


def parameters(
    service: str, operation: str, properties: Mapping[str, Any], renamed: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """An operation's parameters. `renamed` says what a property, at any depth, is called in the API where that is
    more than a matter of case. Raises `PropertyError` naming the property that does not fit."""
    shape: Shape = operation_model(service, operation).input_shape
    return dict(_structure(shape, properties, "", renamed or {}))


def tagged(service: str, operation: str, tags: Mapping[str, str], kind: str | None = None) -> dict[str, Any]:
    """The parameter that puts these tags on what the operation creates, in its own form; none if it takes none.

    `kind` is EC2's word for what is created, such as `route-table`.
    """
    if not tags:
        return {}
    shape: Shape = operation_model(service, operation).input_shape
    if kind is not None:
        return {
            "TagSpecifications": [{"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}]
        }
    name = _members(shape).get("tags")
    if name is None:
        return {}
    return {name: tags_as(shape.members[name], tags)}


def tags_as(shape: Shape, tags: Mapping[str, str]) -> Any:
    """Tags in the form of a model's tag list or tag map."""
    if shape.type_name == "map":
        return dict(tags)
    members = _members(shape.member)
    return [{members["key"]: key, members["value"]: value} for key, value in tags.items()]


@cache
def _members(shape: Shape) -> dict[str, str]:
    return {name.lower(): name for name in shape.members}


def _value(shape: Shape, value: Any, path: str, renamed: Mapping[str, str]) -> Any:
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, Mapping):
            raise PropertyError(f"Value of property {path} must be an object")
        return _structure(shape, value, path, renamed)
    if kind == "list":
        if not isinstance(value, list):
            raise PropertyError(f"Value of property {path} must be of type List")
        return [_value(shape.member, item, f"{path}/{index}", renamed) for index, item in enumerate(value)]
    if kind == "map":
        if not isinstance(value, Mapping):
            raise PropertyError(f"Value of property {path} must be an object")
        return {key: _value(shape.value, item, f"{path}/{key}", renamed) for key, item in value.items()}
    return _scalar(kind, value, path)


def _structure(shape: Shape, value: Mapping[str, Any], path: str, renamed: Mapping[str, str]) -> dict[str, Any]:
    members = _members(shape)
    result = {}
    for key, item in value.items():
        name = members.get(renamed.get(key, key).lower())
        here = f"{path}/{key}" if path else key
        if name is None:
            raise PropertyError(f"Encountered unsupported property {here}")
        result[name] = _value(shape.members[name], item, here, renamed)
    return result


def _scalar(kind: str, value: Any, path: str) -> Any:
    if isinstance(value, Mapping | list):
        raise PropertyError(f"Value of property {path} must be of type {kind.capitalize()}")
    try:
        if kind in _INTEGERS:
            return int(float(value)) if isinstance(value, float) and value.is_integer() else int(text(value))
        if kind in _FLOATS:
            return float(value)
    except ValueError:
        raise PropertyError(f"Value of property {path} must be of type {kind.capitalize()}, got {value!r}") from None
    if kind == "boolean":
        if text(value) not in ("true", "false"):
            raise PropertyError(f"Value of property {path} must be of type Boolean, got {value!r}")
        return text(value) == "true"
    return text(value) if kind == "string" else value
