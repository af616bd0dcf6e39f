"""AWS::EC2 and AWS::ElasticLoadBalancingV2 resources, as the API shows them afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.stacks import Stacks, stacks
from webordinary_testkit.emulation.services.elbv2 import Alb

NETWORK = """
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties:
      {CidrBlock: 10.1.0.0/16, EnableDnsHostnames: true, EnableDnsSupport: true, Tags: [{Key: Name, Value: net}]}
  Gateway: {Type: AWS::EC2::InternetGateway}
  Attachment: {Type: AWS::EC2::VPCGatewayAttachment, Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway}}
  A:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.1.0.0/24, AvailabilityZone: us-west-2a, MapPublicIpOnLaunch: "true"}
  B: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.1.1.0/24, AvailabilityZone: us-west-2b}}
  Routes: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Default:
    Type: AWS::EC2::Route
    DependsOn: Attachment
    Properties: {RouteTableId: !Ref Routes, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Gateway}
  AssociationA: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {SubnetId: !Ref A, RouteTableId: !Ref Routes}}
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Web
      VpcId: !Ref Vpc
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 80, ToPort: "80", CidrIp: 0.0.0.0/0, Description: HTTP}
      SecurityGroupEgress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}
  App: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: App, VpcId: !Ref Vpc}}
  FromWeb:
    Type: AWS::EC2::SecurityGroupIngress
    Properties:
      {GroupId: !Ref App, IpProtocol: tcp, FromPort: 8080, ToPort: 8080, SourceSecurityGroupId: !Ref Web}
  ToWeb:
    Type: AWS::EC2::SecurityGroupEgress
    Properties: {GroupId: !Ref Web, IpProtocol: tcp, FromPort: 8080, ToPort: 8080, DestinationSecurityGroupId: !Ref App}
"""
NETWORK_OUTPUTS = """
Outputs:
  Vpc: {Value: !Ref Vpc}
  DefaultGroup: {Value: !GetAtt Vpc.DefaultSecurityGroup}
  Subnet: {Value: !Ref A}
  Zone: {Value: !GetAtt A.AvailabilityZone}
  Routes: {Value: !Ref Routes}
  Web: {Value: !GetAtt Web.GroupId}
  App: {Value: !Ref App}
  Attachment: {Value: !Ref Attachment}
  Route: {Value: !Ref Default}
