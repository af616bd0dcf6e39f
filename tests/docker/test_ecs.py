"""ECS with containers, from RunTask to the stopped task: what AWS shows of them is shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from tests.support.engine import BASE
from tests.support.runtime_conformance import eventually
from webordinary_testkit.emulation.cloud import Cloud
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.core.controller import Aws
from webordinary_testkit.emulation.wiring import everything


class Account:
    """A cloud whose tasks are containers, with a cluster, a subnet and a log group."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.aws: Aws = cloud.context("test").aws
        self.subnet = ""

    async def prepare(self) -> None:
        vpc = (await self.aws.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16"))["Vpc"]["VpcId"]
        made = await self.aws.call("ec2", "CreateSubnet", VpcId=vpc, CidrBlock="10.0.1.0/24")
        self.subnet = made["Subnet"]["SubnetId"]
        await self.aws.call("logs", "CreateLogGroup", logGroupName="/tasks")
        await self.aws.call("ecs", "CreateCluster", clusterName="c")

    async def run(self, *containers: Mapping[str, Any], **definition: Any) -> str:
        """The ARN of a task of these containers."""
        logs = {"awslogs-group": "/tasks", "awslogs-region": "us-west-2", "awslogs-stream-prefix": "t"}
        await self.aws.call(
            "ecs",
            "RegisterTaskDefinition",
            family="t",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            executionRoleArn="arn:aws:iam::123456789012:role/execution",
            containerDefinitions=[
                {"image": "base:1", "logConfiguration": {"logDriver": "awslogs", "options": logs}, **each}
                for each in containers
            ],
            **definition,
        )
        network = {"awsvpcConfiguration": {"subnets": [self.subnet]}}
        answer = await self.aws.call(
            "ecs", "RunTask", cluster="c", taskDefinition="t", launchType="FARGATE", networkConfiguration=network
        )
        return str(answer["tasks"][0]["taskArn"])

    async def stopped(self, task: str) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            shown: dict[str, Any] = (await self.aws.call("ecs", "DescribeTasks", cluster="c", tasks=[task]))["tasks"][0]
            return shown if shown["lastStatus"] == "STOPPED" else None

        found: dict[str, Any] = await eventually(look, within=30)
        return found

    async def said(self, task: str, container: str) -> list[str]:
        stream = f"t/{container}/{task.rpartition('/')[2]}"
        answer = await self.aws.call("logs", "GetLogEvents", logGroupName="/tasks", logStreamName=stream)
        return [event["message"] for event in answer["events"]]


@pytest_asyncio.fixture
async def account() -> AsyncIterator[Account]:
    cloud = Cloud(CloudConfig(insecure_keys="test", scale=60, runtime="docker", images={"base:1": BASE}), everything)
    await cloud.start()
    try:
        made = Account(cloud)
        await made.prepare()
        yield made
    finally:
        await cloud.stop()


def shell(name: str, script: str, **settings: Any) -> dict[str, Any]:
    return {"name": name, "command": ["/bin/sh", "-c", script], **settings}


async def test_a_container_that_needs_too_much_memory_is_shown_as_aws_shows_it(account: Account) -> None:
    task = await account.stopped(
        await account.run(shell("hog", "exec python3 -c \"x = b'x' * (200 << 20)\"", memory=32))
    )
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["containers"][0]["exitCode"] == 137
    assert task["containers"][0]["reason"] == "OutOfMemoryError: Container killed due to memory usage"


async def test_output_comes_into_the_log_and_the_metadata_tell_of_the_task(account: Account) -> None:
    fetch = (
        "import json, os, urllib.request as u; "
        "print(json.load(u.urlopen(os.environ['ECS_CONTAINER_METADATA_URI_V4'] + '/task'))['TaskARN'])"
    )
    task = await account.run(
        shell("one", f'echo "hello $NAME"; python3 -c "{fetch}"', environment=[{"name": "NAME", "value": "you"}])
    )
    assert (await account.stopped(task))["containers"][0]["exitCode"] == 0
    assert await account.said(task, "one") == ["hello you", task]


async def test_containers_of_a_task_start_in_order_and_talk_over_localhost(account: Account) -> None:
    serve = "exec python3 -m http.server 8080 -d /shared"
    fetch = "import urllib.request as u; print(u.urlopen('http://localhost:8080/file').read().decode())"
    check = "python3 -c \"import urllib.request as u; u.urlopen('http://localhost:8080/')\""
    shared = [{"sourceVolume": "shared", "containerPath": "/shared"}]
    task = await account.run(
        shell("first", "echo from first > /shared/file", essential=False, mountPoints=shared),
        shell(
            "server",
            serve,
            essential=False,
            mountPoints=shared,
            portMappings=[{"containerPort": 8080}],
            dependsOn=[{"containerName": "first", "condition": "SUCCESS"}],
            healthCheck={"command": ["CMD-SHELL", check], "interval": 5, "retries": 10, "startPeriod": 300},
        ),
        shell("client", f'python3 -c "{fetch}"', dependsOn=[{"containerName": "server", "condition": "HEALTHY"}]),
        volumes=[{"name": "shared"}],
    )
    shown = {each["name"]: each for each in (await account.stopped(task))["containers"]}
    assert shown["client"]["exitCode"] == 0, shown
    assert (await account.said(task, "client"))[0] == "from first"


async def test_two_containers_whose_port_another_program_took_are_no_defect_of_the_kits(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped = [{"containerPort": 8080}]
    thief = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with thief:
        port = thief.sockets[0].getsockname()[1]
        with monkeypatch.context() as patch:
            patch.setattr(
                "webordinary_testkit.emulation.services.ecs.ports.Ports.take", lambda _: port
            )  # it looked before the program came
            arn = await account.run(shell("a", "true", portMappings=mapped), shell("b", "true"))
            task = await account.stopped(arn)
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("ResourceInitializationError: no place can be made for the task: ")
    assert "address already in use. Another program took the port" in task["stoppedReason"]
    next_one = await account.stopped(await account.run(shell("a", "true", portMappings=mapped), shell("b", "true")))
    assert next_one["stopCode"] == "EssentialContainerExited"
