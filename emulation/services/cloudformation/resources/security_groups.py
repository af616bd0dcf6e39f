"""AWS::EC2::SecurityGroup and its rules, within the group or as separate resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import PropertyError
from ..intrinsics import text
from .base import Job, ResourceType, deleting, retagging

_EVERYWHERE = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
"""The egress rule of a new group on AWS; any egress rule in the template replaces it."""

_COMMON = "CidrIp CidrIpv6 Description FromPort IpProtocol ToPort"
_RULE_MEMBERS = {
    "Ingress": f"{_COMMON} SourcePrefixListId SourceSecurityGroupId SourceSecurityGroupName SourceSecurityGroupOwnerId",
    "Egress": f"{_COMMON} DestinationPrefixListId DestinationSecurityGroupId",
}


def permission(rule: Mapping[str, Any], direction: str) -> dict[str, Any]:
    """A rule as CloudFormation writes it, in the API's form. Raises `PropertyError`."""
    if odd := sorted(set(rule) - set(_RULE_MEMBERS[direction].split())):
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


async def create_group(job: Job) -> None:
    params = job.params(
        "ec2",
        "CreateSecurityGroup",
        omit="GroupName SecurityGroupIngress SecurityGroupEgress",
        renamed={"GroupDescription": "Description"},
        kind="security-group",
    )
    ingress, egress = _permissions(job.properties, "Ingress"), _permissions(job.properties, "Egress")
    answer = await job.call("ec2", "CreateSecurityGroup", GroupName=job.name(), **params)
    group = answer["GroupId"]
    job.created(group, GroupId=group, Id=group)
    if "VpcId" in job.properties:
        job.attributes["VpcId"] = job.text("VpcId")
    await _authorize(job, "Ingress", ingress)
    if egress:
        await job.call("ec2", "RevokeSecurityGroupEgress", GroupId=group, IpPermissions=_EVERYWHERE)
        await _authorize(job, "Egress", egress)


async def update_group(job: Job) -> None:
    for direction, default in (("Ingress", []), ("Egress", _EVERYWHERE)):
        before = _permissions(job.before, direction) or default
        after = _permissions(job.properties, direction) or default
        if gone := [each for each in before if each not in after]:
            await job.call(
                "ec2", f"RevokeSecurityGroup{direction}", GroupId=job.physical_id, IpPermissions=list(_bare(gone))
            )
        await _authorize(job, direction, [each for each in after if each not in before])


async def _authorize(job: Job, direction: str, permissions: list[dict[str, Any]]) -> None:
    if permissions:
        await job.call("ec2", f"AuthorizeSecurityGroup{direction}", GroupId=job.physical_id, IpPermissions=permissions)


def _bare(permissions: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    """Permissions without descriptions: revoking identifies a rule by what it allows."""
    for each in permissions:
        yield {
            name: [{k: v for k, v in item.items() if k != "Description"} for item in value]
            if isinstance(value, list)
            else value
            for name, value in each.items()
        }


def _rule(direction: str) -> ResourceType:
    """The resource type of one rule that is a resource by itself."""

    def target(job: Job) -> tuple[dict[str, str], list[dict[str, Any]]]:
        name = next((name for name in ("GroupId", "GroupName") if name in job.properties), None)
        if name is None:
            raise PropertyError("One of GroupId and GroupName must be given")
        rule = {key: value for key, value in job.properties.items() if key not in ("GroupId", "GroupName")}
        return {name: job.text(name)}, [permission(rule, direction)]

    async def create(job: Job) -> None:
        group, permissions = target(job)
        answer = await job.call("ec2", f"AuthorizeSecurityGroup{direction}", **group, IpPermissions=permissions)
        rule = answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        job.created(rule, Id=rule)

    async def update(job: Job) -> None:
        group, permissions = target(job)
        await job.call("ec2", f"UpdateSecurityGroupRuleDescriptions{direction}", **group, IpPermissions=permissions)

    async def delete(job: Job) -> None:
        group, permissions = target(job)
        await job.call("ec2", f"RevokeSecurityGroup{direction}", **group, IpPermissions=list(_bare(permissions)))

    members = f"{_RULE_MEMBERS[direction]} {'GroupId GroupName' if direction == 'Ingress' else 'GroupId'}"
    return ResourceType(
        f"AWS::EC2::SecurityGroup{direction}",
        properties=members,
        required="IpProtocol" if direction == "Ingress" else "IpProtocol GroupId",
        create_only=members.replace(" Description ", " "),
        attributes="Id",
        create=create,
        update=update,
        delete=delete,
    )


TYPES = (
    ResourceType(
        "AWS::EC2::SecurityGroup",
        properties="GroupDescription GroupName SecurityGroupEgress SecurityGroupIngress Tags VpcId",
        required="GroupDescription",
        create_only="GroupDescription GroupName VpcId",
        attributes="GroupId Id VpcId",
        name_property="GroupName",
        create=create_group,
        update=update_group,
        delete=deleting("ec2", "DeleteSecurityGroup", "GroupId"),
        retag=retagging("ec2", by=""),
    ),
    _rule("Ingress"),
    _rule("Egress"),
)
