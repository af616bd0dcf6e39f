"""The load balancer reaches one target no more, while the target itself is well.

    ALB --X--> target     requests: 504 (silence) or 502 (refused); health checks fail, twice --> unhealthy
                          --> ECS replaces the task

The emulated load balancer is cut at the link to this target: connections that come later, not those that are open.
Live it is a security group rule less (the load balancer's, on the tasks' group; it cuts all tasks of the service),
or FIS aws:ecs:task-network-blackhole-port (ingress, the container's port) on a task with enableFaultInjection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from kit.backends.capability import FAULT_NETWORK
from kit.errors import UsageError
from kit.faults.by_door import ByDoor
from kit.faults.fault import Effect, Seen, Shows
from kit.faults.site import Site
from kit.system import SERVICES


@dataclass(frozen=True)
class CutFromLoadBalancer:
    """Cut a task's target off."""

    task: str
    """The task's ARN, or the target's `address:port`."""
    how: Literal["silence", "refuse"] = "silence"
    """Packets vanish, or connections are refused."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_NETWORK,)
    shows: ClassVar[Shows] = Shows.AT_ONCE
    within: ClassVar[float] = 90.0

    @property
    def target(self) -> str:
        return self.task

    async def inject(self, site: Site) -> Effect:
        if self.task.startswith("arn:"):
            host, port = await site.address(await site.running_task(self.task))
        else:
            host, _, digits = self.task.rpartition(":")
            port = int(digits) if digits.isdigit() else 0
        if await _health(site, host, port) is None:
            raise UsageError(
                f"{host}:{port} is no target of the stack's load balancer", next="see h.services.targets('edit')"
            )
        settings = {"host": host, "port": port, "how": self.how}
        what = "attempt(s) of the load balancer blocked"
        return Cut(
            site, await ByDoor.inject(site, "cut-from-load-balancer", settings, did="blocked", what=what), host, port
        )


@dataclass(frozen=True)
class Cut:
    site: Site
    by_door: ByDoor
    host: str
    port: int

    async def verify(self) -> Seen:
        blocked = await self.by_door.verify()
        health = await _health(self.site, self.host, self.port) or "not registered any more"
        return Seen(blocked.effective, f"{blocked.what}; target {self.host}:{self.port} is {health}")

    async def undo(self) -> None:
        await self.by_door.undo()

    async def counts(self) -> Mapping[str, int]:
        return await self.by_door.counts()


async def _health(site: Site, host: str, port: int) -> str | None:
    """A target's state and reason as DescribeTargetHealth tells them; None when it is registered nowhere."""
    for service in SERVICES:
        group = site.system.target_group_arn(service)
        answer = await site.aws.call("elbv2", "describe_target_health", TargetGroupArn=group)
        for entry in answer["TargetHealthDescriptions"]:
            if (entry["Target"]["Id"], entry["Target"].get("Port", 0)) == (host, port):
                return f"{entry['TargetHealth']['State']} {entry['TargetHealth'].get('Reason', '')}".strip()
    return None
