"""The elbv2 API of a cloud, called by boto3 over the wire."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
import pytest
from botocore.exceptions import ClientError

from tests.support.world import World
from webordinary_testkit.emulation.core.controller import TargetHealthChanged


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


async def fetch(address: str, path: str = "/") -> tuple[int, str]:
    async with aiohttp.ClientSession() as client, client.get(f"http://{address}{path}") as answer:
        return answer.status, await answer.text()


def code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])
