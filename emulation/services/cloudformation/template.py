"""Parses the sections of a template and checks their form; `checks` resolves the references."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import ValidationError
from .yaml_source import Block, parse

_SECTIONS = (
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Resources",
    "Outputs",
)  # fmt: skip
_SECTIONS_NOT_EMULATED = ("Transform", "Rules", "Hooks")
_EXTENSIONS = "AWS::LanguageExtensions"
_EXTENDED = re.compile(r"Fn::(ForEach::\w+|Length|ToJsonString)")
_PARAMETER_MEMBERS = (
    "Type", "Default", "Description", "AllowedPattern", "AllowedValues", "ConstraintDescription", "MaxLength",
    "MaxValue", "MinLength", "MinValue", "NoEcho",
)  # fmt: skip
_RESOURCE_MEMBERS = (
    "Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy",
)  # fmt: skip
_RESOURCE_MEMBERS_NOT_EMULATED = ("CreationPolicy", "UpdatePolicy")
_OUTPUT_MEMBERS = ("Value", "Description", "Export", "Condition")
_ALPHANUMERIC = re.compile(r"[A-Za-z0-9]+")
_POLICIES = {
    "DeletionPolicy": ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot"),
    "UpdateReplacePolicy": ("Delete", "Retain", "Snapshot"),
}


@dataclass(frozen=True)
class ResourceTemplate:
    """One entry of Resources, as written."""

    logical_id: str
    type_name: str
    properties: Mapping[str, Any]
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    deletion_policy: Any = "Delete"
    """An intrinsic function until the parameters are known, as is `update_replace_policy`."""
    update_replace_policy: Any = "Delete"
    metadata: Mapping[str, Any] | None = None
    line: int | None = None


@dataclass(frozen=True)
class OutputTemplate:
    """One entry of Outputs, as written."""

    name: str
    value: Any
    description: str | None = None
    export_name: Any = None
    condition: str | None = None


@dataclass(frozen=True)
class Template:
    body: str
    """The text as given, for GetTemplate."""
    description: str | None
    metadata: Mapping[str, Any] | None
    parameters: Mapping[str, Mapping[str, Any]]
    mappings: Mapping[str, Mapping[str, Mapping[str, Any]]]
    conditions: Mapping[str, Any]
    resources: Mapping[str, ResourceTemplate]
    outputs: Mapping[str, OutputTemplate]


def load(body: str) -> Template:
    """The template a text describes. Raises `ValidationError` in CloudFormation's words, with the line where known."""
    root = parse(body)
    if not isinstance(root, Block):
        raise ValidationError("Template format error: unsupported structure.")
    for path, value in _leaves(root, ""):
        if value is None:
            raise ValidationError(f"Template format error: [{path}] 'null' values are not allowed in templates")
    if root.get("Transform") in (_EXTENSIONS, [_EXTENSIONS]) and not _uses_extensions(root):
        del root["Transform"]
    if odd := [name for name in root if name in _SECTIONS_NOT_EMULATED]:
        raise ValidationError(
            f"Template section {', '.join(odd)} is not emulated. Expand it before (sam build, cfn-lint, your own "
            "tool), or deploy to AWS."
        )
    if odd := [name for name in root if name not in _SECTIONS]:
        raise ValidationError(f"Invalid template property or properties [{', '.join(odd)}]")
    if str(root.get("AWSTemplateFormatVersion", "2010-09-09")) != "2010-09-09":
        raise ValidationError("Template format error: unsupported value for AWSTemplateFormatVersion. Use 2010-09-09.")
    resources = _section(root, "Resources")
    if not resources:
        raise ValidationError("Template format error: At least one Resources member must be defined.")
    description = root.get("Description")
    return Template(
        body=body,
        description=None if description is None else str(description),
        metadata=root.get("Metadata"),
        parameters={name: _parameter(name, entry) for name, entry in _section(root, "Parameters").items()},
        mappings={name: _mapping(name, entry) for name, entry in _section(root, "Mappings").items()},
        conditions=_section(root, "Conditions"),
        resources={name: _resource(name, entry) for name, entry in resources.items()},
        outputs={name: _output(name, entry) for name, entry in _section(root, "Outputs").items()},
    )


def _section(root: Block, name: str) -> Block:
    section = root.get(name, Block())
    if not isinstance(section, Block):
        raise ValidationError(f"Template format error: {name} must be an object{_where(root)}.")
    for key in section:
        if name != "Conditions" and not _ALPHANUMERIC.fullmatch(key):
            kind = name.removesuffix("s")
            raise ValidationError(
                f"Template format error: {kind} name {key} is non alphanumeric.{_where(section[key])}"
            )
    return section


