"""The CloudWatch controller.

tasks, users --PutMetricData--+
SQS, ECS, ALB --Emitters------+--> MetricStore --> AlarmEvaluator --> Transitions --> Actions --> SNS, executors
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...core.background_tasks import BackgroundTasks
from ...core.controller import Context, Handler, MetricSource, Operation
from ...state.operations import all_handlers
from ..controller_base import ControllerBase
from .actions import Actions, Executor, Transitions
from .alarm_evaluator import AlarmEvaluator
from .alarms import AlarmOperations, Alarms
from .emitters import Emitters
from .history import AlarmHistory
from .metric_reader import MetricReader
from .metric_writer import MetricWriter
from .metrics import MetricStore

_DASHBOARDS = frozenset({"PutDashboard", "GetDashboard", "ListDashboards", "DeleteDashboards"})


class Cloudwatch(ControllerBase):
    """Stores metrics, keeps the states of alarms up to date and executes alarm actions."""

    def __init__(self, ctx: Context, sources: Sequence[MetricSource] = ()) -> None:
        store, history = MetricStore(ctx.clock.now), AlarmHistory(ctx.clock.now)
        self.alarms = Alarms()
        self._tasks = BackgroundTasks(ctx.log)
        self._actions = Actions(ctx, history)
        transitions = Transitions(ctx.clock, history, self._actions)
        self._evaluator = AlarmEvaluator(ctx, store, self.alarms, transitions)
        self._emitters = Emitters(ctx, store, sources)
        self._apis = (
            MetricWriter(ctx, store, self._tasks),
            MetricReader(ctx.clock, store),
            AlarmOperations(ctx, self.alarms, history, transitions, self._evaluator.schedule),
        )

    def register_action(self, service: str, executor: Executor) -> None:
        """Let `executor` execute the alarm actions whose ARN names `service`."""
        self._actions.executors[service] = executor

    def handlers(self) -> Mapping[Operation, Handler]:
        """All operations but those on dashboards, which the base answers."""
        return all_handlers("cloudwatch", *self._apis, base=_DASHBOARDS)

    async def start(self) -> None:
        self._tasks.run("alarm actions", self._actions.run())
        self._tasks.run("metric emitters", self._emitters.run())
        self._tasks.run("alarm evaluation", self._evaluator.run())

    async def stop(self) -> None:
        await self._tasks.stop()
