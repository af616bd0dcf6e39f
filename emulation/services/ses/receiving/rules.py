"""Receipt rules and rule sets.

Source of the limits and orders: Amazon SES quotas, CreateReceiptRule and ReorderReceiptRuleSet (API 2010-12-01).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from ....core.errors import AwsError
from ..addresses import domain_of, matches

RULE_SETS = 40
RULES_PER_SET = 200


@dataclass(frozen=True)
class S3Action:
    """Store the mail in a bucket and notify the topic, if any."""

    bucket: str
    prefix: str | None = None
    topic: str | None = None
    role: str | None = None


@dataclass(frozen=True)
class SnsAction:
    """Publish the mail itself to a topic; at most 150 KB."""

    topic: str
    encoding: str = "UTF-8"


@dataclass(frozen=True)
class BounceAction:
    """Send the mail back to its sender."""

    reply_code: str
    message: str
    sender: str
    status: str | None = None
    topic: str | None = None


@dataclass(frozen=True)
class AddHeaderAction:
    """Add a header field to the mail, for the actions that follow."""

    name: str
    value: str


@dataclass(frozen=True)
class StopAction:
    """Evaluate no further rule."""

    topic: str | None = None


Action = S3Action | SnsAction | BounceAction | AddHeaderAction | StopAction


@dataclass(frozen=True)
class Rule:
    name: str
    enabled: bool = False
    scan: bool = False
    tls_required: bool = False
    recipients: tuple[str, ...] | None = None
    """Conditions, lower-case and sorted as in SES; None or empty means every recipient."""
    actions: tuple[Action, ...] = ()

    def wants(self, address: str) -> bool:
        return not self.recipients or any(matches(condition, address) for condition in self.recipients)


@dataclass
class RuleSet:
    name: str
    created: datetime
    rules: list[Rule] = field(default_factory=list)

    def index(self, rule: str) -> int:
        for index, existing in enumerate(self.rules):
            if existing.name == rule:
                return index
        raise AwsError("RuleDoesNotExist", f"Rule does not exist: {rule}", Name=rule)

    def place(self, rule: Rule, after: str | None) -> None:
        """Insert a rule after another, or as the first."""
        self.rules.insert(0 if after is None else self.index(after) + 1, rule)

    def check_room(self, rule: str, after: str | None) -> None:
        """Raise the error of CreateReceiptRule for a rule that cannot be added."""
        if any(other.name == rule for other in self.rules):
            raise AwsError("AlreadyExists", f"Rule already exists: {rule}", Name=rule)
        if after is not None:
            self.index(after)
        if len(self.rules) >= RULES_PER_SET:
            raise AwsError("LimitExceeded", f"Maximum number of rules in a rule set exceeded: {RULES_PER_SET}")

    def add(self, rule: Rule, after: str | None) -> None:
        self.check_room(rule.name, after)
        self.place(rule, after)

    def update(self, rule: Rule) -> None:
        self.rules[self.index(rule.name)] = rule

    def remove(self, rule: str) -> None:
        self.rules = [other for other in self.rules if other.name != rule]

    def move(self, rule: str, after: str | None) -> None:
        index = self.index(rule)
        if after is not None:
            self.index(after)
        if after == rule:
            raise AwsError("InvalidParameterValue", f"A rule cannot be placed after itself: {rule}")
        self.place(self.rules.pop(index), after)

    def reorder(self, names: list[str]) -> None:
        ordered = [self.rules[self.index(name)] for name in names]
        if len(set(names)) != len(names) or len(ordered) != len(self.rules):
            raise AwsError("InvalidParameterValue", "Every rule of the rule set must be named exactly once")
        self.rules = ordered


class RuleSets:
    """The receipt rule sets of the account, of which one may be active."""

    def __init__(self) -> None:
        self._sets: dict[str, RuleSet] = {}
        self._active: str | None = None

    def __iter__(self) -> Iterator[RuleSet]:
        return iter(sorted(self._sets.values(), key=lambda rule_set: rule_set.name))

    @property
    def active(self) -> RuleSet | None:
        return None if self._active is None else self._sets[self._active]

    def get(self, name: str) -> RuleSet:
        try:
            return self._sets[name]
        except KeyError:
            raise AwsError("RuleSetDoesNotExist", f"Rule set does not exist: {name}", Name=name) from None

    def create(self, name: str, now: datetime, rules: list[Rule] | None = None) -> RuleSet:
        if name in self._sets:
            raise AwsError("AlreadyExists", f"Rule set already exists: {name}", Name=name)
        if len(self._sets) >= RULE_SETS:
            raise AwsError("LimitExceeded", f"Maximum number of receipt rule sets exceeded: {RULE_SETS}")
        rule_set = self._sets[name] = RuleSet(name, now, list(rules or ()))
        return rule_set

    def delete(self, name: str) -> None:
        if name == self._active:
            raise AwsError("CannotDelete", f"Cannot delete active rule set: {name}", Name=name)
        self._sets.pop(name, None)

    def activate(self, name: str | None) -> None:
        self._active = None if name is None else self.get(name).name

    def clone(self, original: str, name: str, now: datetime) -> None:
        self.create(name, now, [replace(rule) for rule in self.get(original).rules])

    def active_rules(self) -> list[Rule]:
        """The enabled rules of the active rule set, in order."""
        return [rule for rule in self.active.rules if rule.enabled] if self.active else []

    def receives_for(self, address: str) -> bool:
        """Whether an active rule has a condition on the address's domain."""
        domain = domain_of(address)
        return any(
            domain.endswith(condition) if condition.startswith(".") else condition.rpartition("@")[2] == domain
            for rule in self.active_rules()
            for condition in rule.recipients or ()
        )
