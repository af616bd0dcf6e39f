"""The elbv2 operations.

Create, modify and delete go to the state store and are applied before they are answered: a listener listens when
CreateListener returns. Target registration and health are kept here; the state store has no targets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ...core.controller import Aws, Call, Handler, Operation
from ...core.errors import AwsError
from . import attributes, validation
from .configuration import Configuration, default_rule_arn, listener_arn, rule_arn
from .target_health import TargetHealth
from .targets import TargetKey, Targets

PUBLIC = "internet-facing"
Answer = dict[str, Any]
Read = Callable[[str], Awaitable[None]]


class Operations:
    def __init__(
        self,
        aws: Aws,
        configuration: Configuration,
        targets: Targets,
        apply: Callable[[], Awaitable[None]],
        address: Callable[[str], str | None],
    ) -> None:
        """`apply` applies the configuration to the data plane; `address` returns a load balancer's address by ARN."""
        self._aws = aws
        self._configuration = configuration
        self._targets = targets
        self._apply = apply
        self._address = address
        self._changes = asyncio.Lock()

    def handlers(self) -> Mapping[Operation, Handler]:
        operations: dict[str, Handler] = {
            "CreateLoadBalancer": self._create_load_balancer,
            "DescribeLoadBalancers": self._describe_load_balancers,
            "DescribeLoadBalancerAttributes": self._load_balancer_attributes,
            "ModifyLoadBalancerAttributes": self._load_balancer_attributes,
            "DeleteLoadBalancer": self._delete_load_balancer,
            "CreateListener": self._create_listener,
            "DescribeListeners": self._describe_listeners,
            "ModifyListener": self._on_listener,
            "DeleteListener": self._on_listener,
            "CreateRule": self._on_rules,
            "DescribeRules": self._describe_rules,
            "ModifyRule": self._on_rules,
            "DeleteRule": self._on_rules,
            "SetRulePriorities": self._on_rules,
            "CreateTargetGroup": self._create_target_group,
            "DescribeTargetGroups": self._describe_target_groups,
            "ModifyTargetGroup": self._on_target_group,
            "DescribeTargetGroupAttributes": self._target_group_attributes,
            "ModifyTargetGroupAttributes": self._target_group_attributes,
            "DeleteTargetGroup": self._on_target_group,
            "RegisterTargets": self._register_targets,
            "DeregisterTargets": self._deregister_targets,
            "DescribeTargetHealth": self._describe_target_health,
        }
        return {("elbv2", name): handler for name, handler in operations.items()}

    async def read_everything(self) -> None:
        """Apply the configuration that the state store already holds."""
        async with self._changes:
            await self._configuration.read_everything()
            await self._apply()

    # load balancers

    async def _create_load_balancer(self, call: Call) -> Answer:
        validation.load_balancer(call.params)
        async with self._changes:
            known = [lb for lb in self._configuration.table.load_balancers.values() if lb.name == call.params["Name"]]
            if known:
                return await self._existing_load_balancer(call, known[0].arn)
            answer = await self._base(call)
            await self._configuration.read_load_balancer(answer["LoadBalancers"][0]["LoadBalancerArn"])
            await self._apply()
        return self._with_addresses(answer)

    async def _existing_load_balancer(self, call: Call, arn: str) -> Answer:
        """Answer with the existing load balancer if its settings are the same; raise otherwise."""
        answer = await self._aws.store("elbv2", "DescribeLoadBalancers", LoadBalancerArns=[arn])
        there = answer["LoadBalancers"][0]
        same = (
            {zone["SubnetId"] for zone in there["AvailabilityZones"]} == set(validation.subnets(call.params))
            and (there.get("Scheme") or PUBLIC) == call.params.get("Scheme", PUBLIC)
            and set(there.get("SecurityGroups") or ()) == set(call.params.get("SecurityGroups") or ())
        )
        if not same:
            raise AwsError(
                "DuplicateLoadBalancerName",
                f"A load balancer with the same name '{call.params['Name']}' exists, but with different settings",
            )
        return self._with_addresses({"LoadBalancers": answer["LoadBalancers"]})

    async def _describe_load_balancers(self, call: Call) -> Answer:
        return self._with_addresses(await self._base(call))

    def _with_addresses(self, answer: Answer) -> Answer:
        for described in answer["LoadBalancers"]:
            address = self._address(described["LoadBalancerArn"])
            if address is not None:
                described["DNSName"] = address
            described["Scheme"] = described.get("Scheme") or PUBLIC
        return answer

    async def _load_balancer_attributes(self, call: Call) -> Answer:
        arn = call.params["LoadBalancerArn"]
        if "Attributes" in call.params:
            attributes.check(call.params["Attributes"], attributes.LOAD_BALANCER, "Load balancer")
            await self._change(call, self._configuration.read_load_balancer, arn)
        stored = await self._aws.store("elbv2", "DescribeLoadBalancerAttributes", LoadBalancerArn=arn)
        return {"Attributes": attributes.complete(stored["Attributes"], attributes.LOAD_BALANCER)}

    async def _delete_load_balancer(self, call: Call) -> Answer:
        arn = call.params["LoadBalancerArn"]
        known = self._configuration.table.load_balancers.get(arn)
        if known is not None and known.deletion_protected:
            raise AwsError(
                "OperationNotPermitted",
                f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
            )
        return await self._change(call, self._configuration.read_load_balancer, arn)

    # listeners and rules

    async def _create_listener(self, call: Call) -> Answer:
        arn = call.params["LoadBalancerArn"]
        async with self._changes:
            validation.listener(call.params, self._configuration.table.listeners_of(arn))
            answer = await self._base(call)
            await self._configuration.read_listener(answer["Listeners"][0]["ListenerArn"])
            await self._apply()
        return _plain(answer)

    async def _describe_listeners(self, call: Call) -> Answer:
        return _plain(await self._base(call))

    async def _on_listener(self, call: Call) -> Answer:
        arn = call.params["ListenerArn"]
        listener = self._configuration.table.listeners.get(arn)
        if call.operation == "ModifyListener" and listener is not None:
            others = self._configuration.table.listeners_of(listener.load_balancer_arn)
            validation.listener(call.params, [other for other in others if other.arn != arn])
        return _plain(await self._change(call, self._configuration.read_listener, arn))

    async def _describe_rules(self, call: Call) -> Answer:
        """Replaces the state store's ARNs of default rules, which contain the address of a Python object."""
        asked = call.params.get("RuleArns") or ()
        if not any(arn == default_rule_arn(listener_arn(arn)) for arn in asked):
            answer = await self._base(call)
        else:
            answer = {"Rules": []}
            for arn in asked:
                one = await self._aws.store("elbv2", "DescribeRules", ListenerArn=listener_arn(arn))
                answer["Rules"] += [rule for rule in one["Rules"] if rule_arn(rule) == arn]
        for rule in answer["Rules"]:
            rule["RuleArn"] = rule_arn(rule)
        return answer

    async def _on_rules(self, call: Call) -> Answer:
        validation.rule(call.params)
        rules = [item["RuleArn"] for item in call.params.get("RulePriorities") or ()]
        listener = call.params.get("ListenerArn") or listener_arn(call.params.get("RuleArn") or rules[0])
        return await self._change(call, self._configuration.read_listener, listener)

    # target groups

    async def _create_target_group(self, call: Call) -> Answer:
        validation.target_group(call.params)
        async with self._changes:
            answer = await self._base(call)
            await self._configuration.read_target_group(answer["TargetGroups"][0]["TargetGroupArn"])
            await self._apply()
        return self._with_users(answer)

    async def _describe_target_groups(self, call: Call) -> Answer:
        params = dict(call.params)
        balancer = params.pop("LoadBalancerArn", None)
        answer = self._with_users(await self._aws.store(call.service, call.operation, **params))
        if balancer is not None:
            groups = answer["TargetGroups"]
            answer["TargetGroups"] = [group for group in groups if balancer in group["LoadBalancerArns"]]
        return answer

    async def _on_target_group(self, call: Call) -> Answer:
        if call.operation == "ModifyTargetGroup":
            validation.target_group(call.params, new=False)
        answer = await self._change(call, self._configuration.read_target_group, call.params["TargetGroupArn"])
        return self._with_users(answer) if "TargetGroups" in answer else answer

    async def _target_group_attributes(self, call: Call) -> Answer:
        arn = call.params["TargetGroupArn"]
        if "Attributes" in call.params:
            attributes.check(call.params["Attributes"], attributes.TARGET_GROUP, "Target group")
            await self._change(call, self._configuration.read_target_group, arn)
        stored = await self._aws.store("elbv2", "DescribeTargetGroupAttributes", TargetGroupArn=arn)
        return {"Attributes": attributes.complete(stored["Attributes"], attributes.TARGET_GROUP)}

    def _with_users(self, answer: Answer) -> Answer:
        """Correct LoadBalancerArns, which the state store loses or duplicates."""
        for group in answer["TargetGroups"]:
            group["LoadBalancerArns"] = list(self._configuration.table.users.get(group["TargetGroupArn"], ()))
        return answer

    # targets

    async def _register_targets(self, call: Call) -> Answer:
        group = self._group(call)
        for target in call.params["Targets"]:
            validation.target_id(target["Id"])
        self._targets.register(
            group,
            [
                ((target["Id"], target.get("Port", group.port)), target.get("AvailabilityZone"))
                for target in call.params["Targets"]
            ],
        )
        return {}

    async def _deregister_targets(self, call: Call) -> Answer:
        group = self._group(call)
        keys: list[TargetKey] = []
        for wanted in call.params["Targets"]:
            registered = [key for key in self._targets.pool(group.arn).targets if key[0] == wanted["Id"]]
            keys += [key for key in registered if wanted.get("Port") in (None, key[1])]
        self._targets.deregister(group, keys)
        return {}

    async def _describe_target_health(self, call: Call) -> Answer:
        group = self._group(call)
        registered = self._targets.pool(group.arn).targets
        asked = call.params.get("Targets")
        keys = [(item["Id"], item.get("Port", group.port)) for item in asked] if asked else list(registered)
        return {
            "TargetHealthDescriptions": [
                _description(key, self._targets.health(group, key), group.health_check.port, _zone(registered.get(key)))
                for key in keys
            ]
        }

    def _group(self, call: Call) -> Any:
        group = self._configuration.table.target_groups.get(call.params["TargetGroupArn"])
        if group is None:
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        return group

    # all of them

    async def _change(self, call: Call, read: Read, arn: str) -> Answer:
        """Store a change, read `arn` again and apply it."""
        async with self._changes:
            answer = await self._base(call)
            await read(arn)
            await self._apply()
        return answer

    async def _base(self, call: Call) -> Answer:
        return await self._aws.store(call.service, call.operation, **call.params)


def _plain(answer: Answer) -> Answer:
    """Remove the TLS members of listeners without TLS, as AWS does."""
    for listener in answer.get("Listeners") or ():
        if listener["Protocol"] != "HTTPS":
            for name in ("SslPolicy", "AlpnPolicy", "Certificates"):
                listener.pop(name, None)
    return answer


def _zone(target: Any) -> str | None:
    return target.zone if target is not None else None


def _description(key: TargetKey, health: TargetHealth, check_port: int | None, zone: str | None) -> dict[str, Any]:
    state = {"State": health.state, "Reason": health.reason, "Description": health.description}
    target = {"Id": key[0], "Port": key[1], "AvailabilityZone": zone}
    return {
        "Target": {name: value for name, value in target.items() if value is not None},
        "HealthCheckPort": str(check_port or key[1]),
        "TargetHealth": {name: value for name, value in state.items() if value is not None},
    }
