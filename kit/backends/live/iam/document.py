"""Builds the policy: one statement for all actions with the same resources and condition, split to IAM's size limit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from ....core.errors import KitError
from ....settings import Settings
from .actions import DEPENDENT_ACTIONS, actions_of
from .calls import CLOUDFORMATION, RUN, Calls, always_allowed, checked_in_calls
from .rules import Rule, rules_of
from .values import fill, values_of

LIMIT = 6144
"""Characters of a managed policy, without white space (IAM quotas)."""
VERSION = "2012-10-17"
FILE = "policy.json"
TRUST = "trust.json"

Document = Mapping[str, Any]


def actions_by_caller(calls: Calls) -> dict[str, set[str]]:
    """Caller → the IAM actions of its calls and their dependent actions. CloudFormation's omit those of the run."""
    calling = {**calls.by, RUN: calls.by[RUN] | always_allowed()}
    by = {
        caller: {action for call in called for action in (*actions_of(call), *DEPENDENT_ACTIONS.get(call, ()))}
        for caller, called in calling.items()
    }
    by[CLOUDFORMATION] -= by[RUN]
    return by


def statements(actions: Iterable[str]) -> list[dict[str, Any]]:
    """Statements that allow these actions, with the placeholders of `values`."""
    groups: dict[str, tuple[Rule, list[str]]] = {}
    for action in sorted(set(actions)):
        for rule in rules_of(action):
            same = json.dumps([rule.resources, rule.condition], sort_keys=True)
            groups.setdefault(same, (rule, []))[1].append(action)
    return [_statement(rule, named) for rule, named in groups.values()]


def build_policies(calls: Calls) -> dict[str, Document]:
    """The managed policies for these calls, by name, with placeholders: the content of `policy.json`."""
    policies: dict[str, Document] = {}
    for caller, actions in actions_by_caller(calls).items():
        policies |= _split("run" if caller == RUN else "deploy", statements(actions))
    return policies


def checked_in_policies() -> dict[str, Document]:
    """The managed policies of `policy.json`, with placeholders."""
    policies: dict[str, Document] = json.loads((files(__package__) / FILE).read_text(encoding="utf-8"))
    return policies


def documents(settings: Settings) -> dict[str, Document]:
    """The managed policies for a run with these settings, by name, each within IAM's size limit."""
    policies: dict[str, Document] = {}
    by: dict[str, list[Any]] = {}
    for name, document in checked_in_policies().items():
        by.setdefault(name.partition("-")[0], []).extend(document["Statement"])
    values = values_of(settings)
    for name, found in by.items():
        policies |= _split(name, fill(found, values))
    return policies


def policy(settings: Settings) -> Document:
    """The policy for a run with these settings as one document, which is too large for IAM: see `documents`."""
    actions = set().union(*actions_by_caller(checked_in_calls()).values())
    return _document(fill(statements(actions), values_of(settings)))


def trust_policy(settings: Settings, subject: str) -> Document:
    """The role's trust policy: GitHub workflows of this subject (`repo:owner/name:environment:live`), by OIDC."""
    template = json.loads((files(__package__) / TRUST).read_text(encoding="utf-8"))
    document: Document = fill(template, {**values_of(settings), "Subject": subject})
    return document


def size(document: Document) -> int:
    """Characters as IAM counts them."""
    return len("".join(json.dumps(document, separators=(",", ":")).split()))


def _split(name: str, found: list[dict[str, Any]]) -> dict[str, Document]:
    """As few documents as possible, each as full as possible."""
    if size(_document(found)) <= LIMIT:
        return {name: _document(found)}
    parts: list[list[dict[str, Any]]] = [[]]
    for statement in found:
        if parts[-1] and size(_document([*parts[-1], statement])) > LIMIT:
            parts.append([])
        parts[-1].append(statement)
        if size(_document(parts[-1])) > LIMIT:
            raise KitError(f"one statement alone has more than {LIMIT} characters: {statement['Action'][0]} …")
    return {f"{name}-{number}": _document(part) for number, part in enumerate(parts, 1)}


def _document(found: list[dict[str, Any]]) -> Document:
    return {"Version": VERSION, "Statement": found}


def _statement(rule: Rule, actions: list[str]) -> dict[str, Any]:
    resources = list(rule.resources)
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": actions,
        "Resource": resources if len(resources) > 1 else resources[0],
    }
    if rule.condition:
        statement["Condition"] = json.loads(json.dumps(rule.condition))  # tuples become lists
    return statement
