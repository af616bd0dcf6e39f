"""AWS::ElasticLoadBalancingV2."""

from __future__ import annotations

from ..summary import words
from .base import ResourceType, Work, tagging

retag = tagging("elbv2", "AddTags", "RemoveTags", "ResourceArns[]", by="")


async def create_load_balancer(work: Work) -> None:
    params = work.params("elbv2", "CreateLoadBalancer", leave="Name LoadBalancerAttributes")
    answer = await work.call("elbv2", "CreateLoadBalancer", Name=work.name(32), **params)
    balancer = answer["LoadBalancers"][0]
    work.made(
        balancer["LoadBalancerArn"],
        LoadBalancerArn=balancer["LoadBalancerArn"],
        LoadBalancerName=balancer["LoadBalancerName"],
        LoadBalancerFullName=balancer["LoadBalancerArn"].split(":loadbalancer/", 1)[1],
        DNSName=balancer["DNSName"],
        CanonicalHostedZoneID=balancer.get("CanonicalHostedZoneId", ""),
        SecurityGroups=balancer.get("SecurityGroups", []),
    )
    await _load_balancer_attributes(work)


async def update_load_balancer(work: Work) -> None:
    arn = work.physical_id
    await _load_balancer_attributes(work)
    if work.changed("SecurityGroups"):
        params = work.params("elbv2", "SetSecurityGroups", only="SecurityGroups")
        await work.call("elbv2", "SetSecurityGroups", LoadBalancerArn=arn, **params)
    if work.changed("Subnets", "SubnetMappings"):
        params = work.params("elbv2", "SetSubnets", only="Subnets SubnetMappings")
        await work.call("elbv2", "SetSubnets", LoadBalancerArn=arn, **params)
    if work.changed("IpAddressType"):
        kind = work.get("IpAddressType", "ipv4")
        await work.call("elbv2", "SetIpAddressType", LoadBalancerArn=arn, IpAddressType=kind)


async def _load_balancer_attributes(work: Work) -> None:
    if work.changed("LoadBalancerAttributes") and work.get("LoadBalancerAttributes"):
        params = work.params(
            "elbv2",
            "ModifyLoadBalancerAttributes",
            only="LoadBalancerAttributes",
            renamed={"LoadBalancerAttributes": "Attributes"},
        )
        await work.call("elbv2", "ModifyLoadBalancerAttributes", LoadBalancerArn=work.physical_id, **params)


async def delete_load_balancer(work: Work) -> None:
    await work.call("elbv2", "DeleteLoadBalancer", LoadBalancerArn=work.physical_id)


async def create_target_group(work: Work) -> None:
    params = work.params("elbv2", "CreateTargetGroup", leave="Name TargetGroupAttributes Targets")
    answer = await work.call("elbv2", "CreateTargetGroup", Name=work.name(32), **params)
    group = answer["TargetGroups"][0]
    work.made(
        group["TargetGroupArn"],
        TargetGroupArn=group["TargetGroupArn"],
        TargetGroupName=group["TargetGroupName"],
        TargetGroupFullName=group["TargetGroupArn"].rsplit(":", 1)[1],
        LoadBalancerArns=group.get("LoadBalancerArns", []),
    )
    await _target_group_attributes(work)
    await _targets(work)


_HEALTH_CHECK = (
    "HealthCheckEnabled HealthCheckIntervalSeconds HealthCheckPath HealthCheckPort HealthCheckProtocol "
    "HealthCheckTimeoutSeconds HealthyThresholdCount Matcher UnhealthyThresholdCount"
)


async def update_target_group(work: Work) -> None:
    if work.changed(*_HEALTH_CHECK.split()):
        params = work.params("elbv2", "ModifyTargetGroup", only=_HEALTH_CHECK)
        await work.call("elbv2", "ModifyTargetGroup", TargetGroupArn=work.physical_id, **params)
    await _target_group_attributes(work)
    await _targets(work)


async def _target_group_attributes(work: Work) -> None:
    if work.changed("TargetGroupAttributes") and work.get("TargetGroupAttributes"):
        params = work.params(
            "elbv2",
            "ModifyTargetGroupAttributes",
            only="TargetGroupAttributes",
            renamed={"TargetGroupAttributes": "Attributes"},
        )
        await work.call("elbv2", "ModifyTargetGroupAttributes", TargetGroupArn=work.physical_id, **params)


async def _targets(work: Work) -> None:
    had, has = work.before.get("Targets", []), work.get("Targets", [])
    if gone := [each for each in had if each not in has]:
        targets = [{"Id": str(each["Id"]), **({"Port": int(each["Port"])} if "Port" in each else {})} for each in gone]
        await work.call("elbv2", "DeregisterTargets", TargetGroupArn=work.physical_id, Targets=targets)
    if work.changed("Targets") and has:
        params = work.params("elbv2", "RegisterTargets", only="Targets")
        await work.call("elbv2", "RegisterTargets", TargetGroupArn=work.physical_id, **params)


