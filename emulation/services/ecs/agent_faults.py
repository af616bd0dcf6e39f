"""The container agent's fault injection endpoints, by which a task disturbs its network.

    POST ${ECS_AGENT_URI}/fault/v1/network-blackhole-port/{start,stop,status}
         {"Port": 443, "Protocol": "tcp", "TrafficType": "egress"}          200 {"Status": "running"}

For tasks whose definition has `enableFaultInjection`. Faults are published as `BlackholeChanged`.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fault-injection.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web

from ...core.controller import Context, TaskChanged
from .model import Task
from .store import Store

AGENT_VARIABLE = "ECS_AGENT_URI"
EVERY_SECONDS = 5.0
"""AWS seconds between requests of one container to one endpoint."""
_VERBS = ("start", "stop", "status")
_NOT_EMULATED = ("network-latency", "network-packet-loss")


@dataclass(frozen=True)
class Blackhole:
    """Drops TCP packets of one task."""

    task_arn: str
    port: int
    """The destination port: remote for egress, the task's for ingress."""
    traffic: str
    """egress or ingress."""


@dataclass(frozen=True)
class BlackholeChanged:
    """A blackhole has started or ended."""

    blackhole: Blackhole
    on: bool


class AgentFaults:
    def __init__(self, ctx: Context, store: Store) -> None:
        self._ctx = ctx
        self._store = store
        self._on: set[Blackhole] = set()
        self._asked: dict[tuple[str, str], float] = {}
        ctx.events.subscribe(TaskChanged, self._task_changed)

    def web_routes(self) -> Iterable[web.RouteDef]:
        return [web.post("/v4/{runtime_id}/agent/fault/v1/{fault}/{verb}", self._answer)]

    def _task_changed(self, event: TaskChanged) -> None:
        if event.last_status == "STOPPED":
            for each in [each for each in self._on if each.task_arn == event.task_arn]:
                self._set(each, on=False)

    async def _answer(self, request: web.Request) -> web.Response:
        runtime_id, fault, verb = (request.match_info[name] for name in ("runtime_id", "fault", "verb"))
        task = self._store.task_by_runtime_id(runtime_id)
        if task is None:
            return _refused(404, f"unable to lookup container: {runtime_id}")
        if fault in _NOT_EMULATED:
            return _refused(501, f"{fault} is not emulated; nothing was changed")
        if fault != "network-blackhole-port" or verb not in _VERBS:
            return _refused(404, f"there is no {fault}/{verb}")
        if not task.definition.raw.get("enableFaultInjection"):
            return _refused(400, f"enableFaultInjection is not enabled for task: {task.arn}")
        now = self._ctx.clock.now()
        if now - self._asked.get((runtime_id, verb), -EVERY_SECONDS) < EVERY_SECONDS:
            return _refused(429, "rate limited: one request in 5 seconds to each endpoint")
        self._asked[runtime_id, verb] = now
        try:
            blackhole = _read(task, json.loads(await request.read() or b"{}"))
        except ValueError as error:
            return _refused(400, str(error))
        on = blackhole in self._on
        if verb == "status":
            return web.json_response({"Status": "running" if on else "not-running"})
        if verb == "start" and on:
            return _refused(409, "There is already one network blackhole port fault running")
        if on != (verb == "start"):
            self._set(blackhole, on=verb == "start")
        return web.json_response({"Status": "running" if verb == "start" else "stopped"})

    def _set(self, blackhole: Blackhole, *, on: bool) -> None:
        (self._on.add if on else self._on.discard)(blackhole)
        self._ctx.log.info("%s: %s", "started" if on else "ended", blackhole)
        self._ctx.events.publish(BlackholeChanged(blackhole, on))


def _read(task: Task, body: object) -> Blackhole:
    """Raises ValueError."""
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    port, protocol, traffic = body.get("Port"), body.get("Protocol"), body.get("TrafficType")
    if not isinstance(port, int) or not 0 < port < 65536:
        raise ValueError(f"invalid value {port!r} for parameter Port")
    if protocol != "tcp":
        raise ValueError(f"Protocol {protocol!r} is not emulated; it must be tcp")
    if traffic not in ("egress", "ingress"):
        raise ValueError(f"invalid value {traffic!r} for parameter TrafficType")
    if body.get("SourcesToFilter"):
        raise ValueError("SourcesToFilter is not emulated")
    return Blackhole(task.arn, port, traffic)


def _refused(status: int, why: str) -> web.Response:
    return web.json_response({"Error": why}, status=status)
