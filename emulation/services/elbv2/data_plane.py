"""The data plane: serves requests and checks targets according to the routing table.

client --> LoadBalancerNode --> Router + Balancer --> Proxy --> target
                                Targets + HealthChecker -----------^
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...core.addressing import Addressing
from ...core.controller import Datum, Events
from ...core.ids import Ids
from ...time.clock import Clock
from ...time.latency import Latency
from .access_log import AccessLog, line
from .balancing import Balancer
from .health_checker import HealthChecker
from .links import Links
from .metrics import Metrics
from .node import LoadBalancerNode
from .proxy import Proxy
from .router import Router
from .routing_table import RoutingTable
from .stickiness import StickySessions
from .targets import Targets
from .transaction import Transaction


class DataPlane:
    def __init__(
        self,
        *,
        clock: Clock,
        ids: Ids,
        events: Events,
        table: Callable[[], RoutingTable],
        workdir: Path,
        log: logging.Logger,
        latency: Latency | None = None,
        addressing: Addressing | None = None,
    ) -> None:
        """`table` returns the current routing table; call `apply` after it has changed."""
        self._clock = clock
        self._table = table
        self._workdir = workdir
        self._log = log
        self._addressing = addressing or Addressing()
        self.links = Links(clock)
        self._metrics = Metrics()
        self._checker = HealthChecker(clock, self.links, table)
        self.targets = Targets(clock, events, table, self._checker, latency)
        self._proxy = Proxy(clock, ids, self.links, self._metrics.count)
        self._router = Router(
            clock=clock,
            table=table,
            targets=self.targets,
            balancer=Balancer(ids),
            sticky_sessions=StickySessions(clock, ids),
            proxy=self._proxy,
            finished=self._finished,
            log=log,
            names=lambda: self._addressing.names,
        )
        self._nodes: dict[str, LoadBalancerNode] = {}
        self._logs: dict[str, AccessLog] = {}

    async def apply(self) -> None:
        """Open and close listeners, start and stop health checks, until they match the routing table."""
        table = self._table()
        for arn in [arn for arn in self._nodes if arn not in table.load_balancers]:
            await self._nodes.pop(arn).close()
        for arn, balancer in table.load_balancers.items():
            if arn not in self._nodes:
                certificates = self._workdir / "tls"
                self._nodes[arn] = LoadBalancerNode(
                    balancer, self._router.answer, self._metrics, self._clock, certificates, addressing=self._addressing
                )
            await self._nodes[arn].apply(table)
        self.targets.apply_table()

    async def close(self) -> None:
        """Close all listeners and connections. Does not raise."""
        self.targets.close()
        endings = [node.close() for node in self._nodes.values()] + [self._proxy.close(), self._checker.close()]
        for problem in await asyncio.gather(*endings, return_exceptions=True):
            if problem is not None:
                self._log.warning("a load balancer did not close cleanly: %r", problem)
        for log in self._logs.values():
            log.close()
        self._nodes.clear()

    def address(self, load_balancer_arn: str) -> str | None:
        """A load balancer's address, `127.0.0.1:<port>`."""
        node = self._nodes.get(load_balancer_arn)
        return node.address if node else None

    def listener_address(self, listener_arn: str) -> str:
        """A listener's address on this machine."""
        listener = self._table().listeners[listener_arn]
        return f"{self._addressing.shared_host}:{self._nodes[listener.load_balancer_arn].ports[listener.port]}"

    def collect(self) -> list[Datum]:
        return self._metrics.collect(self._table(), self.targets)

    def overview(self) -> list[dict[str, Any]]:
        """Load balancers with their listeners' addresses and their targets."""
        table = self._table()
        return [
            {
                "name": balancer.name,
                "arn": arn,
                "address": self.address(arn),
                "listeners": [
                    {
                        "port": listener.port,
                        "protocol": listener.protocol,
                        "address": self.listener_address(listener.arn),
                    }
                    for listener in table.listeners_of(arn)
                ],
                "targets": [
                    {
                        "group": table.target_groups[target.group_arn].name,
                        "id": target.id,
                        "port": target.port,
                        "state": target.health.state,
                        "reason": target.health.reason,
                    }
                    for target in self.targets.all()
                    if arn in table.users.get(target.group_arn, ())
                ],
            }
            for arn, balancer in table.load_balancers.items()
        ]

    def _finished(self, transaction: Transaction) -> None:
        self._metrics.processed(transaction)
        if not transaction.upgraded:
            self._metrics.count(transaction)
        name = transaction.load_balancer.name
        log = self._logs.get(name)
        if log is None:
            log = self._logs[name] = AccessLog(self._workdir / "logs" / f"alb-{name}.log")
        log.write(line(transaction, self._clock.now()))
