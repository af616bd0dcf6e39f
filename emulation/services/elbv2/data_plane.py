"""The data plane: everything that happens to requests and targets, given a routing table.

client --> Node (doors) --> Router + Balancer --> Proxy --> target
                                          Targets + Checker --^
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
from .access_log import AccessLog, line
from .balancing import Balancer
from .health_checker import Checker
from .node import Node
from .transaction import Exchange
from .links import Links
from .metrics import Metrics
from .proxy import Proxy
from .router import Router
from .stickiness import Stickies
from .routing_table import Table
from .targets import Targets


class Plane:
    def __init__(
        self,
        *,
        clock: Clock,
        ids: Ids,
        events: Events,
        table: Callable[[], Table],
        workdir: Path,
        log: logging.Logger,
        addressing: Addressing | None = None,
    ) -> None:
        """`table` answers the routing table as it is now; `apply` is called when it has changed."""
        self._clock = clock
        self._table = table
        self._workdir = workdir
        self._log = log
        self._addressing = addressing or Addressing()
        self.links = Links(clock)
        self._metrics = Metrics()
        self._checker = Checker(clock, self.links, table)
        self.targets = Targets(clock, events, table, self._checker)
        self._proxy = Proxy(clock, ids, self.links, self._metrics.count)
        self._router = Router(
            clock=clock,
            table=table,
            targets=self.targets,
            balancer=Balancer(ids),
            stickies=Stickies(clock, ids),
            proxy=self._proxy,
            finished=self._finished,
            log=log,
        )
        self._nodes: dict[str, Node] = {}
        self._logs: dict[str, AccessLog] = {}

    async def apply(self) -> None:
        """Make the routing table real: doors open and close, health checks start and stop."""
        table = self._table()
        for arn in [arn for arn in self._nodes if arn not in table.load_balancers]:
            await self._nodes.pop(arn).close()
        for arn, balancer in table.load_balancers.items():
            if arn not in self._nodes:
                certificates = self._workdir / "tls"
                self._nodes[arn] = Node(
                    balancer, self._router.answer, self._metrics, self._clock, certificates, addressing=self._addressing
                )
            await self._nodes[arn].follow(table)
        self.targets.follow_table()

    async def close(self) -> None:
        """End everything. Does not raise."""
        self.targets.close()
        endings = [node.close() for node in self._nodes.values()] + [self._proxy.close(), self._checker.close()]
        for problem in await asyncio.gather(*endings, return_exceptions=True):
            if problem is not None:
                self._log.warning("a load balancer did not close cleanly: %r", problem)
        for log in self._logs.values():
            log.close()
        self._nodes.clear()

    def address(self, load_balancer_arn: str) -> str | None:
        """Where a load balancer is reached, `127.0.0.1:<port>`."""
        node = self._nodes.get(load_balancer_arn)
        return node.address if node else None

    def listener_address(self, listener_arn: str) -> str:
        """Where a listener of the table really listens."""
        listener = self._table().listeners[listener_arn]
        return f"{self._addressing.shared_host}:{self._nodes[listener.load_balancer_arn].ports[listener.port]}"

    def collect(self) -> list[Datum]:
        return self._metrics.collect(self._table(), self.targets)

    def overview(self) -> list[dict[str, Any]]:
        """Load balancers with their addresses and targets, for people."""
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

    def _finished(self, exchange: Exchange) -> None:
        self._metrics.processed(exchange)
        if not exchange.upgraded:
            self._metrics.count(exchange)
        name = exchange.load_balancer.name
        log = self._logs.get(name)
        if log is None:
            log = self._logs[name] = AccessLog(self._workdir / "logs" / f"alb-{name}.log")
        log.write(line(exchange, self._clock.now()))
