"""What CreateService and UpdateService refuse, and the defaults they fill in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....core.errors import AwsError
from ..model import ServiceRevision
from ..names import invalid

_MOST_TASKS = 5_000
_LONGEST_GRACE = 2_147_483_647
_BREAKER_OFF = {"enable": False, "rollback": False}
_CONFIGURATION = {
    "deploymentCircuitBreaker": _BREAKER_OFF,
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "strategy": "ROLLING",
    "bakeTimeInMinutes": 0,
}
_SETTINGS: Mapping[str, Any] = {
    "placementConstraints": [],
    "placementStrategy": [],
    "schedulingStrategy": "REPLICA",
    "deploymentController": {"type": "ECS"},
    "enableECSManagedTags": False,
    "enableExecuteCommand": False,
    "propagateTags": "NONE",
    "availabilityZoneRebalancing": "DISABLED",
}

Params = Mapping[str, Any]


def check_service(params: Params) -> None:
    """Raises InvalidParameterException, or says what is not emulated."""
    count = params.get("desiredCount", 0)
    if count < 0:
        raise invalid("Invalid desiredCount. The desired count cannot be negative.")
    if count > _MOST_TASKS:
        raise invalid(f"Invalid desiredCount. A service can have at most {_MOST_TASKS} tasks.")
    if params.get("schedulingStrategy", "REPLICA") != "REPLICA":
        raise invalid("The launch type FARGATE does not support the scheduling strategy DAEMON.")
    if params.get("deploymentController", {"type": "ECS"})["type"] != "ECS":
        raise _not_emulated(f"Deployment controller {params['deploymentController']['type']}")
    if not 0 <= params.get("healthCheckGracePeriodSeconds", 0) <= _LONGEST_GRACE:
        raise invalid(f"Health check grace period must be between 0 and {_LONGEST_GRACE}.")


def configuration_of(params: Params, now: Params = _CONFIGURATION) -> dict[str, Any]:
    """deploymentConfiguration as it will be. Raises InvalidParameterException, or says what is not emulated."""
    configuration = {**now, **params.get("deploymentConfiguration", {})}
    configuration["deploymentCircuitBreaker"] = {**_BREAKER_OFF, **configuration["deploymentCircuitBreaker"]}
    least, most = configuration["minimumHealthyPercent"], configuration["maximumPercent"]
    if not 0 <= least <= 100:
        raise invalid("minimumHealthyPercent must be between 0 and 100.")
    if most < 100:
        raise invalid("maximumPercent must be at least 100.")
    if least == most == 100:
        raise invalid("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
    if configuration["strategy"] != "ROLLING":
        raise _not_emulated(f"Deployment strategy {configuration['strategy']}")
    if configuration.get("alarms", {}).get("enable"):
        raise _not_emulated("Failing a deployment by CloudWatch alarms")
    if configuration.get("lifecycleHooks"):
        raise _not_emulated("Deployment lifecycle hooks")
    return configuration


def settings_of(params: Params, now: Params = _SETTINGS) -> dict[str, Any]:
    """What is stored and shown, as it will be."""
    return {name: params.get(name, value) for name, value in now.items()}


def grace_period_of(params: Params, revision: ServiceRevision, now: float | None = None) -> float | None:
    """AWS seconds; None for a service that has neither a load balancer nor asked for one."""
    period: float | None = params.get("healthCheckGracePeriodSeconds", now)
    return 0 if period is None and revision.load_balancers else period


def _not_emulated(what: str) -> AwsError:
    return AwsError(
        "NotImplemented",
        f"{what} is not emulated. Nothing was changed. Leave it out, or run against real AWS.",
        status=501,
    )
