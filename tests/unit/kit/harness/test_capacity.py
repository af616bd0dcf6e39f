"""How many tasks a service may have, has meanwhile, and is held at."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.kit import ScriptedAws, a_context
from webordinary_testkit.kit.core.errors import WaitExpired
from webordinary_testkit.kit.harness.capacity import Bounds, Capacity, Sample
from webordinary_testkit.kit.harness.services import Services


class Ecs:
    """A service whose tasks are these, each a target in this state."""

    def __init__(self, *statuses: str, targets: tuple[str, ...] = (), counts: tuple[int, int, int] = (0, 0, 0)) -> None:
        self.statuses = statuses
        self.states = targets
        self.counts = counts
        self.aws = ScriptedAws(
            {
                ("application-autoscaling", "describe_scalable_targets"): lambda **_: {
                    "ScalableTargets": [{"MinCapacity": 0, "MaxCapacity": 3}]
                },
                ("application-autoscaling", "register_scalable_target"): lambda **_: {},
                ("ecs", "update_service"): lambda **_: {},
                ("ecs", "describe_services"): self.described,
                ("ecs", "list_tasks"): lambda desiredStatus, **_: (
                    [f"arn:{n}" for n in range(len(self.statuses))] if desiredStatus == "RUNNING" else []
                ),
                ("ecs", "describe_tasks"): lambda tasks, **_: {
                    "tasks": [{"taskArn": arn, "lastStatus": self.statuses[int(arn[4:])]} for arn in tasks]
                },
                ("elbv2", "describe_target_health"): lambda **_: {
                    "TargetHealthDescriptions": [
                        {"Target": {"Id": "10.0.0.1"}, "TargetHealth": {"State": state}} for state in self.states
                    ]
                },
            }
        )
        context = a_context(self.aws)
        self.clock = context.clock
        self.capacity = Capacity(context, Services(context))

    def described(self, services: list[str], **_: Any) -> dict[str, Any]:
        names = ("desiredCount", "runningCount", "pendingCount")
        counts = dict(zip(names, self.counts, strict=True))
        return {"services": [{"serviceName": service, **counts} for service in services]}

    def suspended(self) -> list[bool]:
        return [
            call["SuspendedState"]["DynamicScalingOutSuspended"] for call in self.aws.called("register_scalable_target")
        ]


async def test_bounds_are_those_of_the_scalable_target() -> None:
    ecs = Ecs()
    assert await ecs.capacity.bounds("edit") == Bounds(0, 3)
    (call,) = ecs.aws.called("describe_scalable_targets")
    assert call["ResourceIds"] == ["service/cluster-name/edit-service-name"]


async def test_a_service_that_nothing_scales_has_no_bounds() -> None:
    ecs = Ecs()
    ecs.aws.answers = {("application-autoscaling", "describe_scalable_targets"): lambda **_: {"ScalableTargets": []}}
    with pytest.raises(LookupError, match="no scalable target"):
        await ecs.capacity.bounds("edit")


async def test_a_watch_notes_each_change_once_from_the_beginning_to_the_end() -> None:
    ecs = Ecs(counts=(1, 0, 1))
    async with ecs.capacity.watch("edit") as watched:
        for counts in ((1, 0, 1), (1, 1, 0)):
            ecs.counts = counts
            for _ in range(3):
                await ecs.clock.sleep(5)
        ecs.counts = (4, 1, 3)
    assert watched.samples == [Sample(1, 0, 1), Sample(1, 1, 0), Sample(4, 1, 3)]


async def test_a_watch_that_could_not_look_has_seen_nothing_and_says_why() -> None:
    ecs = Ecs(counts=(1, 1, 0))
    with pytest.raises(AssertionError, match=r"unexpected ecs\.describe_services"):
        async with ecs.capacity.watch("edit"):
            answers, ecs.aws.answers = ecs.aws.answers, {}
            await ecs.clock.sleep(5)
            await ecs.clock.sleep(5)
            ecs.aws.answers = answers


async def test_as_many_as_are_called_for_are_waited_for_and_no_other_number_will_do() -> None:
    ecs = Ecs(counts=(3, 3, 0))
    assert await ecs.capacity.wait_for_running("edit", 3, within=60) == Sample(3, 3, 0)
    with pytest.raises(WaitExpired, match="scaled to 1 running task"):
        await ecs.capacity.wait_for_running("edit", 1, within=60)


async def test_a_held_service_is_left_alone_by_scaling_until_the_end_of_the_block() -> None:
    ecs = Ecs()
    with pytest.raises(RuntimeError):
        async with ecs.capacity.pinned("edit") as held:
            await held.set_desired(2)
            assert ecs.suspended() == [True]
            raise RuntimeError
    assert ecs.suspended() == [True, False]
    assert [call["desiredCount"] for call in ecs.aws.called("update_service")] == [2]


async def test_two_tasks_are_there_when_both_run_and_are_healthy() -> None:
    ecs = Ecs("RUNNING", "RUNNING", targets=("healthy", "healthy"))
    async with ecs.capacity.pinned("edit") as held:
        assert await held.wait_for_healthy(2, within=60) == ["arn:0", "arn:1"]


@pytest.mark.parametrize(
    ("statuses", "targets"),
    [
        (("RUNNING", "PENDING"), ("healthy", "healthy")),
        (("RUNNING", "RUNNING"), ("healthy", "initial")),
        (("RUNNING", "RUNNING", "DEACTIVATING"), ("healthy", "healthy")),
        (("RUNNING", "RUNNING"), ("healthy", "healthy", "draining")),
    ],
)
async def test_anything_less_or_more_is_not_two_healthy_tasks(
    statuses: tuple[str, ...], targets: tuple[str, ...]
) -> None:
    ecs = Ecs(*statuses, targets=targets)
    async with ecs.capacity.pinned("edit") as held:
        with pytest.raises(WaitExpired, match="exactly 2 task"):
            await held.wait_for_healthy(2, within=60)
