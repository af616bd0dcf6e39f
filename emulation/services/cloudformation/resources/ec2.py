"""AWS::EC2: networks. Security groups are in `security_groups`."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import PropertyError
from ..summary import words
from .base import ResourceType, Work, tagging

retag = tagging("ec2", "CreateTags", "DeleteTags", "Resources[]", by="", keys="Tags")


async def create_vpc(work: Work) -> None:
    answer = await work.call(
        "ec2", "CreateVpc", **work.params("ec2", "CreateVpc", leave="EnableDnsHostnames EnableDnsSupport", kind="vpc")
    )
    vpc = answer["Vpc"]
    mine = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    work.made(
        vpc["VpcId"],
        VpcId=vpc["VpcId"],
        CidrBlock=vpc["CidrBlock"],
        CidrBlockAssociations=[each["AssociationId"] for each in vpc.get("CidrBlockAssociationSet", [])],
        Ipv6CidrBlocks=[],
    )
    await _vpc_attributes(work)
    groups = await work.call("ec2", "DescribeSecurityGroups", Filters=mine)
    acls = await work.call("ec2", "DescribeNetworkAcls", Filters=mine)
    work.attributes["DefaultSecurityGroup"] = groups["SecurityGroups"][0]["GroupId"]
    work.attributes["DefaultNetworkAcl"] = acls["NetworkAcls"][0]["NetworkAclId"]


async def update_vpc(work: Work) -> None:
    await _vpc_attributes(work)


async def _vpc_attributes(work: Work) -> None:
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):  # host names need support first
        if work.changed(name):
            default = name == "EnableDnsSupport"
            value = work.flag(name) if name in work.properties else default
            await work.call("ec2", "ModifyVpcAttribute", VpcId=work.physical_id, **{name: {"Value": value}})


async def delete_vpc(work: Work) -> None:
    await work.call("ec2", "DeleteVpc", VpcId=work.physical_id)


async def create_internet_gateway(work: Work) -> None:
    params = work.params("ec2", "CreateInternetGateway", kind="internet-gateway")
    answer = await work.call("ec2", "CreateInternetGateway", **params)
    gateway = answer["InternetGateway"]["InternetGatewayId"]
    work.made(gateway, InternetGatewayId=gateway)


async def update_tags_only(work: Work) -> None:
    """Nothing but tags can change without a replacement."""


async def delete_internet_gateway(work: Work) -> None:
    await work.call("ec2", "DeleteInternetGateway", InternetGatewayId=work.physical_id)


async def create_attachment(work: Work) -> None:
    if ("InternetGatewayId" in work.properties) == ("VpnGatewayId" in work.properties):
        raise PropertyError("Exactly one of InternetGatewayId and VpnGatewayId must be given")
    internet = "InternetGatewayId" in work.properties
    operation = "AttachInternetGateway" if internet else "AttachVpnGateway"
    await work.call("ec2", operation, **work.params("ec2", operation))
    kind = "IGW" if internet else "VGW"
    work.made(f"{kind}|{work.text('VpcId')}", AttachmentType=kind)


async def delete_attachment(work: Work) -> None:
    operation = "DetachInternetGateway" if "InternetGatewayId" in work.properties else "DetachVpnGateway"
    await work.call("ec2", operation, **work.params("ec2", operation))


_SUBNET_SWITCHES = ("MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64")
_DNS_OPTIONS = {
    "EnableResourceNameDnsAAAARecord": "EnableResourceNameDnsAAAARecordOnLaunch",
    "EnableResourceNameDnsARecord": "EnableResourceNameDnsARecordOnLaunch",
}


async def create_subnet(work: Work) -> None:
    left = " ".join(_SUBNET_SWITCHES) + " PrivateDnsNameOptionsOnLaunch"
    answer = await work.call("ec2", "CreateSubnet", **work.params("ec2", "CreateSubnet", leave=left, kind="subnet"))
    subnet = answer["Subnet"]
    work.made(
        subnet["SubnetId"],
        SubnetId=subnet["SubnetId"],
        VpcId=subnet["VpcId"],
        AvailabilityZone=subnet["AvailabilityZone"],
        AvailabilityZoneId=subnet.get("AvailabilityZoneId", ""),
        CidrBlock=subnet["CidrBlock"],
        OutpostArn=subnet.get("OutpostArn", ""),
        Ipv6CidrBlocks=[],
    )
    await update_subnet(work)
    acls = await work.call(
        "ec2", "DescribeNetworkAcls", Filters=[{"Name": "association.subnet-id", "Values": [work.physical_id]}]
    )
    for acl in acls["NetworkAcls"]:
        for association in acl["Associations"]:
            if association["SubnetId"] == work.physical_id:
                work.attributes["NetworkAclAssociationId"] = association["NetworkAclAssociationId"]


async def update_subnet(work: Work) -> None:
    for name in _SUBNET_SWITCHES:
        if work.changed(name):
            switch = {name: {"Value": work.flag(name)}}
            await work.call("ec2", "ModifySubnetAttribute", SubnetId=work.physical_id, **switch)
    if not work.changed("PrivateDnsNameOptionsOnLaunch"):
        return
    options = work.get("PrivateDnsNameOptionsOnLaunch", {})
    if not isinstance(options, Mapping) or set(options) - {*_DNS_OPTIONS, "HostnameType"}:
        raise PropertyError(f"Encountered unsupported property in PrivateDnsNameOptionsOnLaunch: {options}")
    for name, parameter in _DNS_OPTIONS.items():
        if name in options:
            switch = {parameter: {"Value": str(options[name]).lower() == "true"}}
            await work.call("ec2", "ModifySubnetAttribute", SubnetId=work.physical_id, **switch)
    if "HostnameType" in options:
        kind = str(options["HostnameType"])
        await work.call("ec2", "ModifySubnetAttribute", SubnetId=work.physical_id, PrivateDnsHostnameTypeOnLaunch=kind)


async def delete_subnet(work: Work) -> None:
    await work.call("ec2", "DeleteSubnet", SubnetId=work.physical_id)


async def create_route_table(work: Work) -> None:
    answer = await work.call("ec2", "CreateRouteTable", **work.params("ec2", "CreateRouteTable", kind="route-table"))
    table = answer["RouteTable"]["RouteTableId"]
    work.made(table, RouteTableId=table)


async def delete_route_table(work: Work) -> None:
    await work.call("ec2", "DeleteRouteTable", RouteTableId=work.physical_id)


_DESTINATIONS = "DestinationCidrBlock DestinationIpv6CidrBlock DestinationPrefixListId"


async def create_route(work: Work) -> None:
    destination = next((work.text(name) for name in _DESTINATIONS.split() if name in work.properties), None)
    if destination is None:
        raise PropertyError(f"One of {_DESTINATIONS.replace(' ', ', ')} must be given")
    await work.call("ec2", "CreateRoute", **work.params("ec2", "CreateRoute"))
    work.made(f"{work.text('RouteTableId')}|{destination}", CidrBlock=destination)


async def update_route(work: Work) -> None:
    await work.call("ec2", "ReplaceRoute", **work.params("ec2", "ReplaceRoute"))


async def delete_route(work: Work) -> None:
    await work.call("ec2", "DeleteRoute", **work.params("ec2", "DeleteRoute", only=f"RouteTableId {_DESTINATIONS}"))


async def create_association(work: Work) -> None:
    answer = await work.call("ec2", "AssociateRouteTable", **work.params("ec2", "AssociateRouteTable"))
    work.made(answer["AssociationId"], Id=answer["AssociationId"])


async def delete_association(work: Work) -> None:
    await work.call("ec2", "DisassociateRouteTable", AssociationId=work.physical_id)


TYPES = (
    ResourceType(
        "AWS::EC2::VPC",
        properties=words(
            "CidrBlock EnableDnsHostnames EnableDnsSupport InstanceTenancy Ipv4IpamPoolId Ipv4NetmaskLength Tags"
        ),
        replacing=words("CidrBlock InstanceTenancy Ipv4IpamPoolId Ipv4NetmaskLength"),
        not_emulated=words("VpcEncryptionControl"),
        attributes=words("VpcId CidrBlock CidrBlockAssociations DefaultNetworkAcl DefaultSecurityGroup Ipv6CidrBlocks"),
        create=create_vpc,
        update=update_vpc,
        delete=delete_vpc,
        retag=retag,
    ),
    ResourceType(
        "AWS::EC2::InternetGateway",
        properties=words("Tags"),
        attributes=words("InternetGatewayId"),
        create=create_internet_gateway,
        update=update_tags_only,
        delete=delete_internet_gateway,
        retag=retag,
    ),
    ResourceType(
        "AWS::EC2::VPCGatewayAttachment",
        properties=words("InternetGatewayId VpcId VpnGatewayId"),
        required=words("VpcId"),
        attributes=words("AttachmentType"),
        create=create_attachment,
        delete=delete_attachment,
    ),
    ResourceType(
        "AWS::EC2::Subnet",
        properties=words(
            "AssignIpv6AddressOnCreation AvailabilityZone AvailabilityZoneId CidrBlock EnableDns64 Ipv4IpamPoolId "
            "Ipv4NetmaskLength Ipv6CidrBlock Ipv6IpamPoolId Ipv6Native Ipv6NetmaskLength MapPublicIpOnLaunch "
            "OutpostArn PrivateDnsNameOptionsOnLaunch Tags VpcId"
        ),
        required=words("VpcId"),
        replacing=words(
            "VpcId AvailabilityZone AvailabilityZoneId CidrBlock OutpostArn Ipv6CidrBlock Ipv6Native Ipv4IpamPoolId "
            "Ipv4NetmaskLength Ipv6IpamPoolId Ipv6NetmaskLength"
        ),
        not_emulated=words("EnableLniAtDeviceIndex"),
        attributes=words(
            "SubnetId VpcId AvailabilityZone AvailabilityZoneId CidrBlock OutpostArn Ipv6CidrBlocks "
            "NetworkAclAssociationId"
        ),
        create=create_subnet,
        update=update_subnet,
        delete=delete_subnet,
        retag=retag,
    ),
    ResourceType(
        "AWS::EC2::RouteTable",
        properties=words("Tags VpcId"),
        required=words("VpcId"),
        replacing=words("VpcId"),
        attributes=words("RouteTableId"),
        create=create_route_table,
        update=update_tags_only,
        delete=delete_route_table,
        retag=retag,
    ),
    ResourceType(
        "AWS::EC2::Route",
        properties=words(
            "CarrierGatewayId CoreNetworkArn DestinationCidrBlock DestinationIpv6CidrBlock DestinationPrefixListId "
            "EgressOnlyInternetGatewayId GatewayId InstanceId LocalGatewayId NatGatewayId NetworkInterfaceId "
            "OdbNetworkArn RouteTableId TransitGatewayId VpcEndpointId VpcPeeringConnectionId"
        ),
        required=words("RouteTableId"),
        replacing=words(f"RouteTableId {_DESTINATIONS}"),
        attributes=words("CidrBlock"),
        create=create_route,
        update=update_route,
        delete=delete_route,
    ),
    ResourceType(
        "AWS::EC2::SubnetRouteTableAssociation",
        properties=words("RouteTableId SubnetId"),
        required=words("RouteTableId SubnetId"),
        attributes=words("Id"),
        create=create_association,
        delete=delete_association,
    ),
)
