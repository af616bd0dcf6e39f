"""CloudWatch metrics and alarms, and Application Auto Scaling, as one controller.

tasks, users --PutMetricData--+
SQS, ECS, ALB --Emitters------+--> MetricStore --> Watch --> Transitions --> Actions --> SNS
                                                                               |
                          ecs:UpdateService <-- Autoscaler <-- scaling policies+
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...core.controller import Call, Context, Handler, MetricSource, Operation, Watcher
from ...core.errors import not_emulated
from ...state.models import service_model
from ..cloudwatch.actions import Actions, Transitions
from ..cloudwatch.alarms import AlarmOperations, Alarms
from ..cloudwatch.emitters import Emitters
from ..cloudwatch.history import AlarmHistory
from ..cloudwatch.metrics import MetricStore
from ..cloudwatch.publishing import Publishing
from ..cloudwatch.reading import Reading
from ..cloudwatch.watch import Watch
from .autoscaler import Autoscaler
from .ledger import Ledger
from .operations import ScalingOperations

CLOUDWATCH, AUTOSCALING = "cloudwatch", "application-autoscaling"
OF_THE_BASE = {(CLOUDWATCH, name) for name in ("PutDashboard", "GetDashboard", "ListDashboards", "DeleteDashboards")}


class Scaling:
    """Keeps metrics, keeps alarms true to them, and scales ECS services by alarms."""

    def __init__(self, ctx: Context, sources: Sequence[MetricSource] = ()) -> None:
        store = MetricStore(ctx.clock.now)
        alarms, history = Alarms(), AlarmHistory(ctx.clock.now)
        ledger = Ledger()
        self._autoscaler = Autoscaler(ctx, ledger, alarms)
        self._actions = Actions(ctx, history, self._autoscaler.execute)
        transitions = Transitions(ctx.clock, history, self._actions)
        self._watch = Watch(ctx, store, alarms, transitions)
        self._emitters = Emitters(ctx, store, sources)
        self._publishing = Publishing(ctx.clock, store)
        self._reading = Reading(ctx.clock, store)
        self._alarms = AlarmOperations(ctx, alarms, history, transitions, self._watch.rouse)
        self._scaling = ScalingOperations(ctx, ledger, alarms, self._autoscaler)

    def handlers(self) -> Mapping[Operation, Handler]:
        """All of both services, but for dashboards. What nobody makes real is an error that says so."""
        own = {
            (CLOUDWATCH, "PutMetricData"): self._publishing.put_metric_data,
            (CLOUDWATCH, "GetMetricData"): self._reading.get_metric_data,
            (CLOUDWATCH, "GetMetricStatistics"): self._reading.get_metric_statistics,
            (CLOUDWATCH, "ListMetrics"): self._reading.list_metrics,
            (CLOUDWATCH, "PutMetricAlarm"): self._alarms.put_metric_alarm,
            (CLOUDWATCH, "DeleteAlarms"): self._alarms.delete_alarms,
            (CLOUDWATCH, "DescribeAlarms"): self._alarms.describe_alarms,
            (CLOUDWATCH, "DescribeAlarmsForMetric"): self._alarms.describe_alarms_for_metric,
            (CLOUDWATCH, "DescribeAlarmHistory"): self._alarms.describe_alarm_history,
            (CLOUDWATCH, "SetAlarmState"): self._alarms.set_alarm_state,
            (CLOUDWATCH, "EnableAlarmActions"): self._alarms.enable_alarm_actions,
            (CLOUDWATCH, "DisableAlarmActions"): self._alarms.disable_alarm_actions,
            (CLOUDWATCH, "ListTagsForResource"): self._alarms.list_tags_for_resource,
            (CLOUDWATCH, "TagResource"): self._alarms.tag_resource,
            (CLOUDWATCH, "UntagResource"): self._alarms.untag_resource,
            (AUTOSCALING, "RegisterScalableTarget"): self._scaling.register_scalable_target,
            (AUTOSCALING, "DeregisterScalableTarget"): self._scaling.deregister_scalable_target,
            (AUTOSCALING, "DescribeScalableTargets"): self._scaling.describe_scalable_targets,
            (AUTOSCALING, "PutScalingPolicy"): self._scaling.put_scaling_policy,
            (AUTOSCALING, "DeleteScalingPolicy"): self._scaling.delete_scaling_policy,
            (AUTOSCALING, "DescribeScalingPolicies"): self._scaling.describe_scaling_policies,
            (AUTOSCALING, "DescribeScalingActivities"): self._scaling.describe_scaling_activities,
            (AUTOSCALING, "DescribeScheduledActions"): self._scaling.describe_scheduled_actions,
            (AUTOSCALING, "ListTagsForResource"): self._scaling.list_tags_for_resource,
            (AUTOSCALING, "TagResource"): self._scaling.tag_resource,
            (AUTOSCALING, "UntagResource"): self._scaling.untag_resource,
        }
        refused: dict[Operation, Handler] = {
            (service, name): _refuse
            for service in (CLOUDWATCH, AUTOSCALING)
            for name in service_model(service).operation_names
            if (service, name) not in OF_THE_BASE
        }
        return refused | own

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {}

    async def start(self) -> None:
        self._autoscaler.start()
        self._actions.start()
        self._watch.start()
        self._emitters.start()

    async def stop(self) -> None:
        await self._emitters.stop()
        self._watch.stop()
        await self._actions.stop()
        await self._autoscaler.stop()


async def _refuse(call: Call) -> dict[str, object]:
    raise not_emulated(call.service, call.operation)
