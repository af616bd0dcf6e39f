"""Several containers in a task: order, health, volumes, restart; seen through boto3."""

from __future__ import annotations

import json

import pytest

from tests.support.ecs import UNTIL_STOPPED, EcsWorld, ecs_world, eventually

SIDECAR = {"name": "sidecar", "image": "sidecar:1", "essential": False}
MAIN = {"name": "main", "image": "main:1"}


async def test_an_essential_container_takes_the_others_with_it() -> None:
    async with ecs_world({"main:1": "", "sidecar:1": UNTIL_STOPPED}) as w:
        await w.register("pair", MAIN, SIDECAR)
        task = await w.stopped((await w.run("pair"))["taskArn"])

    assert task["stopCode"] == "EssentialContainerExited"
    assert [each["lastStatus"] for each in task["containers"]] == ["STOPPED", "STOPPED"]


async def test_the_end_of_a_sidecar_is_not_the_end_of_the_task() -> None:
    async with ecs_world({"main:1": UNTIL_STOPPED, "sidecar:1": "import sys; sys.exit(3)"}) as w:
        await w.register("pair", MAIN, SIDECAR)
        arn = (await w.run("pair"))["taskArn"]

        async def sidecar_over() -> bool:
            return bool((await w.task(arn))["containers"][1].get("exitCode") == 3)

        assert await eventually(sidecar_over)
        task = await w.running(arn)

    assert [each["lastStatus"] for each in task["containers"]] == ["RUNNING", "STOPPED"]


async def test_a_container_waits_for_the_success_of_another() -> None:
    prepares = "open('/dev/null'); import time; time.sleep(0.2); print('prepared')"
    async with ecs_world({"main:1": UNTIL_STOPPED, "sidecar:1": prepares}) as w:
        depends = {"dependsOn": [{"containerName": "sidecar", "condition": "SUCCESS"}]}
        await w.register("pair", {**MAIN, **depends}, SIDECAR)
        arn = (await w.run("pair"))["taskArn"]
        task = await w.running(arn)
        ready = await w.world.aws.call("logs", "GetLogEvents", logGroupName="/ecs/test", logStreamName=stream(arn))

    assert task["containers"][1]["exitCode"] == 0
    assert [event["message"] for event in ready["events"]] == ["prepared"]
    assert ready["events"][0]["timestamp"] <= task["startedAt"].timestamp() * 1000


def stream(arn: str, container: str = "sidecar") -> str:
    return f"ecs/{container}/{arn.rsplit('/', maxsplit=1)[-1]}"


async def test_a_task_whose_preparation_fails_does_not_start() -> None:
    async with ecs_world({"main:1": UNTIL_STOPPED, "sidecar:1": "import sys; sys.exit(2)"}) as w:
        depends = {"dependsOn": [{"containerName": "sidecar", "condition": "SUCCESS"}]}
        await w.register("pair", {**MAIN, **depends}, SIDECAR)
        task = await w.stopped((await w.run("pair"))["taskArn"])

    assert task["stopCode"] == "TaskFailedToStart"
    assert "main waits for SUCCESS of sidecar, which is STOPPED and UNKNOWN, exit code 2" in task["stoppedReason"]
    assert "exitCode" not in task["containers"][0]


async def test_a_dependency_that_takes_too_long_stops_the_task() -> None:
    async with ecs_world({"main:1": UNTIL_STOPPED, "sidecar:1": UNTIL_STOPPED}) as w:
        depends = {"dependsOn": [{"containerName": "sidecar", "condition": "COMPLETE"}]}
        await w.register("pair", {**MAIN, **depends}, {**SIDECAR, "startTimeout": 5})
        task = await w.stopped((await w.run("pair"))["taskArn"])

    assert task["stopCode"] == "TaskFailedToStart"
    assert "main waits for COMPLETE of sidecar" in task["stoppedReason"]


