"""The facts of the system under test agree with the stack that is deployed by default."""

from __future__ import annotations

import json
from typing import Any

from tests.support import REPOSITORY
from webordinary_testkit.emulation.services.cloudformation.yaml_source import parse
from webordinary_testkit.kit.system import facts

TEMPLATE = REPOSITORY / "kit" / "system" / "integration-test-stack.yaml"


def declared(type_: str) -> list[dict[str, Any]]:
    resources = parse(TEMPLATE.read_text())["Resources"].values()
    return [each["Properties"] for each in resources if each["Type"] == f"AWS::ElasticLoadBalancingV2::{type_}"]


def test_the_rules_are_the_template_s() -> None:
    rules = {
        str(rule["Priority"]): tuple(
            path for condition in rule["Conditions"] for path in condition["PathPatternConfig"]["Values"]
        )
        for rule in declared("ListenerRule")
    }
    assert rules == facts.RULES


def test_the_body_of_the_fixed_response_is_the_template_s() -> None:
    (listener,) = declared("Listener")
    assert json.loads(listener["DefaultActions"][0]["FixedResponseConfig"]["MessageBody"]) == facts.NO_RULE
