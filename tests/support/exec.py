"""ECS Exec for a test: the agent's side on real sockets and pseudo-terminals, and a network between that may be bad."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiohttp import ClientSession, WSMsgType, web
from botocore.exceptions import ClientError

from webordinary_testkit.datachannel import Message
from webordinary_testkit.emulation.core.controller import Call, Caller
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.core.ids import Ids
from webordinary_testkit.emulation.services.ecs.exec import ExecApi, ExecTarget, LocalTerminal, Terminal
from webordinary_testkit.emulation.time.clock import Clock
from webordinary_testkit.emulation.time.latency import Latency

TASK = "arn:aws:ecs:us-west-2:123456789012:task/c/0123"
RUNNING = {"desiredStatus": "RUNNING", "lastStatus": "RUNNING", "enableExecuteCommand": True}


@dataclass
class FakeContainer:
    """One "container": a folder and an environment."""

    folder: Path
    not_connected: int = 0
    marker: str = ""
    task: dict[str, Any] | None = field(default_factory=lambda: dict(RUNNING))
    """What DescribeTasks tells of the task; None when there is none."""
    kms_key_id: str | None = None
    started: int = 0
    """Commands that an agent started."""

    def exec_target(self, cluster: str | None, task: str, container: str | None) -> ExecTarget:
        if self.not_connected > 0:
            self.not_connected -= 1
            raise AwsError("TargetNotConnectedException", "The execute command failed: the target is not connected.")
        return ExecTarget("arn:c", task, "arn:container", container or "edit", self._start, kms_key_id=self.kms_key_id)

    async def _start(self, argv: Sequence[str]) -> Terminal:
        self.started += 1
        environment = {"PATH": os.environ["PATH"], "MARKER": self.marker}
        return await LocalTerminal.start(argv, environment=environment, directory=self.folder)


@dataclass
class Ecs:
    """As much of a boto3 ECS client as the exec client uses, wired straight to the handler."""

    api: ExecApi
    loop: asyncio.AbstractEventLoop
    through: str | None = None
    meta: Any = None
    machine: FakeContainer | None = None

    def describe_tasks(self, cluster: str, tasks: list[str]) -> dict[str, Any]:
        assert self.machine is not None
        if self.machine.task is None:
            return {"tasks": [], "failures": [{"arn": tasks[0], "reason": "MISSING"}]}
        return {"tasks": [self.machine.task], "failures": []}

    def execute_command(self, **params: Any) -> dict[str, Any]:
        call = Call("ecs", "ExecuteCommand", params, Caller("external", "x"), "us-west-2", "123456789012", "r")
        handler = self.api.execute_command
        try:
            answer = asyncio.run_coroutine_threadsafe(handler(call), self.loop).result(10)
        except AwsError as error:
            raise ClientError({"Error": {"Code": error.code, "Message": error.message}}, "ExecuteCommand") from error
        if self.through:
            stream = answer["session"]["streamUrl"]
            answer["session"]["streamUrl"] = self.through + stream[stream.index("/v1/") :]
        return answer


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def agent(machine: FakeContainer, *, shakes_hands: bool = False) -> AsyncIterator[Ecs]:
    """The agent's side of ECS Exec behind a port of its own, as a client of ECS finds it."""
    where: list[str] = []
    ctx: Any = SimpleNamespace(clock=Clock(), ids=Ids(), latency=Latency(), endpoint=lambda: where[0])
    api = ExecApi(ctx, machine, shakes_hands=shakes_hands)
    app = web.Application()
    app.router.add_routes(api.web_routes())
    async with served(app) as url:
        where.append(url)
        yield Ecs(api, asyncio.get_running_loop(), meta=SimpleNamespace(region_name="us-west-2"), machine=machine)
        await api.stop()


@dataclass
class Network:
    """What lies between client and agent: it loses, repeats and reorders binary frames, both ways, and may close.

    The opening frame and the last one are spared by loss: nothing repeats them.
    """

    seed: int = 0
    loss: float = 0.0
    shuffles: bool = True
    """Whether it repeats and reorders."""
    closes_after: int | None = None
    """Binary frames, both ways together, after which a connection is closed."""
    orderly: bool = False
    """With a closing handshake, or cut off."""
    closes: int = 1_000_000
    """So many connections; the ones after that are let be."""
    passed: list[tuple[str, Message]] = field(default_factory=list)
    """What went through: "client" or "agent", whose it was, and the message."""

    @asynccontextmanager
    async def between(self, ecs: Ecs) -> AsyncIterator[None]:
        """Let the sessions of this ECS go through here."""
        upstream = ecs.api._ctx.endpoint()
        chance = random.Random(self.seed)

        async def handle(request: web.Request) -> web.WebSocketResponse:
            near = web.WebSocketResponse(max_msg_size=0)
            await near.prepare(request)
            self.closes -= 1
            frames = _Frames(self, chance, None if self.closes < 0 else self.closes_after)
            async with ClientSession() as http, http.ws_connect(upstream + str(request.rel_url), max_msg_size=0) as far:
                both = [
                    asyncio.create_task(frames.relay("client", near, far)),
                    asyncio.create_task(frames.relay("agent", far, near)),
                ]
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                for task in both:
                    task.cancel()
                await asyncio.gather(*both, return_exceptions=True)
                if frames.spent and not self.orderly:
                    assert request.transport is not None
                    request.transport.abort()
            await near.close()
            return near

        app = web.Application()
        app.router.add_get("/{tail:.*}", handle)
        async with served(app) as url:
            ecs.through = url.replace("http", "ws")
            yield


@dataclass
class _Frames:
    """One connection's."""

    network: Network
    chance: random.Random
    left: int | None

    @property
    def spent(self) -> bool:
        return self.left is not None and self.left <= 0

    async def relay(self, whose: str, source: Any, sink: Any) -> None:
        held: bytes | None = None
        async for frame in source:
            if frame.type is WSMsgType.TEXT:
                await sink.send_str(frame.data)
                if self.spent:
                    return
                continue
            if frame.type is not WSMsgType.BINARY:
                return
            last = b"channel_closed" in frame.data[:40]
            if not last and self.chance.random() < self.network.loss:
                continue
            odds = 0.2 if self.network.shuffles else 0.0
            if held is None and not last and self.chance.random() < odds:
                held = frame.data
                continue
            for data in (frame.data, *([frame.data] if self.chance.random() < odds else ()), *([held] if held else ())):
                if self.spent:
                    return
                if self.left is not None:
                    self.left -= 1
                self.network.passed.append((whose, Message.decode(data)))
                await sink.send_bytes(data)
            held = None
            if self.spent:
                return
