"""What stands around Hermes in a test: edit, ECS and CloudWatch, as far as Hermes asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.system import REGION
from webordinary_testkit.emulation.core.controller import Call, Handler, Operation, Watcher
from webordinary_testkit.emulation.system.answers import json_errors
from webordinary_testkit.emulation.system.aws import Aws
from webordinary_testkit.emulation.system.aws_errors import Unavailable
from webordinary_testkit.emulation.system.clock import Clock
from webordinary_testkit.emulation.system.ids import Ids


@dataclass
class ScriptedEdit:
    """An edit service whose answers a test decides; it also stands in for the load balancer in front of it."""

    url: str = ""
    works: list[dict[str, Any]] = field(default_factory=list)
    answer: Callable[[dict[str, Any]], tuple[int, dict[str, Any]]] = lambda work: (200, done(work))
    up: bool = True
    ready: bool = True
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Works wait for it; open unless a test clears it."""

    async def work(self, request: web.Request) -> web.Response:
        if not self.up:
            return web.Response(status=503, text="<html>503</html>", content_type="text/html")
        body = {"sessionId": request.match_info["session_id"], **await request.json()}
        self.works.append(body)
        await self.gate.wait()
        status, answer = self.answer(body)
        return web.json_response(answer, status=status)

    async def health(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self.up else 503)

    async def session_health(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self.up and self.ready else 503)

    def application(self) -> web.Application:
        app = web.Application(middlewares=[json_errors("scripted")], client_max_size=2 * 2**20)
        app.add_routes(
            [
                web.post("/api/sessions/{session_id}/work", self.work),
                web.get("/api/health", self.health),
                web.get("/session/{session_id}/health", self.session_health),
            ]
        )
        return app


def done(work: Mapping[str, Any]) -> dict[str, Any]:
    """What edit answers to a work it did."""
    return {
        "commit": "c0ffee",
        "changed": ["src/pages/a.astro"],
        "summary": f"did {work['instruction'][:40]}",
        "taskArn": "arn:aws:ecs:us-west-2:123456789012:task/c/1",
        "containerIp": "10.0.0.7",
    }


class FakeEcs:
    """ECS as far as Hermes asks for it: one service with a desired count."""

    def __init__(self, edit: ScriptedEdit) -> None:
        self.desired = 0
        self.updates: list[int] = []
        self._edit = edit

    def handlers(self) -> Mapping[Operation, Handler]:
        return {
            ("ecs", "DescribeServices"): self._describe,
            ("ecs", "UpdateService"): self._update,
            ("ecs", "ListTasks"): self._tasks,
        }

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {}

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def _describe(self, call: Call) -> dict[str, Any]:
        return {"services": [{"serviceName": "edit", "desiredCount": self.desired}]}

    async def _update(self, call: Call) -> dict[str, Any]:
        self.desired = call.params["desiredCount"]
        self.updates.append(self.desired)
        self._edit.up = self.desired > 0
        return {"service": {"serviceName": "edit", "desiredCount": self.desired}}

    async def _tasks(self, call: Call) -> dict[str, Any]:
        return {"taskArns": ["arn:aws:ecs:us-west-2:123456789012:task/c/only"]}


class Metrics:
    """Keeps what Hermes publishes."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []
        self.namespaces: set[str] = set()

    def handlers(self) -> Mapping[Operation, Handler]:
        return {("cloudwatch", "PutMetricData"): self._put}

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {}

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def _put(self, call: Call) -> dict[str, Any]:
        self.namespaces.add(call.params["Namespace"])
        self.published += call.params["MetricData"]
        return {}

    def values(self, name: str) -> list[float]:
        return [datum["Value"] for datum in self.published if datum["MetricName"] == name]


class FaultyAws(Aws):
    """AWS that throttles single operations, as long as the test says so."""

    def __init__(self, clock: Clock, refused: set[str]) -> None:
        super().__init__(clock, Ids(), region=REGION, threads=8)
        self._refused = refused

    def _once(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        if operation in self._refused:
            raise Unavailable(operation, "ProvisionedThroughputExceededException", "slow down")
        return super()._once(service, operation, params)