async def delete_target_group(work: Work) -> None:
    await work.call("elbv2", "DeleteTargetGroup", TargetGroupArn=work.physical_id)


async def create_listener(work: Work) -> None:
    answer = await work.call(
        "elbv2", "CreateListener", **work.params("elbv2", "CreateListener", leave="ListenerAttributes")
    )
    arn = answer["Listeners"][0]["ListenerArn"]
    work.made(arn, ListenerArn=arn)
    await _listener_attributes(work)


async def update_listener(work: Work) -> None:
    params = work.params("elbv2", "ModifyListener", leave="LoadBalancerArn ListenerAttributes")
    await work.call("elbv2", "ModifyListener", ListenerArn=work.physical_id, **params)
    await _listener_attributes(work)


async def _listener_attributes(work: Work) -> None:
    if work.changed("ListenerAttributes") and work.get("ListenerAttributes"):
        params = work.params(
            "elbv2", "ModifyListenerAttributes", only="ListenerAttributes", renamed={"ListenerAttributes": "Attributes"}
        )
        await work.call("elbv2", "ModifyListenerAttributes", ListenerArn=work.physical_id, **params)


async def delete_listener(work: Work) -> None:
    await work.call("elbv2", "DeleteListener", ListenerArn=work.physical_id)


async def create_rule(work: Work) -> None:
    answer = await work.call("elbv2", "CreateRule", **work.params("elbv2", "CreateRule"))
    rule = answer["Rules"][0]
    work.made(rule["RuleArn"], RuleArn=rule["RuleArn"], IsDefault=rule.get("IsDefault", False))


async def update_rule(work: Work) -> None:
    if work.changed("Actions", "Conditions", "Transforms"):
        params = work.params("elbv2", "ModifyRule", only="Actions Conditions Transforms")
        await work.call("elbv2", "ModifyRule", RuleArn=work.physical_id, **params)
    if work.changed("Priority"):
        priority = {"RuleArn": work.physical_id, "Priority": int(work.text("Priority"))}
        await work.call("elbv2", "SetRulePriorities", RulePriorities=[priority])


async def delete_rule(work: Work) -> None:
    await work.call("elbv2", "DeleteRule", RuleArn=work.physical_id)


TYPES = (
    ResourceType(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        properties=words(
            "IpAddressType LoadBalancerAttributes Name Scheme SecurityGroups SubnetMappings Subnets Tags Type"
        ),
        replacing=words("Name Type Scheme"),
        not_emulated=words(
            "EnableCapacityReservationProvisionStabilize EnablePrefixForIpv6SourceNat Ipv4IpamPoolId "
            "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic MinimumLoadBalancerCapacity"
        ),
        attributes=words(
            "LoadBalancerArn LoadBalancerName LoadBalancerFullName DNSName CanonicalHostedZoneID SecurityGroups"
        ),
        named="Name",
        create=create_load_balancer,
        update=update_load_balancer,
        delete=delete_load_balancer,
        retag=retag,
    ),
    ResourceType(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        properties=words(
            f"{_HEALTH_CHECK} IpAddressType Name Port Protocol ProtocolVersion Tags TargetGroupAttributes TargetType "
            "Targets VpcId"
        ),
        replacing=words("TargetType ProtocolVersion Port Name VpcId Protocol IpAddressType"),
        not_emulated=words("TargetControlPort"),
        attributes=words("TargetGroupArn TargetGroupName TargetGroupFullName LoadBalancerArns"),
        named="Name",
        create=create_target_group,
        update=update_target_group,
        delete=delete_target_group,
        retag=retag,
    ),
    ResourceType(
        "AWS::ElasticLoadBalancingV2::Listener",
        properties=words(
            "AlpnPolicy Certificates DefaultActions ListenerAttributes LoadBalancerArn MutualAuthentication Port "
            "Protocol SslPolicy Tags"
        ),
        required=words("LoadBalancerArn DefaultActions"),
        replacing=words("LoadBalancerArn"),
        attributes=words("ListenerArn"),
        create=create_listener,
        update=update_listener,
        delete=delete_listener,
        retag=retag,
    ),
    ResourceType(
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        properties=words("Actions Conditions ListenerArn Priority Tags Transforms"),
        required=words("Actions Conditions Priority"),
        replacing=words("ListenerArn"),
        attributes=words("RuleArn IsDefault"),
        create=create_rule,
        update=update_rule,
        delete=delete_rule,
        retag=retag,
    ),
)
