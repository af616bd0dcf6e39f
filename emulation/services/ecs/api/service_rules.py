"""Validation and defaults of CreateService and UpdateService."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import invalid, not_emulated
from ..model import ServiceRevision

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


def check_service(params: Params, *, new: bool = False) -> None:
    """Raises InvalidParameterException or NotImplemented."""
    count = params.get("desiredCount", 0)
    if count < 0:
        raise invalid("Invalid desiredCount. The desired count cannot be negative.")
    if count > _MOST_TASKS:
        raise invalid(f"Invalid desiredCount. A service can have at most {_MOST_TASKS} tasks.")
    if params.get("schedulingStrategy", "REPLICA") != "REPLICA":
        raise invalid("The launch type FARGATE does not support the scheduling strategy DAEMON.")
    if params.get("deploymentController", {"type": "ECS"})["type"] != "ECS":
        raise not_emulated(f"Deployment controller {params['deploymentController']['type']}")
    if not 0 <= params.get("healthCheckGracePeriodSeconds", 0) <= _LONGEST_GRACE:
        raise invalid(f"Health check grace period must be between 0 and {_LONGEST_GRACE}.")
    if new and params.get("healthCheckGracePeriodSeconds") and not params.get("loadBalancers"):
        raise invalid("Health check grace period is only valid for services configured to use load balancers")


def configuration_of(params: Params, now: Params = _CONFIGURATION) -> dict[str, Any]:
    """The new deploymentConfiguration. Raises InvalidParameterException or NotImplemented."""
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
        raise not_emulated(f"Deployment strategy {configuration['strategy']}")
    if configuration.get("alarms", {}).get("enable"):
        raise not_emulated("Failing a deployment by CloudWatch alarms")
    if configuration.get("lifecycleHooks"):
        raise not_emulated("Deployment lifecycle hooks")
    return configuration


def settings_of(params: Params, now: Params = _SETTINGS) -> dict[str, Any]:
    """The new settings that DescribeServices shows."""
    return {name: params.get(name, value) for name, value in now.items()}


def grace_period_of(params: Params, revision: ServiceRevision, now: float | None = None) -> float | None:
    """AWS seconds; None for a service without a load balancer that does not set it."""
    period: float | None = params.get("healthCheckGracePeriodSeconds", now)
    return 0 if period is None and revision.load_balancers else period
