"""The ECS controller, which keeps all state of ECS itself.

API (api/) --> Store --serializers--> answers
                 |
             Scheduler --plan--> TaskRun --> Runtime (processes, Docker)
                 ^                  |
                 +---- changes -----+
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ...core.controller import Context, Datum, Handler, Operation, TargetHealthChanged
from ...state.operations import all_handlers, handlers
from ..controller_base import ControllerBase
from ..efs import Storage
from .agent_faults import AgentFaults
from .api.clusters import Clusters
from .api.services import Services
from .api.tags import Tags
from .api.task_definitions import Definitions
from .api.tasks import Tasks
from .exec import ExecApi
from .exec_targets import ExecTargets
from .metadata import Metadata
from .metrics import Utilization
from .names import Names
from .network_interfaces import NetworkInterface, interfaces
from .runtime import RunningContainer, Runtime
from .scheduler import Scheduler
from .store import Store

if TYPE_CHECKING:
    from aiohttp import web


class Ecs(ControllerBase):
    """A `Controller` and a `MetricSource`."""

    def __init__(self, ctx: Context, runtime: Runtime, storage: Storage) -> None:
        store = Store(Names(ctx.region, ctx.account), ctx.clock)
        self._ctx = ctx
        self._store = store
        self._scheduler = Scheduler(ctx, store, runtime, storage)
        self._api = (
            Clusters(store),
            Definitions(store),
            Services(ctx, store, self._scheduler),
            Tasks(ctx, store, self._scheduler),
            Tags(store),
        )
        self._exec = ExecApi(ctx, ExecTargets(store, self._scheduler))
        self._metadata = Metadata(store)
        self._agent_faults = AgentFaults(ctx, store)
        self._utilization = Utilization(ctx.clock, store, runtime)

    def handlers(self) -> Mapping[Operation, Handler]:
        """Every ECS operation, so that none reaches the state store; and ECS Exec's operations of SSM."""
        return {**all_handlers("ecs", *self._api, self._exec), **handlers("ssm", self._exec)}

    def web_routes(self) -> Iterable[web.RouteDef]:
        return [*self._metadata.web_routes(), *self._agent_faults.web_routes(), *self._exec.web_routes()]

    def running(self, task_arn: str) -> Mapping[str, RunningContainer]:
        """A task's running containers by name; none for an unknown task."""
        return self._scheduler.containers(task_arn)

    def interfaces(self) -> Iterable[NetworkInterface]:
        """The network interfaces of all tasks."""
        return interfaces(self._store)

    async def start(self) -> None:
        self._ctx.events.subscribe(TargetHealthChanged, self._scheduler.target_health_changed)

    async def stop(self) -> None:
        """Kill every task."""
        await self._scheduler.close()
        await self._exec.stop()

    async def collect(self) -> Iterable[Datum]:
        return await self._utilization.collect()
