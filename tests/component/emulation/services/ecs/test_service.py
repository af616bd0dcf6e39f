"""Services at their desired count, seen through boto3."""

from __future__ import annotations

import itertools
import os
import signal
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.support.ecs import UNTIL_STOPPED, EcsWorld, ecs_world, eventually
from webordinary_testkit.emulation.services.ecs.model import Service
from webordinary_testkit.emulation.services.ecs.scheduler import Scheduler

SAYS_PID = "import os, signal; print(os.getpid(), flush=True)\nwhile True: signal.pause()"
FAILS = "import sys; sys.exit(1)"


async def pid_of(w: EcsWorld, task: Any) -> int:
    return int((await eventually(lambda: w.log(task)))[0])


async def test_a_service_gets_the_tasks_it_wants() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", image="web:1")
        created = await w.create_service("web", count=3)
        assert (created["status"], created["desiredCount"], created["runningCount"]) == ("ACTIVE", 3, 0)
        await w.stable("web")
        tasks = await w.tasks("web")
        service = await w.service("web")
        await w.event("web", "has reached a steady state.")

    assert len(tasks) == 3
    assert {task["startedBy"] for task in tasks} == {service["deployments"][0]["id"]}
    assert {task["group"] for task in tasks} == {"service:web"}
    assert (service["runningCount"], service["pendingCount"]) == (3, 0)


async def test_tasks_are_spread_over_the_zones() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", image="web:1")
        await w.create_service("web", count=4)
        await w.stable("web")
        zones = sorted(task["availabilityZone"] for task in await w.tasks("web"))

    assert zones == ["us-west-2a", "us-west-2a", "us-west-2b", "us-west-2b"]


async def test_scaling_to_zero_and_back_says_what_happens() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", image="web:1")
        await w.create_service("web", count=1)
        await w.stable("web")
        first = (await w.tasks("web"))[0]
        await w.call("update_service", service="web", desiredCount=0)
        stopped = await w.stopped(first["taskArn"])
        assert await w.tasks("web") == []
        await w.event("web", "has reached a steady state.")
        await w.call("update_service", service="web", desiredCount=1)
        await w.stable("web")
        second = (await w.tasks("web"))[0]
        events = await w.events("web")

    name = first["taskArn"].split("/")[-1]
    assert f"(service web) has started 1 tasks: (task {name})." in events
    assert f"(service web) has stopped 1 running tasks: (task {name})." in events
    assert stopped["stopCode"] == "ServiceSchedulerInitiated"
    assert stopped["stoppedReason"] == f"Scaling activity initiated by (deployment {first['startedBy']})"
    assert second["taskArn"] != first["taskArn"]


async def test_a_killed_task_is_replaced_at_once() -> None:
    async with ecs_world({"web:1": SAYS_PID}) as w:
        await w.register("web", image="web:1")
        await w.create_service("web", count=1)
        for _ in range(5):
            await w.stable("web")
            task = (await w.tasks("web"))[0]
            os.kill(await pid_of(w, task), signal.SIGKILL)
            await w.stopped(task["taskArn"])
        await w.stable("web")
        events = await w.events("web")

    assert not [event for event in events if "unable to consistently" in event]
    assert len([event for event in events if "has started 1 tasks" in event]) == 6


async def test_a_task_stopped_by_a_user_is_replaced() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", image="web:1")
        await w.create_service("web", count=1)
        await w.stable("web")
        task = (await w.tasks("web"))[0]
        await w.call("stop_task", task=task["taskArn"])

        async def replaced() -> bool:
            now = await w.tasks("web")
            return len(now) == 1 and now[0]["taskArn"] != task["taskArn"] and now[0]["lastStatus"] == "RUNNING"

        assert await eventually(replaced)


@pytest.mark.parametrize("image", ["crashing:1", "unknown:1"])
async def test_a_service_whose_tasks_never_run_is_throttled_and_says_so(image: str) -> None:
    async with ecs_world({"crashing:1": FAILS}, scale=1) as w:
        await w.register("web", image=image)
        await w.create_service("web", count=1)
        await w.event("web", "(service web) is unable to consistently start tasks successfully.")
        started = [event for event in await w.events("web") if "has started" in event]

    assert len(started) == 3


async def test_the_wait_between_failing_starts_grows() -> None:
    async with ecs_world({}, scale=600) as w:
        await w.register("web", image="unknown:1")
        await w.create_service("web", count=1)

        async def five_more() -> list[Any]:
            tasks = await w.tasks("web", "STOPPED")
            return tasks if len(tasks) >= 6 else []

        tasks = await eventually(five_more)

    created = sorted(task["createdAt"] for task in tasks)
    waits = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(created)]
    assert waits[2] >= 15
    assert waits[3] >= 30
    assert waits[4] >= 60


async def test_a_new_task_definition_ends_the_throttling() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}, scale=1) as w:
        await w.register("web", image="unknown:1")
        await w.create_service("web", count=1)
        await w.event("web", "unable to consistently start")
        await w.call("update_service", service="web", taskDefinition=await w.register("web", image="web:1"))
        await w.stable("web")


async def test_a_deleted_service_drains_and_is_inactive_when_its_tasks_have_stopped() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", image="web:1")
        await w.create_service("web", count=2)
        await w.stable("web")
        tasks = await w.tasks("web")
        deleted = await w.call("delete_service", service="web", force=True)
        with pytest.raises(WaiterError, match=r"DRAINING|INACTIVE"):
            await w.stable("web")
        await w.wait("services_inactive", services=["web"])
        listed = (await w.call("list_services"))["serviceArns"]
        states = [(await w.task(task["taskArn"]))["lastStatus"] for task in tasks]

    assert deleted["service"]["status"] == "DRAINING"
    assert listed == []
    assert states == ["STOPPED", "STOPPED"]


async def test_a_deleted_services_name_can_be_used_again() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", image="web:1")
        await w.create_service("web", count=0)
        await w.call("delete_service", service="web")
        await w.wait("services_inactive", services=["web"])
        await w.create_service("web", count=1)
        await w.stable("web")


async def test_a_service_on_ec2_says_that_there_is_no_instance() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", image="web:1", requiresCompatibilities=["EC2"])
        await w.call(
            "create_service", serviceName="web", taskDefinition="web", desiredCount=1, networkConfiguration=w.network
        )
        await w.event("web", "was unable to place a task because no container instance met all of its requirements")
        tasks = await w.tasks("web")

    assert tasks == []


async def test_tags_of_a_service_reach_its_tasks_when_asked() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", image="web:1")
        await w.create_service(
            "web",
            count=1,
            tags=[{"key": "team", "value": "mail"}],
            propagateTags="SERVICE",
            enableECSManagedTags=True,
        )
        await w.stable("web")
        arn = (await w.tasks("web"))[0]["taskArn"]
        answer = await w.call("describe_tasks", tasks=[arn], include=["TAGS"])

    assert {each["key"]: each["value"] for each in answer["tasks"][0]["tags"]} == {
        "team": "mail",
        "aws:ecs:clusterName": "test",
        "aws:ecs:serviceName": "web",
    }


async def test_an_idle_service_costs_no_wakeups(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []
    reconcile = Scheduler._reconcile

    def counted(it: Scheduler, service: Service) -> None:
        looks.append(service.name)
        reconcile(it, service)

    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", image="web:1")
        await w.create_service("web", count=1)
        await w.event("web", "has reached a steady state.")
        monkeypatch.setattr(Scheduler, "_reconcile", counted)
        await w.world.ctx.clock.sleep(60)
        assert looks == []
        await w.call("update_service", service="web", desiredCount=2)
        await w.stable("web")
        assert looks
