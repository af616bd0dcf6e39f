"""The cost records in the history, written by the observer and read by the meter.

cost.stack      the fixed resources, and the start of their cost
cost.task       one task as ECS describes it; the last record of a task counts
cost.points     a CloudWatch metric's sums, minute by minute; a later value of a minute replaces an earlier one
cost.stored     stored bytes
cost.count      counted by the caller: mails sent, metrics read, action minutes of faults
cost.scenario   a scenario's time, recorded at its end
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..core.history import History

STACK, TASK, POINTS, STORED = "cost.stack", "cost.task", "cost.points", "cost.stored"
COUNT, SCENARIO = "cost.count", "cost.scenario"


@dataclass(frozen=True)
class TaskUsage:
    """One Fargate task, times in AWS epoch seconds."""

    arn: str
    service: str
    vcpu: float
    memory_gb: float
    began: float
    """Start of the image pull, from which the task is charged."""
    ended: float | None = None
    """None while it runs."""
    arm: bool = False
    extra_storage_gb: float = 0.0
    """Ephemeral storage above the included 20 GB."""
    public: bool = True
    """Whether it has a public IPv4 address."""

    @classmethod
    def described(cls, task: Mapping[str, Any], *, public: bool = True) -> TaskUsage | None:
        """From DescribeTasks; None before the image pull, which is free."""
        if "pullStartedAt" not in task:
            return None
        attributes = {one["name"]: one.get("value") for one in task.get("attributes", ())}
        ended = task.get("stoppedAt")
        return cls(
            arn=task["taskArn"],
            service=task.get("group", "").removeprefix("service:"),
            vcpu=int(task.get("cpu", 0)) / 1024,
            memory_gb=int(task.get("memory", 0)) / 1024,
            began=task["pullStartedAt"].timestamp(),
            ended=None if ended is None else ended.timestamp(),
            arm=attributes.get("ecs.cpu-architecture") == "arm64",
            extra_storage_gb=max(0.0, task.get("ephemeralStorage", {}).get("sizeInGiB", 20) - 20),
            public=public,
        )

    def record(self, history: History) -> None:
        value = asdict(self)
        del value["arn"]
        history.note(TASK, value=value, task=self.arn)


def record_count(history: History, price: str, quantity: float, what: str) -> None:
    """Records a quantity with a price, in the price's unit, for the running scenario, if any."""
    history.note(COUNT, value={"quantity": quantity, "what": what}, price=price)
