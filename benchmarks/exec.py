"""ECS Exec: one command's round trip in a running task."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.figures import Figure
from benchmarks.processes import Running, emulated_cloud
from webordinary_testkit.kit.ecs_exec import EcsExec

_SLEEPER = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); signal.pause()"


def measure() -> Iterator[Figure]:
    with emulated_cloud(programs={"sleeper:1": [sys.executable, "-c", _SLEEPER]}) as cloud:
        task = _running_task(cloud)
        ecs = cloud.client("ecs")
        ecs.list_clusters()
        seconds = asyncio.run(_runs(EcsExec(ecs, "bench"), task))
        yield Figure("ECS Exec, one command there and back", statistics.median(seconds) * 1000, "ms", 60)


async def _runs(exec_: EcsExec, task: str) -> list[float]:
    taken = []
    for number in range(30):
        result = await exec_.run(task, f"echo {number}")
        if result.output != str(number):
            raise RuntimeError(f"expected {number}, got {result.output!r}")
        taken.append(result.seconds)
    return taken


def _running_task(cloud: Running) -> str:
    ec2, ecs = cloud.client("ec2"), cloud.client("ecs")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    ecs.create_cluster(clusterName="bench")
    definition: dict[str, Any] = {"name": "sleeper", "image": "sleeper:1", "essential": True}
    ecs.register_task_definition(
        family="sleeper",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[definition],
    )
    task: str = ecs.run_task(
        cluster="bench",
        taskDefinition="sleeper",
        launchType="FARGATE",
        enableExecuteCommand=True,
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
    )["tasks"][0]["taskArn"]
    deadline = time.monotonic() + 20
    while ecs.describe_tasks(cluster="bench", tasks=[task])["tasks"][0]["lastStatus"] != "RUNNING":
        if time.monotonic() > deadline:
            raise TimeoutError("the benchmark's task did not start")
        time.sleep(0.02)
    return task
