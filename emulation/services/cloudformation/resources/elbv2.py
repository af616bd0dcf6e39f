"""AWS::ElasticLoadBalancingV2."""

from __future__ import annotations

from .base import Job, ResourceType, deleting, retagging

retag = retagging("elbv2", by="")


async def _modify_attributes(job: Job, kind: str) -> None:
    name = f"{kind}Attributes"
    if job.changed(name) and job.get(name):
        arn = {f"{kind}Arn": job.physical_id}
        await job.send("elbv2", f"Modify{name}", only=name, renamed={name: "Attributes"}, **arn)


async def create_load_balancer(job: Job) -> None:
    answer = await job.send("elbv2", "CreateLoadBalancer", omit="Name LoadBalancerAttributes", Name=job.name(32))
    balancer = answer["LoadBalancers"][0]
    job.created(
        balancer["LoadBalancerArn"],
        LoadBalancerArn=balancer["LoadBalancerArn"],
        LoadBalancerName=balancer["LoadBalancerName"],
        LoadBalancerFullName=balancer["LoadBalancerArn"].split(":loadbalancer/", 1)[1],
        DNSName=balancer["DNSName"],
        CanonicalHostedZoneID=balancer.get("CanonicalHostedZoneId", ""),
        SecurityGroups=balancer.get("SecurityGroups", []),
    )
    await _modify_attributes(job, "LoadBalancer")


async def update_load_balancer(job: Job) -> None:
    arn = job.physical_id
    await _modify_attributes(job, "LoadBalancer")
    if job.changed("SecurityGroups"):
        await job.send("elbv2", "SetSecurityGroups", only="SecurityGroups", LoadBalancerArn=arn)
    if job.changed("Subnets", "SubnetMappings"):
        await job.send("elbv2", "SetSubnets", only="Subnets SubnetMappings", LoadBalancerArn=arn)
    if job.changed("IpAddressType"):
        kind = job.get("IpAddressType", "ipv4")
        await job.call("elbv2", "SetIpAddressType", LoadBalancerArn=arn, IpAddressType=kind)


async def create_target_group(job: Job) -> None:
    omit = "Name TargetGroupAttributes Targets"
    answer = await job.send("elbv2", "CreateTargetGroup", omit=omit, Name=job.name(32))
    group = answer["TargetGroups"][0]
    job.created(
        group["TargetGroupArn"],
        TargetGroupArn=group["TargetGroupArn"],
        TargetGroupName=group["TargetGroupName"],
        TargetGroupFullName=group["TargetGroupArn"].rsplit(":", 1)[1],
        LoadBalancerArns=group.get("LoadBalancerArns", []),
    )
    await _modify_attributes(job, "TargetGroup")
    await _targets(job)


_HEALTH_CHECK = (
    "HealthCheckEnabled HealthCheckIntervalSeconds HealthCheckPath HealthCheckPort HealthCheckProtocol "
    "HealthCheckTimeoutSeconds HealthyThresholdCount Matcher UnhealthyThresholdCount"
)


async def update_target_group(job: Job) -> None:
    if job.changed(*_HEALTH_CHECK.split()):
        await job.send("elbv2", "ModifyTargetGroup", only=_HEALTH_CHECK, TargetGroupArn=job.physical_id)
    await _modify_attributes(job, "TargetGroup")
    await _targets(job)


async def _targets(job: Job) -> None:
    had, has = job.before.get("Targets", []), job.get("Targets", [])
    if gone := [each for each in had if each not in has]:
        targets = [{"Id": str(each["Id"]), **({"Port": int(each["Port"])} if "Port" in each else {})} for each in gone]
        await job.call("elbv2", "DeregisterTargets", TargetGroupArn=job.physical_id, Targets=targets)
    if job.changed("Targets") and has:
        await job.send("elbv2", "RegisterTargets", only="Targets", TargetGroupArn=job.physical_id)


async def create_listener(job: Job) -> None:
    answer = await job.send("elbv2", "CreateListener", omit="ListenerAttributes")
    arn = answer["Listeners"][0]["ListenerArn"]
    job.created(arn, ListenerArn=arn)
    await _modify_attributes(job, "Listener")


async def update_listener(job: Job) -> None:
    omit = "LoadBalancerArn ListenerAttributes"
    await job.send("elbv2", "ModifyListener", omit=omit, ListenerArn=job.physical_id)
    await _modify_attributes(job, "Listener")


async def create_rule(job: Job) -> None:
    rule = (await job.send("elbv2", "CreateRule"))["Rules"][0]
    job.created(rule["RuleArn"], RuleArn=rule["RuleArn"], IsDefault=rule.get("IsDefault", False))


async def update_rule(job: Job) -> None:
    if job.changed("Actions", "Conditions", "Transforms"):
        await job.send("elbv2", "ModifyRule", only="Actions Conditions Transforms", RuleArn=job.physical_id)
    if job.changed("Priority"):
        priority = {"RuleArn": job.physical_id, "Priority": int(job.text("Priority"))}
        await job.call("elbv2", "SetRulePriorities", RulePriorities=[priority])


TYPES = (
    ResourceType(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        properties="IpAddressType LoadBalancerAttributes Name Scheme SecurityGroups SubnetMappings Subnets Tags Type",
        create_only="Name Type Scheme",
        not_emulated=(
            "EnableCapacityReservationProvisionStabilize EnablePrefixForIpv6SourceNat Ipv4IpamPoolId "
            "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic MinimumLoadBalancerCapacity"
        ),
        attributes="LoadBalancerArn LoadBalancerName LoadBalancerFullName DNSName CanonicalHostedZoneID SecurityGroups",
        name_property="Name",
        create=create_load_balancer,
        update=update_load_balancer,
        delete=deleting("elbv2", "DeleteLoadBalancer", "LoadBalancerArn"),
        retag=retag,
    ),
    ResourceType(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        properties=(
            f"{_HEALTH_CHECK} IpAddressType Name Port Protocol ProtocolVersion Tags TargetGroupAttributes TargetType "
            "Targets VpcId"
        ),
        create_only="TargetType ProtocolVersion Port Name VpcId Protocol IpAddressType",
        not_emulated="TargetControlPort",
        attributes="TargetGroupArn TargetGroupName TargetGroupFullName LoadBalancerArns",
        name_property="Name",
        create=create_target_group,
        update=update_target_group,
        delete=deleting("elbv2", "DeleteTargetGroup", "TargetGroupArn"),
        retag=retag,
    ),
    ResourceType(
        "AWS::ElasticLoadBalancingV2::Listener",
        properties=(
            "AlpnPolicy Certificates DefaultActions ListenerAttributes LoadBalancerArn MutualAuthentication Port "
            "Protocol SslPolicy Tags"
        ),
        required="LoadBalancerArn DefaultActions",
        create_only="LoadBalancerArn",
        attributes="ListenerArn",
        create=create_listener,
        update=update_listener,
        delete=deleting("elbv2", "DeleteListener", "ListenerArn"),
        retag=retag,
    ),
    ResourceType(
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        properties="Actions Conditions ListenerArn Priority Tags Transforms",
        required="Actions Conditions Priority",
        create_only="ListenerArn",
        attributes="RuleArn IsDefault",
        create=create_rule,
        update=update_rule,
        delete=deleting("elbv2", "DeleteRule", "RuleArn"),
        retag=retag,
    ),
)
