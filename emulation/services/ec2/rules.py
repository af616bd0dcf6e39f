"""Evaluates the rules of security groups.

Tasks have the address in DescribeTasks. As local processes they all share 127.0.0.1 and differ by port. So a rule for
a single address applies to registered ports, any other rule to the ports that containers declare; and a range within
the VPC includes the tasks in its subnets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

TCP = ("-1", "tcp", "6")
AWS_PORT = 443
"""The port of AWS's endpoints, which an egress rule must allow."""


@dataclass(frozen=True)
class Rule:
    """One permission for TCP over IPv4, the only protocol emulated."""

    first: int
    last: int
    networks: tuple[IPv4Network, ...]
    groups: frozenset[str]
    prefix_lists: bool = False

    def on(self, port: int) -> bool:
        return self.first <= port <= self.last


@dataclass(frozen=True)
class Group:
    id: str
    vpc: str
    is_default: bool
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]


@dataclass(frozen=True)
class Location:
    """A network address with its subnet, VPC and security groups."""

    address: IPv4Address
    subnet: IPv4Network
    vpc: IPv4Network
    groups: frozenset[str]


def group(described: Mapping[str, Any]) -> Group:
    """From DescribeSecurityGroups."""
    return Group(
        described["GroupId"],
        described.get("VpcId", ""),
        described.get("GroupName") == "default",
        _rules(described.get("IpPermissions", ())),
        _rules(described.get("IpPermissionsEgress", ())),
    )


@dataclass(frozen=True)
class Port:
    real: int
    """The port registered and connected to."""
    declared: int
    """The container's."""


def reaches(
    source: Sequence[Group], nodes: Sequence[Location], target: Sequence[Group], at: Location, port: Port
) -> bool:
    """Whether the source's groups allow connections to the target, and the target's allow them from any of `nodes`."""
    leaves = any(_covers(rule, at, port) for each in source for rule in each.egress)
    known = Port(port.declared, port.declared)
    enters = any(_covers(rule, node, known) for node in nodes for each in target for rule in each.ingress)
    return leaves and enters


def reaches_internet(groups: Iterable[Group], vpc: IPv4Network, port: int = AWS_PORT) -> bool:
    """Whether the groups allow connections to AWS's endpoints: by prefix list, or to addresses outside the VPC."""
    return any(
        rule.on(port) and (rule.prefix_lists or any(not network.subnet_of(vpc) for network in rule.networks))
        for each in groups
        for rule in each.egress
    )


def _covers(rule: Rule, other: Location, port: Port) -> bool:
    """Whether a rule applies to the other end and its port."""
    if rule.groups & other.groups and rule.on(port.declared):
        return True
    for network in rule.networks:
        if other.address in network:
            if rule.on(port.real if network.prefixlen == network.max_prefixlen else port.declared):
                return True
        elif rule.on(port.declared) and network.subnet_of(other.vpc) and other.subnet.subnet_of(network):
            return True
    return False


def _rules(permissions: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    rules = []
    for each in permissions:
        protocol = str(each.get("IpProtocol", "-1"))
        if protocol not in TCP:
            continue
        first, last = (0, 65535) if protocol == "-1" else (int(each.get("FromPort", 0)), int(each.get("ToPort", 65535)))
        rules.append(
            Rule(
                first,
                65535 if last < 0 else last,
                tuple(IPv4Network(entry["CidrIp"]) for entry in each.get("IpRanges", ())),
                frozenset(entry["GroupId"] for entry in each.get("UserIdGroupPairs", ()) if "GroupId" in entry),
                bool(each.get("PrefixListIds")),
            )
        )
    return tuple(rules)
