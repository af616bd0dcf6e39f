"""Target health states of DescribeTargetHealth, and how check results change them."""

from __future__ import annotations

from dataclasses import dataclass

from .routing_table import HealthCheck


@dataclass(frozen=True, slots=True)
class TargetHealth:
    state: str
    reason: str | None = None
    description: str | None = None


# Reasons and descriptions:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
REGISTERING = TargetHealth("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = TargetHealth("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY = TargetHealth("healthy")
TIMED_OUT = TargetHealth("unhealthy", "Target.Timeout", "Request timed out")
FAILED = TargetHealth("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
DRAINING = TargetHealth("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_REGISTERED = TargetHealth("unused", "Target.NotRegistered", "Target is not registered to the target group")
NOT_IN_USE = TargetHealth(
    "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)
UNCHECKED = TargetHealth(
    "unavailable", "Target.HealthCheckDisabled", "Health checks are disabled for this target group"
)


def mismatch(code: int) -> TargetHealth:
    """The target answered with a code that the matcher excludes."""
    return TargetHealth("unhealthy", "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{code}]")


class HealthCheckHistory:
    """Consecutive check results of one target since its registration."""

    def __init__(self) -> None:
        self.health = CHECKING
        self._passes = 0
        self._failures = 0

    def note(self, result: TargetHealth, check: HealthCheck) -> TargetHealth:
        """Add a result (`HEALTHY`, or the reason for failure) and return the target's health.

        A new target needs one pass, an unhealthy one `healthy_threshold` consecutive passes.
        """
        if result is HEALTHY:
            self._passes, self._failures = self._passes + 1, 0
            if self.health.state == "initial" or self._passes >= check.healthy_threshold:
                self.health = HEALTHY
        else:
            self._passes, self._failures = 0, self._failures + 1
            if self.health.state == "unhealthy" or self._failures >= check.unhealthy_threshold:
                self.health = result
        return self.health
