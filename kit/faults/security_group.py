"""Security group rules that exclude one target from a load balancer's egress.

    before   all protocols to 0.0.0.0/0
    after    all protocols to the 32 ranges that are 0.0.0.0/0 less the target's address,
             and to that address every port but the target's

Security groups have no exclusions, and a task's interface accepts no other group (Amazon ECS manages it), so the load
balancer's side is the only place to exclude a single target. A group may have 60 rules; this takes 34.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

Permission = Mapping[str, Any]
_LAST_PORT = 65535
_TCP = ("-1", "tcp", "6")


@dataclass(frozen=True)
class Replacement:
    """The rules that a group loses, and their replacement."""

    group: str
    lost: tuple[Permission, ...]
    instead: tuple[Permission, ...]


def exclude_target(group: Mapping[str, Any], host: str, port: int) -> Replacement | None:
    """The change that excludes the target from a group of DescribeSecurityGroups; None when no rule allows it.

    Rules for other groups are revoked entirely: no traffic goes to those groups while the target is cut off.
    """
    address = IPv4Address(host)
    lost: list[Permission] = []
    instead: list[Permission] = []
    for each in group.get("IpPermissionsEgress", ()):
        protocol = str(each.get("IpProtocol", "-1"))
        if protocol not in _TCP or not _on(each, port):
            continue
        bare = {name: each[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in each}
        pairs = [{"GroupId": pair["GroupId"]} for pair in each.get("UserIdGroupPairs", ()) if "GroupId" in pair]
        if pairs:
            lost.append({**bare, "UserIdGroupPairs": pairs})
        for entry in each.get("IpRanges", ()):
            network = IPv4Network(entry["CidrIp"])
            if address not in network:
                continue
            lost.append({**bare, "IpRanges": [dict(entry)]})
            rest = sorted(network.address_exclude(IPv4Network(address))) if network.prefixlen < 32 else []
            if rest:
                instead.append({**bare, "IpRanges": [{"CidrIp": str(part)} for part in rest]})
            instead += _other_ports(each, host, port)
    return Replacement(str(group["GroupId"]), tuple(lost), tuple(instead)) if lost else None


def _on(permission: Permission, port: int) -> bool:
    if str(permission.get("IpProtocol", "-1")) == "-1":
        return True
    return int(permission.get("FromPort", 0)) <= port <= int(permission.get("ToPort", _LAST_PORT))


def _other_ports(permission: Permission, host: str, port: int) -> Iterable[Permission]:
    every = str(permission.get("IpProtocol", "-1")) == "-1"
    first, last = (0, _LAST_PORT) if every else (int(permission["FromPort"]), int(permission["ToPort"]))
    for low, high in ((first, port - 1), (port + 1, last)):
        if low <= high:
            ranges = [{"CidrIp": f"{host}/32"}]
            yield {"IpProtocol": "tcp", "FromPort": low, "ToPort": high, "IpRanges": ranges}
