"""Evaluates trust policies by principal and action; conditions are ignored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote


def allows(document: str | Mapping[str, Any], action: str, kind: str, accepted: Iterable[str]) -> bool:
    """Whether a statement allows `action` (such as sts:AssumeRole) to a principal of `kind` (AWS, Federated, Service)
    that is one of `accepted`, or any."""
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    wanted = {"*", *accepted}
    for statement in _listed(policy.get("Statement", [])):
        if statement.get("Effect") != "Allow" or not {action, "sts:*", "*"} & set(_listed(statement.get("Action", []))):
            continue
        principal = statement.get("Principal", {})
        named = {"*"} if principal == "*" else set(_listed(principal.get(kind, [])))
        if named & wanted:
            return True
    return False


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
