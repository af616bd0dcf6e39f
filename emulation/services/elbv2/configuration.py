"""Reads load balancers, listeners, rules and target groups from the state store into a routing table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from hashlib import blake2b
from typing import Any

from ...core.controller import Aws
from ...core.errors import AwsError
from .actions import action
from .conditions import condition
from .routing_table import HealthCheck, Listener, LoadBalancer, RoutingTable, Rule, Stickiness, TargetGroup


class Configuration:
    """The configuration as last read. `table` is replaced, never changed, so a reader keeps a consistent snapshot."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._load_balancers: dict[str, LoadBalancer] = {}
        self._listeners: dict[str, Listener] = {}
        self._target_groups: dict[str, TargetGroup] = {}
        self.table = RoutingTable()

    async def read_everything(self) -> None:
        async for group in self._pages("DescribeTargetGroups", "TargetGroups"):
            await self.read_target_group(group["TargetGroupArn"])
        async for balancer in self._pages("DescribeLoadBalancers", "LoadBalancers"):
            arn = balancer["LoadBalancerArn"]
            await self.read_load_balancer(arn)
            async for listener in self._pages("DescribeListeners", "Listeners", LoadBalancerArn=arn):
                await self.read_listener(listener["ListenerArn"])

    async def read_load_balancer(self, arn: str) -> None:
        """Read one load balancer again; a deleted one takes its listeners with it."""
        described = await self._describe("LoadBalancer", arn)
        if described is None:
            self._load_balancers.pop(arn, None)
            self._listeners = {k: v for k, v in self._listeners.items() if v.load_balancer_arn != arn}
        else:
            self._load_balancers[arn] = load_balancer(*described)
        self._publish()

    async def read_listener(self, arn: str) -> None:
        """Read one listener and its rules again."""
        try:
            described = await self._aws.store("elbv2", "DescribeListeners", ListenerArns=[arn])
            rules = [rule async for rule in self._pages("DescribeRules", "Rules", ListenerArn=arn)]
        except AwsError as error:
            _raise_unless_deleted(error)
            described = {"Listeners": []}
        if described["Listeners"]:
            self._listeners[arn] = listener(described["Listeners"][0], rules)
        else:
            self._listeners.pop(arn, None)
        self._publish()

    async def read_target_group(self, arn: str) -> None:
        """Read one target group again."""
        described = await self._describe("TargetGroup", arn)
        if described is None:
            self._target_groups.pop(arn, None)
        else:
            self._target_groups[arn] = target_group(*described)
        self._publish()

    async def _describe(self, kind: str, arn: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
        """The description and the attributes of a resource; None for a deleted one."""
        try:
            described = await self._aws.store("elbv2", f"Describe{kind}s", **{f"{kind}Arns": [arn]})
            attributes = await self._aws.store("elbv2", f"Describe{kind}Attributes", **{f"{kind}Arn": arn})
        except AwsError as error:
            _raise_unless_deleted(error)
            return None
        return described[f"{kind}s"][0], attributes["Attributes"]

    def _publish(self) -> None:
        self.table = RoutingTable.of(self._load_balancers, self._listeners, self._target_groups)

    async def _pages(self, operation: str, key: str, **params: Any) -> AsyncIterator[dict[str, Any]]:
        while True:
            answer = await self._aws.store("elbv2", operation, **params)
            for item in answer[key]:
                yield item
            if not answer.get("NextMarker"):
                return
            params["Marker"] = answer["NextMarker"]


def _raise_unless_deleted(error: AwsError) -> None:
    if not error.code.endswith("NotFound"):
        raise error


def load_balancer(described: Mapping[str, Any], attributes: Iterable[Mapping[str, Any]]) -> LoadBalancer:
    """From `DescribeLoadBalancers` and `DescribeLoadBalancerAttributes`."""
    values = _attributes(attributes)
    return LoadBalancer(
        arn=described["LoadBalancerArn"],
        name=described["LoadBalancerName"],
        idle_timeout=float(values.get("idle_timeout.timeout_seconds") or 60),
        forwarded_for=values.get("routing.http.xff_header_processing.mode") or "append",
        client_port_forwarded=values.get("routing.http.xff_client_port.enabled") == "true",
        drops_invalid_headers=values.get("routing.http.drop_invalid_header_fields.enabled") == "true",
        deletion_protected=values.get("deletion_protection.enabled") == "true",
    )


def listener(described: Mapping[str, Any], rules: Iterable[Mapping[str, Any]]) -> Listener:
    """From `DescribeListeners` and `DescribeRules`."""
    return Listener(
        arn=described["ListenerArn"],
        load_balancer_arn=described["LoadBalancerArn"],
        port=int(described["Port"]),
        protocol=described["Protocol"],
        rules=tuple(sorted(map(_rule, rules), key=lambda rule: rule.priority or 50_001)),
    )


def rule_arn(described: Mapping[str, Any]) -> str:
    """A rule's ARN; a default rule gets a stable one, because the state store's changes."""
    arn: str = described["RuleArn"]
    return default_rule_arn(listener_arn(arn)) if described.get("Priority") == "default" else arn


def default_rule_arn(listener_arn: str) -> str:
    number = blake2b(listener_arn.encode(), digest_size=8).hexdigest()
    return f"{listener_arn.replace(':listener/', ':listener-rule/')}/{number}"


def listener_arn(rule_arn: str) -> str:
    return rule_arn.replace(":listener-rule/", ":listener/").rpartition("/")[0]


def _rule(shape: Mapping[str, Any]) -> Rule:
    return Rule(
        arn=rule_arn(shape),
        priority=0 if shape.get("Priority") == "default" else int(shape["Priority"]),
        conditions=tuple(condition(item) for item in shape.get("Conditions") or ()),
        action=action(shape["Actions"]),
    )


def target_group(described: Mapping[str, Any], attributes: Iterable[Mapping[str, Any]]) -> TargetGroup:
    """From `DescribeTargetGroups` and `DescribeTargetGroupAttributes`."""
    values = _attributes(attributes)
    return TargetGroup(
        arn=described["TargetGroupArn"],
        name=described["TargetGroupName"],
        protocol=described["Protocol"],
        port=int(described["Port"]),
        health_check=_health_check(described),
        deregistration_delay=float(values.get("deregistration_delay.timeout_seconds") or 0),
        algorithm=values.get("load_balancing.algorithm.type") or "round_robin",
        stickiness=_stickiness(values),
    )


def _health_check(described: Mapping[str, Any]) -> HealthCheck:
    port = str(described.get("HealthCheckPort") or "traffic-port")
    return HealthCheck(
        protocol=described.get("HealthCheckProtocol") or described["Protocol"],
        port=int(port) if port.isdigit() else None,
        path=described.get("HealthCheckPath") or "/",
        codes=_codes((described.get("Matcher") or {}).get("HttpCode") or "200"),
        interval=float(described.get("HealthCheckIntervalSeconds") or 30),
        timeout=float(described.get("HealthCheckTimeoutSeconds") or 5),
        healthy_threshold=int(described.get("HealthyThresholdCount") or 5),
        unhealthy_threshold=int(described.get("UnhealthyThresholdCount") or 2),
        enabled=described.get("HealthCheckEnabled", True) is not False,
    )


def _codes(matcher: str) -> frozenset[int]:
    """`200,301-303` → the four codes."""
    codes: set[int] = set()
    for part in matcher.split(","):
        first, _, last = part.strip().partition("-")
        codes.update(range(int(first), int(last or first) + 1))
    return frozenset(codes)


def _stickiness(values: Mapping[str, str]) -> Stickiness | None:
    if values.get("stickiness.enabled") != "true":
        return None
    if values.get("stickiness.type") == "app_cookie":
        seconds = values.get("stickiness.app_cookie.duration_seconds") or 86_400
        return Stickiness(int(seconds), values["stickiness.app_cookie.cookie_name"])
    return Stickiness(int(values.get("stickiness.lb_cookie.duration_seconds") or 86_400))


def _attributes(items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {item["Key"]: str(item.get("Value") if item.get("Value") is not None else "") for item in items}
