"""Load balancer and target group attributes: defaults, allowed values, and which ones are emulated.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import AwsError


@dataclass(frozen=True, slots=True)
class Attribute:
    default: str
    allowed: range | tuple[str, ...] | None = None
    emulated: bool = True
    """False: any value but the default is rejected, because it would have no effect."""

    def allows(self, value: str) -> bool:
        if isinstance(self.allowed, range):
            return value.isdigit() and int(value) in self.allowed
        return self.allowed is None or value in self.allowed


SWITCH = ("true", "false")
WEEK = 7 * 86_400

LOAD_BALANCER: dict[str, Attribute] = {
    "access_logs.s3.enabled": Attribute("false", SWITCH, emulated=False),
    "access_logs.s3.bucket": Attribute(""),
    "access_logs.s3.prefix": Attribute(""),
    "client_keep_alive.seconds": Attribute("3600", range(60, WEEK + 1)),
    "connection_logs.s3.enabled": Attribute("false", SWITCH, emulated=False),
    "connection_logs.s3.bucket": Attribute(""),
    "connection_logs.s3.prefix": Attribute(""),
    "deletion_protection.enabled": Attribute("false", SWITCH),
    "health_check_logs.s3.enabled": Attribute("false", SWITCH, emulated=False),
    "health_check_logs.s3.bucket": Attribute(""),
    "health_check_logs.s3.prefix": Attribute(""),
    "idle_timeout.timeout_seconds": Attribute("60", range(1, 4001)),
    "ipv6.deny_all_igw_traffic": Attribute("false", SWITCH),
    "load_balancing.cross_zone.enabled": Attribute("true", ("true",)),
    "routing.http.desync_mitigation_mode": Attribute("defensive", ("monitor", "defensive", "strictest")),
    "routing.http.drop_invalid_header_fields.enabled": Attribute("false", SWITCH),
    "routing.http.preserve_host_header.enabled": Attribute("false", SWITCH),
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": Attribute("false", SWITCH, emulated=False),
    "routing.http.xff_client_port.enabled": Attribute("false", SWITCH),
    "routing.http.xff_header_processing.mode": Attribute("append", ("append", "preserve", "remove")),
    "routing.http2.enabled": Attribute("true", SWITCH),
    "waf.fail_open.enabled": Attribute("false", SWITCH),
    "zonal_shift.config.enabled": Attribute("false", SWITCH),
}

TARGET_GROUP: dict[str, Attribute] = {
    "deregistration_delay.timeout_seconds": Attribute("300", range(3601)),
    "load_balancing.algorithm.anomaly_mitigation": Attribute("off", ("on", "off"), emulated=False),
    "load_balancing.algorithm.type": Attribute(
        "round_robin", ("round_robin", "least_outstanding_requests", "weighted_random")
    ),
    "load_balancing.cross_zone.enabled": Attribute(
        "use_load_balancer_configuration", (*SWITCH, "use_load_balancer_configuration")
    ),
    "slow_start.duration_seconds": Attribute("0", range(901), emulated=False),
    "stickiness.enabled": Attribute("false", SWITCH),
    "stickiness.type": Attribute("lb_cookie", ("lb_cookie", "app_cookie")),
    "stickiness.lb_cookie.duration_seconds": Attribute("86400", range(1, WEEK + 1)),
    "stickiness.app_cookie.cookie_name": Attribute(""),
    "stickiness.app_cookie.duration_seconds": Attribute("86400", range(1, WEEK + 1)),
    "target_group_health.dns_failover.minimum_healthy_targets.count": Attribute("1"),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": Attribute("off"),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": Attribute("1", emulated=False),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": Attribute("off", emulated=False),
}


KNOWN = {"LoadBalancer": LOAD_BALANCER, "TargetGroup": TARGET_GROUP}
NAMES = {"LoadBalancer": "Load balancer", "TargetGroup": "Target group"}
"""As AWS's messages call them."""


def check(given: Iterable[Mapping[str, Any]], known: Mapping[str, Attribute], kind: str) -> None:
    """Raise `AwsError` for an invalid or not emulated attribute; `kind` as in AWS's messages."""
    for item in given:
        key, value = item["Key"], str(item.get("Value") or "")
        attribute = known.get(key)
        if attribute is None:
            raise AwsError("InvalidConfigurationRequest", f"{kind} attribute key '{key}' is not recognized")
        if not attribute.allows(value):
            raise AwsError("InvalidConfigurationRequest", f"{kind} attribute value '{value}' is not valid for '{key}'")
        if not attribute.emulated and value != attribute.default:
            raise AwsError("NotImplemented", f"{kind} attribute {key}={value} is not emulated. Nothing was changed.")


def complete(stored: Iterable[Mapping[str, Any]], known: Mapping[str, Attribute]) -> list[dict[str, str]]:
    """Every attribute, with AWS's default where none is stored."""
    values = {item["Key"]: str(item.get("Value") or "") for item in stored}
    return [{"Key": key, "Value": values.get(key) or attribute.default} for key, attribute in known.items()]
