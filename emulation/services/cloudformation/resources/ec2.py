"""AWS::EC2: networks. Security groups are in `security_groups`."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import PropertyError
from .base import Job, ResourceType, deleting, retagging, update_tags_only

retag = retagging("ec2", by="")


async def create_vpc(job: Job) -> None:
    vpc = (await job.send("ec2", "CreateVpc", omit="EnableDnsHostnames EnableDnsSupport", kind="vpc"))["Vpc"]
    mine = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    job.created(
        vpc["VpcId"],
        VpcId=vpc["VpcId"],
        CidrBlock=vpc["CidrBlock"],
        CidrBlockAssociations=[each["AssociationId"] for each in vpc.get("CidrBlockAssociationSet", [])],
        Ipv6CidrBlocks=[],
    )
    await update_vpc(job)
    groups = await job.call("ec2", "DescribeSecurityGroups", Filters=mine)
    acls = await job.call("ec2", "DescribeNetworkAcls", Filters=mine)
    job.attributes["DefaultSecurityGroup"] = groups["SecurityGroups"][0]["GroupId"]
    job.attributes["DefaultNetworkAcl"] = acls["NetworkAcls"][0]["NetworkAclId"]


async def update_vpc(job: Job) -> None:
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):  # host names need support first
        if job.changed(name):
            default = name == "EnableDnsSupport"
            value = job.flag(name) if name in job.properties else default
            await job.call("ec2", "ModifyVpcAttribute", VpcId=job.physical_id, **{name: {"Value": value}})


async def create_internet_gateway(job: Job) -> None:
    answer = await job.send("ec2", "CreateInternetGateway", kind="internet-gateway")
    gateway = answer["InternetGateway"]["InternetGatewayId"]
    job.created(gateway, InternetGatewayId=gateway)


async def create_attachment(job: Job) -> None:
    if ("InternetGatewayId" in job.properties) == ("VpnGatewayId" in job.properties):
        raise PropertyError("Exactly one of InternetGatewayId and VpnGatewayId must be given")
    internet = "InternetGatewayId" in job.properties
    operation = "AttachInternetGateway" if internet else "AttachVpnGateway"
    await job.send("ec2", operation)
    kind = "IGW" if internet else "VGW"
    job.created(f"{kind}|{job.text('VpcId')}", AttachmentType=kind)


async def delete_attachment(job: Job) -> None:
    await job.send("ec2", "DetachInternetGateway" if "InternetGatewayId" in job.properties else "DetachVpnGateway")


_SUBNET_SWITCHES = ("MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64")
_DNS_OPTIONS = {
    "EnableResourceNameDnsAAAARecord": "EnableResourceNameDnsAAAARecordOnLaunch",
    "EnableResourceNameDnsARecord": "EnableResourceNameDnsARecordOnLaunch",
}


async def create_subnet(job: Job) -> None:
    omit = " ".join(_SUBNET_SWITCHES) + " PrivateDnsNameOptionsOnLaunch"
    subnet = (await job.send("ec2", "CreateSubnet", omit=omit, kind="subnet"))["Subnet"]
    job.created(
        subnet["SubnetId"],
        SubnetId=subnet["SubnetId"],
        VpcId=subnet["VpcId"],
        AvailabilityZone=subnet["AvailabilityZone"],
        AvailabilityZoneId=subnet.get("AvailabilityZoneId", ""),
        CidrBlock=subnet["CidrBlock"],
        OutpostArn=subnet.get("OutpostArn", ""),
        Ipv6CidrBlocks=[],
    )
    await update_subnet(job)
    acls = await job.call(
        "ec2", "DescribeNetworkAcls", Filters=[{"Name": "association.subnet-id", "Values": [job.physical_id]}]
    )
    for acl in acls["NetworkAcls"]:
        for association in acl["Associations"]:
            if association["SubnetId"] == job.physical_id:
                job.attributes["NetworkAclAssociationId"] = association["NetworkAclAssociationId"]


async def update_subnet(job: Job) -> None:
    for name in _SUBNET_SWITCHES:
        if job.changed(name):
            switch = {name: {"Value": job.flag(name)}}
            await job.call("ec2", "ModifySubnetAttribute", SubnetId=job.physical_id, **switch)
    if not job.changed("PrivateDnsNameOptionsOnLaunch"):
        return
    options = job.get("PrivateDnsNameOptionsOnLaunch", {})
    if not isinstance(options, Mapping) or set(options) - {*_DNS_OPTIONS, "HostnameType"}:
        raise PropertyError(f"Encountered unsupported property in PrivateDnsNameOptionsOnLaunch: {options}")
    for name, parameter in _DNS_OPTIONS.items():
        if name in options:
            switch = {parameter: {"Value": str(options[name]).lower() == "true"}}
            await job.call("ec2", "ModifySubnetAttribute", SubnetId=job.physical_id, **switch)
    if "HostnameType" in options:
        kind = str(options["HostnameType"])
        await job.call("ec2", "ModifySubnetAttribute", SubnetId=job.physical_id, PrivateDnsHostnameTypeOnLaunch=kind)


async def create_route_table(job: Job) -> None:
    table = (await job.send("ec2", "CreateRouteTable", kind="route-table"))["RouteTable"]["RouteTableId"]
    job.created(table, RouteTableId=table)


_DESTINATIONS = "DestinationCidrBlock DestinationIpv6CidrBlock DestinationPrefixListId"


async def create_route(job: Job) -> None:
    destination = next((job.text(name) for name in _DESTINATIONS.split() if name in job.properties), None)
    if destination is None:
        raise PropertyError(f"One of {_DESTINATIONS.replace(' ', ', ')} must be given")
    await job.send("ec2", "CreateRoute")
    job.created(f"{job.text('RouteTableId')}|{destination}", CidrBlock=destination)


async def update_route(job: Job) -> None:
    await job.send("ec2", "ReplaceRoute")


async def delete_route(job: Job) -> None:
    await job.send("ec2", "DeleteRoute", only=f"RouteTableId {_DESTINATIONS}")


async def create_association(job: Job) -> None:
    association = (await job.send("ec2", "AssociateRouteTable"))["AssociationId"]
    job.created(association, Id=association)


TYPES = (
    ResourceType(
        "AWS::EC2::VPC",
        properties=(
            "CidrBlock EnableDnsHostnames EnableDnsSupport InstanceTenancy Ipv4IpamPoolId Ipv4NetmaskLength Tags"
        ),
        create_only="CidrBlock InstanceTenancy Ipv4IpamPoolId Ipv4NetmaskLength",
        not_emulated="VpcEncryptionControl",
        attributes="VpcId CidrBlock CidrBlockAssociations DefaultNetworkAcl DefaultSecurityGroup Ipv6CidrBlocks",
        create=create_vpc,
        update=update_vpc,
        delete=deleting("ec2", "DeleteVpc", "VpcId"),
        retag=retag,
    ),
    ResourceType(
        "AWS::EC2::InternetGateway",
        properties="Tags",
        attributes="InternetGatewayId",
        create=create_internet_gateway,
        update=update_tags_only,
        delete=deleting("ec2", "DeleteInternetGateway", "InternetGatewayId"),
        retag=retag,
    ),
    ResourceType(
        "AWS::EC2::VPCGatewayAttachment",
        properties="InternetGatewayId VpcId VpnGatewayId",
        required="VpcId",
        attributes="AttachmentType",
        create=create_attachment,
        delete=delete_attachment,
    ),
    ResourceType(
        "AWS::EC2::Subnet",
        properties=(
            "AssignIpv6AddressOnCreation AvailabilityZone AvailabilityZoneId CidrBlock EnableDns64 Ipv4IpamPoolId "
            "Ipv4NetmaskLength Ipv6CidrBlock Ipv6IpamPoolId Ipv6Native Ipv6NetmaskLength MapPublicIpOnLaunch "
            "OutpostArn PrivateDnsNameOptionsOnLaunch Tags VpcId"
        ),
        required="VpcId",
        create_only=(
            "VpcId AvailabilityZone AvailabilityZoneId CidrBlock OutpostArn Ipv6CidrBlock Ipv6Native Ipv4IpamPoolId "
            "Ipv4NetmaskLength Ipv6IpamPoolId Ipv6NetmaskLength"
        ),
        not_emulated="EnableLniAtDeviceIndex",
        attributes=(
            "SubnetId VpcId AvailabilityZone AvailabilityZoneId CidrBlock OutpostArn Ipv6CidrBlocks "
            "NetworkAclAssociationId"
        ),
        create=create_subnet,
        update=update_subnet,
        delete=deleting("ec2", "DeleteSubnet", "SubnetId"),
        retag=retag,
    ),
    ResourceType(
        "AWS::EC2::RouteTable",
        properties="Tags VpcId",
        required="VpcId",
        create_only="VpcId",
        attributes="RouteTableId",
        create=create_route_table,
        update=update_tags_only,
        delete=deleting("ec2", "DeleteRouteTable", "RouteTableId"),
        retag=retag,
    ),
    ResourceType(
        "AWS::EC2::Route",
        properties=(
            "CarrierGatewayId CoreNetworkArn DestinationCidrBlock DestinationIpv6CidrBlock DestinationPrefixListId "
            "EgressOnlyInternetGatewayId GatewayId InstanceId LocalGatewayId NatGatewayId NetworkInterfaceId "
            "OdbNetworkArn RouteTableId TransitGatewayId VpcEndpointId VpcPeeringConnectionId"
        ),
        required="RouteTableId",
        create_only=f"RouteTableId {_DESTINATIONS}",
        attributes="CidrBlock",
        create=create_route,
        update=update_route,
        delete=delete_route,
    ),
    ResourceType(
        "AWS::EC2::SubnetRouteTableAssociation",
        properties="RouteTableId SubnetId",
        required="RouteTableId SubnetId",
        attributes="Id",
        create=create_association,
        delete=deleting("ec2", "DisassociateRouteTable", "AssociationId"),
    ),
)
