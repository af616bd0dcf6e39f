"""The cases of the conformance suite: what every runtime has, and what only containers have."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from tests.support.ecs import eventually
from tests.support.fault_conformance import NOBODY, Case, Probe
from tests.support.faults import CLUSTER, SERVICE, SHARED, Place
from webordinary_testkit.emulation.gateway import dispatch
from webordinary_testkit.emulation.services.ecs.api import services
from webordinary_testkit.emulation.services.ecs.docker.container import EngineContainer
from webordinary_testkit.emulation.services.ecs.docker.volumes import Volumes
from webordinary_testkit.emulation.services.ecs.scheduler import Scheduler
from webordinary_testkit.emulation.services.elbv2.links import Disturbance, Links
from webordinary_testkit.kit.faults import (
    ApiError,
    ApiLatency,
    CrashAtStart,
    CutFromAws,
    CutFromLoadBalancer,
    CutNetwork,
    FillVolume,
    KillProcess,
    MissingImage,
    NetworkLatency,
    PacketLoss,
    PauseTask,
    SlowStart,
    StarveCpu,
    StopTask,
    Throttle,
    UseUpMemory,
    kill_process,
    use_up_memory,
)


def _as_task(within: float = 2.0) -> Probe:
    return lambda p, task: p.call_as_task(task, within)


async def _get(p: Place, _: str) -> str:
    return await p.get()


async def _is_running(p: Place, task: str) -> str:
    return "runs" if await p.status(task) == "RUNNING" else "does not run"


async def _pace(p: Place, task: str) -> str:
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await p.call_as_task(task) == "ok"
    return "slow" if loop.time() - began >= 0.5 else "fast"


async def _get_pace(p: Place, _: str) -> str:
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await p.get() == "200"
    return "slow" if loop.time() - began >= 0.3 else "fast"


async def _start(p: Place, _: str) -> str:
    """What became of the tasks of the service's latest deployment: they start, late, or fail."""

    async def look() -> str | None:
        answer = await p.aws.call("ecs", "describe_services", cluster=CLUSTER, services=[SERVICE])
        latest = answer["services"][0]["deployments"][0]
        if latest["rolloutState"] != "COMPLETED":
            return "fails" if latest["failedTasks"] else None
        arns = (await p.aws.call("ecs", "list_tasks", cluster=CLUSTER, serviceName=SERVICE))["taskArns"]
        tasks = [await p.context.task(arn) for arn in arns]
        newest = max((each for each in tasks if "startedAt" in each), key=lambda each: each["startedAt"])
        return "starts late" if (newest["startedAt"] - newest["pullStoppedAt"]).total_seconds() >= LATE else "starts"

    return str(await eventually(look, within=30))


