"""Publishes a run's results to CloudWatch, as the seed names them: `Webordinary/IntegrationTests`, by TestName.

TestName is the scenario's name, or `all` for the run. The dashboard and the alarms of the template read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kit.backends.base import Cloud
from kit.cost.prices import HOURS_PER_MONTH
from kit.cost.usage import record_count
from kit.errors import InfraError
from kit.history import History

NAMESPACE = "Webordinary/IntegrationTests"
RUN = "all"
"""TestName of what is told of a run as a whole."""
_AT_ONCE = 500
"""Of the 1000 metrics PutMetricData takes."""
_STARTUP = ("task pending", "page served")
"""From the first sign of a task to the session's page: the container's start-up."""
_CREATION = ("session accepted", "mail accepted"), "session row"
"""From the request or the mail to the row."""


def data_of(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """PutMetricData's MetricData for a report; skipped scenarios are not told of."""
    executed = [one for one in report["scenarios"] if one["verdict"] != "skipped"]
    shares = report.get("cost", {}).get("scenarios", {})
    data: list[dict[str, Any]] = []
    for one in executed:
        data += _told(one["name"], one["aws_seconds"], one["verdict"] == "pass", _spans(one["phases"]))
        if one["name"] in shares:
            data.append(_datum("TestCost", one["name"], [shares[one["name"]]["usd"]], "None"))
    if executed:
        spans: dict[str, list[float]] = {name: [] for name in ("ContainerStartupTime", "SessionCreationTime")}
        for one in executed:
            for name, values in _spans(one["phases"]).items():
                spans[name] += values
        passed = [float(one["verdict"] == "pass") for one in executed]
        data.append(_datum("TestDuration", RUN, [sum(one["aws_seconds"] for one in executed)], "Seconds"))
        data.append(_datum("TestSuccess", RUN, passed, "Count"))
        data += [_datum(name, RUN, values, "Seconds") for name, values in spans.items() if values]
    if report.get("cost"):
        data.append(_datum("TestCost", RUN, [report["cost"]["usd"]], "None"))
    return data


async def publish(cloud: Cloud, report: Mapping[str, Any], history: History) -> int:
    """Put a report's results; returns how many metrics that were. What goes wrong is in the history, not raised."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - heavy: only where a call is made

    data = data_of(report)
    try:
        for start in range(0, len(data), _AT_ONCE):
            chunk = data[start : start + _AT_ONCE]
            await cloud.aws.call("cloudwatch", "put_metric_data", Namespace=NAMESPACE, MetricData=chunk)
            record_count(history, "metrics_request", 1, "test results")
    except (BotoCoreError, ClientError, InfraError) as error:
        history.note("publish", value={"failed": str(error)})
        return 0
    record_count(history, "metric_month", len(data) / HOURS_PER_MONTH, "test results")
    return len(data)


def _told(name: str, seconds: float, passed: bool, spans: Mapping[str, Sequence[float]]) -> Iterator[dict[str, Any]]:
    yield _datum("TestDuration", name, [seconds], "Seconds")
    yield _datum("TestSuccess", name, [float(passed)], "Count")
    for span, values in spans.items():
        if values:
            yield _datum(span, name, values, "Seconds")


def _spans(phases: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Start-up and creation times of every journey of a scenario that has both ends of them."""
    journeys: dict[str, dict[str, float]] = {}
    for phase in phases:
        journeys.setdefault(phase.get("entry", ""), {}).setdefault(phase["name"], phase["aws_seconds"])
    starts, ends = _CREATION
    startup = [one[_STARTUP[1]] - one[_STARTUP[0]] for one in journeys.values() if set(_STARTUP) <= set(one)]
    creation = [
        one[ends] - next(one[start] for start in starts if start in one)
        for one in journeys.values()
        if ends in one and any(start in one for start in starts)
    ]
    return {
        "ContainerStartupTime": [value for value in startup if value >= 0],
        "SessionCreationTime": [value for value in creation if value >= 0],
    }


def _datum(metric: str, test: str, values: Sequence[float], unit: str) -> dict[str, Any]:
    return {
        "MetricName": metric,
        "Dimensions": [{"Name": "TestName", "Value": test}],
        "Values": list(values),
        "Unit": unit,
    }
