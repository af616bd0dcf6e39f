"""A load balancer's data data_plane for a test: a routing table written by hand, real sockets, real targets.

async with balancer() as lab:
    group = lab.group("web")
    await lab.route(rule("/api/*", to=group))
    lab.register(group, await lab.target(handler))
    async with lab.client.get(f"{lab.url}/api/x") as answer: ...
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import aiohttp
from aiohttp import web

from webordinary_testkit.emulation.core.controller import Events, TargetHealthChanged
from webordinary_testkit.emulation.core.ids import Ids
from webordinary_testkit.emulation.services.elbv2.actions import Action, FixedResponse, Forward, WeightedGroup
from webordinary_testkit.emulation.services.elbv2.conditions import Condition, Glob, PathPattern
from webordinary_testkit.emulation.services.elbv2.data_plane import DataPlane
from webordinary_testkit.emulation.services.elbv2.routing_table import (
    HealthCheck,
    Listener,
    LoadBalancer,
    RoutingTable,
    Rule,
    TargetGroup,
)
from webordinary_testkit.emulation.time.clock import Clock

ARN = "arn:aws:elasticloadbalancing:us-west-2:123456789012"
UNCHECKED = HealthCheck(enabled=False)
NOT_FOUND = FixedResponse(404, "text/plain; charset=utf-8", b"no rule")

Serve = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
T = TypeVar("T")


def rule(
    *paths: str, to: TargetGroup | None = None, do: Action | None = None, when: tuple[Condition, ...] = ()
) -> tuple[tuple[Condition, ...], Action]:
    """A rule for path patterns (and other conditions) that forwards to a group or does something else."""
    conditions = when if not paths else (PathPattern(tuple(Glob(path) for path in paths)), *when)
    action = do or Forward((WeightedGroup(to.arn, 1),) if to else ())
    return conditions, action


async def until(probe: Callable[[], T], within: float = 10.0) -> T:
    """The probe's value once it is true; fails with its last value after so many wall seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while not (value := probe()):
        if loop.time() > end:
            raise AssertionError(f"not within {within} s; last seen: {value!r}")
        await asyncio.sleep(0.005)
    return value


class Lab:
    def __init__(self, stack: AsyncExitStack, workdir: Path, scale: float) -> None:
        self._stack = stack
        self.workdir = workdir
        self.clock = Clock(scale)
        self.news: list[TargetHealthChanged] = []
        events = Events()
        events.subscribe(TargetHealthChanged, self.news.append)
        self.load_balancer = LoadBalancer(f"{ARN}:loadbalancer/app/web/1234567890abcdef", "web")
        self.groups: dict[str, TargetGroup] = {}
        self.table = RoutingTable()
        self.data_plane = DataPlane(
            clock=self.clock,
            ids=Ids.seeded(1),
            events=events,
            table=lambda: self.table,
            workdir=workdir,
            log=logging.getLogger("emulation.elbv2"),
        )
        self.client: aiohttp.ClientSession

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = str(self.data_plane.address(self.load_balancer.arn)).partition(":")
        return host, int(port)

    @property
    def url(self) -> str:
        return f"http://{self.data_plane.address(self.load_balancer.arn)}"

    def group(self, name: str = "web", health_check: HealthCheck = UNCHECKED, **settings: object) -> TargetGroup:
        """Declare a target group; without a health check its targets are usable at once."""
        group = TargetGroup(f"{ARN}:targetgroup/{name}/1", name, "HTTP", 80, health_check)
        self.groups[group.arn] = group = replace(group, **settings)  # type: ignore[arg-type]
        return group

    async def route(
        self, *rules: tuple[tuple[Condition, ...], Action], default: Action = NOT_FOUND, **settings: object
    ) -> None:
        """Replace the load balancer's rules (in order of priority) and settings."""
        self.load_balancer = replace(self.load_balancer, **settings)  # type: ignore[arg-type]
        numbered = [Rule(f"rule-{n}", n, *parts) for n, parts in enumerate(rules, start=1)]
        listener = Listener(
            "listener", self.load_balancer.arn, 80, "HTTP", (*numbered, Rule("default", 0, (), default))
        )
        await self.apply(listener)

    async def apply(self, *listeners: Listener) -> None:
        balancers = {self.load_balancer.arn: self.load_balancer}
        self.table = RoutingTable.of(balancers, {listener.arn: listener for listener in listeners}, self.groups)
        await self.data_plane.apply()

    async def target(self, serve: Serve) -> int:
        """Start a web server; returns its port."""
        return await self.listen(web.Server(serve, access_log=None))

    async def listen(self, factory: Callable[[], asyncio.BaseProtocol], port: int = 0) -> int:
        """Start any server; returns its port."""
        server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", port)
        self._stack.callback(server.close)
        return int(server.sockets[0].getsockname()[1])

    def register(self, group: TargetGroup, *ports: int) -> None:
        self.data_plane.targets.register(group, [(("127.0.0.1", port), None) for port in ports])

    def deregister(self, group: TargetGroup, *ports: int) -> None:
        self.data_plane.targets.deregister(group, [("127.0.0.1", port) for port in ports])

    def state(self, group: TargetGroup, port: int) -> str:
        return self.data_plane.targets.health(group, ("127.0.0.1", port)).state

    async def fetch(self, path: str, **options: object) -> tuple[int, str]:
        """Status and text of a GET through the load balancer."""
        async with self.client.get(self.url + path, allow_redirects=False, **options) as answer:  # type: ignore[arg-type]
            return answer.status, await answer.text()

    async def raw(self, data: bytes) -> bytes:
        """Everything that comes back for these bytes until the load balancer closes the connection."""
        reader, writer = await asyncio.open_connection(*self.address)
        writer.write(data)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer

    async def head(self, data: bytes) -> bytes:
        """The first answer's headers to these bytes."""
        reader, writer = await asyncio.open_connection(*self.address)
        writer.write(data)
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        writer.close()
        return answer

    async def log(self, lines: int = 1) -> list[str]:
        """The access log, once it has so many lines."""
        path = self.workdir / "logs" / "alb-web.log"
        return await until(lambda: path.exists() and len(text := path.read_text().splitlines()) >= lines and text) or []


@asynccontextmanager
async def balancer(*, scale: float = 60.0) -> AsyncIterator[Lab]:
    async with AsyncExitStack() as stack:
        workdir = stack.enter_context(tempfile.TemporaryDirectory())
        lab = Lab(stack, Path(workdir), scale)
        stack.push_async_callback(lab.data_plane.close)
        jar, patience = aiohttp.DummyCookieJar(), aiohttp.ClientTimeout(total=20)
        lab.client = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar, timeout=patience))
        yield lab


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    """Answers what it was asked, as JSON."""
    body = await request.read()
    return web.json_response(
        {
            "method": request.method,
            "path": request.raw_path,
            "headers": [[name, value] for name, value in request.headers.items()],
            "body": body.decode("latin-1"),
        }
    )


def says(text: str) -> Serve:
    """A target that says who it is."""

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=text)

    return serve
