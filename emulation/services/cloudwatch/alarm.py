"""A metric alarm: its configuration and its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import not_emulated
from ...core.timestamps import instant
from .errors import outside_enum, validation_error
from .evaluation import COMPARISONS, Rule, State
from .metrics import Metric
from .query import MetricStat, Query, check_period, check_statistic, parse_queries
from .reasons import INITIAL
from .samples import STATISTICS, percentile_of

TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")
ACTIONS: Mapping[State, str] = {
    "OK": "OKActions",
    "ALARM": "AlarmActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}
"""By state: the parameter that lists the actions for entering it."""
_NOT_EMULATED = (
    "ThresholdMetricId",
    "WarmUpConfiguration",
    "EvaluationCriteria",
    "EvaluationInterval",
    "ActionConfiguration",
)
_DAY, _WEEK, _HOUR = 86400, 604800, 3600


@dataclass
class Alarm:
    arn: str
    configuration: dict[str, Any]
    """The parameters of PutMetricAlarm, as DescribeAlarms returns them."""
    rule: Rule
    query: Query
    configured: float
    state: State = "INSUFFICIENT_DATA"
    reason: str = INITIAL
    reason_data: str | None = None
    updated: float = 0.0
    transitioned: float = 0.0
    invoked: float = 0.0
    """When its auto scaling actions were last requested (AWS epoch seconds)."""
    set_by_hand: bool = False
    """SetAlarmState set the state; the next evaluation overwrites it and its reason."""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.configuration["AlarmName"])

    @property
    def actions_enabled(self) -> bool:
        return bool(self.configuration["ActionsEnabled"])

    def actions(self) -> list[str]:
        """The ARNs of the current state's actions; empty while actions are disabled."""
        return list(self.configuration[ACTIONS[self.state]]) if self.actions_enabled else []

    def scaling_actions(self) -> list[str]:
        """The current actions that CloudWatch repeats every minute."""
        return [arn for arn in self.actions() if arn.startswith("arn:aws:autoscaling:")]

    @property
    def interval(self) -> int:
        """Seconds between evaluations: 10 for high-resolution alarms, 60 for others."""
        return 10 if self.query.period < 60 else 60

    @property
    def metric(self) -> Metric | None:
        """The metric of a single-metric alarm; None for an alarm with `Metrics`."""
        return self.query.metric if isinstance(self.query, MetricStat) and "Metrics" not in self.configuration else None

    def change(self, state: State, reason: str, reason_data: str | None, now: float) -> State:
        """Set the state, which may be unchanged; returns the old one."""
        old = self.state
        self.reason, self.reason_data, self.updated = reason, reason_data, now
        if state != old:
            self.state, self.transitioned = state, now
        return old

    def describe(self) -> dict[str, Any]:
        """The `MetricAlarm` of DescribeAlarms."""
        description = {key: value for key, value in self.configuration.items() if key != "Tags"}
        description |= {
            "AlarmArn": self.arn,
            "AlarmConfigurationUpdatedTimestamp": instant(self.configured),
            "StateValue": self.state,
            "StateReason": self.reason,
            "StateUpdatedTimestamp": instant(self.updated),
            "StateTransitionedTimestamp": instant(self.transitioned),
        }
        if self.reason_data is not None:
            description["StateReasonData"] = self.reason_data
        return description


