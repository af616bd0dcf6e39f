"""One task reaches AWS no more: none of its calls gets an answer. Everybody else's do.

    task --X--> gateway        another task, the kit --> gateway

The emulated cloud knows the task by its access key, takes also the answers of calls under way (a long poll for
messages), and counts. Live it is FIS aws:ecs:task-network-blackhole-port (egress, 443) on a task with
enableFaultInjection, or the same by the agent's fault endpoint through ECS Exec; a security group without egress would
cut all tasks of its service.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from kit.backends.capability import FAULT_NETWORK
from kit.faults.by_door import ByDoor
from kit.faults.fault import Effect, Shows
from kit.faults.site import Site


@dataclass(frozen=True)
class CutFromAws:
    """Cut a task off from AWS."""

    task: str
    """The task's ARN."""
    how: Literal["silence", "reset"] = "silence"
    """Packets vanish and calls hang until it is undone, or connections break at once."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_NETWORK,)
    shows: ClassVar[Shows] = Shows.BY_USE
    within: ClassVar[float] = 60.0

    @property
    def target(self) -> str:
        return self.task

    async def inject(self, site: Site) -> Effect:
        await site.running_task(self.task)
        settings = {"task": self.task, "how": self.how}
        return await ByDoor.inject(site, "cut-from-aws", settings, did="cut", what="call(s) without an answer")
