"""The network as EC2 and ELBv2 describe it: security groups, subnets, load balancers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from ...core.controller import Aws
from .rules import Group, Location, group


@dataclass(frozen=True)
class Subnet:
    id: str
    vpc: str
    network: IPv4Network
    vpc_network: IPv4Network


@dataclass(frozen=True)
class Balancer:
    arn: str
    vpc: str
    groups: tuple[str, ...]
    subnets: tuple[str, ...]


@dataclass(frozen=True)
class Topology:
    groups: Mapping[str, Group] = field(default_factory=dict)
    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    balancers: Mapping[str, Balancer] = field(default_factory=dict)
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Target group ARN → ARNs of the load balancers that forward to it."""

    def groups_of(self, ids: Iterable[str], vpc: str) -> list[Group]:
        """The groups with these ids, or the VPC's default group."""
        named = [self.groups[each] for each in ids if each in self.groups]
        return named or [each for each in self.groups.values() if each.is_default and each.vpc == vpc]

    def nodes(self, balancer: Balancer) -> list[Location]:
        """The locations of a load balancer's nodes, one in each of its subnets."""
        groups = frozenset(each.id for each in self.groups_of(balancer.groups, balancer.vpc))
        subnets = [self.subnets[each] for each in balancer.subnets if each in self.subnets]
        return [Location(each.network[4], each.network, each.vpc_network, groups) for each in subnets]

    def location(self, subnet: Subnet, address: str, groups: Iterable[Group]) -> Location:
        return Location(IPv4Address(address), subnet.network, subnet.vpc_network, frozenset(each.id for each in groups))


async def read_topology(aws: Aws) -> Topology:
    groups = await aws.call("ec2", "DescribeSecurityGroups")
    vpcs = {each["VpcId"]: IPv4Network(each["CidrBlock"]) for each in (await aws.call("ec2", "DescribeVpcs"))["Vpcs"]}
    subnets = (await aws.call("ec2", "DescribeSubnets"))["Subnets"]
    balancers = (await aws.call("elbv2", "DescribeLoadBalancers"))["LoadBalancers"]
    targets = (await aws.call("elbv2", "DescribeTargetGroups"))["TargetGroups"]
    return Topology(
        {each["GroupId"]: group(each) for each in groups["SecurityGroups"]},
        {
            each["SubnetId"]: Subnet(
                each["SubnetId"], each["VpcId"], IPv4Network(each["CidrBlock"]), vpcs[each["VpcId"]]
            )
            for each in subnets
            if each["VpcId"] in vpcs
        },
        {
            each["LoadBalancerArn"]: Balancer(
                each["LoadBalancerArn"],
                each.get("VpcId", ""),
                tuple(each.get("SecurityGroups", ())),
                tuple(zone["SubnetId"] for zone in each.get("AvailabilityZones", ()) if "SubnetId" in zone),
            )
            for each in balancers
        },
        {each["TargetGroupArn"]: tuple(each.get("LoadBalancerArns", ())) for each in targets},
    )
