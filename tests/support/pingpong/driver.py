"""The player that begins each rally: `python -m tests.support.pingpong.driver SEED RALLIES PORT`.

Prints the URL of the partner's queue, and at the end the result.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from tests.support.pingpong.work import BEATS, KINDS, Player, say, timer
from webordinary_testkit.awsclock.loop import run

STRANDS = 8
LONGEST = 50.0
"""AWS seconds."""
_ROUNDING = 1e-6
_NETWORK = {"Protocol": "HTTP", "Port": 80, "TargetType": "ip", "HealthCheckIntervalSeconds": 5}


class Driver:
    def __init__(self, player: Player, queue: str, balancer: str, http: aiohttp.ClientSession) -> None:
        self._player = player
        self._queue, self._balancer, self._http = queue, balancer, http
        self.pairs = self.wrong = self.overlong = 0
        self.longest_work = 0.0
        """AWS seconds that a leg took beyond its timers."""

    async def strand(self, number: int, rallies: int) -> None:
        replies = (await self._player.aws.call("sqs", "create_queue", QueueName=f"replies-{number}"))["QueueUrl"]
        for _ in range(rallies):
            async with self._player.clock.timeout(20 * LONGEST):
                await self._player.sleep(timer(self._player.chance, LONGEST))
                await self._rally(replies)

    async def _rally(self, replies: str) -> None:
        chance, clock = self._player.chance, self._player.clock
        began, wall = clock.now(), clock.monotonic()
        took: list[tuple[float, float]] = []

        async def leg(planned: float, play: Callable[[], Awaitable[None]]) -> None:
            await play()
            took.append((planned, clock.now() - began))

        delay = chance.choice((0, 0, 1, 5))
        sleep, answer, pause = (timer(chance, LONGEST) for _ in range(3))
        async with asyncio.TaskGroup() as race:
            race.create_task(leg(delay + sleep, lambda: self._by_queue(replies, delay, sleep)))
            race.create_task(leg(answer, lambda: self._by_load_balancer(answer)))
            race.create_task(leg(pause, lambda: self._player.sleep(pause)))
        self._judge(took, clock.monotonic() - wall)

    def _judge(self, took: list[tuple[float, float]], wall: float) -> None:
        """In real time a leg takes its timers and its work, which is part of the rally's wall time: so legs whose
        timers differ by more end in the order of their timers."""
        for planned, seconds in took:
            self.overlong += not planned - _ROUNDING <= seconds <= planned + wall + _ROUNDING
            self.longest_work = max(self.longest_work, seconds - planned)
        for (one, first), (other, second) in itertools.combinations(took, 2):
            if abs(one - other) > wall:
                self.pairs += 1
                self.wrong += (one < other) != (first < second)

    async def _by_queue(self, replies: str, delay: int, sleep: float) -> None:
        player = self._player
        body = {"jumps": player.jumps, "reply": replies, "delay": delay, "sleep": sleep, "kind": self._kind()}
        await player.call("send_message", QueueUrl=self._queue, MessageBody=json.dumps(body), DelaySeconds=delay)
        messages: list[Any] = []
        while not messages:
            answer = await player.aws.call("sqs", "receive_message", QueueUrl=replies, WaitTimeSeconds=20)
            messages = answer.get("Messages", [])
        player.arrived("message to the driver", json.loads(messages[0]["Body"])["jumps"])
        await player.call("delete_message", QueueUrl=replies, ReceiptHandle=messages[0]["ReceiptHandle"])

    async def _by_load_balancer(self, sleep: float) -> None:
        query = {"jumps": str(self._player.jumps), "sleep": str(sleep), "kind": self._kind()}
        async with self._http.get(self._balancer, params=query) as answer:
            assert answer.status == 200, answer.status
            self._player.arrived("answer by the load balancer", int(await answer.text()))

    def _kind(self) -> str:
        return self._player.chance.choice(KINDS)

    async def end(self) -> None:
        """Until the partner has received it."""
        await self._player.call("send_message", QueueUrl=self._queue, MessageBody='{"over": true}')

    def result(self) -> dict[str, Any]:
        return {
            **self._player.result(),
            "pairs": self.pairs,
            "wrong order": self.wrong,
            "not as long as its timers and work": self.overlong,
            "longest work": self.longest_work,
        }


async def balancer(player: Player, port: int) -> tuple[str, str]:
    """The URL of a load balancer in front of the partner, and the ARN of its target group."""
    call = player.aws.call
    vpc = (await call("ec2", "create_vpc", CidrBlock="10.0.0.0/16"))["Vpc"]["VpcId"]
    subnets = [
        (await call("ec2", "create_subnet", VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone))
        for number, zone in enumerate(("us-west-2a", "us-west-2b"))
    ]
    made = await call("elbv2", "create_load_balancer", Name="web", Subnets=[s["Subnet"]["SubnetId"] for s in subnets])
    balancer = made["LoadBalancers"][0]
    made = await call("elbv2", "create_target_group", Name="web", VpcId=vpc, **_NETWORK)
    group = made["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    arn = balancer["LoadBalancerArn"]
    await call("elbv2", "create_listener", LoadBalancerArn=arn, Port=80, Protocol="HTTP", DefaultActions=forward)
    await call("elbv2", "register_targets", TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": port}])
    return f"http://{balancer['DNSName']}/", group


async def healthy(player: Player, group: str) -> None:
    while True:
        answer = await player.aws.call("elbv2", "describe_target_health", TargetGroupArn=group)
        if answer["TargetHealthDescriptions"][0]["TargetHealth"]["State"] == "healthy":
            return
        await player.sleep(1)


async def main(seed: int, rallies: int, port: int) -> None:
    player = Player.of("the driver", seed, driver=True)
    queue = (await player.aws.call("sqs", "create_queue", QueueName="work"))["QueueUrl"]
    say(queue)
    url, group = await balancer(player, port)
    early = player.jumps
    await healthy(player, group)
    began, wall, jumps = player.clock.now(), player.clock.monotonic(), player.jumps
    beats = [asyncio.create_task(player.beat()) for _ in range(BEATS)]
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as http:
        driver = Driver(player, queue, url, http)
        async with asyncio.TaskGroup() as strands:
            for number in range(STRANDS):
                strands.create_task(driver.strand(number, rallies // STRANDS))
    figures = {
        "jumps": player.jumps - jumps,
        "jumps before the driver waited": early,
        "AWS seconds": player.clock.now() - began,
        "wall seconds": player.clock.monotonic() - wall,
    }
    for each in beats:
        each.cancel()
    await driver.end()
    say(json.dumps({**driver.result(), **figures}))
    async with player.clock.timeout(3 * 20):  # the partner's last polls
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    run(main(*map(int, sys.argv[1:])))
