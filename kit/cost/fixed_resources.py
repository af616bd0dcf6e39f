"""Fixed cost of a template's resources, computed offline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..aws.template import Resource, Template
from .bill import Item
from .prices import HOURS_PER_MONTH

_MINUTE = 60


@dataclass(frozen=True)
class FixedResources:
    """The number of resources of a stack that cost money while they exist."""

    load_balancers: int = 0
    load_balancer_addresses: int = 0
    """One public address in each zone of an internet-facing load balancer."""
    nat_gateways: int = 0
    alarm_metrics: int = 0
    """Metrics of alarms with periods of a minute or more; an alarm is charged for each of its metrics."""
    fast_alarm_metrics: int = 0
    """Metrics of alarms with shorter periods."""
    dashboards: int = 0

    @classmethod
    def of(cls, template: Template) -> FixedResources:
        balancers = template.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer")
        alarms = [_alarm(template, alarm) for alarm in template.of_type("AWS::CloudWatch::Alarm")]
        return cls(
            load_balancers=len(balancers),
            load_balancer_addresses=sum(_addresses(template, balancer) for balancer in balancers),
            nat_gateways=len(template.of_type("AWS::EC2::NatGateway")),
            alarm_metrics=sum(metrics for metrics, fast in alarms if not fast),
            fast_alarm_metrics=sum(metrics for metrics, fast in alarms if fast),
            dashboards=len(template.of_type("AWS::CloudWatch::Dashboard")),
        )

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> FixedResources:
        """The inverse of `to_json`."""
        return cls(**fields)

    def to_json(self) -> dict[str, int]:
        return asdict(self)

    def items(self, seconds: float, *, new: bool) -> list[Item]:
        """The charges for an existence of `seconds` AWS seconds.

        Load balancers and NAT gateways are charged by begun hours (aws.amazon.com/elasticloadbalancing/pricing): a
        `new` stack begins an hour; a stack that existed before is charged for its share.
        """
        hours = seconds / 3600
        begun = math.ceil(hours) if new else hours
        months = hours / HOURS_PER_MONTH
        charges = (
            ("load_balancer_hour", self.load_balancers * begun, "load balancer"),
            ("public_ipv4_hour", self.load_balancer_addresses * hours, "load balancer"),
            ("nat_gateway_hour", self.nat_gateways * begun, "NAT gateway"),
            ("alarm_month", self.alarm_metrics * months, "alarms"),
            ("fast_alarm_month", self.fast_alarm_metrics * months, "alarms"),
            ("dashboard_month", self.dashboards * months, "dashboards"),
        )
        return [Item(price, quantity, what, fixed=True) for price, quantity, what in charges if quantity]


def _addresses(template: Template, balancer: Resource) -> int:
    if template.value(balancer.properties.get("Scheme", "internet-facing")) != "internet-facing":
        return 0
    return len(balancer.properties.get("Subnets") or balancer.properties.get("SubnetMappings") or ())


def _alarm(template: Template, alarm: Resource) -> tuple[int, bool]:
    """The number of an alarm's metrics, and whether it is a high-resolution alarm."""
    queries = template.value(alarm.properties.get("Metrics") or [])
    stats = [query["MetricStat"] for query in queries if "MetricStat" in query]
    periods = [stat["Period"] for stat in stats] or [template.value(alarm.properties.get("Period", _MINUTE))]
    return max(1, len(stats)), min(int(period) for period in periods) < _MINUTE
