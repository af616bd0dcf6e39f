"""Counting tasks: exactly, and only when three operations agree."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.kit import ScriptedAws, a_context
from webordinary_testkit.kit.core.errors import WaitExpired
from webordinary_testkit.kit.harness.services import Services, TaskCount


def task(last: str, desired: str = "RUNNING", name: str = "1") -> dict[str, Any]:
    return {
        "taskArn": f"arn:task/{name}",
        "lastStatus": last,
        "desiredStatus": desired,
        "group": "service:edit-service-name",
    }


class Ecs:
    """A service with these counts and these tasks."""

    def __init__(self, desired: int = 0, running: int = 0, pending: int = 0, tasks: list[dict[str, Any]] | None = None):
        self.counts = {"desiredCount": desired, "runningCount": running, "pendingCount": pending}
        self.tasks = tasks or []
        self.aws = ScriptedAws(
            {
                ("ecs", "describe_services"): lambda services, **_: {
                    "services": [{"serviceName": services[0], **self.counts, "deployments": [{}]}]
                },
                ("ecs", "list_tasks"): self.listed,
                ("ecs", "describe_tasks"): self.described,
                ("ecs", "update_service"): self.update,
                ("application-autoscaling", "register_scalable_target"): lambda **_: {},
            }
        )
        self.services = Services(a_context(self.aws))

    def listed(self, desiredStatus: str, **_: Any) -> list[str]:
        return [one["taskArn"] for one in self.tasks if one["desiredStatus"] == desiredStatus]

    def described(self, tasks: list[str], **_: Any) -> dict[str, Any]:
        assert tasks, "AWS refuses DescribeTasks without tasks"
        return {"tasks": [one for one in self.tasks if one["taskArn"] in tasks]}

    def update(self, desiredCount: int, **_: Any) -> dict[str, Any]:
        self.counts = {"desiredCount": desiredCount, "runningCount": 0, "pendingCount": 0}
        self.tasks = []
        return {}


async def test_a_service_without_tasks_is_at_zero_and_describe_tasks_is_not_called() -> None:
    ecs = Ecs()
    assert (await ecs.services.count("edit")).nothing_left
    assert ecs.aws.called("describe_tasks") == []


async def test_a_task_on_its_way_out_is_still_there() -> None:
    count = await Ecs(tasks=[task("DEACTIVATING", "STOPPED")]).services.count("edit")
    assert count.running == 0
    assert not count.nothing_left


async def test_a_stopped_task_does_not_count() -> None:
    assert (await Ecs(tasks=[task("STOPPED", "STOPPED")]).services.count("edit")).nothing_left


async def test_a_running_count_without_a_task_is_not_believed() -> None:
    with pytest.raises(WaitExpired, match="disagree"):
        await Ecs(desired=1, running=1).services.count("edit")


async def test_a_task_that_the_service_does_not_know_of_is_not_overlooked() -> None:
    with pytest.raises(WaitExpired, match="disagree"):
        await Ecs(tasks=[task("RUNNING")]).services.count("edit")


async def test_counts_that_agree_are_taken() -> None:
    ecs = Ecs(desired=2, running=1, pending=1, tasks=[task("RUNNING", name="1"), task("PENDING", name="2")])
    assert await ecs.services.count("edit") == TaskCount("edit", 2, 1, 1, ("PENDING", "RUNNING"))


async def test_looking_at_a_count_is_no_assertion() -> None:
    context = a_context(Ecs().aws)
    await Services(context).count("edit")
    assert context.checks.asserted == 0


async def test_more_than_a_hundred_tasks_are_described_in_portions() -> None:
    ecs = Ecs(desired=150, running=150, tasks=[task("RUNNING", name=str(n)) for n in range(150)])
    assert (await ecs.services.count("edit")).running == 150
    assert [len(call["tasks"]) for call in ecs.aws.called("describe_tasks")] == [100, 50]


async def test_scaling_is_suspended_while_a_service_is_forced_and_resumed_also_when_that_fails() -> None:
    ecs = Ecs(desired=1, running=1, tasks=[task("RUNNING")])
    await ecs.services.force_scale_down("edit", within=30)
    stuck = Ecs(desired=1, running=1, tasks=[task("RUNNING")])
    stuck.aws.answers = {**stuck.aws.answers, ("ecs", "update_service"): lambda **_: {}}
    with pytest.raises(WaitExpired, match="to have 0 tasks"):
        await stuck.services.force_scale_down("edit", within=30)
    for one in (ecs, stuck):
        states = [call["SuspendedState"] for call in one.aws.called("register_scalable_target")]
        assert [state["DynamicScalingInSuspended"] for state in states] == [True, False]


async def test_waiting_for_zero_tells_what_was_left() -> None:
    ecs = Ecs(tasks=[task("STOPPING", "STOPPED")])
    with pytest.raises(WaitExpired, match="1 STOPPING"):
        await ecs.services.wait_for_zero(["edit"], within=60)


async def test_a_service_ecs_does_not_know_is_an_error_and_not_a_zero() -> None:
    aws = ScriptedAws({("ecs", "describe_services"): lambda **_: {"services": [], "failures": [{"reason": "MISSING"}]}})
    with pytest.raises(LookupError, match="MISSING"):
        await Services(a_context(aws)).count("edit")
