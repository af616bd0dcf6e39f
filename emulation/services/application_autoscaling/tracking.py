"""Target tracking: a policy's two alarms, and the capacity that brings the metric to its target."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import not_emulated

DEFAULT_COOLDOWN = 300
PERIODS_HIGH = 3
PERIODS_LOW = 15
LOW_SHARE = 0.9
"""AlarmLow's threshold as a share of the target, so that the capacity does not oscillate."""


@dataclass(frozen=True)
class TargetTracking:
    """A TargetTrackingScalingPolicyConfiguration for an ECS service."""

    target: float
    metric: Mapping[str, Any]
    """The parameters of PutMetricAlarm that select the metric: MetricName and so on, or Metrics."""
    out_cooldown: float = DEFAULT_COOLDOWN
    in_cooldown: float = DEFAULT_COOLDOWN
    scale_in: bool = True

    @classmethod
    def parse(cls, configuration: Mapping[str, Any], cluster: str, service: str) -> TargetTracking:
        """From the API's shape. Raises ValueError."""
        predefined = configuration.get("PredefinedMetricSpecification")
        customized = configuration.get("CustomizedMetricSpecification")
        if (predefined is None) == (customized is None):
            raise ValueError(
                "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified"
            )
        target = float(configuration["TargetValue"])
        if target <= 0:
            raise ValueError(f"TargetValue must be greater than 0, got {target}")
        metric = _predefined(predefined, cluster, service) if predefined is not None else _customized(customized or {})
        cooldowns = [configuration.get(name) for name in ("ScaleOutCooldown", "ScaleInCooldown")]
        if any(cooldown is not None and cooldown < 0 for cooldown in cooldowns):
            raise ValueError("ScaleOutCooldown and ScaleInCooldown must not be negative")
        out, back = (DEFAULT_COOLDOWN if cooldown is None else cooldown for cooldown in cooldowns)
        return cls(target, metric, out, back, not configuration.get("DisableScaleIn", False))

    def alarms(self, resource_id: str, ids: Mapping[str, str], policy_arn: str) -> list[dict[str, Any]]:
        """The parameters of PutMetricAlarm for AlarmHigh and AlarmLow; `ids` holds the UUID of each."""
        sides = [("AlarmHigh", "GreaterThanThreshold", self.target, PERIODS_HIGH)]
        if self.scale_in:
            sides.append(("AlarmLow", "LessThanThreshold", self.target * LOW_SHARE, PERIODS_LOW))
        return [
            {
                "AlarmName": f"TargetTracking-{resource_id}-{side}-{ids[side]}",
                "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy_arn}.",
                "ActionsEnabled": True,
                "AlarmActions": [policy_arn],
                "ComparisonOperator": comparison,
                "Threshold": round(threshold, 10),
                "EvaluationPeriods": periods,
                **self.metric,
            }
            for side, comparison, threshold, periods in sides
        ]

    def capacity(self, value: float, base: int, *, out: bool) -> int:
        """The capacity at which a metric that is `value` with `base` tasks meets its target."""
        proportional = math.ceil(round(base * value / self.target, 6))
        return max(base + 1, proportional) if out else proportional


def _predefined(specification: Mapping[str, Any], cluster: str, service: str) -> dict[str, Any]:
    kind = specification["PredefinedMetricType"]
    of_service = [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}]
    if kind in ("ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization"):
        name = "CPUUtilization" if "CPU" in kind else "MemoryUtilization"
        return _stat("AWS/ECS", name, of_service, "Average")
    if kind == "ALBRequestCountPerTarget":
        label = str(specification.get("ResourceLabel") or "")
        balancer, separator, group = label.partition("/targetgroup/")
        if not separator or not balancer.startswith("app/"):
            raise ValueError(
                "ResourceLabel must be app/<load balancer>/<id>/targetgroup/<target group>/<id> for "
                f"ALBRequestCountPerTarget, got '{label}'"
            )
        found = [{"Name": "LoadBalancer", "Value": balancer}, {"Name": "TargetGroup", "Value": f"targetgroup/{group}"}]
        return _stat("AWS/ApplicationELB", "RequestCountPerTarget", found, "Sum")
    raise not_emulated("application-autoscaling", f"PutScalingPolicy with PredefinedMetricType {kind}")


def _customized(specification: Mapping[str, Any]) -> dict[str, Any]:
    if specification.get("Metrics"):
        return {"Metrics": [_query(query) for query in specification["Metrics"]]}
    for name in ("MetricName", "Namespace", "Statistic"):
        if not specification.get(name):
            raise ValueError(f"CustomizedMetricSpecification needs {name}, or Metrics")
    metric = _stat(
        specification["Namespace"],
        specification["MetricName"],
        list(specification.get("Dimensions") or ()),
        specification["Statistic"],
    )
    return metric | ({"Unit": specification["Unit"]} if specification.get("Unit") else {})


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    if "MetricStat" not in query:
        return dict(query)
    return {**query, "MetricStat": {**query["MetricStat"], "Period": 60}}


def _stat(namespace: str, name: str, dimensions: list[dict[str, str]], statistic: str) -> dict[str, Any]:
    source = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
    return {**source, "Statistic": statistic, "Period": 60}
