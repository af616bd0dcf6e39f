"""The receipt rule operations of the SES API (2010-12-01)."""

from __future__ import annotations

from typing import Any

from ....core.controller import Call, Context
from ....core.errors import AwsError
from .actions import Actions
from .rule_shape import check_name, read, write
from .rules import RuleSet, RuleSets
from .setup_notification import Setup

Answer = dict[str, Any]


class RuleApi:
    def __init__(self, ctx: Context, rules: RuleSets, actions: Actions) -> None:
        self._clock = ctx.clock
        self._rules = rules
        self._setup = Setup(ctx, actions)

    async def create_receipt_rule_set(self, call: Call) -> Answer:
        self._rules.create(_set_name(call), self._clock.utcnow())
        return {}

    async def delete_receipt_rule_set(self, call: Call) -> Answer:
        self._rules.delete(_set_name(call))
        return {}

    async def describe_receipt_rule_set(self, call: Call) -> Answer:
        return _describe(self._set(call))

    async def list_receipt_rule_sets(self, call: Call) -> Answer:
        if "NextToken" in call.params:  # there are at most 40 sets, so there is never a second page
            raise AwsError("InvalidParameterValue", f"Invalid token: {call.params['NextToken']}")
        return {"RuleSets": [_metadata(rule_set) for rule_set in self._rules]}

    async def set_active_receipt_rule_set(self, call: Call) -> Answer:
        self._rules.activate(_set_name(call) if call.params.get("RuleSetName") else None)
        return {}

    async def describe_active_receipt_rule_set(self, call: Call) -> Answer:
        active = self._rules.active
        return {} if active is None else _describe(active)

    async def clone_receipt_rule_set(self, call: Call) -> Answer:
        original = check_name(call.params["OriginalRuleSetName"], "originalRuleSetName")
        self._rules.clone(original, _set_name(call), self._clock.utcnow())
        return {}

    async def reorder_receipt_rule_set(self, call: Call) -> Answer:
        self._set(call).reorder(list(call.params["RuleNames"]))
        return {}

    async def create_receipt_rule(self, call: Call) -> Answer:
        rule, after = read(call.params["Rule"]), call.params.get("After")
        self._set(call).check_room(rule.name, after)
        await self._setup.check(rule.actions)
        self._set(call).add(rule, after)
        await self._setup.announce(rule.actions)
        return {}

    async def update_receipt_rule(self, call: Call) -> Answer:
        rule_set = self._set(call)
        rule = read(call.params["Rule"])
        before = rule_set.rules[rule_set.index(rule.name)]
        await self._setup.check(rule.actions)
        self._set(call).update(rule)
        await self._setup.announce([action for action in rule.actions if action not in before.actions])
        return {}

    async def delete_receipt_rule(self, call: Call) -> Answer:
        self._set(call).remove(_rule_name(call))
        return {}

    async def describe_receipt_rule(self, call: Call) -> Answer:
        rule_set, name = self._set(call), _rule_name(call)
        return {"Rule": write(rule_set.rules[rule_set.index(name)])}

    async def set_receipt_rule_position(self, call: Call) -> Answer:
        self._set(call).move(_rule_name(call), call.params.get("After"))
        return {}

    def _set(self, call: Call) -> RuleSet:
        return self._rules.get(_set_name(call))


def _set_name(call: Call) -> str:
    return check_name(call.params["RuleSetName"], "ruleSetName")


def _rule_name(call: Call) -> str:
    return check_name(call.params["RuleName"], "ruleName")


def _metadata(rule_set: RuleSet) -> Answer:
    return {"Name": rule_set.name, "CreatedTimestamp": rule_set.created}


def _describe(rule_set: RuleSet) -> Answer:
    return {"Metadata": _metadata(rule_set), "Rules": [write(rule) for rule in rule_set.rules]}
