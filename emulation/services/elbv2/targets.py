"""Registered targets: their health, what is under way to them, registering and draining."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Protocol

from ...core.controller import Events, TargetHealthChanged
from ...time.clock import Clock
from .target_health import CHECKING, DRAINING, NOT_IN_USE, NOT_REGISTERED, REGISTERING, UNCHECKED, Health
from .routing_table import Table, TargetGroup

TargetKey = tuple[str, int]


class Interruptible(Protocol):
    """Something under way to a target."""

    def interrupt(self) -> None:
        """The target's drain time is over: come to an end now."""
        ...


class Target:
    """One address in one target group."""

    __slots__ = ("checks", "drain", "group_arn", "health", "id", "port", "under_way", "zone")

    def __init__(self, group_arn: str, key: TargetKey, zone: str | None) -> None:
        self.group_arn = group_arn
        self.id, self.port = key
        self.zone = zone
        self.health: Health = NOT_REGISTERED
        self.under_way: set[Interruptible] = set()
        self.checks: asyncio.Task[None] | None = None
        self.drain: asyncio.Task[None] | None = None

    @property
    def key(self) -> TargetKey:
        return (self.id, self.port)


class Pool:
    """The targets of one target group."""

    def __init__(self) -> None:
        self.targets: dict[TargetKey, Target] = {}
        self.turn = 0
        self._usable: tuple[Target, ...] | None = None

    def usable(self) -> tuple[Target, ...]:
        """The targets a request may go to: the healthy ones; when there are none, the load balancer
        fails open and takes all that are registered, healthy or not yet or not any more."""
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
    def __call__(self, target: Target, report: Callable[[Health], None]) -> Awaitable[None]:
        """Check a target's health for as long as it runs, reporting each result's consequence."""
        ...


class Targets:
    """Every registered target of every target group. Publishes `TargetHealthChanged` for every change."""

    def __init__(self, clock: Clock, events: Events, table: Callable[[], Table], check: Check) -> None:
        self._clock = clock
        self._events = events
        self._table = table
        self._check = check
        self._pools: dict[str, Pool] = {}

    def pool(self, group_arn: str) -> Pool:
        pool = self._pools.get(group_arn)
        if pool is None:
            pool = self._pools[group_arn] = Pool()
        return pool

    def all(self) -> Iterator[Target]:
        for pool in self._pools.values():
            yield from pool.targets.values()

    def register(self, group: TargetGroup, targets: Iterable[tuple[TargetKey, str | None]]) -> None:
        """Add targets; one that is there already stays as it is, one that drains comes back."""
        pool = self.pool(group.arn)
        for key, zone in targets:
            target = pool.targets.get(key)
            if target is None:
                target = pool.targets[key] = Target(group.arn, key, zone)
            elif target.health is not DRAINING:
                continue
            _cancel(target.drain)
            target.drain = None
            self._put_in_place(target)

    def deregister(self, group: TargetGroup, keys: Iterable[TargetKey]) -> None:
        """Begin to drain targets; those that are not registered are passed over, as on AWS."""
        pool = self.pool(group.arn)
        for key in keys:
            target = pool.targets.get(key)
            if target is None or target.health is DRAINING:
                continue
            _cancel(target.checks)
            target.checks = None
            self._set(target, DRAINING)
            target.drain = asyncio.create_task(self._drain(target, group.deregistration_delay))

    def health(self, group: TargetGroup, key: TargetKey) -> Health:
        target = self.pool(group.arn).targets.get(key)
        return target.health if target else NOT_REGISTERED

    def follow_table(self) -> None:
        """Act on a new routing table: targets of groups that are gone go; checks run where a load
        balancer uses the group, and only there."""
        table = self._table()
        for arn, pool in list(self._pools.items()):
            if arn not in table.target_groups:
                for target in list(pool.targets.values()):
                    self._remove(target)
                del self._pools[arn]
                continue
            for target in pool.targets.values():
                if target.health is not DRAINING and self._belongs(target) != _kind(target.health):
                    self._put_in_place(target)

    def close(self) -> None:
        """Stop every check and drain, silently."""
        for target in self.all():
            _cancel(target.checks)
            _cancel(target.drain)
        self._pools.clear()

    def _belongs(self, target: Target) -> str:
        table = self._table()
        if target.group_arn not in table.users:
            return "unused"
        return "checked" if table.target_groups[target.group_arn].health_check.enabled else "unchecked"

    def _put_in_place(self, target: Target) -> None:
        _cancel(target.checks)
        target.checks = None
        kind = self._belongs(target)
        self._set(target, {"unused": NOT_IN_USE, "unchecked": UNCHECKED, "checked": REGISTERING}[kind])
        if kind == "checked":
            target.checks = asyncio.create_task(self._watch(target))

    async def _watch(self, target: Target) -> None:
        self._set(target, CHECKING)
        await self._check(target, lambda health: self._set(target, health))

    async def _drain(self, target: Target, delay: float) -> None:
        # AWS shows `draining` for the whole delay, also when nothing is under way any more.
        await self._clock.sleep(delay)
        self._remove(target)

    def _remove(self, target: Target) -> None:
        _cancel(target.checks)
        self._pools[target.group_arn].targets.pop(target.key, None)
        for exchange in list(target.under_way):
            exchange.interrupt()
        self._set(target, NOT_REGISTERED)

    def _set(self, target: Target, health: Health) -> None:
        if health == target.health:
            return
        target.health = health
        self.pool(target.group_arn).changed()
        self._events.publish(TargetHealthChanged(target.group_arn, target.id, target.port, health.state, health.reason))


def _kind(health: Health) -> str:
    return "checked" if health.checked else {"unused": "unused"}.get(health.state, "unchecked")


def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None and task is not asyncio.current_task():
        task.cancel()
