"""Nothing of a task survives the cloud, however that ends."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from tests.support.ecs import client_of, eventually
from tests.support.runtime_conformance import gone

FAMILY = """
import os, signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"])
print(os.getpid(), child.pid, flush=True)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    signal.pause()
"""


@asynccontextmanager
async def whole_cloud() -> AsyncIterator[tuple[asyncio.subprocess.Process, Any]]:
    """`python -m emulation` in a process of its own, and what makes boto3 clients of it."""
    config = {"insecure_keys": "test", "programs": {"app:1": [sys.executable, "-S", "-c", FAMILY]}}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "webordinary_testkit.emulation", "--config", json.dumps(config)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())

    try:
        yield process, partial(client_of, ready["aws"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def run_task(client: Any) -> None:
    ec2, ecs = client("ec2"), client("ecs")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    client("logs").create_log_group(logGroupName="/g")
    options = {"awslogs-group": "/g", "awslogs-region": "us-west-2", "awslogs-stream-prefix": "p"}
    ecs.create_cluster(clusterName="c")
    ecs.register_task_definition(
        family="app",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn="arn:aws:iam::123456789012:role/r",
        containerDefinitions=[
            {"name": "app", "image": "app:1", "logConfiguration": {"logDriver": "awslogs", "options": options}}
        ],
    )
    ecs.run_task(
        cluster="c",
        taskDefinition="app",
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
    )


def said(client: Any) -> list[int]:
    """The process ids that the task wrote into its log."""
    events = client("logs").filter_log_events(logGroupName="/g")["events"]
    return [int(pid) for event in events for pid in event["message"].split()]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, None], ids=["killed", "terminated", "parent gone"])
async def test_the_end_of_the_cloud_ends_tasks_and_their_children(end: signal.Signals | None) -> None:
    async with whole_cloud() as (process, client):
        await asyncio.to_thread(run_task, client)
        pids = await eventually(lambda: asyncio.to_thread(said, client))
        assert len(pids) == 2
        if end is not None:
            process.send_signal(end)
        else:
            assert process.stdin is not None
            process.stdin.close()
        assert [await gone(pid) for pid in pids] == [True, True]
        assert await asyncio.wait_for(process.wait(), 10) == (-signal.SIGKILL if end is signal.SIGKILL else 0)