def parse_alarm(params: Mapping[str, Any]) -> tuple[dict[str, Any], Rule, Query]:
    """Validate the parameters of PutMetricAlarm. Raises CloudWatch's `AwsError` for invalid ones."""
    for name in _NOT_EMULATED:
        if params.get(name) is not None:
            raise not_emulated("cloudwatch", f"PutMetricAlarm with {name}")
    if (params.get("EvaluationWindow") or {}).get("WallClockWindow") is not None:
        raise not_emulated("cloudwatch", "PutMetricAlarm with a WallClockWindow")
    query = _math(params) if params.get("Metrics") else _single(params)
    periods = params.get("EvaluationPeriods")
    if periods is None:
        raise validation_error("The parameter EvaluationPeriods is required.")
    datapoints = params.get("DatapointsToAlarm", periods)
    if datapoints > periods:
        raise validation_error("The parameter DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    _check_span(query.period, periods)
    comparison = params.get("ComparisonOperator")
    if comparison not in COMPARISONS:
        raise outside_enum(str(comparison), "comparisonOperator", COMPARISONS)
    if params.get("Threshold") is None:
        raise validation_error("The parameter Threshold is required.")
    treatment = params.get("TreatMissingData", "missing")
    if treatment not in TREATMENTS:
        raise validation_error(
            f"Option {treatment} is not supported. Supported options for parameter TreatMissingData are "
            f"{', '.join(TREATMENTS)}."
        )
    if any(metric.namespace == "AWS/DynamoDB" for metric in query.metrics):
        treatment = "ignore"
    configuration = dict(params)
    configuration["ActionsEnabled"] = params.get("ActionsEnabled", True)
    for name in ACTIONS.values():
        configuration[name] = _actions(params, name)
    if "Metrics" not in params:
        configuration["Dimensions"] = list(params.get("Dimensions") or ())
    rule = Rule(comparison, float(params["Threshold"]), periods, datapoints, treatment)
    return configuration, rule, query


def _single(params: Mapping[str, Any]) -> Query:
    for name in ("MetricName", "Namespace", "Period"):
        if params.get(name) is None:
            raise validation_error(f"The parameter {name} is required for an alarm without Metrics.")
    simple, extended = params.get("Statistic"), params.get("ExtendedStatistic")
    if (simple is None) == (extended is None):
        raise validation_error("Exactly one of the parameters Statistic and ExtendedStatistic must be specified.")
    if simple is not None and simple not in STATISTICS:
        raise outside_enum(simple, "statistic", STATISTICS)
    if extended is not None:
        check_statistic(extended, "ExtendedStatistic")
        if percentile_of(extended) is None:
            raise validation_error(f"The value {extended} for parameter ExtendedStatistic is not supported.")
    low = params.get("EvaluateLowSampleCountPercentile")
    if low not in (None, "evaluate"):
        if low == "ignore":
            raise not_emulated("cloudwatch", "PutMetricAlarm with EvaluateLowSampleCountPercentile=ignore")
        raise validation_error(
            f"Option {low} is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are "
            "evaluate and ignore."
        )
    return MetricStat(Metric.of(params), str(simple or extended), params["Period"], params.get("Unit"))


def _math(params: Mapping[str, Any]) -> Query:
    for name in ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic"):
        if params.get(name):
            raise validation_error(
                f"The parameters Metrics and {name} are mutually exclusive and you have specified both."
            )
    queries = parse_queries(params["Metrics"])
    watched = [each["Id"] for each in params["Metrics"] if each.get("ReturnData", True)]
    if len(watched) != 1:
        raise validation_error(
            f"Exactly one element of the metrics list should return data, got {len(watched)}: set ReturnData "
            "to false for the others."
        )
    return queries[watched[0]]


def _check_span(period: int, periods: int) -> None:
    if period < 10:
        raise validation_error(f"Period must be 10, 20, 30 or a multiple of 60, got {period}")
    check_period(period)
    if period < _HOUR and period * periods > _DAY:
        raise validation_error(
            f"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= {_DAY}) "
            f"for alarms using period < {_HOUR}"
        )
    if period * periods > _WEEK:
        raise validation_error(
            f"Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= {_WEEK}) "
            f"for alarms using period >= {_HOUR}"
        )


def _actions(params: Mapping[str, Any], name: str) -> list[str]:
    actions = list(params.get(name) or ())
    if len(actions) > 5:
        raise validation_error(f"The parameter {name} must not have more than 5 actions, got {len(actions)}.")
    for action in actions:
        if not action.startswith("arn:") or action.count(":") < 5:
            raise validation_error(f"Invalid arn syntax: {action}")
    return actions
