"""emulation/services/elbv2/operations.py: the elbv2 API as boto3 sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from botocore.exceptions import ClientError

from tests.support.balancer import until
from tests.support.world import World, world
from webordinary_testkit.emulation.core.controller import TargetHealthChanged
from webordinary_testkit.emulation.services.elbv2 import Alb

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Account:
    """An account with a network; every elbv2 call is boto3's, over the wire."""

    world: World
    vpc: str
    subnets: list[str]
    elbv2: Any
    news: list[TargetHealthChanged]

    async def call(self, operation: str, **params: Any) -> Any:
        return await asyncio.to_thread(partial(getattr(self.elbv2, operation), **params))

    async def load_balancer(self, name: str = "web", **params: Any) -> dict[str, Any]:
        made = await self.call("create_load_balancer", Name=name, Subnets=self.subnets, **params)
        return dict(made["LoadBalancers"][0])

    async def target_group(self, name: str = "web", **params: Any) -> str:
        settings: dict[str, Any] = {"Protocol": "HTTP", "Port": 8080, "VpcId": self.vpc, "TargetType": "ip", **params}
        made = await self.call("create_target_group", Name=name, **settings)
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    async def listener(self, load_balancer: dict[str, Any], target_group: str | None = None, port: int = 80) -> str:
        action: dict[str, Any] = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
        if target_group is not None:
            action = {"Type": "forward", "TargetGroupArn": target_group}
        arn = load_balancer["LoadBalancerArn"]
        made = await self.call(
            "create_listener", LoadBalancerArn=arn, Port=port, Protocol="HTTP", DefaultActions=[action]
        )
        return str(made["Listeners"][0]["ListenerArn"])

    async def health(self, target_group: str, **params: Any) -> list[dict[str, Any]]:
        answer = await self.call("describe_target_health", TargetGroupArn=target_group, **params)
        return list(answer["TargetHealthDescriptions"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def network() -> AsyncIterator[Account]:
    """One cloud for all tests of this module: starting one takes longer than most of them."""
    async with world(Alb) as w:
        vpc = (await w.aws.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16"))["Vpc"]["VpcId"]
        subnets = []
        for number, zone in enumerate(("us-west-2a", "us-west-2b")):
            block = f"10.0.{number}.0/24"
            made = await w.aws.call("ec2", "CreateSubnet", VpcId=vpc, CidrBlock=block, AvailabilityZone=zone)
            subnets.append(made["Subnet"]["SubnetId"])
        news: list[TargetHealthChanged] = []
        w.ctx.events.subscribe(TargetHealthChanged, news.append)
        yield Account(w, vpc, subnets, w.client("elbv2"), news)


@pytest_asyncio.fixture(loop_scope="module")
async def account(network: Account) -> AsyncIterator[Account]:
    """The network with nothing of elbv2 in it."""
    yield network
    aws = network.world.aws
    for balancer in (await aws.call("elbv2", "DescribeLoadBalancers"))["LoadBalancers"]:
        arn = balancer["LoadBalancerArn"]
        off = [{"Key": "deletion_protection.enabled", "Value": "false"}]
        await aws.call("elbv2", "ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=off)
        await aws.call("elbv2", "DeleteLoadBalancer", LoadBalancerArn=arn)
    for group in (await aws.call("elbv2", "DescribeTargetGroups"))["TargetGroups"]:
        await aws.call("elbv2", "DeleteTargetGroup", TargetGroupArn=group["TargetGroupArn"])
    network.news.clear()


@pytest_asyncio.fixture(loop_scope="module")
async def port() -> AsyncIterator[int]:
    """A target that answers 200 to everything."""

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=request.path)

    server = await asyncio.get_running_loop().create_server(web.Server(serve, access_log=None), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def fetch(address: str, path: str = "/") -> tuple[int, str]:
    async with aiohttp.ClientSession() as client, client.get(f"http://{address}{path}") as answer:
        return answer.status, await answer.text()


def code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


async def test_the_dns_name_is_an_address_one_can_call(account: Account) -> None:
    balancer = await account.load_balancer()
    await account.listener(balancer)
    assert (await fetch(balancer["DNSName"]))[0] == 404
    described = await account.call("describe_load_balancers", Names=["web"])
    assert described["LoadBalancers"][0]["DNSName"] == balancer["DNSName"]
    assert described["LoadBalancers"][0]["State"] == {"Code": "active"}


async def test_the_same_load_balancer_again_is_the_same_and_another_of_its_name_is_refused(account: Account) -> None:
    first = await account.load_balancer()
    again = await account.load_balancer()
    assert (again["LoadBalancerArn"], again["DNSName"]) == (first["LoadBalancerArn"], first["DNSName"])
    with pytest.raises(ClientError) as refused:
        await account.load_balancer(Scheme="internal")
    assert code(refused) == "DuplicateLoadBalancerName"


async def test_a_load_balancer_wants_two_subnets(account: Account) -> None:
    with pytest.raises(ClientError, match="two subnets") as refused:
        await account.call("create_load_balancer", Name="one", Subnets=account.subnets[:1])
    assert code(refused) == "ValidationError"


async def test_rules_hold_as_soon_as_their_call_returns(account: Account, port: int) -> None:
    balancer, group = await account.load_balancer(), await account.target_group()
    listener = await account.listener(balancer)
    await account.call("register_targets", TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": port}])
    rule = (
        await account.call(
            "create_rule",
            ListenerArn=listener,
            Priority=10,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}],
            Actions=[{"Type": "forward", "TargetGroupArn": group}],
        )
    )["Rules"][0]["RuleArn"]
    assert await fetch(balancer["DNSName"], "/api/x") == (200, "/api/x")
    conditions = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/v2/*"]}}]
    await account.call("modify_rule", RuleArn=rule, Conditions=conditions)
    assert (await fetch(balancer["DNSName"], "/api/x"))[0] == 404
    assert (await fetch(balancer["DNSName"], "/v2/x"))[0] == 200
    await account.call("delete_rule", RuleArn=rule)
    assert (await fetch(balancer["DNSName"], "/v2/x"))[0] == 404


async def test_priorities_can_be_swapped(account: Account) -> None:
    balancer = await account.load_balancer()
    listener = await account.listener(balancer)
    rules = [
        (
            await account.call(
                "create_rule",
                ListenerArn=listener,
                Priority=priority,
                Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
                Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": text}}],
            )
        )["Rules"][0]["RuleArn"]
        for priority, text in ((1, "one"), (2, "two"))
    ]
    assert (await fetch(balancer["DNSName"]))[1] == "one"
    swapped = [{"RuleArn": arn, "Priority": priority} for arn, priority in zip(rules, (4, 3), strict=True)]
    await account.call("set_rule_priorities", RulePriorities=swapped)
    assert (await fetch(balancer["DNSName"]))[1] == "two"


async def test_every_listener_tells_its_address_by_a_tag(account: Account) -> None:
    balancer = await account.load_balancer()
    listeners = [await account.listener(balancer, port=port) for port in (80, 8080)]
    described = await account.call("describe_tags", ResourceArns=listeners)
    tags = {d["ResourceArn"]: d["Tags"][0] for d in described["TagDescriptions"]}
    assert tags[listeners[0]] == {"Key": "emulation:address", "Value": balancer["DNSName"]}
    assert (await fetch(tags[listeners[1]]["Value"]))[0] == 404


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


async def test_a_deleted_load_balancer_no_longer_listens(account: Account) -> None:
    balancer = await account.load_balancer()
    await account.listener(balancer)
    await account.call("delete_load_balancer", LoadBalancerArn=balancer["LoadBalancerArn"])
    with pytest.raises(aiohttp.ClientConnectorError):
        await fetch(balancer["DNSName"])
    await account.call("delete_load_balancer", LoadBalancerArn=balancer["LoadBalancerArn"])  # as on AWS, no error


async def test_deletion_protection_protects(account: Account) -> None:
    balancer = await account.load_balancer()
    attribute = {"Key": "deletion_protection.enabled", "Value": "true"}
    arn = balancer["LoadBalancerArn"]
    await account.call("modify_load_balancer_attributes", LoadBalancerArn=arn, Attributes=[attribute])
    with pytest.raises(ClientError) as refused:
        await account.call("delete_load_balancer", LoadBalancerArn=arn)
    assert code(refused) == "OperationNotPermitted"


async def test_attributes_are_complete_with_awss_defaults(account: Account) -> None:
    balancer, group = await account.load_balancer(), await account.target_group()
    arn = balancer["LoadBalancerArn"]
    answer = await account.call("describe_load_balancer_attributes", LoadBalancerArn=arn)
    values = {item["Key"]: item["Value"] for item in answer["Attributes"]}
    assert (values["idle_timeout.timeout_seconds"], values["routing.http2.enabled"]) == ("60", "true")
    change = {"Key": "stickiness.enabled", "Value": "true"}
    answer = await account.call("modify_target_group_attributes", TargetGroupArn=group, Attributes=[change])
    values = {item["Key"]: item["Value"] for item in answer["Attributes"]}
    assert (values["stickiness.enabled"], values["stickiness.lb_cookie.duration_seconds"]) == ("true", "86400")


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


async def test_a_port_has_one_listener(account: Account) -> None:
    balancer = await account.load_balancer()
    await account.listener(balancer)
    with pytest.raises(ClientError) as refused:
        await account.listener(balancer)
    assert code(refused) == "DuplicateListener"


async def test_the_default_rule_has_an_arn_by_which_it_is_found(account: Account) -> None:
    listener = await account.listener(await account.load_balancer())
    rules = (await account.call("describe_rules", ListenerArn=listener))["Rules"]
    assert [(rule["Priority"], rule["IsDefault"]) for rule in rules] == [("default", True)]
    assert rules[0]["RuleArn"].startswith(listener.replace(":listener/", ":listener-rule/"))
    again = await account.call("describe_rules", RuleArns=[rules[0]["RuleArn"]])
    assert again["Rules"] == rules


async def test_load_balancers_that_are_there_already_are_taken_over(account: Account, port: int) -> None:
    """As with a base that outlives the cloud's own process."""
    balancer, group = await account.load_balancer(), await account.target_group()
    await account.listener(balancer, group)
    second = Alb(account.world.cloud.context("elbv2"))
    await second.start()
    try:
        overview = await second.routes()["load-balancers"]()
        assert [item["name"] for item in overview] == ["web"]
        assert (await fetch(overview[0]["address"]))[0] == 503
    finally:
        await second.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await fetch(overview[0]["address"])


async def test_the_idle_timeout_attribute_holds(account: Account) -> None:
    never = asyncio.Event()

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        await never.wait()
        raise AssertionError

    server = await asyncio.get_running_loop().create_server(web.Server(serve, access_log=None), "127.0.0.1", 0)
    balancer, group = await account.load_balancer(), await account.target_group()
    await account.listener(balancer, group)
    attribute = {"Key": "idle_timeout.timeout_seconds", "Value": "6"}
    arn = balancer["LoadBalancerArn"]
    await account.call("modify_load_balancer_attributes", LoadBalancerArn=arn, Attributes=[attribute])
    target = {"Id": "127.0.0.1", "Port": server.sockets[0].getsockname()[1]}
    await account.call("register_targets", TargetGroupArn=group, Targets=[target])
    assert (await fetch(balancer["DNSName"]))[0] == 504
    server.close()


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


async def test_what_nobody_makes_real_is_refused_by_name(account: Account) -> None:
    refusals: list[tuple[str, dict[str, Any], str]] = [
        ("create_load_balancer", {"Name": "nlb", "Subnets": account.subnets, "Type": "network"}, "'network'"),
        ("create_target_group", {"Name": "fn", "TargetType": "lambda"}, "'lambda'"),
        (
            "create_target_group",
            {"Name": "grpc", "Protocol": "HTTP", "Port": 1, "VpcId": account.vpc, "ProtocolVersion": "GRPC"},
            "GRPC",
        ),
    ]
    for operation, params, name in refusals:
        with pytest.raises(ClientError, match=name) as refused:
            await account.call(operation, **params)
        assert code(refused) == "NotImplemented"


async def test_an_authenticating_rule_is_refused_and_nothing_changes(account: Account) -> None:
    balancer = await account.load_balancer()
    listener = await account.listener(balancer)
    with pytest.raises(ClientError, match="authenticate-cognito"):
        await account.call(
            "create_rule",
            ListenerArn=listener,
            Priority=1,
            Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
            Actions=[
                {
                    "Type": "authenticate-cognito",
                    "Order": 1,
                    "AuthenticateCognitoConfig": {"UserPoolArn": "a", "UserPoolClientId": "b", "UserPoolDomain": "c"},
                },
                {"Type": "fixed-response", "Order": 2, "FixedResponseConfig": {"StatusCode": "200"}},
            ],
        )
    assert len((await account.call("describe_rules", ListenerArn=listener))["Rules"]) == 1


async def test_the_overview_names_addresses_and_targets(account: Account, port: int) -> None:
    balancer, group = await account.load_balancer(), await account.target_group()
    await account.listener(balancer, group)
    await account.call("register_targets", TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": port}])
    headers = account.world.admin_headers
    url = f"{account.world.url}/_emulation/load-balancers"
    async with aiohttp.ClientSession(headers=headers) as client, client.get(url) as told:
        overview = (await told.json())[0]
    assert overview["address"] == balancer["DNSName"]
    assert overview["listeners"] == [{"port": 80, "protocol": "HTTP", "address": balancer["DNSName"]}]
    assert [(target["group"], target["port"]) for target in overview["targets"]] == [("web", port)]


@pytest.mark.parametrize("actions", [[], [{"Type": "forward"}], [{"Type": "redirect"}]])
async def test_a_listener_or_rule_whose_actions_route_nowhere_is_refused_and_not_made(
    account: Account, actions: list[dict[str, Any]]
) -> None:
    balancer = await account.load_balancer(f"nowhere-{len(actions)}-{actions[0]['Type'] if actions else 'none'}")
    arn = balancer["LoadBalancerArn"]
    with pytest.raises(ClientError) as refused:
        await account.call("create_listener", LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=actions)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert (await account.call("describe_listeners", LoadBalancerArn=arn))["Listeners"] == []
    listener = await account.listener(balancer)
    conditions = [{"Field": "path-pattern", "Values": ["/x"]}]
    with pytest.raises(ClientError) as refused:
        await account.call("create_rule", ListenerArn=listener, Priority=1, Conditions=conditions, Actions=actions)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert len((await account.call("describe_rules", ListenerArn=listener))["Rules"]) == 1


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
