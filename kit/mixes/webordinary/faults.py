"""The faults of Webordinary's mixes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from ...backends import capability
from ...faults import ApiError, ApiLatency, KillProcess, PauseTask, StopTask, Throttle
from ...faults.fault import Fault
from ...harness import Harness
from ...system.facts import Service
from ..subject import FaultKind

Make = Callable[[Harness, int], Awaitable[Fault | None]]


def _of_task(service: Service, fault: Callable[[str], Fault]) -> Make:
    """A fault of the running task that started last; None when none runs."""

    async def make(h: Harness, seed: int) -> Fault | None:
        running = await h.services.running(service)
        if not running:
            return None
        newest = max(running, key=lambda task: task["startedAt"])
        return fault(str(newest["taskArn"]))

    return make


def _of_calls(fault: Callable[[int], Fault]) -> Make:
    async def make(h: Harness, seed: int) -> Fault | None:
        return fault(seed)

    return make


FAULTS: Mapping[str, FaultKind] = {
    "kill_edit": FaultKind(
        "the program of an edit task is killed", _of_task("edit", KillProcess), (capability.FAULT_TASK,)
    ),
    "kill_hermes": FaultKind("Hermes is killed", _of_task("hermes", KillProcess), (capability.FAULT_TASK,)),
    "stop_edit": FaultKind("an edit task is stopped", _of_task("edit", StopTask), (capability.FAULT_TASK,)),
    "pause_edit": FaultKind("an edit task is paused", _of_task("edit", PauseTask), (capability.FAULT_PAUSE,)),
    "throttle": FaultKind(
        "DynamoDB refuses every other call",
        _of_calls(lambda seed: Throttle("dynamodb", probability=0.5, seed=seed)),
        (capability.FAULT_THROTTLE,),
    ),
    "slow_dynamodb": FaultKind(
        "DynamoDB answers 2 s late",
        _of_calls(lambda seed: ApiLatency("dynamodb", seconds=2.0)),
        (capability.FAULT_API,),
    ),
    "sqs_errors": FaultKind(
        "half of the calls of SQS fail with status 500",
        _of_calls(lambda seed: ApiError("sqs", probability=0.5, seed=seed)),
        (capability.FAULT_API,),
    ),
}
