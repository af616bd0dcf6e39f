"""The resource names in a call's parameters: which resources a policy must allow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LONGEST, MOST = 512, 20
"""Characters of a value and values of a list that are kept; longer lists are cut."""

_NAMING = re.compile(
    r"(arns?|names?|ids?|urls?|bucket|key|prefix|family|clusters?|services?|tasks?|taskdefinition|tables?|namespace"
    r"|source|identity|identities|resources?|subnets|securitygroups|rulesets?|type|domain)$",
    re.IGNORECASE,
)
_BY_TABLE = ("RequestItems",)
_DEEP = 3
"""Levels of nested structures, for example `networkConfiguration.awsvpcConfiguration.subnets`."""


def resource_names(params: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """Parameters that name resources, by dotted name: strings and lists of strings only."""
    found: dict[str, str | list[str]] = {}
    _gather(params, "", found, _DEEP)
    return found


def _gather(params: Mapping[str, Any], path: str, found: dict[str, str | list[str]], depth: int) -> None:
    for name, value in params.items():
        if name in _BY_TABLE and isinstance(value, Mapping):
            found[f"{path}{name}"] = [str(key) for key in value][:MOST]
        elif isinstance(value, Mapping):
            if depth > 1:
                _gather(value, f"{path}{name}.", found, depth - 1)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            if name == "TransactItems":
                tables = {str(action.get("TableName", "")) for item in value for action in item.values()}
                found[f"{path}{name}"] = sorted(tables)
        elif _NAMING.search(name):
            if isinstance(value, str) and len(value) <= LONGEST:
                found[f"{path}{name}"] = value
            elif isinstance(value, list):
                kept = [each for each in value if isinstance(each, str) and len(each) <= LONGEST]
                if kept:
                    found[f"{path}{name}"] = kept[:MOST]
