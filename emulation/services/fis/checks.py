"""Validates experiment templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...core.controller import Aws
from ...core.errors import AwsError, not_emulated
from .actions import KINDS, check_parameters
from .targets import TYPES

MODE = re.compile(r"ALL|COUNT\(([1-9]\d*)\)|PERCENT\(([1-9]\d?|100)\)")
_ALARM = "aws:cloudwatch:alarm"


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


async def check(aws: Aws, params: Mapping[str, Any]) -> None:
    """Raises ValidationException, or NotImplemented for features that are not emulated."""
    for name in ("logConfiguration", "experimentReportConfiguration"):
        if params.get(name):
            raise not_emulated("fis", f"CreateExperimentTemplate with {name}")
    if params.get("experimentOptions", {}).get("accountTargeting", "single-account") != "single-account":
        raise not_emulated("fis", "CreateExperimentTemplate with accountTargeting multi-account")
    if not params.get("actions"):
        raise invalid("An experiment template must have at least one action")
    if not params.get("stopConditions"):
        raise invalid('A stop condition is required; use the source "none" for no condition')
    targets = params.get("targets", {})
    for name, target in targets.items():
        _check_target(name, target)
    used: set[str] = set()
    for name, action in params["actions"].items():
        used |= _check_action(name, action, params["actions"], targets)
    if unused := sorted(targets.keys() - used):
        raise invalid(f"No action uses the target {', '.join(unused)}")
    _check_order(params["actions"])
    for condition in params["stopConditions"]:
        await _check_condition(aws, condition)


def _check_target(name: str, target: Mapping[str, Any]) -> None:
    kind = target["resourceType"]
    if kind not in TYPES:
        raise invalid(f"Target {name}: resource type {kind} is not one of {', '.join(TYPES)}")
    if not MODE.fullmatch(target["selectionMode"]):
        raise invalid(
            f"Target {name}: selectionMode must be ALL, COUNT(n) or PERCENT(n), got {target['selectionMode']}"
        )
    if bool(target.get("resourceArns")) == bool(target.get("resourceTags") or target.get("parameters")):
        raise invalid(f"Target {name}: give either resourceArns, or resourceTags or parameters")
    if target.get("resourceArns") and target.get("filters"):
        raise invalid(f"Target {name}: filters cannot be combined with resourceArns")
    if target.get("filters"):
        raise not_emulated("fis", "CreateExperimentTemplate with target filters")
    if unknown := sorted(target.get("parameters", {}).keys() - TYPES[kind]):
        raise invalid(f"Target {name}: {kind} has no parameter {', '.join(unknown)}")


def _check_action(
    name: str, action: Mapping[str, Any], actions: Mapping[str, Any], targets: Mapping[str, Any]
) -> set[str]:
    """Returns the names of the targets the action uses."""
    kind = KINDS.get(action["actionId"])
    if kind is None:
        raise invalid(f"Action {name}: {action['actionId']} is not one of {', '.join(KINDS)}")
    try:
        check_parameters(kind, action.get("parameters", {}))
    except ValueError as error:
        raise invalid(f"Action {name}: {error}") from error
    except NotImplementedError as error:
        raise not_emulated("fis", f"{kind.id} with {error}") from error
    given = action.get("targets", {})
    expected = {kind.target[0]} if kind.target else set()
    if set(given) != expected:
        raise invalid(f"Action {name}: {kind.id} takes the target {', '.join(expected) or 'none'}, got {dict(given)}")
    for target in given.values():
        if target not in targets:
            raise invalid(f"Action {name}: target {target} does not exist")
        if kind.target and targets[target]["resourceType"] != kind.target[1]:
            raise invalid(f"Action {name}: {kind.id} needs {kind.target[1]}, and {target} is another type")
    for before in action.get("startAfter", ()):
        if before not in actions:
            raise invalid(f"Action {name}: startAfter names {before}, which does not exist")
    return set(given.values())


def _check_order(actions: Mapping[str, Any]) -> None:
    remaining = {name: set(action.get("startAfter", ())) for name, action in actions.items()}
    while remaining:
        ready = [name for name, before in remaining.items() if not before & remaining.keys()]
        if not ready:
            raise invalid(f"The actions {', '.join(sorted(remaining))} start after one another")
        for name in ready:
            del remaining[name]


async def _check_condition(aws: Aws, condition: Mapping[str, Any]) -> None:
    source, value = condition["source"], condition.get("value", "")
    if source == "none":
        return
    if source != _ALARM:
        raise invalid(f'Stop condition: source must be "none" or "{_ALARM}", got {source!r}')
    name = value.partition(":alarm:")[2]
    if not name:
        raise invalid(f"Stop condition: {value!r} is not the ARN of an alarm")
    found = await aws.call("cloudwatch", "DescribeAlarms", AlarmNames=[name])
    if not found.get("MetricAlarms") and not found.get("CompositeAlarms"):
        raise invalid(f"Stop condition: alarm {value} does not exist")
