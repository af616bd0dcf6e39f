"""Security groups' rules, and what they let through: only what some rule allows.

A task is at the address that DescribeTasks tells. On a machine without networks of its own that is 127.0.0.1 for all
of them, each with ports of its own. So a rule for one single address speaks of the ports that are registered there,
any other of the ports that containers declare; and a range within the VPC also means the tasks in its subnets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

TCP = ("-1", "tcp", "6")
AWS_PORT = 443
"""Where AWS's endpoints listen, and so what a rule must let out."""


@dataclass(frozen=True)
class Rule:
    """One permission as EC2 describes it, of TCP over IPv4 only: nothing else is spoken here."""

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
class Place:
    """Where something is."""

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
    """Where it is registered, and reached."""
    declared: int
    """The container's."""


def reaches(source: Sequence[Group], nodes: Sequence[Place], target: Sequence[Group], at: Place, port: Port) -> bool:
    """Whether a connection from something with nodes at these places gets to the target: out of the source's groups
    and into the target's."""
    out = any(_covers(rule, at, port) for each in source for rule in each.egress)
    known = Port(port.declared, port.declared)
    come = any(_covers(rule, node, known) for node in nodes for each in target for rule in each.ingress)
    return out and come


def reaches_internet(groups: Iterable[Group], vpc: IPv4Network, port: int = AWS_PORT) -> bool:
    """Whether something with these groups gets to AWS's endpoints: a rule for them, or for all addresses outside."""
    return any(
        rule.on(port) and (rule.prefix_lists or any(not network.subnet_of(vpc) for network in rule.networks))
        for each in groups
        for rule in each.egress
    )


def _covers(rule: Rule, other: Place, port: Port) -> bool:
    """Whether a rule speaks of the other end, on its port."""
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
    found = []
    for each in permissions:
        protocol = str(each.get("IpProtocol", "-1"))
        if protocol not in TCP:
            continue
        first, last = (0, 65535) if protocol == "-1" else (int(each.get("FromPort", 0)), int(each.get("ToPort", 65535)))
        found.append(
            Rule(
                first,
                65535 if last < 0 else last,
                tuple(IPv4Network(entry["CidrIp"]) for entry in each.get("IpRanges", ())),
                frozenset(entry["GroupId"] for entry in each.get("UserIdGroupPairs", ()) if "GroupId" in entry),
                bool(each.get("PrefixListIds")),
            )
        )
    return tuple(found)
