"""Registered targets: registration, health, requests in flight, draining."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from yarl import URL

from ...core.controller import Events, TargetHealthChanged
from ...time.clock import Clock
from ...time.latency import Latency
from .routing_table import RoutingTable, TargetGroup
from .target_health import CHECKING, DRAINING, NOT_IN_USE, NOT_REGISTERED, REGISTERING, UNCHECKED, TargetHealth

TargetKey = tuple[str, int]


class Interruptible(Protocol):
    """A request in flight to a target."""

    def interrupt(self) -> None:
        """Abort it, because the deregistration delay is over."""


@dataclass(slots=True, eq=False)
class Target:
    """One target of one target group."""

    group_arn: str
    id: str
    port: int
    zone: str | None
    health: TargetHealth = NOT_REGISTERED
    mode: str = ""
    """checked, unchecked or unused; empty before the registration."""
    in_flight: set[Interruptible] = field(default_factory=set)
    checks: asyncio.Task[None] | None = None
    drain: asyncio.Task[None] | None = None

    @property
    def key(self) -> TargetKey:
        return (self.id, self.port)

    def url(self, protocol: str, path: str, query: str, port: int | None = None) -> URL:
        scheme, port = protocol.lower(), port or self.port
        return URL.build(scheme=scheme, host=self.id, port=port, path=path, query_string=query, encoded=True)


class Pool:
    """The targets of one target group."""

    def __init__(self) -> None:
        self.targets: dict[TargetKey, Target] = {}
        self.turn = 0
        self._usable: tuple[Target, ...] | None = None

    def usable(self) -> tuple[Target, ...]:
        """The healthy targets; without any, the load balancer fails open and uses all registered ones."""
        if self._usable is None:
            registered = [
                target for target in self.targets.values() if target.health.state not in ("draining", "unused")
            ]
            healthy = [target for target in registered if target.health.state in ("healthy", "unavailable")]
            self._usable = tuple(healthy or registered)
        return self._usable

    def changed(self) -> None:
        self._usable = None


class Check(Protocol):
    def __call__(self, target: Target, report: Callable[[TargetHealth], None]) -> Awaitable[None]:
        """Check a target until cancelled; report its health after each check."""


class Targets:
    """The targets of all target groups. Publishes `TargetHealthChanged` for every change."""

    def __init__(
        self,
        clock: Clock,
        events: Events,
        table: Callable[[], RoutingTable],
        check: Check,
        latency: Latency | None = None,
    ) -> None:
        self._clock = clock
        self._events = events
        self._table = table
        self._check = check
        self._latency = latency or Latency()
        self._pools: dict[str, Pool] = {}

    def pool(self, group_arn: str) -> Pool:
        return self._pools.setdefault(group_arn, Pool())

    def all(self) -> Iterator[Target]:
        for pool in self._pools.values():
            yield from pool.targets.values()

    def register(self, group: TargetGroup, targets: Iterable[tuple[TargetKey, str | None]]) -> None:
        """Add targets, and restore draining ones; registered ones are left as they are."""
        pool = self.pool(group.arn)
        for key, zone in targets:
            target = pool.targets.get(key)
            if target is None:
                target = pool.targets[key] = Target(group.arn, *key, zone)
            elif target.health is not DRAINING:
                continue
            _cancel(target.drain)
            target.drain = None
            self._put_in_place(target)

    def deregister(self, group: TargetGroup, keys: Iterable[TargetKey]) -> None:
        """Start draining targets; unregistered ones are ignored, as on AWS."""
        pool = self.pool(group.arn)
        for key in keys:
            target = pool.targets.get(key)
            if target is None or target.health is DRAINING:
                continue
            _cancel(target.checks)
            target.checks = None
            self._set(target, DRAINING)
            target.drain = asyncio.create_task(self._drain(target, group.deregistration_delay))

    def health(self, group: TargetGroup, key: TargetKey) -> TargetHealth:
        target = self.pool(group.arn).targets.get(key)
        return target.health if target else NOT_REGISTERED

    def apply_table(self) -> None:
        """Remove targets of deleted groups; run checks only for groups that a load balancer uses."""
        table = self._table()
        for arn, pool in list(self._pools.items()):
            if arn not in table.target_groups:
                for target in list(pool.targets.values()):
                    self._remove(target)
                del self._pools[arn]
                continue
            for target in pool.targets.values():
                if target.health is not DRAINING and self._mode(target) != target.mode:
                    self._put_in_place(target)

    def close(self) -> None:
        """Stop every check and drain, silently."""
        for target in self.all():
            _cancel(target.checks)
            _cancel(target.drain)
        self._pools.clear()

    def _mode(self, target: Target) -> str:
        table = self._table()
        if target.group_arn not in table.users:
            return "unused"
        return "checked" if table.target_groups[target.group_arn].health_check.enabled else "unchecked"

    def _put_in_place(self, target: Target) -> None:
        _cancel(target.checks)
        target.checks = None
        target.mode = self._mode(target)
        self._set(target, {"unused": NOT_IN_USE, "unchecked": UNCHECKED, "checked": REGISTERING}[target.mode])
        if target.mode == "checked":
            target.checks = asyncio.create_task(self._watch(target))

    async def _watch(self, target: Target) -> None:
        group = self._table().target_groups[target.group_arn]
        delays = self._latency.resource(f"target of {group.name}")
        await delays.wait("elbv2.target.registration")
        self._set(target, CHECKING)
        await delays.wait("elbv2.target.first_health_check")
        await self._check(target, lambda health: self._set(target, health))

    async def _drain(self, target: Target, delay: float) -> None:
        # AWS reports `draining` for the whole delay, even with no requests in flight.
        await self._clock.sleep(delay)
        self._remove(target)

    def _remove(self, target: Target) -> None:
        _cancel(target.checks)
        self._pools[target.group_arn].targets.pop(target.key, None)
        for transaction in list(target.in_flight):
            transaction.interrupt()
        self._set(target, NOT_REGISTERED)

    def _set(self, target: Target, health: TargetHealth) -> None:
        if health == target.health:
            return
        target.health = health
        self.pool(target.group_arn).changed()
        self._events.publish(TargetHealthChanged(target.group_arn, target.id, target.port, health.state, health.reason))


def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None and task is not asyncio.current_task():
        task.cancel()
