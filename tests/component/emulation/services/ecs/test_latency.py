"""The delays of a task are seen from outside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.ecs import UNTIL_STOPPED, eventually
from tests.support.stacks import Stacks, whole_cloud

SAID = 'source = "this test", date = "2026-12"'
DELAYS = {
    "ecs.task.provisioning": 40,
    "ecs.task.image_pull": 50,
    "ecs.task.start": 60,
    "ecs.task.deprovisioning": 45,
    "ecs_exec.agent": 55,
}


async def test_a_task_takes_as_long_as_the_profile_says(tmp_path: Path) -> None:
    profile = tmp_path / "slow.toml"
    lines = (f'"{name}" = {{ constant = {seconds}, {SAID} }}\n' for name, seconds in DELAYS.items())
    profile.write_text("[delays]\n" + "".join(lines), encoding="utf-8")
    program = ["python3", "-c", UNTIL_STOPPED]
    async with whole_cloud({"app:1": program}, scale=200, latency=str(profile)) as cloud:
        call = cloud.aws.call
        await call("ecs", "CreateCluster", clusterName="apps")
        await call(
            "ecs",
            "RegisterTaskDefinition",
            family="app",
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": "app", "image": "app:1", "stopTimeout": 2}],
        )
        vpc = (await call("ec2", "CreateVpc", CidrBlock="10.1.0.0/16"))["Vpc"]["VpcId"]
        subnet = (await call("ec2", "CreateSubnet", VpcId=vpc, CidrBlock="10.1.0.0/24"))["Subnet"]["SubnetId"]
        started = await call(
            "ecs",
            "RunTask",
            cluster="apps",
            taskDefinition="app",
            launchType="FARGATE",
            enableExecuteCommand=True,
            networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
        )
        arn = started["tasks"][0]["taskArn"]
        task = await _once(cloud, arn, lambda it: it["containers"][0]["managedAgents"][0]["lastStatus"] == "RUNNING")
        agent = task["containers"][0]["managedAgents"][0]["lastStartedAt"]
        await call("ecs", "StopTask", cluster="apps", task=arn)
        task = await _once(cloud, arn, lambda it: it["lastStatus"] == "STOPPED")
    spans = {
        "ecs.task.provisioning": (task["createdAt"], task["connectivityAt"]),
        "ecs.task.image_pull": (task["pullStartedAt"], task["pullStoppedAt"]),
        "ecs.task.start": (task["pullStoppedAt"], task["startedAt"]),
        "ecs.task.deprovisioning": (task["executionStoppedAt"], task["stoppedAt"]),
        "ecs_exec.agent": (task["startedAt"], agent),
    }
    seen = {name: round((ended - began).total_seconds(), 1) for name, (began, ended) in spans.items()}
    short = {name: (seen[name], seconds) for name, seconds in DELAYS.items() if seen[name] < seconds - 5}
    assert short == {}


async def _once(cloud: Stacks, arn: str, holds: Callable[[Any], bool]) -> Any:
    """The task, once that holds for it."""
    found: list[Any] = []

    async def probe() -> bool:
        found[:] = (await cloud.aws.call("ecs", "DescribeTasks", cluster="apps", tasks=[arn]))["tasks"]
        return holds(found[0])

    await eventually(probe)
    return found[0]
