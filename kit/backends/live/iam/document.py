"""The policy: one statement for all actions with the same resources and condition; split where IAM takes no more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from ....core.errors import KitError
from .actions import BESIDES, actions_of
from .calls import CLOUDFORMATION, RUN, Calls, in_need, kept
from .rules import Rule, rules_of
from .values import filled

LIMIT = 6144
"""Characters of a managed policy, white space not counted (IAM quotas)."""
VERSION = "2012-10-17"
KEPT = "policy.json"
TRUST = "trust.json"

Document = Mapping[str, Any]


def wanted(calls: Calls) -> dict[str, set[str]]:
    """By who calls: the IAM actions of the calls, and what AWS asks for besides. What the run may do anyway is not
    said again for CloudFormation."""
    calling = {**calls.by, RUN: calls.by[RUN] | in_need()}
    by = {who: {action for call in called for action in actions_of(call)} for who, called in calling.items()}
    for who, called in calling.items():
        by[who] |= {action for call in called for action in BESIDES.get(call, ())}
    by[CLOUDFORMATION] -= by[RUN]
    return by


def statements(actions: Iterable[str]) -> list[dict[str, Any]]:
    """What these actions may touch, in IAM's words, with the placeholders of `values`."""
    groups: dict[str, tuple[Rule, list[str]]] = {}
    for action in sorted(set(actions)):
        for rule in rules_of(action):
            same = json.dumps([rule.resources, rule.condition], sort_keys=True)
            groups.setdefault(same, (rule, []))[1].append(action)
    return [_statement(rule, named) for rule, named in groups.values()]


def built(calls: Calls) -> dict[str, Document]:
    """The managed policies for these calls, by name, with placeholders: what is checked in."""
    told: dict[str, Document] = {}
    for who, actions in wanted(calls).items():
        told |= _fitting("run" if who == RUN else "deploy", statements(actions))
    return told


def checked_in() -> dict[str, Document]:
    """The managed policies of `policy.json`, with placeholders."""
    found: dict[str, Document] = json.loads((files(__package__) / KEPT).read_text(encoding="utf-8"))
    return found


def split(values: Mapping[str, str]) -> dict[str, Document]:
    """The managed policies, filled in, none too large for IAM."""
    told: dict[str, Document] = {}
    by: dict[str, list[Any]] = {}
    for name, document in checked_in().items():
        by.setdefault(name.partition("-")[0], []).extend(document["Statement"])
    for name, found in by.items():
        told |= _fitting(name, filled(found, values))
    return told


def one(values: Mapping[str, str]) -> Document:
    """Everything in one document, filled in."""
    actions = set().union(*wanted(kept()).values())
    return _document(filled(statements(actions), values))


def trust(values: Mapping[str, str], subject: str) -> Document:
    """Who may take the role: GitHub's workflows of this subject (`repo:owner/name:environment:live`), by OIDC."""
    told = json.loads((files(__package__) / TRUST).read_text(encoding="utf-8"))
    document: Document = filled(told, {**values, "Subject": subject})
    return document


def size(document: Document) -> int:
    """Its characters as IAM counts them."""
    return len("".join(json.dumps(document, separators=(",", ":")).split()))


def _fitting(name: str, found: list[dict[str, Any]]) -> dict[str, Document]:
    """As few documents as it takes, each as full as it gets."""
    if size(_document(found)) <= LIMIT:
        return {name: _document(found)}
    told: list[list[dict[str, Any]]] = [[]]
    for statement in found:
        if told[-1] and size(_document([*told[-1], statement])) > LIMIT:
            told.append([])
        told[-1].append(statement)
        if size(_document(told[-1])) > LIMIT:
            raise KitError(f"one statement alone has more than {LIMIT} characters: {statement['Action'][0]} …")
    return {f"{name}-{number}": _document(each) for number, each in enumerate(told, 1)}


def _document(found: list[dict[str, Any]]) -> Document:
    return {"Version": VERSION, "Statement": found}


def _statement(rule: Rule, actions: list[str]) -> dict[str, Any]:
    resources = list(rule.resources)
    told: dict[str, Any] = {
        "Effect": "Allow",
        "Action": actions,
        "Resource": resources if len(resources) > 1 else resources[0],
    }
    if rule.condition:
        told["Condition"] = {
            test: {key: _plain(value) for key, value in keys.items()} for test, keys in rule.condition.items()
        }
    return told


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
