"""Scalable targets: which ECS services may be scaled, and within which bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import AwsError, not_emulated
from ..cloudwatch.wire import instant
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
    """What identifies a scalable target: namespace, `service/<cluster>/<service>`, dimension."""

    namespace: str
    resource_id: str
    dimension: str

    @classmethod
    def of(cls, params: Mapping[str, Any], operation: str) -> TargetKey:
        """From a request. Raises `AwsError` for what cannot be scaled, on AWS or here."""
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

    def described(self) -> dict[str, str]:
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
        """Whether a Describe request asks for it."""
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
    """When a policy last added capacity (AWS epoch seconds), unless one took some away since."""
    base: int = 0
    """The capacity that addition began from."""
    scaled_in: float | None = None
    """When a policy last took capacity away, unless one added some since."""

    def described(self) -> dict[str, Any]:
        return {
            **self.key.described(),
            "MinCapacity": self.bounds.minimum,
            "MaxCapacity": self.bounds.maximum,
            "RoleARN": self.role_arn,
            "CreationTime": instant(self.created),
            "SuspendedState": dict(self.suspended),
            "ScalableTargetARN": self.arn,
        }


class Targets:
    """The registered targets, in the order of their registration."""

    def __init__(self) -> None:
        self._targets: dict[TargetKey, ScalableTarget] = {}

    def __iter__(self) -> Iterator[ScalableTarget]:
        return iter(list(self._targets.values()))

    def get(self, key: TargetKey) -> ScalableTarget | None:
        return self._targets.get(key)

    def add(self, target: ScalableTarget) -> None:
        self._targets[target.key] = target

    def remove(self, key: TargetKey) -> None:
        """Raises ObjectNotFoundException when it was not registered."""
        if self._targets.pop(key, None) is None:
            raise AwsError("ObjectNotFoundException", f"No scalable target found for {key}")

    def tagged(self, arn: str) -> ScalableTarget:
        """The target of this ARN. Raises ResourceNotFoundException."""
        for target in self:
            if target.arn == arn:
                return target
        raise AwsError("ResourceNotFoundException", f"Resource not found: {arn}")


def check_namespace(namespace: str) -> None:
    if namespace not in NAMESPACES:
        raise invalid(
            f"1 validation error detected: Value '{namespace}' at 'serviceNamespace' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(NAMESPACES)}]"
        )


def invalid(message: str) -> AwsError:
    """Application Auto Scaling's complaint about a request that cannot be."""
    return AwsError("ValidationException", message)


def _unsupported() -> AwsError:
    return invalid("Unsupported service namespace, resource type or scalable dimension")