def _parameter(name: str, entry: Any) -> Mapping[str, Any]:
    if not isinstance(entry, Block) or "Type" not in entry:
        raise ValidationError(
            f"Template format error: [/Parameters/{name}] Every Parameters object must contain a Type member."
        )
    _refuse_members(f"parameter {name}", entry, _PARAMETER_MEMBERS)
    return entry


def _mapping(name: str, entry: Any) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(entry, Block) or not all(isinstance(second, Block) for second in entry.values()):
        raise ValidationError(f"Template format error: Every Mappings attribute must be a String or a List: [{name}]")
    return entry


def _resource(name: str, entry: Any) -> ResourceTemplate:
    where = f"[/Resources/{name}]"
    if not isinstance(entry, Block) or "Type" not in entry:
        raise ValidationError(
            f"Template format error: {where} Every Resources object must contain a Type member.{_where(entry)}"
        )
    if odd := [member for member in entry if member in _RESOURCE_MEMBERS_NOT_EMULATED]:
        raise ValidationError(f"{where} {', '.join(odd)} is not emulated: no resource type here uses it.")
    _refuse_members(f"resource {name}", entry, _RESOURCE_MEMBERS)
    for member, allowed in _POLICIES.items():
        if isinstance(entry.get(member), dict):
            continue  # an intrinsic function: decided with the parameters
        if member in entry and entry[member] not in allowed:
            raise ValidationError(
                f"Template error: {member} of {where} must be one of {', '.join(allowed)}, got {entry[member]}"
            )
        if entry.get(member) == "Snapshot":
            raise ValidationError(f"Template error: resource type {entry['Type']} does not support {member} Snapshot")
    properties = entry.get("Properties", Block())
    if not isinstance(properties, Block):
        raise ValidationError(f"Template format error: {where} Properties must be an object.{_where(entry)}")
    depends_on = entry.get("DependsOn", ())
    if isinstance(depends_on, str):
        depends_on = (depends_on,)
    return ResourceTemplate(
        logical_id=name,
        type_name=str(entry["Type"]),
        properties=properties,
        depends_on=tuple(depends_on),
        condition=entry.get("Condition"),
        deletion_policy=entry.get("DeletionPolicy", "Delete"),
        update_replace_policy=entry.get("UpdateReplacePolicy", "Delete"),
        metadata=entry.get("Metadata"),
        line=entry.line,
    )


def _output(name: str, entry: Any) -> OutputTemplate:
    if not isinstance(entry, Block) or "Value" not in entry:
        raise ValidationError(
            f"Template format error: [/Outputs/{name}] Every Outputs member must contain a Value object"
        )
    _refuse_members(f"output {name}", entry, _OUTPUT_MEMBERS)
    export = entry.get("Export")
    if export is not None and (not isinstance(export, Block) or set(export) != {"Name"}):
        raise ValidationError(f"Template format error: Output {name}: Export must contain a Name, and nothing else")
    description = entry.get("Description")
    return OutputTemplate(
        name=name,
        value=entry["Value"],
        description=None if description is None else str(description),
        export_name=export["Name"] if export else None,
        condition=entry.get("Condition"),
    )


def _refuse_members(what: str, entry: Block, known: Collection[str]) -> None:
    if odd := [member for member in entry if member not in known]:
        kind = what.split(" ", 1)[0]
        raise ValidationError(f"Invalid template {kind} property '{odd[0]}' in {what}{_where(entry)}")


def _uses_extensions(value: Any) -> bool:
    """Whether a function of AWS::LanguageExtensions is called that is not evaluated here."""
    if isinstance(value, list):
        return any(_uses_extensions(each) for each in value)
    return isinstance(value, dict) and any(
        _EXTENDED.fullmatch(str(key)) or _uses_extensions(each) for key, each in value.items()
    )


def check_policy(member: str, logical_id: str, value: Any) -> str:
    """A DeletionPolicy or UpdateReplacePolicy that an intrinsic function gave. Raises `ValidationError`."""
    if value not in _POLICIES[member]:
        raise ValidationError(
            f"Template error: {member} of [/Resources/{logical_id}] must be one of {', '.join(_POLICIES[member])}, "
            f"got {value}"
        )
    return str(value)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}/{index}")
    else:
        yield path, value


def _where(entry: Any) -> str:
    line = getattr(entry, "line", None)
    return f" (line {line})" if line else ""
