"""The elbv2 operations.

Create, modify and delete go to the state store and are applied before they are answered: a listener listens when
CreateListener returns. Target registration and health are kept here; the state store has no targets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from ...core.controller import Aws, Call
from ...core.errors import AwsError
from . import attributes, validation
from .configuration import Configuration, default_rule_arn, listener_arn, rule_arn
from .target_health import TargetHealth
from .targets import TargetKey, Targets

PUBLIC = "internet-facing"
Answer = dict[str, Any]
Read = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Operations:
    aws: Aws
    configuration: Configuration
    targets: Targets
    apply: Callable[[], Awaitable[None]]
    """Applies the configuration to the data plane."""
    address: Callable[[str], str | None]
    """Returns a load balancer's address by ARN."""
    changes: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read_everything(self) -> None:
        """Apply the configuration that the state store already holds."""
        async with self.changes:
            await self.configuration.read_everything()
            await self.apply()

    async def create_load_balancer(self, call: Call) -> Answer:
        validation.load_balancer(call.params)
        async with self.changes:
            known = [lb for lb in self.configuration.table.load_balancers.values() if lb.name == call.params["Name"]]
            if known:
                return await self._existing_load_balancer(call, known[0].arn)
            answer = await self._base(call)
            await self.configuration.read_load_balancer(answer["LoadBalancers"][0]["LoadBalancerArn"])
            await self.apply()
        return self._with_addresses(answer)

    async def _existing_load_balancer(self, call: Call, arn: str) -> Answer:
        """Answer with the existing load balancer if its settings are the same; raise otherwise."""
        answer = await self.aws.store("elbv2", "DescribeLoadBalancers", LoadBalancerArns=[arn])
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

    async def describe_load_balancers(self, call: Call) -> Answer:
        return self._with_addresses(await self._base(call))

    def _with_addresses(self, answer: Answer) -> Answer:
        for described in answer["LoadBalancers"]:
            address = self.address(described["LoadBalancerArn"])
            if address is not None:
                described["DNSName"] = address
            described["Scheme"] = described.get("Scheme") or PUBLIC
        return answer

    async def describe_load_balancer_attributes(self, call: Call) -> Answer:
        return await self._attributes(call, "LoadBalancer", self.configuration.read_load_balancer)

    modify_load_balancer_attributes = describe_load_balancer_attributes

    async def delete_load_balancer(self, call: Call) -> Answer:
        arn = call.params["LoadBalancerArn"]
        known = self.configuration.table.load_balancers.get(arn)
        if known is not None and known.deletion_protected:
            raise AwsError(
                "OperationNotPermitted",
                f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
            )
        return await self._change(call, self.configuration.read_load_balancer, arn)

    async def create_listener(self, call: Call) -> Answer:
        arn = call.params["LoadBalancerArn"]
        async with self.changes:
            validation.listener(call.params, self.configuration.table.listeners_of(arn))
            answer = await self._base(call)
            await self.configuration.read_listener(answer["Listeners"][0]["ListenerArn"])
            await self.apply()
        return _plain(answer)

    async def describe_listeners(self, call: Call) -> Answer:
        return _plain(await self._base(call))

    async def modify_listener(self, call: Call) -> Answer:
        arn = call.params["ListenerArn"]
        listener = self.configuration.table.listeners.get(arn)
        if call.operation == "ModifyListener" and listener is not None:
            others = self.configuration.table.listeners_of(listener.load_balancer_arn)
            validation.listener(call.params, [other for other in others if other.arn != arn])
        return _plain(await self._change(call, self.configuration.read_listener, arn))

    delete_listener = modify_listener

    async def describe_rules(self, call: Call) -> Answer:
        """Replaces the state store's ARNs of default rules, which contain the address of a Python object."""
        asked = call.params.get("RuleArns") or ()
        if not any(arn == default_rule_arn(listener_arn(arn)) for arn in asked):
            answer = await self._base(call)
        else:
            answer = {"Rules": []}
            for arn in asked:
                one = await self.aws.store("elbv2", "DescribeRules", ListenerArn=listener_arn(arn))
                answer["Rules"] += [rule for rule in one["Rules"] if rule_arn(rule) == arn]
        for rule in answer["Rules"]:
            rule["RuleArn"] = rule_arn(rule)
        return answer

    async def create_rule(self, call: Call) -> Answer:
        validation.rule(call.params)
        rules = [item["RuleArn"] for item in call.params.get("RulePriorities") or ()]
        listener = call.params.get("ListenerArn") or listener_arn(call.params.get("RuleArn") or rules[0])
        return await self._change(call, self.configuration.read_listener, listener)

    modify_rule = delete_rule = set_rule_priorities = create_rule

    async def create_target_group(self, call: Call) -> Answer:
        validation.target_group(call.params)
        async with self.changes:
            answer = await self._base(call)
            await self.configuration.read_target_group(answer["TargetGroups"][0]["TargetGroupArn"])
            await self.apply()
        for group in answer["TargetGroups"]:
            group.pop("LoadBalancerArns", None)  # only DescribeTargetGroups has them
        return answer

    async def describe_target_groups(self, call: Call) -> Answer:
        params = dict(call.params)
        balancer = params.pop("LoadBalancerArn", None)
        answer = self._with_users(await self.aws.store(call.service, call.operation, **params))
        if balancer is not None:
            groups = answer["TargetGroups"]
            answer["TargetGroups"] = [group for group in groups if balancer in group["LoadBalancerArns"]]
        return answer

    async def modify_target_group(self, call: Call) -> Answer:
        if call.operation == "ModifyTargetGroup":
            validation.target_group(call.params, new=False)
        answer = await self._change(call, self.configuration.read_target_group, call.params["TargetGroupArn"])
        return self._with_users(answer) if "TargetGroups" in answer else answer

    delete_target_group = modify_target_group

    async def describe_target_group_attributes(self, call: Call) -> Answer:
        return await self._attributes(call, "TargetGroup", self.configuration.read_target_group)

    modify_target_group_attributes = describe_target_group_attributes

    def _with_users(self, answer: Answer) -> Answer:
        """Correct LoadBalancerArns, which the state store loses or duplicates."""
        for group in answer["TargetGroups"]:
            group["LoadBalancerArns"] = list(self.configuration.table.users.get(group["TargetGroupArn"], ()))
        return answer

    async def register_targets(self, call: Call) -> Answer:
        group = self._group(call)
        for target in call.params["Targets"]:
            validation.target_id(target["Id"])
        self.targets.register(
            group,
            [
                ((target["Id"], target.get("Port", group.port)), target.get("AvailabilityZone"))
                for target in call.params["Targets"]
            ],
        )
        return {}

    async def deregister_targets(self, call: Call) -> Answer:
        group = self._group(call)
        keys: list[TargetKey] = []
        for wanted in call.params["Targets"]:
            registered = [key for key in self.targets.pool(group.arn).targets if key[0] == wanted["Id"]]
            keys += [key for key in registered if wanted.get("Port") in (None, key[1])]
        self.targets.deregister(group, keys)
        return {}

    async def describe_target_health(self, call: Call) -> Answer:
        group = self._group(call)
        registered = self.targets.pool(group.arn).targets
        zones = {key: target.zone for key, target in registered.items()}
        asked = call.params.get("Targets")
        keys = [(item["Id"], item.get("Port", group.port)) for item in asked] if asked else list(registered)
        return {
            "TargetHealthDescriptions": [
                _description(key, self.targets.health(group, key), group.health_check.port, zones.get(key))
                for key in keys
            ]
        }

    def _group(self, call: Call) -> Any:
        group = self.configuration.table.target_groups.get(call.params["TargetGroupArn"])
        if group is None:
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        return group

    async def _attributes(self, call: Call, kind: str, read: Read) -> Answer:
        """Set the given attributes, if any, and answer with all of them."""
        arn, known = call.params[f"{kind}Arn"], attributes.KNOWN[kind]
        if "Attributes" in call.params:
            attributes.check(call.params["Attributes"], known, attributes.NAMES[kind])
            await self._change(call, read, arn)
        stored = await self.aws.store("elbv2", f"Describe{kind}Attributes", **{f"{kind}Arn": arn})
        return {"Attributes": attributes.complete(stored["Attributes"], known)}

    async def _change(self, call: Call, read: Read, arn: str) -> Answer:
        """Store a change, read `arn` again and apply it."""
        async with self.changes:
            answer = await self._base(call)
            await read(arn)
            await self.apply()
        return answer

    async def _base(self, call: Call) -> Answer:
        return await self.aws.store(call.service, call.operation, **call.params)


def _plain(answer: Answer) -> Answer:
    """Remove the TLS members of listeners without TLS, as AWS does."""
    for listener in answer.get("Listeners") or ():
        if listener["Protocol"] != "HTTPS":
            for name in ("SslPolicy", "AlpnPolicy", "Certificates"):
                listener.pop(name, None)
    return answer


def _description(key: TargetKey, health: TargetHealth, check_port: int | None, zone: str | None) -> dict[str, Any]:
    state = {"State": health.state, "Reason": health.reason, "Description": health.description}
    target = {"Id": key[0], "Port": key[1], "AvailabilityZone": zone}
    return {
        "Target": {name: value for name, value in target.items() if value is not None},
        "HealthCheckPort": str(check_port or key[1]),
        "TargetHealth": {name: value for name, value in state.items() if value is not None},
    }
