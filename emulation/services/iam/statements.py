"""Evaluates policy statements: actions, resources and conditions.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import unquote

Statement = Mapping[str, Any]
Keys = Mapping[str, str]
"""The condition keys of a call, in lower case."""


def allows(statements: Sequence[Statement], action: str, resource: str | None, keys: Keys | None = None) -> bool:
    """Whether the statements allow `action` (such as ecs:UpdateService) on an ARN. `None` is a resource that cannot be
    read from the call: statements then apply by their action and conditions."""
    effects = {each["Effect"] for each in statements if applies(each, action, resource, keys or {})}
    return effects == {"Allow"}


def covers_action(statement: Statement, action: str) -> bool:
    return _covers(statement, "Action", action.lower(), lower=True)


def applies(statement: Statement, action: str, resource: str | None, keys: Keys) -> bool:
    if not covers_action(statement, action):
        return False
    if resource is not None and not _covers(statement, "Resource", resource):
        return False
    return all(
        _holds(operator, key, listed(wanted), keys)
        for operator, tests in (statement.get("Condition") or {}).items()
        for key, wanted in tests.items()
    )


def statements_of(document: str | Mapping[str, Any]) -> list[Statement]:
    """Of a policy document, URL-encoded or not."""
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    return listed(policy.get("Statement", []))


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def like(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern with `*` and `?`."""
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(each) or re.escape(each) for each in pattern), re.DOTALL)


def _covers(statement: Statement, element: str, value: str, *, lower: bool = False) -> bool:
    def fits(patterns: Iterable[Any]) -> bool:
        return any(like(str(each).lower() if lower else str(each), value) for each in patterns)

    if element in statement:
        return fits(listed(statement[element]))
    if f"Not{element}" in statement:
        return not fits(listed(statement[f"Not{element}"]))
    return element == "Resource"  # a policy of a resource may leave it out


def _holds(operator: str, key: str, wanted: list[Any], keys: Keys) -> bool:
    """An operator that is not in the table never holds."""
    name = operator.removesuffix("IfExists")
    value = keys.get(key.lower())
    if value is None:
        return name != operator or name.startswith(("StringNot", "ArnNot"))
    test = _OPERATORS.get(name.replace("Not", "", 1))
    if test is None:
        return False
    return any(test(str(each), value) for each in wanted) != ("Not" in name)


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": like,
    "ArnEquals": like,
    "ArnLike": like,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
}
