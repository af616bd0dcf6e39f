"""Renders stacks, resources, events and change sets as API responses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ...core.pagination import paginate
from ...core.timestamps import instant
from . import parameters
from .change_sets import ChangeSet, resource_change
from .checks import capabilities
from .desired_state import DesiredState
from .errors import ValidationError
from .intrinsics import text
from .resources import TYPES
from .stacks import Event, Resource, Stack
from .template import Template

PAGE = 100
"""Entries a page, as on AWS."""


def page(key: str, entries: Sequence[Any], token: str | None) -> dict[str, Any]:
    """One page of a listing, with the token of the next. Raises `ValidationError` for an invalid token."""
    return paginate(entries, token, PAGE, ValidationError(f"NextToken {token!r} is invalid")).answer(key)


def stack(each: Stack) -> dict[str, Any]:
    reviewed = each.status == "REVIEW_IN_PROGRESS"  # nothing of the change set is the stack's yet
    outputs = [
        _present(
            OutputKey=output.name,
            OutputValue=output.value,
            Description=output.description,
            ExportName=output.export_name,
        )
        for output in each.outputs
    ]
    shown = {
        **_stack(each),
        "RollbackConfiguration": {},
        "DisableRollback": each.disable_rollback,
        "NotificationARNs": [],
        "Tags": [] if reviewed else [{"Key": key, "Value": value} for key, value in each.desired.tags.items()],
        **_present(
            Parameters=parameter_values(each.desired) or None,
            Capabilities=list(each.capabilities) or None,
            Outputs=outputs or None,
            TimeoutInMinutes=each.timeout_minutes,
            RoleARN=each.role_arn,
        ),
    }
    if not reviewed:
        shown["EnableTerminationProtection"] = each.termination_protection
        shown |= _present(Description=each.desired.template.description, ChangeSetId=each.change_set_id)
    return shown


def stack_summary(each: Stack) -> dict[str, Any]:
    return {**_stack(each), **_present(TemplateDescription=each.desired.template.description)}


def _stack(each: Stack) -> dict[str, Any]:
    return _present(
        StackId=each.stack_id,
        StackName=each.name,
        CreationTime=_time(each.created),
        LastUpdatedTime=_time(each.updated),
        DeletionTime=_time(each.deleted),
        StackStatus=each.status,
        StackStatusReason=each.reason,
        DriftInformation={"StackDriftStatus": "NOT_CHECKED"},
    )


def parameter_values(desired: DesiredState) -> list[dict[str, Any]]:
    """The parameter values, the secret ones masked."""
    declared = desired.template.parameters
    return [
        {"ParameterKey": name, "ParameterValue": parameters.shown(declared[name], value)}
        for name, value in desired.parameters.items()
    ]


def event(owner: Stack, each: Event) -> dict[str, Any]:
    return _present(
        StackId=owner.stack_id,
        StackName=owner.name,
        EventId=each.event_id,
        LogicalResourceId=each.logical_id,
        PhysicalResourceId=each.physical_id,
        ResourceType=each.type_name,
        Timestamp=_time(each.at),
        ResourceStatus=each.status,
        ResourceStatusReason=each.reason,
        ResourceProperties=None if each.properties is None else json.dumps(each.properties),
        ClientRequestToken=each.token,
    )


def resource(owner: Stack, each: Resource) -> dict[str, Any]:
    """As in DescribeStackResources."""
    stack_names = {"StackName": owner.name, "StackId": owner.stack_id}
    return {**stack_names, **_resource(each), "Timestamp": _time(each.changed)}


def resource_detail(owner: Stack, each: Resource) -> dict[str, Any]:
    """As in DescribeStackResource."""
    return {
        "StackName": owner.name,
        "StackId": owner.stack_id,
        **resource_summary(each),
        "Metadata": json.dumps(each.metadata or {}),
    }


def resource_summary(each: Resource) -> dict[str, Any]:
    """As in ListStackResources."""
    return {**_resource(each), "LastUpdatedTimestamp": _time(each.changed)}


def _resource(each: Resource) -> dict[str, Any]:
    return _present(
        LogicalResourceId=each.logical_id,
        PhysicalResourceId=each.physical_id or None,
        ResourceType=each.type_name,
        ResourceStatus=each.status,
        ResourceStatusReason=each.reason,
        DriftInformation={"StackResourceDriftStatus": "NOT_CHECKED"},
    )


def change_set_summary(each: ChangeSet) -> dict[str, Any]:
    return _present(
        StackId=each.stack.stack_id,
        StackName=each.stack.name,
        ChangeSetId=each.change_set_id,
        ChangeSetName=each.name,
        Status=each.status,
        StatusReason=each.reason,
        ExecutionStatus=each.execution,
        CreationTime=_time(each.created),
        Description=each.description,
        IncludeNestedStacks=False,
    )


def change_set(each: ChangeSet, token: str | None) -> dict[str, Any]:
    return {
        **change_set_summary(each),
        **_present(
            OnStackFailure=each.on_stack_failure,
            Parameters=parameter_values(each.desired) or None,
            Capabilities=list(each.capabilities) or None,
            Tags=[{"Key": key, "Value": value} for key, value in each.desired.tags.items()] or None,
        ),
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        **page("Changes", [resource_change(change) for change in each.changes], token),
    }


def template_summary(template: Template) -> dict[str, Any]:
    """As in ValidateTemplate; GetTemplateSummary adds to it."""
    needed, types = capabilities(template)
    why = f"The following resource(s) require capabilities: [{', '.join(types)}]"
    return {
        "Parameters": [
            _present(
                ParameterKey=name,
                DefaultValue=text(entry["Default"]) if "Default" in entry else None,
                NoEcho=parameters.no_echo(entry),
                Description=entry.get("Description"),
            )
            for name, entry in template.parameters.items()
        ],
        **_present(
            Description=template.description,
            Capabilities=[needed] if needed else None,
            CapabilitiesReason=why if needed else None,
        ),
    }


def full_template_summary(template: Template) -> dict[str, Any]:
    summary = template_summary(template)
    for shown in summary["Parameters"]:
        entry = template.parameters[shown["ParameterKey"]]
        allowed = [text(value) for value in entry.get("AllowedValues", [])]
        shown["ParameterType"] = str(entry["Type"])
        shown["ParameterConstraints"] = {"AllowedValues": allowed} if allowed else {}
    types = sorted({each.type_name for each in template.resources.values()})
    return {
        **summary,
        "ResourceTypes": types,
        "Version": "2010-09-09",
        "ResourceIdentifierSummaries": [
            {
                "ResourceType": name,
                "LogicalResourceIds": [
                    each.logical_id for each in template.resources.values() if each.type_name == name
                ],
                "ResourceIdentifiers": [TYPES[name].name_property] if TYPES[name].name_property else [],
            }
            for name in types
        ],
        **_present(Metadata=None if template.metadata is None else json.dumps(template.metadata)),
    }


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _time(epoch: float | None) -> datetime | None:
    return None if epoch is None else instant(epoch)
