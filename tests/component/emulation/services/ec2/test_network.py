"""What security groups and disruptions let through: the rules, and the traffic that follows them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.support.ecs import eventually
from tests.support.faults import Place as ApiFaultContext
from tests.support.faults import place
from webordinary_testkit.emulation.services.ec2 import Network
from webordinary_testkit.emulation.services.ec2.rules import Group, Location, Port, group, reaches, reaches_internet

pytestmark = pytest.mark.asyncio(loop_scope="module")

VPC = IPv4Network("10.42.0.0/16")
BALANCER = Location(IPv4Address("10.42.0.4"), IPv4Network("10.42.0.0/24"), VPC, frozenset({"sg-lb"}))
TASK = Location(IPv4Address("127.0.0.1"), IPv4Network("10.42.1.0/24"), VPC, frozenset({"sg-task"}))
PORT = Port(real=40001, declared=8080)
ALL = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def tcp(first: int, last: int | None = None, *, cidr: str = "", source: str = "") -> dict[str, Any]:
    ranges = [{"CidrIp": cidr}] if cidr else []
    pairs = [{"GroupId": source}] if source else []
    last = first if last is None else last
    return {"IpProtocol": "tcp", "FromPort": first, "ToPort": last, "IpRanges": ranges, "UserIdGroupPairs": pairs}


def a_group(id: str, ingress: list[dict[str, Any]], egress: list[dict[str, Any]]) -> Group:
    return group({"GroupId": id, "VpcId": "vpc-1", "IpPermissions": ingress, "IpPermissionsEgress": egress})


FROM_BALANCER = tcp(8080, source="sg-lb")


class TestRules:
    @pytest.mark.parametrize(
        ("egress", "ingress", "expected"),
        [
            ([ALL], [FROM_BALANCER], True),
            ([ALL], [], False),
            ([], [FROM_BALANCER], False),
            ([ALL], [tcp(3000, source="sg-lb")], False),
            ([ALL], [tcp(8080, source="sg-other")], False),
            ([ALL], [tcp(8080, cidr="10.42.0.0/16")], True),
            ([ALL], [tcp(8080, cidr="10.42.1.0/24")], False),
            ([tcp(8080, source="sg-task")], [FROM_BALANCER], True),
            ([tcp(8080, cidr="10.42.0.0/16")], [FROM_BALANCER], True),
            ([tcp(8080, cidr="10.42.0.0/24")], [FROM_BALANCER], False),
            ([tcp(0, 40000, cidr="127.0.0.1/32"), tcp(40002, 65535, cidr="127.0.0.1/32")], [FROM_BALANCER], False),
            ([tcp(40001, cidr="127.0.0.1/32")], [FROM_BALANCER], True),
            ([{**ALL, "IpProtocol": "udp"}], [FROM_BALANCER], False),
        ],
    )
    async def test_a_connection_needs_a_rule_out_and_a_rule_in(
        self, egress: list[dict[str, Any]], ingress: list[dict[str, Any]], expected: bool
    ) -> None:
        balancer, task = a_group("sg-lb", [], egress), a_group("sg-task", ingress, [])

        assert reaches([balancer], [BALANCER], [task], TASK, PORT) is expected

    @pytest.mark.parametrize(
        ("egress", "expected"),
        [
            ([ALL], True),
            ([tcp(443, cidr="0.0.0.0/0")], True),
            ([tcp(80, cidr="0.0.0.0/0")], False),
            ([tcp(443, cidr="10.42.0.0/16")], False),
            ([{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": "pl"}]}], True),
            ([], False),
        ],
    )
    async def test_aws_is_reached_over_port_443_and_outside_the_vpc(
        self, egress: list[dict[str, Any]], expected: bool
    ) -> None:
        assert reaches_internet([a_group("sg", [], egress)], VPC) is expected


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def p() -> AsyncIterator[ApiFaultContext]:
    """A service behind a load balancer, both in the default security group of their VPC."""
    async with place() as made:
        await made.task()
        yield made


def network(p: ApiFaultContext) -> Network:
    return next(each for each in p.cloud.wiring.controllers if isinstance(each, Network))


async def default_group(p: ApiFaultContext) -> dict[str, Any]:
    service = (await p.aws.call("ecs", "describe_services", cluster="cluster", services=["edit-service"]))["services"][
        0
    ]
    subnet = service["networkConfiguration"]["awsvpcConfiguration"]["subnets"][0]
    vpc = (await p.aws.call("ec2", "describe_subnets", SubnetIds=[subnet]))["Subnets"][0]["VpcId"]
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    answer = await p.aws.call("ec2", "describe_security_groups", Filters=filters)
    return dict(answer["SecurityGroups"][0])


async def test_without_the_ingress_rule_the_load_balancer_gets_no_answer_and_with_it_again(p: ApiFaultContext) -> None:
    found = await default_group(p)
    rule = {"GroupId": found["GroupId"], "IpPermissions": found["IpPermissions"]}
    before = await p.get()
    await p.aws.call("ec2", "revoke_security_group_ingress", **rule)
    await network(p).settle()
    try:
        timeout = asyncio.create_task(p.get())
        await asyncio.wait({timeout}, timeout=0.5)
        silent = not timeout.done() or timeout.result() == "504"
    finally:
        await p.aws.call("ec2", "authorize_security_group_ingress", **rule)
        await network(p).settle()
    await timeout
    await p.task()

    assert (before, silent, await p.get()) == ("200", True, "200")


async def test_without_egress_a_task_hears_nothing_of_aws_and_others_do(p: ApiFaultContext) -> None:
    found = await default_group(p)
    task = await p.task()
    rule = {"GroupId": found["GroupId"], "IpPermissions": found["IpPermissionsEgress"]}
    await p.aws.call("ec2", "revoke_security_group_egress", **rule)
    await network(p).settle()
    try:
        during = await p.call_as_task(task, 0.5)
    finally:
        await p.aws.call("ec2", "authorize_security_group_egress", **rule)
        await network(p).settle()

    assert (during, await p.call_as_task(task)) == ("silent", "ok")


async def test_a_disruption_of_dynamodb_stops_calls_under_its_subnet_until_it_is_over(p: ApiFaultContext) -> None:
    task = await p.task()
    interface = next(each for each in network(p)._tasks.interfaces() if each.task_arn == task)
    restore = network(p).disrupt([interface.subnet], "dynamodb")
    during = await p.call_as_task(task, 0.5)
    restore()
    restore_elsewhere = network(p).disrupt(["subnet-other"], "dynamodb")
    beside = await p.call_as_task(task)
    restore_elsewhere()

    assert (during, beside, await p.call_as_task(task)) == ("silent", "ok", "ok")


async def test_a_tasks_interface_can_be_looked_at_and_not_be_changed(p: ApiFaultContext) -> None:
    task = await p.context.task(await p.task())
    details = {each["name"]: each["value"] for each in task["attachments"][0]["details"]}
    answer = await p.aws.call("ec2", "describe_network_interfaces", NetworkInterfaceIds=[details["networkInterfaceId"]])
    (shown,) = answer["NetworkInterfaces"]
    with pytest.raises(ClientError, match="OperationNotPermitted"):
        await p.aws.call(
            "ec2",
            "modify_network_interface_attribute",
            NetworkInterfaceId=details["networkInterfaceId"],
            Groups=[(await default_group(p))["GroupId"]],
        )

    assert (shown["SubnetId"], shown["RequesterManaged"]) == (details["subnetId"], True)


async def test_a_group_taken_from_the_load_balancer_cuts_it_off(p: ApiFaultContext) -> None:
    found = await default_group(p)
    made = await p.aws.call(
        "ec2", "create_security_group", GroupName="lonely", Description="reaches nothing", VpcId=found["VpcId"]
    )
    arn = (await p.aws.call("elbv2", "describe_load_balancers"))["LoadBalancers"][0]["LoadBalancerArn"]
    await p.aws.call("elbv2", "set_security_groups", LoadBalancerArn=arn, SecurityGroups=[made["GroupId"]])
    await network(p).settle()
    try:

        async def is_cut() -> bool:
            return bool(network(p)._cut)

        assert await eventually(is_cut)
    finally:
        await p.aws.call("elbv2", "set_security_groups", LoadBalancerArn=arn, SecurityGroups=[found["GroupId"]])
        await network(p).settle()

    assert not network(p)._cut
