"""A target's health as DescribeTargetHealth tells it, and how checks change it."""

from __future__ import annotations

from dataclasses import dataclass

from .routing_table import HealthCheck


@dataclass(frozen=True, slots=True)
class Health:
    state: str
    reason: str | None = None
    description: str | None = None

    @property
    def checked(self) -> bool:
        """Whether health checks decide it."""
        return self.state in ("initial", "healthy", "unhealthy")


# Reasons and descriptions:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
REGISTERING = Health("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = Health("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY = Health("healthy")
TIMED_OUT = Health("unhealthy", "Target.Timeout", "Request timed out")
FAILED = Health("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
DRAINING = Health("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_REGISTERED = Health("unused", "Target.NotRegistered", "Target is not registered to the target group")
NOT_IN_USE = Health(
    "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)
UNCHECKED = Health("unavailable", "Target.HealthCheckDisabled", "Health checks are disabled for this target group")


def mismatch(code: int) -> Health:
    """The target answered, but not with a code the matcher wants."""
    return Health("unhealthy", "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{code}]")


class Record:
    """The run of check results of one target since it was registered."""

    def __init__(self) -> None:
        self.health = CHECKING
        self._passes = 0
        self._failures = 0

    def note(self, result: Health, check: HealthCheck) -> Health:
        """Take in one check's result (`HEALTHY`, or why not) and return the target's health now.

        A target new to the group needs one pass, an unhealthy one `healthy_threshold` in a row.
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
