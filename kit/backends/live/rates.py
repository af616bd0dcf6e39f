"""Limits API calls by token buckets, at half of AWS's published rates, to leave capacity for other users.

Published per account and region: ECS https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html,
ELB https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/api-throttling.html, CloudWatch and SES: their
quota pages. Calls without a quota here are left to botocore's adaptive retries, which slow down when AWS throttles.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...core.clock import Clock

SHARE = 0.5
"""The share of the published rate that a run uses."""


@dataclass(frozen=True)
class Quota:
    """A published quota: a burst, then a rate per second."""

    name: str
    burst: float
    per_second: float


_SERVICE_CHANGES = Quota("ecs service changes", 50, 5)
_SERVICE_READS = Quota("ecs service reads", 100, 20)
_CLUSTER_CHANGES = Quota("ecs cluster resource changes", 100, 40)
_CLUSTER_READS = Quota("ecs cluster resource reads", 100, 20)
_DEFINITION_READS = Quota("ecs task definition reads", 50, 20)
_BALANCER_READS = Quota("elbv2 reads", 40, 10)
_SES_CONTROL = Quota("ses control", 2, 2)
"""1 a second is published. Half of it would be a call every two seconds, and no other user calls it meanwhile."""


def _all(service: str, operations: Iterable[str], quota: Quota) -> dict[str, Quota]:
    return {f"{service}.{operation}": quota for operation in operations}


QUOTAS: Mapping[str, Quota] = {
    **_all("ecs", ("CreateService", "UpdateService", "DeleteService"), _SERVICE_CHANGES),
    **_all("ecs", ("DescribeServices", "ListServices"), _SERVICE_READS),
    **_all("ecs", ("RunTask", "StartTask", "StopTask", "ExecuteCommand"), _CLUSTER_CHANGES),
    **_all("ecs", ("DescribeTasks", "ListTasks"), _CLUSTER_READS),
    **_all("ecs", ("DescribeTaskDefinition", "ListTaskDefinitions"), _DEFINITION_READS),
    **_all(
        "elbv2",
        ("DescribeTargetHealth", "DescribeTargetGroups", "DescribeLoadBalancers", "DescribeListeners", "DescribeRules"),
        _BALANCER_READS,
    ),
    "cloudwatch.DescribeAlarms": Quota("cloudwatch DescribeAlarms", 9, 9),
    "cloudwatch.GetMetricData": Quota("cloudwatch GetMetricData", 50, 50),
    "cloudwatch.GetMetricStatistics": Quota("cloudwatch GetMetricStatistics", 400, 400),
    "cloudwatch.ListMetrics": Quota("cloudwatch ListMetrics", 25, 25),
    "cloudwatch.PutMetricData": Quota("cloudwatch PutMetricData", 500, 500),
    **_all("ses", ("DescribeActiveReceiptRuleSet", "GetIdentityVerificationAttributes"), _SES_CONTROL),
    **_all("ses", ("DescribeReceiptRuleSet", "DeleteReceiptRule", "GetSendQuota"), _SES_CONTROL),
    "ses.SendRawEmail": Quota("ses sending (sandbox)", 2, 2),
}


class RateLimiter:
    """Delays requests in the threads that make them. Rates are per AWS second. Thread-safe."""

    def __init__(self, clock: Clock, quotas: Mapping[str, Quota] = QUOTAS) -> None:
        self._clock = clock
        self._quotas = quotas
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()
        self._never = threading.Event()

    def take(self, service: str, operation: str) -> None:
        """As `Pace.take`."""
        quota = self._quotas.get(f"{service}.{operation}")
        if quota is None:
            return
        with self._lock:
            bucket = self._buckets.setdefault(quota.name, _Bucket(max(1.0, quota.burst * SHARE), self._clock.now()))
            seconds = bucket.reserve(quota.per_second * SHARE, self._clock.now())
        if seconds > 0:
            self._never.wait(seconds / self._clock.scale)


class _Bucket:
    """A caller reserves a token at once, even a future one, and waits until it is available."""

    def __init__(self, size: float, now: float) -> None:
        self._size = size
        self._tokens = size
        self._at = now

    def reserve(self, per_second: float, now: float) -> float:
        """Reserves a token; returns the seconds to wait."""
        self._tokens = min(self._size, self._tokens + (now - self._at) * per_second)
        self._at = now
        self._tokens -= 1
        return max(0.0, -self._tokens / per_second)
