"""Networks and what is in them, load balancers and their target groups."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from .resource import Ground, Thing

_EC2 = (
    ("AWS::EC2::VPC", "describe_vpcs", "Vpcs", "VpcId", "vpc"),
    ("AWS::EC2::Subnet", "describe_subnets", "Subnets", "SubnetId", "subnet"),
    ("AWS::EC2::SecurityGroup", "describe_security_groups", "SecurityGroups", "GroupId", "security-group"),
    ("AWS::EC2::NetworkAcl", "describe_network_acls", "NetworkAcls", "NetworkAclId", "network-acl"),
    (
        "AWS::EC2::InternetGateway",
        "describe_internet_gateways",
        "InternetGateways",
        "InternetGatewayId",
        "internet-gateway",
    ),
    ("AWS::EC2::RouteTable", "describe_route_tables", "RouteTables", "RouteTableId", "route-table"),
    (
        "AWS::EC2::NetworkInterface",
        "describe_network_interfaces",
        "NetworkInterfaces",
        "NetworkInterfaceId",
        "network-interface",
    ),
)


async def networks(ground: Ground) -> Sequence[Thing]:
    listed = await asyncio.gather(*(ground.aws.pages("ec2", operation, key) for _, operation, key, _, _ in _EC2))
    found = []
    for (kind, _, _, id, type), each in zip(_EC2, listed, strict=True):
        for one in each:
            groups = {group["GroupId"] for group in one.get("Groups", ())}
            inside = frozenset({one.get("VpcId", ""), *groups} - {one[id], ""})
            found.append(Thing(kind, one[id], ground.arn("ec2", f"{type}/{one[id]}"), inside))
    return found


async def load_balancers(ground: Ground) -> Sequence[Thing]:
    found = await ground.aws.pages("elbv2", "describe_load_balancers", "LoadBalancers")
    return [
        Thing("AWS::ElasticLoadBalancingV2::LoadBalancer", each["LoadBalancerName"], each["LoadBalancerArn"])
        for each in found
    ]


async def target_groups(ground: Ground) -> Sequence[Thing]:
    found = await ground.aws.pages("elbv2", "describe_target_groups", "TargetGroups")
    return [
        Thing("AWS::ElasticLoadBalancingV2::TargetGroup", each["TargetGroupName"], each["TargetGroupArn"])
        for each in found
    ]
