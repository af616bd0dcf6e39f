"""An account for the modules that call the elbv2 API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
from aiohttp import web

from tests.support.elbv2 import Account
from tests.support.world import world
from webordinary_testkit.emulation.core.controller import TargetHealthChanged
from webordinary_testkit.emulation.services.elbv2 import Alb


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
