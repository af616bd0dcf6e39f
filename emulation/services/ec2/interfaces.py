"""The network interfaces of tasks in the EC2 API: visible to all, changeable only by ECS.

"Your account can't detach or modify the network interfaces": Amazon ECS developer guide, Fargate task networking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...core.controller import Call, Context, Handler, Operation
from ...core.errors import AwsError
from ..ecs.network_interfaces import NetworkInterface
from .topology import Topology

_FILTERS: Mapping[str, Callable[[Mapping[str, Any]], Iterable[str]]] = {
    "network-interface-id": lambda it: [it["NetworkInterfaceId"]],
    "subnet-id": lambda it: [it["SubnetId"]],
    "vpc-id": lambda it: [it["VpcId"]],
    "group-id": lambda it: [each["GroupId"] for each in it["Groups"]],
    "status": lambda it: [it["Status"]],
    "description": lambda it: [it["Description"]],
    "interface-type": lambda it: [it["InterfaceType"]],
    "private-ip-address": lambda it: [it["PrivateIpAddress"]],
    "addresses.private-ip-address": lambda it: [it["PrivateIpAddress"]],
    "requester-managed": lambda it: ["true"],
    "availability-zone": lambda it: [it["AvailabilityZone"]],
}


class InterfaceApi:
    def __init__(
        self, ctx: Context, interfaces: Callable[[], Iterable[NetworkInterface]], topology: Callable[[], Topology]
    ) -> None:
        self._ctx = ctx
        self._interfaces = interfaces
        self._topology = topology

    def handlers(self) -> Mapping[Operation, Handler]:
        return {
            ("ec2", "DescribeNetworkInterfaces"): self._describe,
            ("ec2", "ModifyNetworkInterfaceAttribute"): self._change,
            ("ec2", "DeleteNetworkInterface"): self._change,
        }

    async def _describe(self, call: Call) -> dict[str, Any]:
        wanted = list(call.params.get("NetworkInterfaceIds", ()))
        own = [self._shown(each) for each in self._interfaces()]
        ours = {each["NetworkInterfaceId"] for each in own}
        others = [each for each in wanted if each not in ours]
        found: list[dict[str, Any]] = []
        if others or not wanted:
            asked = {**call.params, **({"NetworkInterfaceIds": others} if wanted else {})}
            found = list((await self._ctx.aws.store("ec2", "DescribeNetworkInterfaces", **asked))["NetworkInterfaces"])
        filters = call.params.get("Filters", ())
        found += [
            each
            for each in own
            if (not wanted or each["NetworkInterfaceId"] in wanted) and all(_matches(one, each) for one in filters)
        ]
        return {"NetworkInterfaces": found}

    async def _change(self, call: Call) -> dict[str, Any]:
        id = call.params["NetworkInterfaceId"]
        if any(each.id == id for each in self._interfaces()):
            raise AwsError(
                "OperationNotPermitted",
                f"The network interface {id} is managed by Amazon ECS: it can neither be changed nor deleted",
            )
        return await self._ctx.aws.store("ec2", call.operation, **call.params)

    def _shown(self, it: NetworkInterface) -> dict[str, Any]:
        topology = self._topology()
        subnet = topology.subnets.get(it.subnet)
        vpc = subnet.vpc if subnet else ""
        groups = topology.groups_of(it.groups, vpc)
        return {
            "NetworkInterfaceId": it.id,
            "Attachment": {
                "AttachmentId": f"ela-attach-{it.id[4:]}",
                "Status": "attached",
                "DeleteOnTermination": True,
            },
            "AvailabilityZone": f"{self._ctx.region}a",
            "Description": f"arn:aws:ecs:{self._ctx.region}:{self._ctx.account}:attachment/{it.attachment_id}",
            "Groups": [{"GroupId": each.id, "GroupName": "default" if each.is_default else each.id} for each in groups],
            "InterfaceType": "interface",
            "MacAddress": it.mac,
            "OwnerId": self._ctx.account,
            "PrivateIpAddress": it.address,
            "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": it.address}],
            "RequesterId": "AROAEXAMPLEECS:ecs",
            "RequesterManaged": True,
            "SourceDestCheck": True,
            "Status": "in-use",
            "SubnetId": it.subnet,
            "TagSet": [],
            "VpcId": vpc,
        }


def _matches(one: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    read = _FILTERS.get(one["Name"])
    return read is not None and any(value in one["Values"] for value in read(shown))
