"""The receipt rule operations of the SES API (2010-12-01)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....core.controller import Call, Context, Handler, Operation
from ....core.errors import AwsError
from .rule_shape import check_name, read, write
from .rules import RuleSet, RuleSets
from .setup_notification import Setup

Answer = dict[str, Any]


class RuleApi:
    def __init__(self, ctx: Context, rules: RuleSets) -> None:
        self._clock = ctx.clock
        self._rules = rules
        self._setup = Setup(ctx)

    def handlers(self) -> Mapping[Operation, Handler]:
        return {
            ("ses", "CreateReceiptRuleSet"): self._create_set,
            ("ses", "DeleteReceiptRuleSet"): self._delete_set,
            ("ses", "DescribeReceiptRuleSet"): self._describe_set,
            ("ses", "ListReceiptRuleSets"): self._list_sets,
            ("ses", "SetActiveReceiptRuleSet"): self._activate,
            ("ses", "DescribeActiveReceiptRuleSet"): self._describe_active,
            ("ses", "CloneReceiptRuleSet"): self._clone,
            ("ses", "ReorderReceiptRuleSet"): self._reorder,
            ("ses", "CreateReceiptRule"): self._create_rule,
            ("ses", "UpdateReceiptRule"): self._update_rule,
            ("ses", "DeleteReceiptRule"): self._delete_rule,
            ("ses", "DescribeReceiptRule"): self._describe_rule,
            ("ses", "SetReceiptRulePosition"): self._position,
        }

    async def _create_set(self, call: Call) -> Answer:
        self._rules.create(_set_name(call), self._clock.utcnow())
        return {}

    async def _delete_set(self, call: Call) -> Answer:
        self._rules.delete(_set_name(call))
        return {}

    async def _describe_set(self, call: Call) -> Answer:
        return _described(self._rules.get(_set_name(call)))

    async def _list_sets(self, call: Call) -> Answer:
        if "NextToken" in call.params:  # there are at most 40 sets, so no answer ever has a second page
            raise AwsError("InvalidParameterValue", f"Invalid token: {call.params['NextToken']}")
        return {"RuleSets": [_metadata(rule_set) for rule_set in self._rules]}

    async def _activate(self, call: Call) -> Answer:
        self._rules.activate(_set_name(call) if call.params.get("RuleSetName") else None)
        return {}

    async def _describe_active(self, call: Call) -> Answer:
        active = self._rules.active
        return {} if active is None else _described(active)

    async def _clone(self, call: Call) -> Answer:
        original = check_name(call.params["OriginalRuleSetName"], "originalRuleSetName")
        self._rules.clone(original, _set_name(call), self._clock.utcnow())
        return {}

    async def _reorder(self, call: Call) -> Answer:
        self._rules.reorder(_set_name(call), list(call.params["RuleNames"]))
        return {}

    async def _create_rule(self, call: Call) -> Answer:
        rule_set, after = _set_name(call), call.params.get("After")
        rule = read(call.params["Rule"])
        self._rules.check_room(rule_set, rule.name, after)
        await self._setup.check(rule.actions)
        self._rules.add(rule_set, rule, after)
        await self._setup.announce(rule.actions)
        return {}

    async def _update_rule(self, call: Call) -> Answer:
        rule_set = self._rules.get(_set_name(call))
        rule = read(call.params["Rule"])
        before = rule_set.rules[rule_set.index(rule.name)]
        await self._setup.check(rule.actions)
        self._rules.update(rule_set.name, rule)
        await self._setup.announce([action for action in rule.actions if action not in before.actions])
        return {}

    async def _delete_rule(self, call: Call) -> Answer:
        self._rules.remove(_set_name(call), _rule_name(call))
        return {}

    async def _describe_rule(self, call: Call) -> Answer:
        rule_set, name = self._rules.get(_set_name(call)), _rule_name(call)
        return {"Rule": write(rule_set.rules[rule_set.index(name)])}

    async def _position(self, call: Call) -> Answer:
        self._rules.move(_set_name(call), _rule_name(call), call.params.get("After"))
        return {}


def _set_name(call: Call) -> str:
    return check_name(call.params["RuleSetName"], "ruleSetName")


def _rule_name(call: Call) -> str:
    return check_name(call.params["RuleName"], "ruleName")


def _metadata(rule_set: RuleSet) -> Answer:
    return {"Name": rule_set.name, "CreatedTimestamp": rule_set.created}


def _described(rule_set: RuleSet) -> Answer:
    return {"Metadata": _metadata(rule_set), "Rules": [write(rule) for rule in rule_set.rules]}
