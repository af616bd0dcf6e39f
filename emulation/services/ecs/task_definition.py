"""Task definitions, parsed for running them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_STOP_TIMEOUT = 30


@dataclass(frozen=True)
class Dependency:
    container: str
    condition: str
    """START, COMPLETE, SUCCESS or HEALTHY."""


@dataclass(frozen=True)
class HealthCheck:
    """A container's health check; times in AWS seconds."""

    command: tuple[str, ...]
    interval: float = 30
    timeout: float = 5
    retries: int = 3
    start_period: float = 0

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> HealthCheck:
        settings = {name: raw[name] for name in ("interval", "timeout", "retries") if name in raw}
        return cls(tuple(raw["command"]), start_period=raw.get("startPeriod", 0), **settings)

    @property
    def argv(self) -> tuple[str, ...]:
        """`CMD-SHELL` runs its text in a shell, `CMD` runs its words directly."""
        kind, *words = self.command
        return ("/bin/sh", "-c", *words) if kind == "CMD-SHELL" else tuple(words)


@dataclass(frozen=True)
class ContainerDefinition:
    """One entry of `containerDefinitions`."""

    raw: Mapping[str, Any]
    name: str
    image: str
    essential: bool
    depends_on: tuple[Dependency, ...]
    health_check: HealthCheck | None
    stop_timeout: float
    start_timeout: float | None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> ContainerDefinition:
        check = raw.get("healthCheck")
        return cls(
            raw=raw,
            name=raw["name"],
            image=raw["image"],
            essential=raw.get("essential", True),
            depends_on=tuple(Dependency(d["containerName"], d["condition"]) for d in raw.get("dependsOn", ())),
            health_check=HealthCheck.parse(check) if check and tuple(check["command"]) != ("NONE",) else None,
            stop_timeout=raw.get("stopTimeout", DEFAULT_STOP_TIMEOUT),
            start_timeout=raw.get("startTimeout"),
        )

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(mapping["containerPort"] for mapping in self.raw.get("portMappings", ()))

    @property
    def environment(self) -> dict[str, str]:
        return {pair["name"]: pair.get("value", "") for pair in self.raw.get("environment", ())}


@dataclass
class TaskDefinition:
    """One revision of a family. `raw` is its botocore shape with AWS's defaults."""

    arn: str
    family: str
    revision: int
    raw: Mapping[str, Any]
    registered_at: float
    registered_by: str
    status: str = "ACTIVE"
    deregistered_at: float | None = None
    delete_requested_at: float | None = None
    tags: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.containers = tuple(ContainerDefinition.parse(each) for each in self.raw["containerDefinitions"])

    @property
    def name(self) -> str:
        return f"{self.family}:{self.revision}"

    @property
    def network_mode(self) -> str | None:
        return self.raw.get("networkMode")

    @property
    def compatibilities(self) -> tuple[str, ...]:
        """The launch types it supports."""
        required = tuple(self.raw.get("requiresCompatibilities", ()))
        if "FARGATE" in required or not self._fits_fargate:
            return ("EC2", *(("FARGATE",) if "FARGATE" in required else ()))
        return ("EC2", "FARGATE")

    @property
    def _fits_fargate(self) -> bool:
        return self.network_mode == "awsvpc" and bool(self.raw.get("cpu")) and bool(self.raw.get("memory"))

    def container(self, name: str) -> ContainerDefinition | None:
        return next((each for each in self.containers if each.name == name), None)