"""

BALANCER = """
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      Subnets: [!Ref A, !Ref B]
      SecurityGroups: [!Ref Web]
      LoadBalancerAttributes: [{Key: idle_timeout.timeout_seconds, Value: "90"}]
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      VpcId: !Ref Vpc
      TargetType: ip
      Protocol: HTTP
      Port: 8080
      HealthCheckPath: /health
      HealthCheckIntervalSeconds: 10
      Matcher: {HttpCode: 200-299}
      TargetGroupAttributes: [{Key: deregistration_delay.timeout_seconds, Value: "5"}]
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Port: 80
      Protocol: HTTP
      DefaultActions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}]
  Rule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref Listener
      Priority: 10
      Conditions:
        - {Field: path-pattern, PathPatternConfig: {Values: [/api/*]}}
        - {Field: http-header, HttpHeaderConfig: {HttpHeaderName: X-Test, Values: ["1"]}}
      Actions:
        - Type: forward
          ForwardConfig:
            TargetGroups: [{TargetGroupArn: !Ref Targets, Weight: 1}]
            TargetGroupStickinessConfig: {Enabled: true, DurationSeconds: 60}
"""
BALANCER_OUTPUTS = """
  Balancer: {Value: !Ref Balancer}
  Dns: {Value: !GetAtt Balancer.DNSName}
  FullName: {Value: !GetAtt Balancer.LoadBalancerFullName}
  Targets: {Value: !Ref Targets}
  TargetsName: {Value: !GetAtt Targets.TargetGroupFullName}
  Listener: {Value: !Ref Listener}
  Rule: {Value: !Ref Rule}
"""


@pytest_asyncio.fixture
async def cfn() -> AsyncIterator[Stacks]:
    async with stacks(Alb) as each:
        yield each


async def group(cfn: Stacks, group_id: str) -> dict[str, Any]:
    answer = await cfn.aws.call("ec2", "DescribeSecurityGroups", GroupIds=[group_id])
    found: dict[str, Any] = answer["SecurityGroups"][0]
    return found


def rules(permissions: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """(protocol, from, where) of each."""
    return {
        (each["IpProtocol"], each.get("FromPort"), place)
        for each in permissions
        for place in (
            *(item["CidrIp"] for item in each.get("IpRanges", [])),
            *(item["GroupId"] for item in each.get("UserIdGroupPairs", [])),
        )
    }


async def test_a_network_is_as_its_template_says(cfn: Stacks) -> None:
    found = await cfn.made(NETWORK + NETWORK_OUTPUTS)
    host_names = await cfn.aws.call("ec2", "DescribeVpcAttribute", VpcId=found["Vpc"], Attribute="enableDnsHostnames")
    assert host_names["EnableDnsHostnames"] == {"Value": True}
    vpc = (await cfn.aws.call("ec2", "DescribeVpcs", VpcIds=[found["Vpc"]]))["Vpcs"][0]
    tags = {each["Key"]: each["Value"] for each in vpc["Tags"]}
    assert (tags["Name"], tags["aws:cloudformation:logical-id"]) == ("net", "Vpc")
    subnet = (await cfn.aws.call("ec2", "DescribeSubnets", SubnetIds=[found["Subnet"]]))["Subnets"][0]
    assert (subnet["MapPublicIpOnLaunch"], subnet["AvailabilityZone"]) == (True, found["Zone"])
    table = (await cfn.aws.call("ec2", "DescribeRouteTables", RouteTableIds=[found["Routes"]]))["RouteTables"][0]
    assert {each["DestinationCidrBlock"] for each in table["Routes"]} == {"10.1.0.0/16", "0.0.0.0/0"}
    assert [each["SubnetId"] for each in table["Associations"]] == [found["Subnet"]]
    assert found["DefaultGroup"].startswith("sg-")
    assert (found["Attachment"], found["Route"]) == (f"IGW|{found['Vpc']}", f"{found['Routes']}|0.0.0.0/0")


async def test_security_groups_allow_what_their_rules_say_wherever_they_stand(cfn: Stacks) -> None:
    found = await cfn.made(NETWORK + NETWORK_OUTPUTS)
    web, app = await group(cfn, found["Web"]), await group(cfn, found["App"])
    assert web["GroupName"].startswith("test-Web-")
    assert rules(web["IpPermissions"]) == {("tcp", 80, "0.0.0.0/0")}
    assert rules(web["IpPermissionsEgress"]) == {("tcp", 443, "0.0.0.0/0"), ("tcp", 8080, found["App"])}
    assert rules(app["IpPermissions"]) == {("tcp", 8080, found["Web"])}
    assert rules(app["IpPermissionsEgress"]) == {("-1", None, "0.0.0.0/0")}


async def test_rules_of_a_group_are_updated_in_place(cfn: Stacks) -> None:
    found = await cfn.made(NETWORK + NETWORK_OUTPUTS)
    changed = NETWORK.replace('FromPort: 80, ToPort: "80"', "FromPort: 8443, ToPort: 8443").replace(
        "      SecurityGroupEgress:\n        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}\n", ""
    )
    await cfn.changed(changed + NETWORK_OUTPUTS)
    web = await group(cfn, found["Web"])
    assert rules(web["IpPermissions"]) == {("tcp", 8443, "0.0.0.0/0")}
    assert rules(web["IpPermissionsEgress"]) == {("-1", None, "0.0.0.0/0"), ("tcp", 8080, found["App"])}


async def test_a_network_is_updated_where_it_can_be(cfn: Stacks) -> None:
    found = await cfn.made(NETWORK + NETWORK_OUTPUTS)
    changed = (
        NETWORK.replace("EnableDnsHostnames: true", "EnableDnsHostnames: false")
        .replace("Value: net", "Value: new")
        .replace('MapPublicIpOnLaunch: "true"', "MapPublicIpOnLaunch: false")
    )
    assert await cfn.changed(changed + NETWORK_OUTPUTS) == found
    vpc = (await cfn.aws.call("ec2", "DescribeVpcs", VpcIds=[found["Vpc"]]))["Vpcs"][0]
    assert {"Key": "Name", "Value": "new"} in vpc["Tags"]
    subnet = (await cfn.aws.call("ec2", "DescribeSubnets", SubnetIds=[found["Subnet"]]))["Subnets"][0]
    assert subnet["MapPublicIpOnLaunch"] is False


async def test_a_network_is_deleted_without_a_trace(cfn: Stacks) -> None:
    await cfn.made(NETWORK)
    await cfn.gone()
    vpcs = await cfn.aws.call("ec2", "DescribeVpcs", Filters=[{"Name": "is-default", "Values": ["false"]}])
    assert vpcs["Vpcs"] == []


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ("{Type: AWS::EC2::VPCGatewayAttachment, Properties: {VpcId: vpc-1}}", "Exactly one of InternetGatewayId and"),
        ("{Type: AWS::EC2::Route, Properties: {RouteTableId: rtb-1}}", "One of DestinationCidrBlock, "),
        ("{Type: AWS::EC2::SecurityGroupIngress, Properties: {IpProtocol: tcp}}", "One of GroupId and GroupName"),
        ("{Type: AWS::EC2::Subnet, Properties: {CidrBlock: 10.0.0.0/24}}", "required key [VpcId] not found"),
        ("{Type: AWS::EC2::Subnet, Properties: {VpcId: vpc-1, EnableLniAtDeviceIndex: 1}}", "is not emulated"),
        (
            "{Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: x, SecurityGroupIngress: [{Port: 1}]}}",
            "Encountered unsupported property Port",
        ),
    ],
)
async def test_a_network_resource_that_cannot_be_says_why(cfn: Stacks, resource: str, message: str) -> None:
    await cfn.create(f"Resources: {{X: {resource}}}")
    reasons = [reason for name, status, reason in await cfn.events() if (name, status) == ("X", "CREATE_FAILED")]
    assert message in reasons[0]


async def test_a_load_balancer_is_as_its_template_says(cfn: Stacks) -> None:
    found = await cfn.made(NETWORK + BALANCER + NETWORK_OUTPUTS + BALANCER_OUTPUTS)
    call = cfn.aws.call
    balancer = (await call("elbv2", "DescribeLoadBalancers", LoadBalancerArns=[found["Balancer"]]))["LoadBalancers"][0]
    assert balancer["DNSName"] == found["Dns"]
    assert found["FullName"].startswith("app/test-Balancer-")
    attributes = (await call("elbv2", "DescribeLoadBalancerAttributes", LoadBalancerArn=found["Balancer"]))[
        "Attributes"
    ]
    assert {"Key": "idle_timeout.timeout_seconds", "Value": "90"} in attributes
    targets = (await call("elbv2", "DescribeTargetGroups", TargetGroupArns=[found["Targets"]]))["TargetGroups"][0]
    assert (targets["HealthCheckPath"], targets["Matcher"]) == ("/health", {"HttpCode": "200-299"})
    assert found["TargetsName"].startswith("targetgroup/test-Targets-")
    rule = (await call("elbv2", "DescribeRules", RuleArns=[found["Rule"]]))["Rules"][0]
    assert [each["Field"] for each in rule["Conditions"]] == ["path-pattern", "http-header"]
    forward = rule["Actions"][0]["ForwardConfig"]
    assert forward["TargetGroupStickinessConfig"] == {"Enabled": True, "DurationSeconds": 60}
    tags = (await call("elbv2", "DescribeTags", ResourceArns=[found["Rule"]]))["TagDescriptions"][0]["Tags"]
    assert {"Key": "aws:cloudformation:logical-id", "Value": "Rule"} in tags


async def test_a_load_balancer_is_updated_in_place_and_deleted(cfn: Stacks) -> None:
    found = await cfn.made(NETWORK + BALANCER + NETWORK_OUTPUTS + BALANCER_OUTPUTS)
    changed = (
        BALANCER.replace('Value: "90"', 'Value: "30"')
        .replace("HealthCheckPath: /health", "HealthCheckPath: /healthz")
        .replace('Value: "5"', 'Value: "7"')
        .replace('StatusCode: "404"', 'StatusCode: "418"')
        .replace("Priority: 10", "Priority: 20")
        .replace("/api/*", "/v2/*")
    )
    assert await cfn.changed(NETWORK + changed + NETWORK_OUTPUTS + BALANCER_OUTPUTS) == found
    call = cfn.aws.call
    rule = (await call("elbv2", "DescribeRules", RuleArns=[found["Rule"]]))["Rules"][0]
    assert rule["Priority"] == "20"
    assert rule["Conditions"][0]["PathPatternConfig"]["Values"] == ["/v2/*"]
    targets = (await call("elbv2", "DescribeTargetGroups", TargetGroupArns=[found["Targets"]]))["TargetGroups"][0]
    assert targets["HealthCheckPath"] == "/healthz"
    listener = (await call("elbv2", "DescribeListeners", ListenerArns=[found["Listener"]]))["Listeners"][0]
    assert listener["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"] == "418"
    await cfn.gone()
    assert (await call("elbv2", "DescribeLoadBalancers"))["LoadBalancers"] == []
