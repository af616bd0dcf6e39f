"""The routing table: an immutable snapshot of the configuration, read on every request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .actions import Action, Forward
from .conditions import Condition, HostHeader, RequestAttributes


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A target group's health check settings; times in AWS seconds."""

    protocol: str = "HTTP"
    port: int | None = None
    """None for the traffic port."""
    path: str = "/"
    codes: frozenset[int] = frozenset({200})
    interval: float = 30.0
    timeout: float = 5.0
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Stickiness:
    """Stickiness of a target group, by a load balancer cookie or an application cookie."""

    seconds: int
    """AWS seconds from the latest request."""
    application_cookie: str | None = None


@dataclass(frozen=True, slots=True)
class TargetGroup:
    arn: str
    name: str
    protocol: str
    port: int
    health_check: HealthCheck = HealthCheck()
    deregistration_delay: float = 300.0
    """AWS seconds."""
    algorithm: str = "round_robin"
    stickiness: Stickiness | None = None

    @property
    def dimension(self) -> str:
        """As CloudWatch names it: `targetgroup/name/id`."""
        return self.arn.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Rule:
    arn: str
    priority: int
    """0 is the default rule."""
    conditions: tuple[Condition, ...]
    action: Action

    @property
    def names_hosts(self) -> bool:
        """Whether a condition names the hosts that the rule applies to."""
        return any(isinstance(condition, HostHeader) for condition in self.conditions)

    def applies(self, request: RequestAttributes) -> bool:
        return all(condition.holds(request) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Listener:
    arn: str
    load_balancer_arn: str
    port: int
    protocol: str
    rules: tuple[Rule, ...]
    """By priority; the default rule, without conditions, is last."""

    def rule(self, request: RequestAttributes) -> Rule:
        for rule in self.rules:
            if rule.applies(request):
                return rule
        raise LookupError(f"The listener {self.arn} has no default rule.")


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    arn: str
    name: str
    idle_timeout: float = 60.0
    """AWS seconds."""
    forwarded_for: str = "append"
    """X-Forwarded-For processing mode: append, preserve or remove."""
    client_port_forwarded: bool = False
    drops_invalid_headers: bool = False
    deletion_protected: bool = False

    @property
    def dimension(self) -> str:
        """As CloudWatch and the access log name it: `app/name/id`."""
        return self.arn.rpartition(":loadbalancer/")[2]


@dataclass(frozen=True, slots=True)
class RoutingTable:
    load_balancers: Mapping[str, LoadBalancer] = field(default_factory=dict)
    listeners: Mapping[str, Listener] = field(default_factory=dict)
    target_groups: Mapping[str, TargetGroup] = field(default_factory=dict)
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Target group ARN → ARNs of the load balancers that forward to it."""

    @classmethod
    def of(
        cls,
        load_balancers: Mapping[str, LoadBalancer],
        listeners: Mapping[str, Listener],
        target_groups: Mapping[str, TargetGroup],
    ) -> RoutingTable:
        users: dict[str, dict[str, None]] = {}
        for listener in listeners.values():
            for rule in listener.rules:
                if isinstance(rule.action, Forward):
                    for group in rule.action.groups:
                        users.setdefault(group.target_group_arn, {})[listener.load_balancer_arn] = None
        return cls(
            dict(load_balancers), dict(listeners), dict(target_groups), {arn: tuple(by) for arn, by in users.items()}
        )

    def listeners_of(self, load_balancer_arn: str) -> list[Listener]:
        """A load balancer's listeners, the lowest port first."""
        found = [listener for listener in self.listeners.values() if listener.load_balancer_arn == load_balancer_arn]
        return sorted(found, key=lambda listener: listener.port)
