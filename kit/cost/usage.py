"""What the observer writes into the history, and the meter reads out of it again.

cost.stack      the standing resources, and since when they stand
cost.task       one task as ECS describes it; the last one of a task counts
cost.points     a CloudWatch metric's sums, minute by minute; a later value of a minute replaces an earlier one
cost.stored     bytes kept somewhere
cost.count      something counted by whoever did it: mails sent, metrics read, action minutes of faults
cost.scenario   a scenario's time, told at its end
cost.end        the time up to which all of this holds
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..core.history import History

STACK, TASK, POINTS, STORED = "cost.stack", "cost.task", "cost.points", "cost.stored"
COUNT, SCENARIO, END = "cost.count", "cost.scenario", "cost.end"


@dataclass(frozen=True)
class Task:
    """One Fargate task, times in AWS epoch seconds."""

    arn: str
    service: str
    vcpu: float
    memory_gb: float
    began: float
    """When the pull of its image began: from here on it is charged."""
    ended: float | None = None
    """None while it runs."""
    arm: bool = False
    extra_storage_gb: float = 0.0
    """Ephemeral storage above the 20 GB that are included."""
    public: bool = True
    """Whether it has a public address."""

    @classmethod
    def described(cls, task: Mapping[str, Any], *, public: bool = True) -> Task | None:
        """From DescribeTasks; None for a task that has not begun to pull its image: it is charged nothing yet."""
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
    """Count something that has a price; for the scenario under way, or for none. `quantity` in the price's unit."""
    history.note(COUNT, value={"quantity": quantity, "what": what}, price=price)


def record_action_minutes(history: History, minutes: float, what: str) -> None:
    """Count the action minutes of a Fault Injection Service experiment; for who injects by it."""
    record_count(history, "fault_action_minute", minutes, what)
