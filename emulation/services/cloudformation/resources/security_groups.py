"""AWS::EC2::SecurityGroup and its rules, inside the group or resources of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import PropertyError
from ..intrinsics import text
from ..summary import words
from .base import ResourceType, Work, tagging

_EVERYWHERE = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
"""What AWS lets a new group reach. Naming any egress rule takes its place."""

_COMMON = "CidrIp CidrIpv6 Description FromPort IpProtocol ToPort"
_RULE_MEMBERS = {
    "Ingress": words(
        f"{_COMMON} SourcePrefixListId SourceSecurityGroupId SourceSecurityGroupName SourceSecurityGroupOwnerId"
    ),
    "Egress": words(f"{_COMMON} DestinationPrefixListId DestinationSecurityGroupId"),
}


def permission(rule: Mapping[str, Any], direction: str) -> dict[str, Any]:
    """A rule as CloudFormation writes it, in the API's form. Raises `PropertyError`."""
    if odd := sorted(set(rule) - _RULE_MEMBERS[direction]):
        raise PropertyError(f"Encountered unsupported property {odd[0]}")
    if "IpProtocol" not in rule:
        raise PropertyError("Properties validation failed with message: #: required key [IpProtocol] not found")
    other = "Source" if direction == "Ingress" else "Destination"
    described = {"Description": text(rule["Description"])} if "Description" in rule else {}
    result: dict[str, Any] = {"IpProtocol": text(rule["IpProtocol"])}
    for port in ("FromPort", "ToPort"):
        if port in rule:
            result[port] = _port(rule[port])
    if "CidrIp" in rule:
        result["IpRanges"] = [{"CidrIp": text(rule["CidrIp"]), **described}]
    if "CidrIpv6" in rule:
        result["Ipv6Ranges"] = [{"CidrIpv6": text(rule["CidrIpv6"]), **described}]
    if f"{other}PrefixListId" in rule:
        result["PrefixListIds"] = [{"PrefixListId": text(rule[f"{other}PrefixListId"]), **described}]
    group = {
        member: text(rule[f"{other}{name}"])
        for name, member in (
            ("SecurityGroupId", "GroupId"),
            ("SecurityGroupName", "GroupName"),
            ("SecurityGroupOwnerId", "UserId"),
        )
        if f"{other}{name}" in rule
    }
    if group:
        result["UserIdGroupPairs"] = [{**group, **described}]
    return result


def _port(value: Any) -> int:
    try:
        return int(text(value))
    except ValueError:
        raise PropertyError(f"Value of property FromPort or ToPort must be an integer, got {value!r}") from None


def _permissions(properties: Mapping[str, Any], direction: str) -> list[dict[str, Any]]:
    return [permission(rule, direction) for rule in properties.get(f"SecurityGroup{direction}", [])]


async def create_group(work: Work) -> None:
    params = work.params(
        "ec2",
        "CreateSecurityGroup",
        leave="GroupName SecurityGroupIngress SecurityGroupEgress",
        renamed={"GroupDescription": "Description"},
        kind="security-group",
    )
    ingress, egress = _permissions(work.properties, "Ingress"), _permissions(work.properties, "Egress")
    answer = await work.call("ec2", "CreateSecurityGroup", GroupName=work.name(), **params)
    group = answer["GroupId"]
    work.made(group, GroupId=group, Id=group)
    if "VpcId" in work.properties:
        work.attributes["VpcId"] = work.text("VpcId")
    await _authorize(work, "Ingress", ingress)
    if egress:
        await work.call("ec2", "RevokeSecurityGroupEgress", GroupId=group, IpPermissions=_EVERYWHERE)
        await _authorize(work, "Egress", egress)


async def update_group(work: Work) -> None:
    for direction, default in (("Ingress", []), ("Egress", _EVERYWHERE)):
        before = _permissions(work.before, direction) or default
        after = _permissions(work.properties, direction) or default
        if gone := [each for each in before if each not in after]:
            await work.call(
                "ec2", f"RevokeSecurityGroup{direction}", GroupId=work.physical_id, IpPermissions=list(_bare(gone))
            )
        await _authorize(work, direction, [each for each in after if each not in before])


async def _authorize(work: Work, direction: str, permissions: list[dict[str, Any]]) -> None:
    if permissions:
        await work.call(
            "ec2", f"AuthorizeSecurityGroup{direction}", GroupId=work.physical_id, IpPermissions=permissions
        )


def _bare(permissions: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    """Permissions without descriptions: a rule to be revoked is told by what it allows."""
    for each in permissions:
        yield {
            name: [{k: v for k, v in item.items() if k != "Description"} for item in value]
            if isinstance(value, list)
            else value
            for name, value in each.items()
        }


async def delete_group(work: Work) -> None:
    await work.call("ec2", "DeleteSecurityGroup", GroupId=work.physical_id)


def _rule(direction: str) -> ResourceType:
    """The resource type of one rule beside its group."""

    def target(work: Work) -> tuple[dict[str, str], list[dict[str, Any]]]:
        name = next((name for name in ("GroupId", "GroupName") if name in work.properties), None)
        if name is None:
            raise PropertyError("One of GroupId and GroupName must be given")
        rule = {key: value for key, value in work.properties.items() if key not in ("GroupId", "GroupName")}
        return {name: work.text(name)}, [permission(rule, direction)]

    async def create(work: Work) -> None:
        group, permissions = target(work)
        answer = await work.call("ec2", f"AuthorizeSecurityGroup{direction}", **group, IpPermissions=permissions)
        rule = answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        work.made(rule, Id=rule)

    async def update(work: Work) -> None:
        group, permissions = target(work)
        await work.call("ec2", f"UpdateSecurityGroupRuleDescriptions{direction}", **group, IpPermissions=permissions)

    async def delete(work: Work) -> None:
        group, permissions = target(work)
        await work.call("ec2", f"RevokeSecurityGroup{direction}", **group, IpPermissions=list(_bare(permissions)))

    members = _RULE_MEMBERS[direction] | words("GroupId GroupName" if direction == "Ingress" else "GroupId")
    return ResourceType(
        f"AWS::EC2::SecurityGroup{direction}",
        properties=members,
        required=words("IpProtocol" if direction == "Ingress" else "IpProtocol GroupId"),
        replacing=members - {"Description"},
        attributes=words("Id"),
        create=create,
        update=update,
        delete=delete,
    )


TYPES = (
    ResourceType(
        "AWS::EC2::SecurityGroup",
        properties=words("GroupDescription GroupName SecurityGroupEgress SecurityGroupIngress Tags VpcId"),
        required=words("GroupDescription"),
        replacing=words("GroupDescription GroupName VpcId"),
        attributes=words("GroupId Id VpcId"),
        named="GroupName",
        create=create_group,
        update=update_group,
        delete=delete_group,
        retag=tagging("ec2", "CreateTags", "DeleteTags", "Resources[]", by="", keys="Tags"),
    ),
    _rule("Ingress"),
    _rule("Egress"),
)
