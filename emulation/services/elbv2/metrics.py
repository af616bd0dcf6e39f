"""Counts the AWS/ApplicationELB metrics, which are published once a minute.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
Zero counts are not reported. Not published: the AvailabilityZone dimension.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ...core.controller import Datum
from .routing_table import RoutingTable
from .targets import Targets
from .transaction import Transaction

NAMESPACE = "AWS/ApplicationELB"
_COUNTED_BY_CODE = (500, 502, 503, 504)

Dimensions = tuple[str, str | None]
"""LoadBalancer and TargetGroup; the latter None for metrics of the load balancer alone."""


class Metrics:
    def __init__(self) -> None:
        self._counts: defaultdict[tuple[str, Dimensions], int] = defaultdict(int)
        self._seconds: defaultdict[Dimensions, list[float]] = defaultdict(list)
        self._bytes: defaultdict[str, int] = defaultdict(int)
        self._connections: defaultdict[str, int] = defaultdict(int)
        self._closed: defaultdict[str, int] = defaultdict(int)

    def connected(self, load_balancer: str) -> None:
        self._connections[load_balancer] += 1
        self._counts["NewConnectionCount", (load_balancer, None)] += 1

    def disconnected(self, load_balancer: str) -> None:
        self._connections[load_balancer] -= 1
        self._closed[load_balancer] += 1

    def malformed(self, load_balancer: str) -> None:
        """A client sent something that is not HTTP."""
        self._counts["HTTPCode_ELB_4XX_Count", (load_balancer, None)] += 1

    def count(self, transaction: Transaction) -> None:
        """Count a transaction at its end, or when its connection is upgraded."""
        balancer = transaction.load_balancer.dimension
        alone: Dimensions = (balancer, None)
        counts = self._counts
        if transaction.target is not None:
            for where in ((balancer, transaction.target.group_arn.rpartition(":")[2]), alone):
                self._count_target(transaction, where)
            if transaction.non_sticky:
                counts["NonStickyRequestCount", alone] += 1
        status = transaction.status
        if status != transaction.target_status:  # the load balancer's own answer
            if status >= 300:
                counts[f"HTTPCode_ELB_{status // 100}XX_Count", alone] += 1
            if status in _COUNTED_BY_CODE:
                counts[f"HTTPCode_ELB_{status}_Count", alone] += 1
            if transaction.outcome == "redirect":
                counts["HTTP_Redirect_Count", alone] += 1
            elif transaction.outcome == "fixed-response":
                counts["HTTP_Fixed_Response_Count", alone] += 1

    def _count_target(self, transaction: Transaction, where: Dimensions) -> None:
        self._counts["RequestCount", where] += 1
        if transaction.refused:
            self._counts["TargetConnectionErrorCount", where] += 1
        if transaction.target_status is not None and transaction.target_status >= 200:
            self._counts[f"HTTPCode_Target_{transaction.target_status // 100}XX_Count", where] += 1
        if transaction.answered is not None and transaction.dispatched is not None:
            self._seconds[where].append(transaction.answered - transaction.dispatched)

    def processed(self, transaction: Transaction) -> None:
        """The bytes of a finished transaction."""
        self._bytes[transaction.load_balancer.dimension] += transaction.received + transaction.sent

    def collect(self, table: RoutingTable, targets: Targets) -> list[Datum]:
        """Counts since the last call; current numbers of hosts and connections."""
        data = [*self._counted(), *self._hosts(table, targets)]
        for balancer in {*self._connections, *self._closed}:
            active = self._connections[balancer] + self._closed.pop(balancer, 0)
            if active:
                data.append(_datum("ActiveConnectionCount", (balancer, None), (float(active),)))
        for balancer, size in self._bytes.items():
            data.append(_datum("ProcessedBytes", (balancer, None), (float(size),), "Bytes"))
        self._counts.clear()
        self._seconds.clear()
        self._bytes.clear()
        return data

    def _counted(self) -> Iterator[Datum]:
        for (name, where), count in self._counts.items():
            yield _datum(name, where, (1.0,) * count)
        for where, values in self._seconds.items():
            yield _datum("TargetResponseTime", where, values, "Seconds")

    def _hosts(self, table: RoutingTable, targets: Targets) -> Iterator[Datum]:
        for arn, balancers in table.users.items():
            states = [target.health.state for target in targets.pool(arn).targets.values()]
            registered = [state for state in states if state != "draining"]
            if not registered:
                continue
            group = arn.rpartition(":")[2]
            for balancer_arn in balancers:
                where = (table.load_balancers[balancer_arn].dimension, group)
                yield _datum("HealthyHostCount", where, (float(states.count("healthy")),))
                yield _datum("UnHealthyHostCount", where, (float(states.count("unhealthy")),))
                requests = self._counts.get(("RequestCount", where), 0)
                per_target = _datum("RequestCountPerTarget", where, (requests / len(registered),))
                yield per_target
                yield replace(per_target, dimensions={"TargetGroup": group})


def _datum(name: str, where: Dimensions, values: Iterable[float], unit: str = "Count") -> Datum:
    dimensions = {"LoadBalancer": where[0]}
    if where[1] is not None:
        dimensions["TargetGroup"] = where[1]
    return Datum(NAMESPACE, name, dimensions, tuple(values), unit)
