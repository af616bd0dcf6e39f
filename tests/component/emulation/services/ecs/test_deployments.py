"""Rolling deployments and the circuit breaker, seen through boto3."""

from __future__ import annotations

from typing import Any

from tests.support.ecs import UNTIL_STOPPED, EcsWorld, ecs_world, eventually

FAILS = "import sys; sys.exit(1)"
SAYS_PID = "import os, signal; print(os.getpid(), flush=True)\nwhile True: signal.pause()"
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
ROLLBACK = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


async def settled(w: EcsWorld, name: str = "web") -> Any:
    """The service once its newest deployment is complete and the only one."""

    async def look() -> Any:
        service = await w.service(name)
        done = len(service["deployments"]) == 1 and service["deployments"][0]["rolloutState"] == "COMPLETED"
        return service if done else None

    return await eventually(look)


def most_alive(w: EcsWorld) -> int:
    """How many tasks were RUNNING at once, at most."""
    running: set[str] = set()
    most = 0
    for change in w.changes:
        (running.add if change.last_status == "RUNNING" else running.discard)(change.task_arn)
        most = max(most, len(running))
    return most


def least_alive(w: EcsWorld, after: int) -> int:
    """How many tasks were RUNNING at once, at least, since so many of them ran for the first time."""
    running: set[str] = set()
    least: int | None = None
    for change in w.changes:
        (running.add if change.last_status == "RUNNING" else running.discard)(change.task_arn)
        if least is None and len(running) == after:
            least = after
        elif least is not None:
            least = min(least, len(running))
    assert least is not None
    return least


async def test_a_deployment_starts_new_tasks_before_it_stops_old_ones() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED, "web:2": UNTIL_STOPPED}, scale=600) as w:
        await w.register("web", image="web:1")
        await w.create_service("web", count=2)
        await settled(w)
        await w.call("update_service", service="web", taskDefinition=await w.register("web", image="web:2"))
        during = await w.service("web")
        service = await settled(w)
        images = {task["containers"][0]["image"] for task in await w.tasks("web")}
        most, least = most_alive(w), least_alive(w, after=2)

    assert [each["status"] for each in during["deployments"]] == ["PRIMARY", "ACTIVE"]
    assert during["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert images == {"web:2"}
    assert service["taskDefinition"].endswith("web:2")
    assert least == 2
    assert most <= 4


async def test_a_deployment_within_its_maximum_stops_before_it_starts() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}, scale=600) as w:
        await w.register("web", image="web:1")
        percents = {"minimumHealthyPercent": 50, "maximumPercent": 100}
        await w.create_service("web", count=2, deploymentConfiguration=percents)
        await settled(w)
        await w.call("update_service", service="web", forceNewDeployment=True)
        await settled(w)
        most, least = most_alive(w), least_alive(w, after=2)

    assert (most, least) == (2, 1)


async def test_a_forced_deployment_replaces_every_task() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}, scale=600) as w:
        await w.register("web", image="web:1")
        await w.create_service("web", count=2)
        before = {task["taskArn"] for task in (await settled(w)) and await w.tasks("web")}
        first = (await w.service("web"))["deployments"][0]["id"]
        await w.call("update_service", service="web", forceNewDeployment=True)
        service = await settled(w)
        after = {task["taskArn"] for task in await w.tasks("web")}

    assert not before & after
    assert len(after) == 2
    assert service["deployments"][0]["id"] != first


async def test_a_deployment_says_when_it_is_complete() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}, scale=600) as w:
        await w.register("web", image="web:1")
        await w.create_service("web", count=1)
        service = await settled(w)
        events = await w.events("web")

    deployment = service["deployments"][0]
    assert deployment["rolloutStateReason"] == f"ECS deployment {deployment['id']} completed."
    assert f"(service web) (deployment {deployment['id']}) deployment completed." in events


async def test_an_update_of_the_count_is_no_deployment() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", image="web:1")
        first = await w.create_service("web", count=0)
        second = (await w.call("update_service", service="web", desiredCount=1))["service"]

    assert [each["id"] for each in second["deployments"]] == [each["id"] for each in first["deployments"]]


async def test_the_circuit_breaker_fails_a_deployment_that_cannot_start() -> None:
    async with ecs_world({}) as w:
        await w.register("web", image="unknown:1")
        await w.create_service("web", count=1, deploymentConfiguration=BREAKER)
        event = await w.event("web", "deployment failed: tasks failed to start.")
        deployment = (await w.service("web"))["deployments"][0]
        tasks = await w.tasks("web", "STOPPED")

    assert event == f"(service web) (deployment {deployment['id']}) deployment failed: tasks failed to start."
    assert deployment["rolloutState"] == "FAILED"
    assert deployment["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert deployment["failedTasks"] == 3
    assert len(tasks) == 3


async def test_the_circuit_breaker_goes_back_to_what_worked() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED, "web:2": FAILS}, scale=60) as w:
        good = await w.register("web", image="web:1")
        await w.create_service("web", count=1, deploymentConfiguration=ROLLBACK)
        await settled(w)
        survivor = (await w.tasks("web"))[0]["taskArn"]
        await w.call("update_service", service="web", taskDefinition=await w.register("web", image="web:2"))
        back = await w.event("web", "rolling back to deployment")
        assert (await w.task(survivor))["lastStatus"] == "RUNNING"
        service = await settled(w)

    assert service["taskDefinition"] == good
    assert back == f"(service web) rolling back to deployment {service['deployments'][0]['id']}."


async def test_without_a_circuit_breaker_the_old_tasks_stay_while_new_ones_fail() -> None:
    async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
        await w.register("web", image="web:1")
        await w.create_service("web", count=1)
        await settled(w)
        survivor = (await w.tasks("web"))[0]["taskArn"]
        await w.call("update_service", service="web", taskDefinition=await w.register("web", image="unknown:1"))
        await w.event("web", "unable to consistently start tasks")
        service = await w.service("web")
        alive = await w.task(survivor)

    assert alive["lastStatus"] == "RUNNING"
    assert [each["rolloutState"] for each in service["deployments"]] == ["IN_PROGRESS", "COMPLETED"]