async def test_containers_stop_in_the_reverse_order_of_their_start() -> None:
    async with ecs_world({"main:1": UNTIL_STOPPED, "sidecar:1": UNTIL_STOPPED}) as w:
        depends = {"dependsOn": [{"containerName": "sidecar", "condition": "START"}]}
        await w.register("pair", {**MAIN, **depends}, SIDECAR)
        task = await w.running((await w.run("pair"))["taskArn"])

        async def both_up() -> bool:
            return bool(await w.log(task, "main") and await w.log(task, "sidecar"))

        await eventually(both_up)
        await w.call("stop_task", task=task["taskArn"])
        await w.stopped(task["taskArn"])
        goodbyes = {}
        for name in ("main", "sidecar"):
            where = {"logGroupName": "/ecs/test", "logStreamName": stream(task["taskArn"], name)}
            goodbyes[name] = (await w.call("get_log_events", "logs", **where))["events"][-1]["timestamp"]

    assert goodbyes["main"] <= goodbyes["sidecar"]


async def test_a_volume_of_the_task_is_shared_by_its_containers_and_goes_with_it() -> None:
    writes = "import os; open(os.environ['SHARED'] + '/note', 'w').write('from sidecar')"
    reads = "import os; print(open(os.environ['SHARED'] + '/note').read())"
    mount = {
        "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/shared"}],
        "environment": [{"name": "SHARED", "value": "/shared"}],
    }
    depends = {"dependsOn": [{"containerName": "sidecar", "condition": "SUCCESS"}]}
    async with ecs_world({"main:1": reads, "sidecar:1": writes}) as w:
        await w.register("pair", {**MAIN, **mount, **depends}, {**SIDECAR, **mount}, volumes=[{"name": "scratch"}])
        task = await w.stopped((await w.run("pair"))["taskArn"])
        log = await w.log(task, "main")

    assert log == ["from sidecar"]


def checked(script: str, **settings: int) -> dict[str, object]:
    return {"healthCheck": {"command": ["CMD-SHELL", script], "interval": 5, "timeout": 5, "retries": 2, **settings}}


async def health(w: EcsWorld, arn: str, expected: str) -> bool:
    async def look() -> bool:
        return bool((await w.task(arn))["healthStatus"] == expected)

    return bool(await eventually(look))


async def test_a_passing_health_check_makes_the_task_healthy() -> None:
    async with ecs_world({"app:1": UNTIL_STOPPED}) as w:
        container = {**checked('test "$COLOUR" = red'), "environment": [{"name": "COLOUR", "value": "red"}]}
        await w.register("app", container, image="app:1")
        arn = (await w.run("app"))["taskArn"]
        assert (await w.running(arn))["healthStatus"] == "UNKNOWN"
        assert await health(w, arn, "HEALTHY")


async def test_a_failing_health_check_replaces_a_services_task() -> None:
    async with ecs_world({"app:1": UNTIL_STOPPED}) as w:
        await w.register("app", checked("exit 1"), image="app:1")
        await w.create_service("app")
        await w.stable("app")
        task = (await w.tasks("app"))[0]
        stopped = await w.stopped(task["taskArn"])

        async def replaced() -> bool:
            return any(each["taskArn"] != task["taskArn"] for each in await w.tasks("app"))

        assert await eventually(replaced)

    assert stopped["stopCode"] == "ServiceSchedulerInitiated"
    assert stopped["stoppedReason"] == "Task failed container health checks"
    assert stopped["healthStatus"] == "UNHEALTHY"
    assert (stopped["stoppingAt"] - stopped["startedAt"]).total_seconds() >= 10  # two failures, five seconds apart


async def test_an_unhealthy_task_of_no_service_goes_on() -> None:
    async with ecs_world({"app:1": UNTIL_STOPPED}) as w:
        await w.register("app", checked("exit 1"), image="app:1")
        arn = (await w.run("app"))["taskArn"]
        assert await health(w, arn, "UNHEALTHY")
        await w.world.ctx.clock.sleep(15)
        assert (await w.task(arn))["lastStatus"] == "RUNNING"


async def test_a_container_waits_until_another_is_healthy() -> None:
    async with ecs_world({"main:1": UNTIL_STOPPED, "sidecar:1": UNTIL_STOPPED}) as w:
        depends = {"dependsOn": [{"containerName": "sidecar", "condition": "HEALTHY"}]}
        await w.register("pair", {**MAIN, **depends}, {**SIDECAR, **checked("exit 0", interval=20)})
        task = await w.running((await w.run("pair"))["taskArn"])

    assert (task["startedAt"] - task["createdAt"]).total_seconds() >= 20


