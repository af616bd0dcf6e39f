"""Scalable targets: the ECS services that may be scaled, and their bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import AwsError, not_emulated
from ...core.timestamps import instant
from .capacity import Bounds

ECS = "ecs"
DESIRED_COUNT = "ecs:service:DesiredCount"
NAMESPACES = (
    *("ecs", "elasticmapreduce", "ec2", "appstream", "dynamodb", "rds", "sagemaker", "custom-resource", "comprehend"),
    *("lambda", "cassandra", "kafka", "elasticache", "neptune", "workspaces"),
)
SUSPENSIONS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


@dataclass(frozen=True)
class TargetKey:
    """Identifies a scalable target: namespace, `service/<cluster>/<service>`, dimension."""

    namespace: str
    resource_id: str
    dimension: str

    @classmethod
    def of(cls, params: Mapping[str, Any], operation: str) -> TargetKey:
        """From a request. Raises `AwsError` for a resource that cannot be scaled, on AWS or here."""
        key = cls(params["ServiceNamespace"], params["ResourceId"], params["ScalableDimension"])
        check_namespace(key.namespace)
        if key.dimension.partition(":")[0] != key.namespace:
            raise _unsupported()
        if key.namespace != ECS:
            raise not_emulated("application-autoscaling", f"{operation} for the namespace {key.namespace}")
        parts = key.resource_id.split("/")
        if key.dimension != DESIRED_COUNT or len(parts) != 3 or parts[0] != "service" or not all(parts):
            raise _unsupported()
        return key

    @property
    def cluster(self) -> str:
        return self.resource_id.split("/")[1]

    @property
    def service(self) -> str:
        return self.resource_id.split("/")[2]

    def describe(self) -> dict[str, str]:
        return {
            "ServiceNamespace": self.namespace,
            "ResourceId": self.resource_id,
            "ScalableDimension": self.dimension,
        }

    def __str__(self) -> str:
        return (
            f"service namespace: {self.namespace}, resource ID: {self.resource_id}, "
            f"scalable dimension: {self.dimension}"
        )

    def matches(self, params: Mapping[str, Any]) -> bool:
        """Whether a Describe request selects it."""
        return (
            params["ServiceNamespace"] == self.namespace
            and params.get("ResourceId") in (None, self.resource_id)
            and params.get("ScalableDimension") in (None, self.dimension)
        )


@dataclass
class ScalableTarget:
    key: TargetKey
    arn: str
    bounds: Bounds
    role_arn: str
    created: float
    suspended: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(SUSPENSIONS, False))
    tags: dict[str, str] = field(default_factory=dict)
    scaled_out: float | None = None
    """When a policy last added capacity (AWS epoch seconds), unless one removed some since."""
    base: int = 0
    """The capacity before that addition."""
    scaled_in: float | None = None
    """When a policy last removed capacity, unless one added some since."""

    def describe(self) -> dict[str, Any]:
        return {
            **self.key.describe(),
            "MinCapacity": self.bounds.minimum,
            "MaxCapacity": self.bounds.maximum,
            "RoleARN": self.role_arn,
            "CreationTime": instant(self.created),
            "SuspendedState": dict(self.suspended),
            "ScalableTargetARN": self.arn,
        }


def check_namespace(namespace: str) -> None:
    if namespace not in NAMESPACES:
        raise invalid(
            f"1 validation error detected: Value '{namespace}' at 'serviceNamespace' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(NAMESPACES)}]"
        )


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def _unsupported() -> AwsError:
    return invalid("Unsupported service namespace, resource type or scalable dimension")
