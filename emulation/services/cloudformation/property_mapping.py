"""Maps CloudFormation properties to API parameters by botocore's model.

`EFSVolumeConfiguration: {FilesystemId: …}` becomes `efsVolumeConfiguration: {fileSystemId: …}`, `"60"` becomes 60
where the API takes an integer, and a property the API has no member for is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...state.models import operation_model
from ..tagging.tag_operations import members_by_lower_name
from .errors import PropertyError
from .intrinsics import text

if TYPE_CHECKING:
    from botocore.model import Shape

_INTEGERS = ("integer", "long")
_FLOATS = ("float", "double")


def to_parameters(
    service: str, operation: str, properties: Mapping[str, Any], renamed: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """An operation's parameters. `renamed` maps properties, at any depth, whose API names differ by more than case.
    Raises `PropertyError` naming the property that does not fit."""
    shape: Shape = operation_model(service, operation).input_shape
    return dict(_structure(shape, properties, "", renamed or {}))


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
    members = members_by_lower_name(shape)
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
