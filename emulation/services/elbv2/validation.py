"""Rejects requests that AWS rejects but the state store accepts, and features that are not emulated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from ...core.errors import AwsError
from .actions import action
from .routing_table import Listener

ROUTED = ("HTTP", "HTTPS")


def not_emulated(what: str) -> AwsError:
    return AwsError("NotImplemented", f"{what} is not emulated. Nothing was changed.")


def load_balancer(params: Mapping[str, Any]) -> None:
    """CreateLoadBalancer."""
    kind = params.get("Type") or "application"
    if kind != "application":
        raise not_emulated(f"A load balancer of type {kind!r}")
    if len(subnets(params)) < 2:
        raise AwsError("ValidationError", "At least two subnets in two different Availability Zones must be specified")


def subnets(params: Mapping[str, Any]) -> list[str]:
    return list(params.get("Subnets") or [mapping["SubnetId"] for mapping in params.get("SubnetMappings") or ()])


def target_group(params: Mapping[str, Any], *, new: bool = True) -> None:
    """CreateTargetGroup and ModifyTargetGroup."""
    kind = params.get("TargetType") or "instance"
    if kind in ("lambda", "alb"):
        raise not_emulated(f"A target group of type {kind!r}")
    if (params.get("Protocol") or "HTTP") not in ROUTED:
        raise not_emulated(f"A target group with protocol {params['Protocol']}")
    if (params.get("ProtocolVersion") or "HTTP1") != "HTTP1":
        raise not_emulated(f"A target group with protocol version {params['ProtocolVersion']}")
    if new and (params.get("Port") is None or params.get("Protocol") is None):
        raise AwsError("ValidationError", "A port and a protocol must be specified")
    path = params.get("HealthCheckPath")
    if path is not None and not path.startswith("/"):
        raise AwsError("ValidationError", f"Health check path '{path}' must begin with a '/' character")


def listener(params: Mapping[str, Any], others: Iterable[Listener]) -> None:
    """CreateListener and ModifyListener; `others` are the load balancer's other listeners."""
    protocol = params.get("Protocol")
    if any(other.port == params.get("Port") for other in others):
        raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")
    if protocol == "HTTPS" and not params.get("Certificates"):
        raise AwsError("ValidationError", "A certificate must be specified for HTTPS listeners")
    if protocol is not None and protocol not in ROUTED:
        raise not_emulated(f"A listener with protocol {protocol}")
    if (params.get("MutualAuthentication") or {}).get("Mode", "off") != "off":
        raise not_emulated("Mutual TLS")
    _actions(params.get("DefaultActions"))


def rule(params: Mapping[str, Any]) -> None:
    """CreateRule and ModifyRule."""
    if params.get("Transforms"):
        raise not_emulated("A rule with Transforms")
    for condition in params.get("Conditions") or ():
        if condition.get("RegexValues") or any(
            isinstance(config, Mapping) and config.get("RegexValues") for config in condition.values()
        ):
            raise not_emulated("A rule condition with RegexValues")
    _actions(params.get("Actions"))


def _actions(shape: list[Mapping[str, Any]] | None) -> None:
    if shape:
        try:
            action(shape)
        except ValueError as unknown:
            raise AwsError("NotImplemented", f"{unknown} Nothing was changed.") from None


def target_id(text: str) -> None:
    """RegisterTargets: only targets of type ip are emulated."""
    try:
        ip_address(text)
    except ValueError:
        raise AwsError(
            "InvalidTarget",
            f"The IP address '{text}' is not a valid IP address. Only targets of type ip are emulated.",
        ) from None
