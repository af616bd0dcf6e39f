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
    if new and params.get("Port") is None:
        raise AwsError("ValidationError", "A port must be specified")
    if new and params.get("Protocol") is None:
        raise AwsError("ValidationError", "A protocol must be specified")
    path = params.get("HealthCheckPath")
    if path is not None and not path.startswith("/"):
        raise AwsError("ValidationError", f"Health check path '{path}' must begin with a '/' character")


def listener(params: Mapping[str, Any], others: Iterable[Listener]) -> None:
    """CreateListener and ModifyListener; `others` are the load balancer's other listeners."""
    protocol = params.get("Protocol")
    if any(other.port == params.get("Port") for other in others):
        raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")
    if protocol == "HTTPS" and len(params.get("Certificates") or ()) != 1:
        raise AwsError(
            "InvalidConfigurationRequest",
            "You must provide a list containing exactly one certificate if the listener protocol is HTTPS.",
        )
    if protocol is not None and protocol not in ROUTED:
        raise not_emulated(f"A listener with protocol {protocol}")
    if (params.get("MutualAuthentication") or {}).get("Mode", "off") != "off":
        raise not_emulated("Mutual TLS")
    _actions(params, "DefaultActions")


def rule(params: Mapping[str, Any]) -> None:
    """CreateRule and ModifyRule."""
    if params.get("Transforms"):
        raise not_emulated("A rule with Transforms")
    for condition in params.get("Conditions") or ():
        if condition.get("RegexValues") or any(
            isinstance(config, Mapping) and config.get("RegexValues") for config in condition.values()
        ):
            raise not_emulated("A rule condition with RegexValues")
    _actions(params, "Actions")


def _actions(params: Mapping[str, Any], name: str) -> None:
    """The actions are read before the state store has them: it would keep what cannot be routed."""
    if name not in params:
        return
    if not params[name]:
        raise AwsError(
            "ValidationError",
            f"1 validation error detected: Value '[]' at '{name[:1].lower()}{name[1:]}' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        )
    try:
        action(params[name])
    except KeyError as missing:
        raise AwsError("ValidationError", f"An action of {name} lacks {missing.args[0]}") from None
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
