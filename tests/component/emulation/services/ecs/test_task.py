"""One task's life, seen through boto3."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.support.ecs import DEAF, LOG_GROUP, UNTIL_STOPPED, EcsWorld, ecs_world, eventually
from tests.support.runtime_conformance import gone

TIMES = (
    *("createdAt", "connectivityAt", "pullStartedAt", "pullStoppedAt", "startedAt"),
    *("stoppingAt", "executionStoppedAt", "stoppedAt"),
)
SAYS_PID = "import os, signal; print(os.getpid(), flush=True)\nwhile True: signal.pause()"


def states(w: EcsWorld, arn: str) -> list[str]:
    return [change.last_status for change in w.changes if change.task_arn == arn]


async def pid_of(w: EcsWorld, task: Any) -> int:
    async def said() -> int | None:
        lines = await w.log(task)
        return int(lines[0]) if lines else None

    return int(await eventually(said))


async def test_a_stopped_task_has_passed_every_state_in_order() -> None:
    async with ecs_world({"app:1": UNTIL_STOPPED}) as w:
        await w.register("app", image="app:1")
        started = await w.run("app")
        assert (started["lastStatus"], started["desiredStatus"]) == ("PROVISIONING", "RUNNING")
        await w.running(started["taskArn"])
        await w.call("stop_task", task=started["taskArn"])
        task = await w.stopped(started["taskArn"])

    assert states(w, task["taskArn"]) == [
        *("PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "STOPPING", "DEPROVISIONING", "STOPPED")
    ]
    times = [task[name] for name in TIMES]
    assert times == sorted(times)
    assert task["stopCode"] == "UserInitiated"
    assert task["stoppedReason"] == "Task stopped by user"
    assert task["desiredStatus"] == "STOPPED"
    assert task["version"] > started["version"]


async def test_a_running_task_shows_where_it_is() -> None:
    async with ecs_world({"app:1": UNTIL_STOPPED}) as w:
        await w.register("app", {"portMappings": [{"containerPort": 3000}]}, image="app:1")
        task = await w.running((await w.run("app"))["taskArn"])

    details = {each["name"]: each["value"] for each in task["attachments"][0]["details"]}
    assert task["attachments"][0]["status"] == "ATTACHED"
    assert details["privateIPv4Address"] == "127.0.0.1"
    assert details["subnetId"] in w.subnets
    assert task["availabilityZone"] in ("us-west-2a", "us-west-2b")
    container = task["containers"][0]
    assert container["networkInterfaces"] == [
        {"attachmentId": task["attachments"][0]["id"], "privateIpv4Address": "127.0.0.1"}
    ]
    assert container["networkBindings"][0]["containerPort"] == 3000
    assert task["connectivity"] == "CONNECTED"
    assert task["platformVersion"] == "1.4.0"
    assert (task["cpu"], task["memory"], task["group"]) == ("256", "512", "family:app")


async def test_a_program_that_exits_stops_its_task() -> None:
    async with ecs_world({"app:1": "import sys; print('done'); sys.exit(7)"}) as w:
        await w.register("app", image="app:1")
        task = await w.stopped((await w.run("app"))["taskArn"])
        log = await w.log(task)

    assert task["stopCode"] == "EssentialContainerExited"
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["containers"][0]["exitCode"] == 7
    assert task["containers"][0]["lastStatus"] == "STOPPED"
    assert log == ["done"]


async def test_a_killed_program_shows_137() -> None:
    async with ecs_world({"app:1": SAYS_PID}) as w:
        await w.register("app", image="app:1")
        task = await w.running((await w.run("app"))["taskArn"])
        os.kill(await pid_of(w, task), signal.SIGKILL)
        stopped = await w.stopped(task["taskArn"])

    assert stopped["containers"][0]["exitCode"] == 137


async def test_sigterm_lets_a_program_say_goodbye() -> None:
    async with ecs_world({"app:1": UNTIL_STOPPED}) as w:
        await w.register("app", image="app:1")
        task = await w.running((await w.run("app"))["taskArn"])
        await eventually(lambda: w.log(task))
        await w.call("stop_task", task=task["taskArn"], reason="enough")
        stopped = await w.stopped(task["taskArn"])
        log = await w.log(stopped)

    assert log == ["up", "bye"]
    assert stopped["stoppedReason"] == "enough"
    assert stopped["containers"][0]["exitCode"] == 0


async def test_a_deaf_program_is_killed_after_its_stop_timeout() -> None:
    async with ecs_world({"app:1": DEAF}) as w:
        await w.register("app", {"stopTimeout": 10}, image="app:1")
        task = await w.running((await w.run("app"))["taskArn"])
        await eventually(lambda: w.log(task))
        await w.call("stop_task", task=task["taskArn"])
        stopped = await w.stopped(task["taskArn"])

    took = (stopped["executionStoppedAt"] - stopped["stoppingAt"]).total_seconds()
    assert stopped["containers"][0]["exitCode"] == 137
    assert 120 <= took < 600  # two wall seconds: what programs get at least while the clock runs fast


async def test_an_image_without_a_program_fails_the_task_and_says_what_to_do() -> None:
    async with ecs_world({}) as w:
        await w.register("app", image="web:2")
        task = await w.stopped((await w.run("app"))["taskArn"])

    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith(
        "CannotPullContainerError: no program for image web:2 in the process runtime"
    )
    assert "[programs] in kit.toml" in task["stoppedReason"]
    assert task["containers"][0]["reason"] == task["stoppedReason"]
    assert "startedAt" not in task
    assert "exitCode" not in task["containers"][0]


async def test_a_program_that_is_not_there_cannot_be_started() -> None:
    async with ecs_world({"app:1": ""}) as w:
        await w.register("app", {"entryPoint": ["/no/such/program"]}, image="app:1")
        task = await w.stopped((await w.run("app"))["taskArn"])

    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotStartContainerError: ")
    assert '"/no/such/program": executable file not found in $PATH' in task["stoppedReason"]


async def test_a_task_for_which_there_is_no_place_fails_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ecs_world({"app:1": UNTIL_STOPPED}) as w:
        await w.register("app", {"portMappings": [{"containerPort": 8080}]}, image="app:1")
        monkeypatch.setattr("webordinary_testkit.emulation.services.ecs.ports._is_free", lambda port: False)
        task = await w.stopped((await w.run("app"))["taskArn"])

    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith(
        "ResourceInitializationError: no place can be made for the task: no free port between"
    )


async def test_a_missing_log_group_fails_the_task() -> None:
    async with ecs_world({"app:1": UNTIL_STOPPED}) as w:
        await w.call("delete_log_group", "logs", logGroupName=LOG_GROUP)
        await w.register("app", image="app:1")
        task = await w.stopped((await w.run("app"))["taskArn"])

    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith(
        "ResourceInitializationError: failed to validate logger args: create stream"
    )
    assert "The specified log group does not exist" in task["stoppedReason"]


async def test_secrets_reach_the_environment_and_missing_ones_fail_the_task() -> None:
    program = "import os; print(os.environ['PASSWORD'], os.environ['KEY'])"
    async with ecs_world({"app:1": program}) as w:
        await w.call("put_parameter", "ssm", Name="/app/password", Value="hunter2", Type="SecureString")
        secret = await w.call("create_secret", "secretsmanager", Name="key", SecretString='{"id": "k1"}')
        secrets = [
            {"name": "PASSWORD", "valueFrom": "arn:aws:ssm:us-west-2:123456789012:parameter/app/password"},
            {"name": "KEY", "valueFrom": f"{secret['ARN']}:id::"},
        ]
        await w.register("app", {"secrets": secrets}, image="app:1")
        await w.register("bad", {"secrets": [{"name": "X", "valueFrom": "/not/there"}]}, image="app:1")
        good = await w.stopped((await w.run("app"))["taskArn"])
        bad = await w.stopped((await w.run("bad"))["taskArn"])
        log = await w.log(good)

    assert log == ["hunter2 k1"]
    assert bad["stopCode"] == "TaskFailedToStart"
    assert "invalid ssm parameters: /not/there" in bad["stoppedReason"]


async def test_overrides_change_command_and_environment_of_one_task_only() -> None:
    program = "import os, sys; print(sys.argv[1:], os.environ.get('COLOUR'))"
    async with ecs_world({"app:1": program}) as w:
        container = {"command": ["usual"], "environment": [{"name": "COLOUR", "value": "red"}]}
        await w.register("app", container, image="app:1")
        override = {"name": "app", "command": ["other"], "environment": [{"name": "COLOUR", "value": "blue"}]}
        changed = await w.stopped((await w.run("app", overrides={"containerOverrides": [override]}))["taskArn"])
        usual = await w.stopped((await w.run("app"))["taskArn"])
        logs = [await w.log(changed), await w.log(usual)]

    assert logs == [["['other'] blue"], ["['usual'] red"]]
    assert changed["overrides"]["containerOverrides"] == [override]


async def test_a_task_finds_the_cloud_and_its_clock_in_its_environment() -> None:
    program = "import os, json; print(json.dumps(dict(os.environ)))"
    async with ecs_world({"app:1": program}, scale=30) as w:
        import json

        await w.register("app", {"environment": [{"name": "AWS_REGION", "value": "eu-west-1"}]}, image="app:1")
        task = await w.stopped((await w.run("app"))["taskArn"])
        environment = json.loads((await w.log(task))[0])

    assert environment["AWS_ENDPOINT_URL"] == w.world.url
    assert environment["CLOCK_SCALE"] == "30"
    assert float(environment["CLOCK_ORIGIN"]) == pytest.approx(w.world.ctx.clock.origin)
    assert environment["AWS_REGION"] == "eu-west-1"  # the task definition's word counts
    assert environment["AWS_DEFAULT_REGION"] == "us-west-2"


async def test_a_tasks_calls_are_known_as_its_own_until_it_stops() -> None:
    program = UNTIL_STOPPED.replace('print("up"', 'import os; print(os.environ["AWS_ACCESS_KEY_ID"]')
    async with ecs_world({"app:1": program}) as w:
        await w.register("app", image="app:1")
        task = await w.running((await w.run("app"))["taskArn"])
        key = (await eventually(lambda: w.log(task)))[0]
        caller = w.world.cloud.keys.caller(key)
        await w.call("stop_task", task=task["taskArn"])
        await w.stopped(task["taskArn"])
        with pytest.raises(Exception, match="ExpiredToken"):
            w.world.cloud.keys.caller(key)

    assert (caller.kind, caller.name) == ("task", task["taskArn"])


async def test_a_task_stopped_while_it_starts_never_runs() -> None:
    async with ecs_world({"app:1": UNTIL_STOPPED}) as w:
        await w.register("app", image="app:1")
        aws = w.world.aws
        started = await aws.call(
            "ecs",
            "RunTask",
            cluster="test",
            taskDefinition="app",
            launchType="FARGATE",
            networkConfiguration=w.network,
        )
        arn = started["tasks"][0]["taskArn"]
        await aws.call("ecs", "StopTask", cluster="test", task=arn)
        await w.stopped(arn)

    assert "RUNNING" not in states(w, arn)
    assert states(w, arn)[-1] == "STOPPED"


async def test_the_end_of_the_cloud_is_the_end_of_its_tasks() -> None:
    async with ecs_world({"app:1": SAYS_PID}) as w:
        await w.register("app", image="app:1")
        task = await w.running((await w.run("app"))["taskArn"])
        pid = await pid_of(w, task)
    assert await gone(pid)


async def test_the_tasks_folder_is_gone_when_it_has_stopped() -> None:
    async with ecs_world({"app:1": "open('litter', 'w').write('x')"}) as w:
        await w.register("app", image="app:1")
        await w.stopped((await w.run("app"))["taskArn"])
        assert list((w.world.workdir / "tasks").iterdir()) == []


async def test_a_stopped_task_can_be_described_for_an_hour_of_aws_time() -> None:
    async with ecs_world({"app:1": ""}, scale=36_000) as w:  # an hour is 100 ms
        await w.register("app", image="app:1")
        arn = (await w.run("app"))["taskArn"]

        async def forgotten() -> bool:
            answer = await w.call("describe_tasks", tasks=[arn])
            return bool(answer["failures"] and answer["failures"][0] == {"arn": arn, "reason": "MISSING"})

        assert await eventually(forgotten)
