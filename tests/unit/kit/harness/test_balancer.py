"""The load balancer as it is declared, and what is changed of it for a while."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.kit import ManualClock, ScriptedAws, a_context
from webordinary_testkit.kit.core.errors import CheckFailed
from webordinary_testkit.kit.harness.balancer import Balancer, Rule

RULES = [
    {
        "Priority": "5",
        "Conditions": [
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["x"]}},
            {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/hermes", "/hermes/*"]}},
        ],
        "Actions": [{"Type": "forward", "TargetGroupArn": "arn:tg"}],
    },
    {"Priority": "6", "Conditions": [{"Field": "path-pattern", "Values": ["/old/*"]}], "Actions": [{}]},
    {
        "Priority": "default",
        "Conditions": [],
        "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    },
]


class Elb:
    """Remembers attributes."""

    def __init__(self, scale: float = 60, allowance: float = 20) -> None:
        self.idle, self.drain = "60", "5"
        self.aws = ScriptedAws(
            {
                ("elbv2", "describe_listeners"): lambda **_: [{"ListenerArn": "arn:listener"}],
                ("elbv2", "describe_rules"): lambda **_: RULES,
                ("elbv2", "describe_load_balancer_attributes"): lambda **_: self.attribute("idle_timeout", self.idle),
                ("elbv2", "describe_target_group_attributes"): lambda **_: self.attribute(
                    "deregistration_delay", self.drain
                ),
                ("elbv2", "modify_load_balancer_attributes"): self.modified,
                ("elbv2", "modify_target_group_attributes"): self.modified,
            }
        )
        self.balancer = Balancer(a_context(self.aws, ManualClock(scale=scale, allowance=allowance)))

    def attribute(self, name: str, value: str) -> dict[str, Any]:
        other = {"Key": "access_logs.s3.enabled", "Value": "false"}
        return {"Attributes": [other, {"Key": f"{name}.timeout_seconds", "Value": value}]}

    def modified(self, Attributes: list[dict[str, str]], **_: Any) -> dict[str, Any]:
        (attribute,) = Attributes
        if attribute["Key"].startswith("idle"):
            self.idle = attribute["Value"]
        else:
            self.drain = attribute["Value"]
        return {}


async def test_rules_are_their_paths_and_where_they_lead() -> None:
    assert await Elb().balancer.rules() == [
        Rule("5", ("/hermes", "/hermes/*"), "arn:tg", listener="arn:listener"),
        Rule("6", ("/old/*",), listener="arn:listener"),
        Rule("default", (), fixed_status=404, listener="arn:listener"),
    ]


async def test_rules_under_their_priorities_are_taken_by_their_paths() -> None:
    found = await Elb().balancer.verify_rules({"5": ["/hermes", "/hermes/*"], "6": ["/old/*"]})
    assert {path: rule.priority for path, rule in found.items()} == {"/hermes": "5", "/hermes/*": "5", "/old/*": "6"}


@pytest.mark.parametrize(
    "expected",
    [
        {"6": ["/hermes", "/hermes/*"], "5": ["/old/*"]},
        {"5": ["/hermes", "/hermes/*"]},
        {"5": ["/hermes", "/hermes/*"], "6": ["/old/*"], "7": ["/new/*"]},
    ],
    ids=["in another order", "one too many", "one missing"],
)
async def test_rules_under_other_priorities_are_not(expected: dict[str, list[str]]) -> None:
    with pytest.raises(CheckFailed, match="the priorities and path patterns of a listener"):
        await Elb().balancer.verify_rules(expected)


async def test_a_pattern_that_is_declared_twice_fails_though_the_first_hides_the_other() -> None:
    elb = Elb()
    twice = {**RULES[1], "Priority": "7"}
    elb.aws.answers = {**elb.aws.answers, ("elbv2", "describe_rules"): lambda **_: [*RULES, twice]}
    with pytest.raises(CheckFailed, match="the priorities and path patterns of a listener"):
        await elb.balancer.verify_rules({"5": ["/hermes", "/hermes/*"], "6": ["/old/*"]})


async def test_a_drain_delay_is_what_it_was_at_the_end_also_of_a_failure() -> None:
    elb = Elb()
    with pytest.raises(RuntimeError):
        async with elb.balancer.drain_delay("edit", 60):
            assert elb.drain == "60"
            raise RuntimeError
    assert elb.drain == "5"


@pytest.mark.parametrize(("scale", "idle"), [(60, "1260"), (600, "4000"), (2, "100")])
async def test_on_a_fast_clock_the_load_balancer_is_given_the_allowance_as_far_as_aws_goes(
    scale: float, idle: str
) -> None:
    elb = Elb(scale)
    async with elb.balancer.patient():
        assert elb.idle == idle
    assert elb.idle == "60"


async def test_in_real_time_the_load_balancer_stays_as_it_is() -> None:
    elb = Elb(scale=1)
    async with elb.balancer.patient():
        assert elb.aws.calls == []
