"""Services behind a load balancer: registered, drained, and replaced when they fail its health checks."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.support.ecs import UNTIL_STOPPED, EcsWorld, ecs_world, eventually
from webordinary_testkit.emulation.services.ecs import scheduler

GROUP = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/web/1"
BEHIND: dict[str, Any] = {"loadBalancers": [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 80}]}
PORT = {"portMappings": [{"containerPort": 80}]}
CRASHES_LATER = """
import os, signal
print(os.getpid(), flush=True)
signal.pause()
"""


def ports(w: EcsWorld) -> list[int]:
    return [port for _, port in w.balancer.states]


async def one_port(w: EcsWorld) -> int:
    async def registered() -> list[int]:
        return ports(w)

    return int((await eventually(registered))[0])


async def replacement(w: EcsWorld, of: Any) -> Any:
    async def look() -> Any:
        others = [task for task in await w.tasks("web") if task["taskArn"] != of["taskArn"]]
        return others and others[0]

    return await eventually(look)


async def test_a_running_task_is_registered_with_the_port_it_really_has() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", PORT, image="web:1")
        await w.create_service("web", **BEHIND)
        await w.stable("web")
        task = (await w.tasks("web"))[0]
        await w.event("web", "has reached a steady state.")
        events = await w.events("web")
        registered = ports(w)

    assert registered == [task["containers"][0]["networkBindings"][0]["hostPort"]]
    assert f"(service web) registered 1 targets in (target-group {GROUP})" in events


async def test_a_task_drains_before_its_program_hears_of_its_end() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}, drains=20) as w:
        w.balancer.delay = 3600
        await w.register("web", PORT, image="web:1")
        await w.create_service("web", **BEHIND)
        await w.stable("web")
        task = (await w.tasks("web"))[0]
        await eventually(lambda: w.log(task))
        await w.call("update_service", service="web", desiredCount=0)
        stopped = await w.stopped(task["taskArn"])
        events = await w.events("web")
        states = [change.last_status for change in w.changes]

    assert states[-5:] == ["RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"]
    assert 20 <= (stopped["executionStoppedAt"] - stopped["stoppingAt"]).total_seconds() < 1800
    assert w.balancer.log == ["register", "deregister", "drained"]
    assert "(service web) has begun draining connections on 1 tasks." in events
    assert f"(service web) deregistered 1 targets in (target-group {GROUP})" in events


async def test_a_load_balancer_that_says_nothing_is_waited_for_no_longer_than_its_delay() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}, drains=None) as w:
        await w.register("web", PORT, image="web:1")
        await w.create_service("web", **BEHIND)
        await w.stable("web")
        task = (await w.tasks("web"))[0]
        await w.call("update_service", service="web", desiredCount=0)
        stopped = await w.stopped(task["taskArn"])

    took = (stopped["stoppedAt"] - stopped["stoppingAt"]).total_seconds()
    assert took >= 10  # the group's delay of 5 s and a margin of 5 s


async def test_the_death_of_a_program_does_not_wait_for_its_target_to_drain() -> None:
    async with ecs_world({"web:1": CRASHES_LATER}, drains=3600) as w:
        await w.register("web", PORT, image="web:1")
        await w.create_service("web", **BEHIND)
        await w.stable("web")
        task = (await w.tasks("web"))[0]
        os.kill(int((await eventually(lambda: w.log(task)))[0]), signal.SIGKILL)
        await w.stopped(task["taskArn"])
        await w.stable("web")

    assert w.balancer.log[:3] == ["register", "deregister", "register"]


async def test_a_program_that_ends_while_it_drains_is_waited_for_no_longer() -> None:
    async with ecs_world({"web:1": CRASHES_LATER}, drains=3600) as w:
        await w.register("web", PORT, image="web:1")
        await w.create_service("web", **BEHIND)
        await w.stable("web")
        task = (await w.tasks("web"))[0]
        pid = int((await eventually(lambda: w.log(task)))[0])
        await w.call("update_service", service="web", desiredCount=0)

        async def draining() -> bool:
            return bool((await w.task(task["taskArn"]))["lastStatus"] == "DEACTIVATING")

        await eventually(draining)
        os.kill(pid, signal.SIGKILL)
        stopped = await w.stopped(task["taskArn"])

    assert stopped["stopCode"] == "ServiceSchedulerInitiated"
    assert stopped["containers"][0]["exitCode"] == 137


async def test_a_target_group_that_is_gone_fails_the_task() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", PORT, image="web:1")
        await w.create_service("web", **BEHIND, count=0)
        w.balancer.gone = True
        await w.call("update_service", service="web", desiredCount=1)

        async def failed() -> Any:
            return await w.tasks("web", "STOPPED")

        task = (await eventually(failed))[0]

    assert task["stopCode"] == "TaskFailedToStart"
    assert "unable to register target: TargetGroupNotFound" in task["stoppedReason"]


async def test_a_task_that_fails_the_load_balancers_health_check_is_replaced() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", PORT, image="web:1")
        await w.create_service("web", **BEHIND)
        await w.stable("web")
        task = (await w.tasks("web"))[0]
        port = await one_port(w)
        w.balancer.say(GROUP, port, "unhealthy", "Target.ResponseCodeMismatch")
        stopped = await w.stopped(task["taskArn"])
        await w.stable("web")
        events = await w.events("web")

    assert stopped["stopCode"] == "ServiceSchedulerInitiated"
    assert stopped["stoppedReason"] == f"Task failed ELB health checks in (target-group {GROUP})"
    assert (
        f"(service web) (port {port}) is unhealthy in (target-group {GROUP}) due to "
        "(reason Target.ResponseCodeMismatch)" in events
    )


async def test_an_unhealthy_task_serves_until_its_replacement_is_healthy() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}, healthy_at_once=False) as w:
        await w.register("web", PORT, image="web:1")
        await w.create_service("web", **BEHIND)
        await w.stable("web")
        sick = (await w.tasks("web"))[0]
        first = await one_port(w)
        w.balancer.say(GROUP, first, "healthy")
        w.balancer.say(GROUP, first, "unhealthy")
        new = await w.running((await replacement(w, sick))["taskArn"])
        assert (await w.task(sick["taskArn"]))["lastStatus"] == "RUNNING"
        w.balancer.say(GROUP, new["containers"][0]["networkBindings"][0]["hostPort"], "healthy")
        await w.stopped(sick["taskArn"])


async def test_failing_health_checks_are_ignored_within_the_grace_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "LEAST_GRACE", 1.0)
    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", PORT, image="web:1")
        await w.create_service("web", **BEHIND, healthCheckGracePeriodSeconds=30)
        await w.stable("web")
        task = (await w.tasks("web"))[0]
        w.balancer.say(GROUP, await one_port(w), "unhealthy", "Target.Timeout")
        stopped = await w.stopped(task["taskArn"])

    assert (stopped["stoppingAt"] - stopped["startedAt"]).total_seconds() >= 30


async def test_a_target_that_recovers_within_the_grace_period_keeps_its_task() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", PORT, image="web:1")
        await w.create_service("web", **BEHIND, healthCheckGracePeriodSeconds=30)
        await w.stable("web")
        task = (await w.tasks("web"))[0]
        port = await one_port(w)
        w.balancer.say(GROUP, port, "unhealthy", "Target.Timeout")
        w.balancer.say(GROUP, port, "healthy")
        await w.world.ctx.clock.sleep_until(task["startedAt"].timestamp() + 40)
        assert (await w.task(task["taskArn"]))["desiredStatus"] == "RUNNING"


async def test_a_deployment_waits_for_the_load_balancer_before_it_stops_old_tasks() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}, healthy_at_once=False) as w:
        await w.register("web", PORT, image="web:1")
        await w.create_service("web", **BEHIND)
        await w.stable("web")
        old = (await w.tasks("web"))[0]
        w.balancer.say(GROUP, await one_port(w), "healthy")
        await w.event("web", "has reached a steady state.")
        await w.call("update_service", service="web", forceNewDeployment=True)
        new = await w.running((await replacement(w, old))["taskArn"])
        assert (await w.task(old["taskArn"]))["desiredStatus"] == "RUNNING"
        w.balancer.say(GROUP, new["containers"][0]["networkBindings"][0]["hostPort"], "healthy")
        await w.stopped(old["taskArn"])


async def test_a_deleted_target_group_does_not_hold_up_the_end_of_a_task() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}, drains=None) as w:
        await w.register("web", PORT, image="web:1")
        await w.create_service("web", **BEHIND)
        await w.stable("web")
        task = (await w.tasks("web"))[0]
        w.balancer.gone, w.balancer.delay = True, 3600
        await w.call("update_service", service="web", desiredCount=0)
        stopped = await w.stopped(task["taskArn"])

    assert (stopped["stoppedAt"] - stopped["stoppingAt"]).total_seconds() < 1800
