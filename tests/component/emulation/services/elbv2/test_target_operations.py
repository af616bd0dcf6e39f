"""emulation/services/elbv2/operations.py: target groups and targets as boto3 sees them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from botocore.exceptions import ClientError

from tests.support.balancer import until
from tests.support.elbv2 import Account, code

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_registered_target_is_initial_and_then_healthy(account: Account, port: int) -> None:
    balancer, group = await account.load_balancer(), await account.target_group(HealthCheckPath="/health")
    await account.listener(balancer, group)
    await account.call("register_targets", TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": port}])
    await until(lambda: account.news and account.news[-1].state == "healthy")
    assert [(news.target_group_arn, news.target_id, news.port) for news in account.news[:1]] == [
        (group, "127.0.0.1", port)
    ]
    assert await account.health(group) == [
        {
            "Target": {"Id": "127.0.0.1", "Port": port},
            "HealthCheckPort": str(port),
            "TargetHealth": {"State": "healthy"},
        }
    ]
    waiter = account.elbv2.get_waiter("target_in_service")
    await asyncio.to_thread(waiter.wait, TargetGroupArn=group)


async def test_a_deregistered_target_drains_and_is_then_no_longer_listed(account: Account, port: int) -> None:
    balancer, group = await account.load_balancer(), await account.target_group()
    attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": "15"}
    await account.call("modify_target_group_attributes", TargetGroupArn=group, Attributes=[attribute])
    await account.listener(balancer, group)
    target = {"Id": "127.0.0.1", "Port": port}
    await account.call("register_targets", TargetGroupArn=group, Targets=[target])
    await account.call("deregister_targets", TargetGroupArn=group, Targets=[target])
    assert (await account.health(group))[0]["TargetHealth"] == {
        "State": "draining",
        "Reason": "Target.DeregistrationInProgress",
        "Description": "Target deregistration is in progress",
    }
    await until(lambda: account.news[-1].state == "unused")
    assert await account.health(group) == []
    assert (await account.health(group, Targets=[target]))[0]["TargetHealth"]["Reason"] == "Target.NotRegistered"
    waiter = account.elbv2.get_waiter("target_deregistered")
    await asyncio.to_thread(waiter.wait, TargetGroupArn=group, Targets=[target])


async def test_a_target_of_an_unused_group_says_so(account: Account, port: int) -> None:
    group = await account.target_group()
    await account.call("register_targets", TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": port}])
    assert (await account.health(group))[0]["TargetHealth"]["Reason"] == "Target.NotInUse"


async def test_a_target_without_a_port_has_the_groups(account: Account) -> None:
    group = await account.target_group(Port=8080)
    await account.call("register_targets", TargetGroupArn=group, Targets=[{"Id": "127.0.0.1"}])
    assert (await account.health(group))[0]["Target"] == {"Id": "127.0.0.1", "Port": 8080}


async def test_one_address_may_be_registered_with_several_ports(account: Account) -> None:
    group = await account.target_group()
    targets = [{"Id": "127.0.0.1", "Port": port} for port in (1001, 1002)]
    await account.call("register_targets", TargetGroupArn=group, Targets=targets)
    assert [item["Target"]["Port"] for item in await account.health(group)] == [1001, 1002]


async def test_changed_health_checks_hold_from_the_next_check_on(account: Account) -> None:
    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=200 if request.path == "/right" else 404)

    server = await asyncio.get_running_loop().create_server(web.Server(serve, access_log=None), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings: dict[str, Any] = {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2}
    balancer, group = await account.load_balancer(), await account.target_group(HealthCheckPath="/wrong", **settings)
    await account.listener(balancer, group)
    await account.call("register_targets", TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": port}])
    await until(lambda: account.news[-1].state == "unhealthy")
    description = (await account.health(group))[0]["TargetHealth"]["Description"]
    assert description == "Health checks failed with these codes: [404]"
    await account.call("modify_target_group", TargetGroupArn=group, HealthCheckPath="/right")
    await until(lambda: account.news[-1].state == "healthy")
    server.close()


async def test_a_target_group_names_the_load_balancers_that_use_it(account: Account) -> None:
    balancer, group = await account.load_balancer(), await account.target_group()
    await account.target_group("unused")
    listener = await account.listener(balancer, group)

    async def users() -> list[str]:
        described = await account.call("describe_target_groups", TargetGroupArns=[group])
        return list(described["TargetGroups"][0]["LoadBalancerArns"])

    assert await users() == [balancer["LoadBalancerArn"]]
    by_balancer = await account.call("describe_target_groups", LoadBalancerArn=balancer["LoadBalancerArn"])
    assert [found["TargetGroupArn"] for found in by_balancer["TargetGroups"]] == [group]
    await account.call("delete_listener", ListenerArn=listener)
    assert await users() == []


@pytest.mark.parametrize(
    ("operation", "params", "wanted"),
    [
        ("register_targets", {"Targets": [{"Id": "127.0.0.1"}]}, "TargetGroupNotFound"),
        ("deregister_targets", {"Targets": [{"Id": "127.0.0.1"}]}, "TargetGroupNotFound"),
        ("describe_target_health", {}, "TargetGroupNotFound"),
        ("modify_target_group", {"HealthCheckPath": "/"}, "TargetGroupNotFound"),
    ],
)
async def test_an_unknown_target_group_is_not_found(
    account: Account, operation: str, params: dict[str, Any], wanted: str
) -> None:
    arn = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/none/0123456789abcdef"
    with pytest.raises(ClientError) as refused:
        await account.call(operation, TargetGroupArn=arn, **params)
    assert code(refused) == wanted


async def test_an_instance_cannot_be_registered(account: Account) -> None:
    group = await account.target_group()
    with pytest.raises(ClientError, match="i-0123") as refused:
        await account.call("register_targets", TargetGroupArn=group, Targets=[{"Id": "i-0123456789abcdef0"}])
    assert code(refused) == "InvalidTarget"


async def test_a_new_target_group_is_shown_without_its_load_balancers(account: Account) -> None:
    settings = {"Protocol": "HTTP", "Port": 80, "VpcId": account.vpc, "TargetType": "ip"}
    made = await account.call("create_target_group", Name="fresh", **settings)
    assert "LoadBalancerArns" not in made["TargetGroups"][0]


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"Protocol": "HTTP"}, "ValidationError", "A port must be specified"),
        ({"Port": 80}, "ValidationError", "A protocol must be specified"),
    ],
)
async def test_a_target_group_without_port_or_protocol(
    account: Account, params: dict[str, Any], code: str, text: str
) -> None:
    with pytest.raises(ClientError) as refused:
        await account.call("create_target_group", Name="odd", VpcId=account.vpc, TargetType="ip", **params)
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == (code, text)


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("deregistration_delay.timeout_seconds", "3601", "InvalidConfigurationRequest"),
        ("stickiness.type", "source_ip", "InvalidConfigurationRequest"),
        ("no.such.attribute", "1", "InvalidConfigurationRequest"),
        ("slow_start.duration_seconds", "30", "NotImplemented"),
    ],
)
async def test_an_attribute_that_would_do_nothing_is_refused(
    account: Account, key: str, value: str, wanted: str
) -> None:
    group = await account.target_group()
    with pytest.raises(ClientError, match=key) as refused:
        attribute = {"Key": key, "Value": value}
        await account.call("modify_target_group_attributes", TargetGroupArn=group, Attributes=[attribute])
    assert code(refused) == wanted
