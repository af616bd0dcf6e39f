"""Filter policies of SNS subscriptions; moto's matcher raises on `$or` in a body and takes a list for all its elements.

https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
"""

from __future__ import annotations

import fnmatch
import ipaddress
import json
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .replace import extend

_UNKNOWN_TO_MOTO = ("cidr", "wildcard")
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def install() -> None:
    """Call it after importing `moto.sns`. Idempotent."""
    from moto.sns.models import FilterPolicyMatcher, SNSBackend  # noqa: PLC0415 - heavy: only where moto runs

    extend(FilterPolicyMatcher, "matches", lambda _, self, *given: _matches(self, *given))
    extend(SNSBackend, "_validate_filter_policy", _validate)


def _validate(validate: Any, self: Any, value: Any, scope: str | None) -> None:
    validate(self, _known(value), scope)


def _known(policy: Any) -> Any:
    """The policy with match types of SNS that moto does not know as one that it knows."""
    if isinstance(policy, list):
        return [_known(each) for each in policy]
    if isinstance(policy, dict) and len(policy) == 1 and next(iter(policy)) in _UNKNOWN_TO_MOTO:
        return {"prefix": ""}
    return {key: _known(each) for key, each in policy.items()} if isinstance(policy, dict) else policy


def _matches(self: Any, attributes: Mapping[str, Any] | None, message: str) -> bool:
    if self.filter_policy_scope == "MessageAttributes":
        return matches(self.filter_policy, {name: _values(each) for name, each in (attributes or {}).items()})
    try:
        body = json.loads(message)
    except ValueError:
        return False
    return matches(self.filter_policy, body)


def _values(attribute: Mapping[str, Any]) -> Any:
    """A message attribute as the value it stands for."""
    kind, value = attribute["Type"], attribute["Value"]
    if kind == "Number":
        return float(value)
    if kind == "String.Array":
        try:
            return json.loads(value)
        except ValueError:
            return []
    return [] if kind.startswith("Binary") else value


def matches(policy: Mapping[str, Any], node: Any) -> bool:
    """Whether a policy lets a JSON value through. Of a list, one element must match."""
    if isinstance(node, list):
        return any(matches(policy, each) for each in node)
    found = node if isinstance(node, Mapping) else {}
    return all(_key_matches(key, rules, found) for key, rules in policy.items())


def _key_matches(key: str, rules: Any, node: Mapping[str, Any]) -> bool:
    if key == "$or" and all(isinstance(rule, Mapping) for rule in rules):
        return any(matches(rule, node) for rule in rules)
    if isinstance(rules, Mapping):
        return matches(rules, node.get(key))
    values = None
    if key in node:
        values = node[key] if isinstance(node[key], list) else [node[key]]
    return any(_rule_matches(rule, values) for rule in rules)


def _rule_matches(rule: Any, values: Sequence[Any] | None) -> bool:
    """Whether one of the values matches; None where the key is missing."""
    if isinstance(rule, Mapping):
        ((kind, argument), *_) = rule.items()
        if kind == "exists":
            return bool(argument) == (values is not None)
        if values is None:
            return False
        if kind == "anything-but":
            return not any(_is_one_of(value, argument) for value in values)
        return any(_TYPES[kind](value, argument) for value in values) if kind in _TYPES else False
    return any(_equal(value, rule) for value in values or ())


def _is_one_of(value: Any, argument: Any) -> bool:
    if isinstance(argument, Mapping):
        return _rule_matches(argument, [value])
    return any(_equal(value, each) for each in (argument if isinstance(argument, list) else [argument]))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(value: Any, rule: Any) -> bool:
    if _is_number(value) and _is_number(rule):
        return int(value * 1_000_000) == int(rule * 1_000_000)  # AWS compares six decimals
    return type(value) is type(rule) and value == rule


def _text(test: Callable[[str, Any], bool]) -> Callable[[Any, Any], bool]:
    """Any of several arguments will do."""

    def matches_one(value: Any, argument: Any) -> bool:
        arguments: Iterable[Any] = argument if isinstance(argument, list) else [argument]
        return isinstance(value, str) and any(test(value, str(each)) for each in arguments)

    return matches_one


def _numeric(value: Any, ranges: Sequence[Any]) -> bool:
    pairs = zip(ranges[::2], ranges[1::2], strict=False)
    return _is_number(value) and all(_COMPARISONS[sign](value, limit) for sign, limit in pairs)


def _in_network(value: str, block: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False


_TYPES: Mapping[str, Callable[[Any, Any], bool]] = {
    "prefix": _text(str.startswith),
    "suffix": _text(str.endswith),
    "equals-ignore-case": _text(lambda value, other: value.lower() == other.lower()),
    "wildcard": _text(lambda value, pattern: fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))),
    "cidr": _text(_in_network),
    "numeric": _numeric,
}