async def _work(p: Place, task: str) -> str:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await p.context.run(task, "edit", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
    return "slow" if loop.time() - began >= 0.5 else "fast"


async def _write(p: Place, task: str) -> str:
    said = await p.context.run(task, "edit", f"(head -c 5000 /dev/zero > {SHARED}/file) 2>&1; rm -f {SHARED}/file")
    return "full" if "No space left on device" in said.output else "writes" if not said.output else said.output


LATE = 90.0
"""AWS seconds; more than a start takes."""

EVERYWHERE: Mapping[str, Case] = {
    "Throttle": Case(
        make=lambda _: Throttle("dynamodb", by="tasks"),
        probe=_as_task(),
        before="ok",
        during="ProvisionedThroughputExceededException",
        unknown=Throttle("dynamo"),
        complaint="botocore knows no service named 'dynamo'",
        spoilt=(dispatch, "_intercept"),
    ),
    "ApiError": Case(
        make=lambda task: ApiError("dynamodb", "GetItem", by=task),
        probe=_as_task(),
        before="ok",
        during="InternalServerError",
        unknown=ApiError("dynamodb", "GetItems"),
        complaint="dynamodb has no operation named 'GetItems', did you mean 'GetItem'?",
        spoilt=(dispatch, "_intercept"),
    ),
    "ApiLatency": Case(
        make=lambda _: ApiLatency("dynamodb", seconds=30.0, by="edit"),
        probe=_pace,
        before="fast",
        during="slow",
        unknown=ApiLatency("dynamodb", by="nobody"),
        complaint="by='nobody' is no caller",
        spoilt=(dispatch, "_intercept"),
    ),
    "CutFromAws": Case(
        make=CutFromAws,
        probe=_as_task(0.3),
        before="ok",
        during="silent",
        unknown=CutFromAws(NOBODY),
        complaint=f"there is no task {NOBODY}",
        spoilt=(dispatch, "_intercept"),
    ),
    "CutFromAws, reset": Case(
        make=lambda task: CutFromAws(task, how="reset"),
        probe=_as_task(),
        before="ok",
        during="reset",
        unknown=CutFromAws(NOBODY, how="reset"),
        complaint=f"there is no task {NOBODY}",
        spoilt=(dispatch, "_intercept"),
    ),
    "CutFromLoadBalancer": Case(
        make=CutFromLoadBalancer,
        probe=_get,
        before="200",
        during="504",
        unknown=CutFromLoadBalancer("127.0.0.1:1"),
        complaint="127.0.0.1:1 is no target of the stack's load balancer",
        spoilt=(Links, "reach"),
    ),
    "CutFromLoadBalancer, refuse": Case(
        make=lambda task: CutFromLoadBalancer(task, how="refuse"),
        probe=_get,
        before="200",
        during="502",
        unknown=CutFromLoadBalancer(NOBODY),
        complaint=f"there is no task {NOBODY}",
        spoilt=(Links, "reach"),
    ),
    "StopTask": Case(
        make=StopTask,
        probe=_is_running,
        before="runs",
        during="does not run",
        unknown=StopTask(NOBODY),
        complaint=f"there is no task {NOBODY}",
        spoilt=(Scheduler, "stop_task"),
        after="does not run",
    ),
    "NetworkLatency": Case(
        make=lambda task: NetworkLatency(task, seconds=30.0, jitter=3.0),
        probe=_get_pace,
        before="fast",
        during="slow",
        unknown=NetworkLatency(NOBODY),
        complaint=f"there is no task {NOBODY}",
        spoilt=(Disturbance, "hold"),
    ),
    "PacketLoss": Case(
        make=lambda task: PacketLoss(task, probability=1.0),
        probe=_get,
        before="200",
        during="504",
        unknown=PacketLoss(NOBODY),
        complaint=f"there is no task {NOBODY}",
        spoilt=(Disturbance, "hold"),
    ),
    "MissingImage": Case(
        make=lambda _: MissingImage("edit"),
        probe=_start,
        before="starts",
        during="fails",
        unknown=MissingImage("nobody"),
        complaint="there is no service 'nobody'",
        spoilt=(services, "deploy"),
    ),
    "CrashAtStart": Case(
        make=lambda _: CrashAtStart("edit", exit_code=3),
        probe=_start,
        before="starts",
        during="fails",
        unknown=CrashAtStart("nobody"),
        complaint="there is no service 'nobody'",
        spoilt=(services, "deploy"),
    ),
    "SlowStart": Case(
        make=lambda _: SlowStart("edit", seconds=LATE),
        probe=_start,
        before="starts",
        during="starts late",
        unknown=SlowStart("nobody"),
        complaint="there is no service 'nobody'",
        spoilt=(services, "deploy"),
    ),
}
"""All but those of single processes, see `of_processes`."""


def of_processes(running: type[Any]) -> Mapping[str, Case]:
    """Cases of a runtime whose `Running` is this class."""
    return {
        "PauseTask": Case(
            make=PauseTask,
            probe=lambda p, task: p.ask(task),
            before="answers",
            during="silent",
            unknown=PauseTask(NOBODY),
            complaint=f"there is no task {NOBODY}",
            spoilt=(running, "pause"),
        ),
        "KillProcess": Case(
            make=KillProcess,
            probe=_is_running,
            before="runs",
            during="does not run",
            unknown=KillProcess(NOBODY),
            complaint=f"there is no task {NOBODY}",
            spoilt=(kill_process, "kill_by"),
            after="does not run",
        ),
    }


OF_CONTAINERS: Mapping[str, Case] = {
    "UseUpMemory": Case(
        make=UseUpMemory,
        probe=_is_running,
        before="runs",
        during="does not run",
        unknown=UseUpMemory(NOBODY),
        complaint=f"there is no task {NOBODY}",
        spoilt=(use_up_memory, "kill_by"),
        after="does not run",
    ),
    "StarveCpu": Case(
        make=StarveCpu,
        probe=_work,
        before="fast",
        during="slow",
        unknown=StarveCpu(NOBODY),
        complaint=f"there is no task {NOBODY}",
        spoilt=(EngineContainer, "allow_cpus"),
    ),
    "CutNetwork": Case(
        make=CutNetwork,
        probe=lambda p, task: p.ask(task),
        before="answers",
        during="refused",
        unknown=CutNetwork(NOBODY),
        complaint=f"there is no task {NOBODY}",
        spoilt=(EngineContainer, "unplug"),
    ),
    "FillVolume": Case(
        make=FillVolume,
        probe=_write,
        before="writes",
        during="full",
        unknown=FillVolume(NOBODY),
        complaint=f"there is no task {NOBODY}",
        spoilt=(Volumes, "fill"),
    ),
}
