"""The controller of faults: an HTTP API below `/_emulation/faults`.

    POST   /_emulation/faults        {"kind": "throttle", "service": "dynamodb", "probability": 1, …}   201
    GET    /_emulation/faults        every fault, ended ones included, with its counts
    GET    /_emulation/faults/{id}   one of them
    DELETE /_emulation/faults/{id}   end it; idempotent

Faults end with the cloud.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ..core.controller import Context
from ..services.controller_base import ControllerBase
from ..services.elbv2.links import Links
from . import calls, containers, disk, network, slow_network, tasks
from .callers import Groups
from .fault import AsyncFault, Fault, FaultRefused
from .reading import nearest, read

if TYPE_CHECKING:
    from aiohttp import web

    from ..services.efs import Storage

KEPT = 1_000
"""Faults kept for reading; the oldest ended ones are dropped first."""


@dataclass
class FaultRecord:
    id: str
    fault: Fault
    at: float
    """AWS time, epoch seconds."""
    ended: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.fault.kind,
            "settings": self.fault.settings,
            "at": self.at,
            "ended": self.ended,
            "counts": self.fault.counts(),
        }


class Faults(ControllerBase):
    """A `Controller`. Started last and so stopped first: a paused task is resumed before ECS stops it."""

    def __init__(self, ctx: Context, traffic: calls.Traffic, links: Links, ecs: tasks.Tasks, storage: Storage) -> None:
        context = calls.ApiFaultContext(ctx.clock, traffic, Groups(ctx.events), ctx.account)
        self._ctx = ctx
        self._injected: dict[str, FaultRecord] = {}
        made: Iterable[tuple[Any, type, tuple[Any, ...]]] = (
            (calls.Throttle, calls.ThrottleSettings, (context,)),
            (calls.Error, calls.ErrorSettings, (context,)),
            (calls.Latency, calls.LatencySettings, (context,)),
            (calls.CutFromAws, calls.CutSettings, (context,)),
            (network.CutFromLoadBalancer, network.TargetSettings, (links,)),
            (tasks.PauseTask, tasks.TaskSettings, (ecs,)),
            (tasks.KillProcess, tasks.TaskSettings, (ecs,)),
            (slow_network.NetworkLatency, slow_network.LatencySettings, (context, links)),
            (slow_network.PacketLoss, slow_network.LossSettings, (context, links)),
            (containers.StarveCpu, containers.CpuSettings, (ecs,)),
            (containers.CutNetwork, tasks.TaskSettings, (ecs,)),
            (disk.FillFileSystem, disk.FileSystemSettings, (storage,)),
        )
        self._kinds = {fault.kind: (fault, settings, dependencies) for fault, settings, dependencies in made}

    def routes(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        return {"faults": self._list}

    def web_routes(self) -> Iterable[web.RouteDef]:
        from aiohttp import web  # noqa: PLC0415 - the gateway has it loaded by now

        return [
            web.post("/_emulation/faults", self._post),
            web.get("/_emulation/faults/{id}", partial(self._answer, end=False)),
            web.delete("/_emulation/faults/{id}", partial(self._answer, end=True)),
        ]

    async def stop(self) -> None:
        """Undo everything."""
        for injected in self._injected.values():
            self._end(injected)
            with contextlib.suppress(FaultRefused):  # its target is stopped next
                await _settled(injected.fault)

    def inject(self, wanted: Mapping[str, Any]) -> FaultRecord:
        """Begin a fault. Raises `FaultRefused`."""
        settings = dict(wanted)
        id, kind = settings.pop("id", None) or self._ctx.ids.hex(12), settings.pop("kind", None)
        if kind not in self._kinds:
            known = ", ".join(self._kinds)
            raise FaultRefused(
                f"no kind of fault is called {kind!r}{nearest(str(kind), self._kinds)}; there are {known}"
            )
        if id in self._injected:
            raise FaultRefused(f"there is a fault {id} already", status=409)
        make, settings_type, dependencies = self._kinds[kind]
        fault: Fault = make(*dependencies, read(settings_type, settings))
        self._refuse_second(fault)
        fault.begin()
        self._forget_old()
        injected = self._injected[id] = FaultRecord(id, fault, self._ctx.clock.now())
        self._ctx.log.info("fault %s begins: %s %s", id, kind, settings)
        return injected

    def _refuse_second(self, fault: Fault) -> None:
        for other in self._injected.values():
            if other.ended is None and fault.excludes is not None and other.fault.excludes == fault.excludes:
                raise FaultRefused(f"{fault.excludes} already, by fault {other.id}: end that first", status=409)

    def _end(self, injected: FaultRecord) -> None:
        if injected.ended is None:
            injected.ended = self._ctx.clock.now()
            injected.fault.end()
            self._ctx.log.info("fault %s ends: %s", injected.id, injected.fault.counts())

    def _forget_old(self) -> None:
        if len(self._injected) >= KEPT:
            oldest = next((each.id for each in self._injected.values() if each.ended is not None), None)
            if oldest is not None:
                del self._injected[oldest]

    async def _list(self) -> list[dict[str, Any]]:
        return [injected.to_json() for injected in self._injected.values()]

    async def _post(self, request: web.Request) -> web.Response:
        from aiohttp import web  # noqa: PLC0415

        try:
            wanted = json.loads(await request.read())
            if not isinstance(wanted, dict):
                raise FaultRefused(
                    'a fault is a JSON object such as {"kind": "throttle", "service": "dynamodb", "rate": 1}'
                )
            injected = self.inject(wanted)
            try:
                await _settled(injected.fault)
            except FaultRefused:
                self._end(injected)
                raise
            return web.json_response(injected.to_json(), status=201)
        except ValueError as error:
            return web.json_response({"error": f"not JSON: {error}"}, status=400)
        except FaultRefused as refused:
            return web.json_response({"error": str(refused)}, status=refused.status)

    async def _answer(self, request: web.Request, *, end: bool) -> web.Response:
        from aiohttp import web  # noqa: PLC0415

        injected = self._injected.get(request.match_info["id"])
        if injected is None:
            return web.json_response({"error": f"there is no fault {request.match_info['id']}"}, status=404)
        if end:
            self._end(injected)
            try:
                await _settled(injected.fault)
            except FaultRefused as refused:
                return web.json_response({"error": f"not undone: {refused}"}, status=500)
        return web.json_response(injected.to_json())


async def _settled(fault: Fault) -> None:
    if isinstance(fault, AsyncFault):
        await fault.settled()
