"""The alarm store, and CloudWatch's operations on alarms."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ...core.controller import Call, Context
from ...core.errors import AwsError, not_emulated
from ...core.pagination import paginate
from .actions import Transitions
from .alarm import ACTIONS, Alarm, parse_alarm
from .errors import INVALID_TOKEN, outside_enum, validation_error
from .history import AlarmHistory
from .metrics import Metric
from .reasons import recent_values

STATES = ("INSUFFICIENT_DATA", "ALARM", "OK")


class Alarms:
    """Indexed by name and by metric."""

    def __init__(self) -> None:
        self._alarms: dict[str, Alarm] = {}
        self._watching: dict[Metric, list[Alarm]] = {}

    def get(self, name: str) -> Alarm | None:
        return self._alarms.get(name)

    def __iter__(self) -> Iterator[Alarm]:
        """Sorted by name."""
        return iter([self._alarms[name] for name in sorted(self._alarms)])

    def watching(self, metric: Metric) -> list[Alarm]:
        """The alarms that depend on a metric."""
        return self._watching.get(metric, [])

    def with_action(self, arn: str) -> list[Alarm]:
        """The alarms that have this action for some state."""
        return [alarm for alarm in self if any(arn in alarm.configuration[name] for name in ACTIONS.values())]

    def put(self, alarm: Alarm) -> None:
        self.remove(alarm.name)
        self._alarms[alarm.name] = alarm
        for metric in alarm.query.metrics:
            self._watching.setdefault(metric, []).append(alarm)

    def remove(self, name: str) -> Alarm | None:
        alarm = self._alarms.pop(name, None)
        if alarm is not None:
            for metric in alarm.query.metrics:
                self._watching[metric].remove(alarm)
                if not self._watching[metric]:
                    del self._watching[metric]
        return alarm


class AlarmOperations:
    """`schedule` requests an evaluation of an alarm on its next tick."""

    def __init__(
        self,
        ctx: Context,
        alarms: Alarms,
        history: AlarmHistory,
        transitions: Transitions,
        schedule: Callable[[Alarm], None],
    ) -> None:
        self._ctx = ctx
        self._alarms = alarms
        self._history = history
        self._transitions = transitions
        self._schedule = schedule

    async def put_metric_alarm(self, call: Call) -> dict[str, Any]:
        configuration, rule, query = parse_alarm(call.params)
        now = self._ctx.clock.now()
        tags = {tag["Key"]: tag["Value"] for tag in configuration.pop("Tags", None) or ()}
        name = configuration["AlarmName"]
        old = self._alarms.get(name)
        arn = f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm:{name}"
        alarm = Alarm(arn, configuration, rule, query, configured=now, updated=now, transitioned=now, tags=tags)
        if old is not None:
            # An update keeps state and tags; only creation sets tags.
            alarm.state, alarm.reason, alarm.reason_data = old.state, old.reason, old.reason_data
            alarm.updated, alarm.transitioned, alarm.invoked = old.updated, old.transitioned, old.invoked
            alarm.set_by_hand, alarm.tags = old.set_by_hand, old.tags
        self._alarms.put(alarm)
        self._history.configured(alarm, "created" if old is None else "updated")
        self._schedule(alarm)
        return {}

    async def delete_alarms(self, call: Call) -> dict[str, Any]:
        for name in call.params["AlarmNames"]:
            alarm = self._alarms.remove(name)
            if alarm is not None:
                self._history.configured(alarm, "deleted")
        return {}

    async def describe_alarms(self, call: Call) -> dict[str, Any]:
        params = call.params
        for name in ("ChildrenOfAlarmName", "ParentsOfAlarmName"):
            if params.get(name) is not None:
                raise not_emulated("cloudwatch", f"DescribeAlarms with {name}")
        names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix")
        if names and prefix:
            raise validation_error("AlarmNames and AlarmNamePrefix are mutually exclusive.")
        matching = [
            alarm.describe()
            for alarm in self._alarms
            if (not names or alarm.name in names)
            and alarm.name.startswith(prefix or "")
            and params.get("StateValue") in (None, alarm.state)
            and _has_action(alarm, params.get("ActionPrefix"))
            and "MetricAlarm" in (params.get("AlarmTypes") or ["MetricAlarm"])
        ]
        page = paginate(matching, params.get("NextToken"), params.get("MaxRecords") or 50, INVALID_TOKEN)
        return page.answer("MetricAlarms") | {"CompositeAlarms": []}

    async def describe_alarms_for_metric(self, call: Call) -> dict[str, Any]:
        params = call.params
        wanted = Metric.of(params)
        filters = ("Statistic", "ExtendedStatistic", "Period", "Unit")
        return {
            "MetricAlarms": [
                alarm.describe()
                for alarm in sorted(self._alarms.watching(wanted), key=lambda alarm: alarm.name)
                if alarm.metric == wanted
                and all(params.get(key) in (None, alarm.configuration.get(key)) for key in filters)
            ]
        }

    async def describe_alarm_history(self, call: Call) -> dict[str, Any]:
        return self._history.describe(call.params)

    async def set_alarm_state(self, call: Call) -> dict[str, Any]:
        params = call.params
        if params["StateValue"] not in STATES:
            raise outside_enum(params["StateValue"], "stateValue", STATES)
        alarm = self._alarms.get(params["AlarmName"])
        if alarm is None:
            raise AwsError("ResourceNotFound", "", status=404)
        data = params.get("StateReasonData")
        try:
            json.loads(data or "{}")
        except ValueError:
            raise AwsError("InvalidFormat", "The parameter StateReasonData must be valid JSON.") from None
        alarm.set_by_hand = True
        self._transitions.to(alarm, params["StateValue"], params["StateReason"], data or None, recent_values(data))
        self._schedule(alarm)
        return {}

    async def enable_alarm_actions(self, call: Call) -> dict[str, Any]:
        return self._set_actions_enabled(call.params["AlarmNames"], True)

    async def disable_alarm_actions(self, call: Call) -> dict[str, Any]:
        return self._set_actions_enabled(call.params["AlarmNames"], False)

    async def list_tags_for_resource(self, call: Call) -> dict[str, Any]:
        arn = call.params["ResourceARN"]
        tags = next((alarm.tags for alarm in self._alarms if alarm.arn == arn), {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    async def tag_resource(self, call: Call) -> dict[str, Any]:
        self._tagged(call).tags.update({tag["Key"]: tag["Value"] for tag in call.params["Tags"]})
        return {}

    async def untag_resource(self, call: Call) -> dict[str, Any]:
        tags = self._tagged(call).tags
        for key in call.params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _set_actions_enabled(self, names: Iterable[str], enabled: bool) -> dict[str, Any]:
        for name in names:
            alarm = self._alarms.get(name)
            if alarm is not None:
                alarm.configuration["ActionsEnabled"] = enabled
                self._schedule(alarm)
        return {}

    def _tagged(self, call: Call) -> Alarm:
        arn = call.params["ResourceARN"]
        for alarm in self._alarms:
            if alarm.arn == arn:
                return alarm
        raise AwsError("ResourceNotFoundException", f"Unknown resource {arn}", status=404)


def _has_action(alarm: Alarm, prefix: str | None) -> bool:
    actions = [arn for name in ACTIONS.values() for arn in alarm.configuration[name]]
    return prefix is None or any(arn.startswith(prefix) for arn in actions)
