"""The load balancer, with nginx beside it as the yardstick: both before the same target."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from websockets.asyncio.client import connect

from benchmarks.figures import Figure
from benchmarks.processes import Running, emulated_cloud, free_port, nginx, wait_for_port

_CONNECTIONS, _SECONDS, _ROUNDS = 16, 1.0, 5
_TARGET = """
import sys
from aiohttp import web

async def hello(request):
    return web.Response(text="hello")

async def echo(request):
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket

app = web.Application()
app.router.add_get("/ws", echo)
app.router.add_get("/{path:.*}", hello)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


def measure() -> Iterator[Figure]:
    with _target() as target, emulated_cloud() as cloud, nginx(target) as yardstick:
        ours = _load_balancer(cloud, target)
        ports = {"direct": target, "ours": ours} | ({"nginx": yardstick} if yardstick else {})
        requests = _in_turn(_requests_per_second, ports)
        yield Figure(
            f"load balancer, small requests ({_CONNECTIONS} connections)",
            requests["ours"],
            "/s",
            2000,
            at_least=True,
            beside=_beside(requests, "/s", 0),
        )
        latency = _in_turn(_request_milliseconds, ports)
        yield Figure(
            "load balancer, added at the median (1 connection)",
            latency["ours"] - latency["direct"],
            "ms",
            1.5,
            beside=_beside({n: v - latency["direct"] for n, v in latency.items() if n != "direct"}, "ms", 2),
        )
        echo = _in_turn(_echo_milliseconds, ports)
        yield Figure("load balancer, WebSocket echo", echo["ours"], "ms", 2, beside=_beside(echo, "ms", 2))


def _beside(values: dict[str, float], unit: str, digits: int) -> str:
    return ", ".join(f"{name} {value:.{digits}f} {unit}" for name, value in values.items() if name != "ours")


def _in_turn(measured: Callable[[int], Awaitable[float]], ports: dict[str, int]) -> dict[str, float]:
    values: dict[str, list[float]] = {name: [] for name in ports}
    for _ in range(_ROUNDS):
        for name, port in ports.items():
            values[name].append(asyncio.run(_awaited(measured(port))))
    return {name: statistics.median(found) for name, found in values.items()}


async def _awaited(value: Awaitable[float]) -> float:
    return await value


async def _requests_per_second(port: int) -> float:
    until = time.perf_counter() + _SECONDS
    counts = await asyncio.gather(*(_requests(port, until) for _ in range(_CONNECTIONS)))
    return sum(map(len, counts)) / _SECONDS


async def _request_milliseconds(port: int) -> float:
    return statistics.median(await _requests(port, time.perf_counter() + _SECONDS)) * 1000


async def _requests(port: int, until: float) -> list[float]:
    """Seconds of each request on one kept-alive connection, by as little client as possible."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = []
    while (began := time.perf_counter()) < until:
        writer.write(b"GET /hello HTTP/1.1\r\nHost: bench\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"port {port} answered {head[:60]!r}")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        taken.append(time.perf_counter() - began)
    writer.close()
    return taken


async def _echo_milliseconds(port: int) -> float:
    taken = []
    async with connect(f"ws://127.0.0.1:{port}/ws", compression=None) as socket:
        for _ in range(300):
            began = time.perf_counter()
            await socket.send("x" * 64)
            await socket.recv()
            taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


@contextmanager
def _target() -> Iterator[int]:
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", _TARGET, str(port)]) as process:
        try:
            wait_for_port(port)
            yield port
        finally:
            process.terminate()


def _load_balancer(cloud: Running, target_port: int) -> int:
    """A load balancer that forwards everything to the target; returns its port once it does."""
    ec2, elbv2 = cloud.client("ec2"), cloud.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=f"us-west-2{zone}")["Subnet"][
            "SubnetId"
        ]
        for i, zone in enumerate("ab")
    ]
    balancer = elbv2.create_load_balancer(Name="bench", Subnets=subnets)["LoadBalancers"][0]
    group = elbv2.create_target_group(
        Name="bench", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip", HealthCheckPath="/"
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": target_port}])
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    deadline = time.monotonic() + 10
    while (
        elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]["TargetHealth"]["State"]
        != "healthy"
    ):
        if time.monotonic() > deadline:
            raise TimeoutError("the benchmark's target never became healthy")
        time.sleep(0.02)
    return int(balancer["DNSName"].rpartition(":")[2])
