"""emulation/services/elbv2/operations.py: the elbv2 API as boto3 sees it."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from botocore.exceptions import ClientError

from tests.support.elbv2 import Account, code, fetch
from webordinary_testkit.emulation.services.elbv2 import Alb

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