async def test_a_restart_policy_restarts_a_container_in_its_task() -> None:
    program = "import signal; print('up', flush=True); signal.sigtimedwait([signal.SIGTERM], 1.2); raise SystemExit(1)"
    async with ecs_world({"main:1": UNTIL_STOPPED, "sidecar:1": program}) as w:
        policy = {"restartPolicy": {"enabled": True, "restartAttemptPeriod": 60}}
        await w.register("pair", MAIN, {**SIDECAR, **policy})
        task = await w.running((await w.run("pair"))["taskArn"])

        async def twice() -> bool:
            return len(await w.log(task, "sidecar")) >= 2

        assert await eventually(twice)
        assert (await w.task(task["taskArn"]))["lastStatus"] == "RUNNING"


async def test_a_program_learns_which_task_it_is() -> None:
    program = """
import json, os, urllib.request
uri = os.environ["ECS_CONTAINER_METADATA_URI_V4"]
read = lambda url: json.load(urllib.request.urlopen(url))
print(json.dumps([read(uri), read(uri + "/task")]))
"""
    async with ecs_world({"app:1": program}) as w:
        await w.register("app", image="app:1")
        task = await w.stopped((await w.run("app"))["taskArn"])
        container, whole = json.loads((await w.log(task))[0])

    assert whole["TaskARN"] == task["taskArn"]
    assert (whole["Family"], whole["Revision"], whole["LaunchType"]) == ("app", "1", "FARGATE")
    assert container["Name"] == "app"
    assert container["ContainerARN"] == task["containers"][0]["containerArn"]
    assert whole["Containers"] == [container]


@pytest.mark.parametrize("path", ["/v4/nobody", "/v4/nobody/task"])
async def test_metadata_of_an_unknown_container_is_not_found(path: str) -> None:
    import asyncio
    from urllib.error import HTTPError
    from urllib.request import urlopen

    async with ecs_world({}) as w:
        with pytest.raises(HTTPError, match="404"):
            await asyncio.to_thread(urlopen, w.world.url + path)


async def test_output_reaches_the_log_in_order_and_complete() -> None:
    program = "import sys\nfor n in range(5000): print('line', n)\nsys.stdout.write('no newline')"
    async with ecs_world({"app:1": program}) as w:
        await w.register("app", image="app:1")
        task = await w.stopped((await w.run("app"))["taskArn"])
        lines: list[str] = []
        token: dict[str, str] = {}
        while True:
            answer = await w.call(
                "get_log_events",
                "logs",
                logGroupName="/ecs/test",
                logStreamName=f"ecs/app/{task['taskArn'].split('/')[-1]}",
                startFromHead=True,
                **token,
            )
            if not answer["events"]:
                break
            lines += [event["message"] for event in answer["events"]]
            token = {"nextToken": answer["nextForwardToken"]}

    assert lines == [*(f"line {n}" for n in range(5000)), "no newline"]


async def test_utilization_is_measured_from_what_the_tasks_really_use() -> None:
    busy = "print('up', flush=True)\nwhile True: pass"
    async with ecs_world({"busy:1": busy, "idle:1": UNTIL_STOPPED}) as w:
        for name in ("busy", "idle"):
            await w.register(name, image=f"{name}:1")
            await w.create_service(name)
        await w.stable("busy", "idle")
        await w.controller.collect()
        await w.world.ctx.clock.sleep(30)
        data = list(await w.controller.collect())

    found = {(each.name, each.dimensions["ServiceName"]): each.values for each in data}
    assert {each.namespace for each in data} == {"AWS/ECS"}
    assert {each.dimensions["ClusterName"] for each in data} == {"test"}
    assert found["CPUUtilization", "busy"][0] > 50  # a quarter of a CPU is reserved, up to a whole one is used
    assert found["CPUUtilization", "idle"][0] < 20
    assert 0 < found["MemoryUtilization", "idle"][0] < 20


async def test_a_service_without_tasks_has_no_utilization() -> None:
    async with ecs_world({"app:1": UNTIL_STOPPED}) as w:
        await w.register("app", image="app:1")
        await w.create_service("app", count=0)
        assert list(await w.controller.collect()) == []
