"""Publishes a run's results to CloudWatch, as the seed names them: `Webordinary/IntegrationTests`, by TestName.

TestName is the scenario's name, or `all` for the run. The dashboard and the alarms of the template read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..backends.interface import Cloud
from ..core.errors import InfraError
from ..core.history import History
from ..settings import Settings
from .prices import HOURS_PER_MONTH
from .usage import record_count

NAMESPACE = "Webordinary/IntegrationTests"
RUN = "all"
"""TestName of what is told of a run as a whole."""
RESULTS = "test results"
"""What publishing is called in a bill."""
_AT_ONCE = 500
"""Of the 1000 metrics PutMetricData takes."""
METRICS = ("TestDuration", "TestSuccess", "ContainerStartupTime", "SessionCreationTime", "TestCost")
_SERVED = ("page served", "first byte")
"""The end of a container's start-up; it begins when the pull of its image does (`task pending`)."""


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
        spans: dict[str, list[float]] = {name: [] for name in METRICS[2:4]}
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


async def publish(cloud: Cloud, history: History, tell: Callable[[], Mapping[str, Any]]) -> int:
    """Put a report's results; returns how many metrics that were. What goes wrong is in the history, not raised.

    Custom metrics cost something: they are counted first, so that the report that `tell` gives then, and with it
    the published cost, contains them.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - heavy: only where a call is made

    number = len(data_of(tell()))
    record_count(history, "metric_month", number / HOURS_PER_MONTH, RESULTS)
    record_count(history, "metrics_request", -(-number // _AT_ONCE), RESULTS)
    data = data_of(tell())
    try:
        for start in range(0, len(data), _AT_ONCE):
            chunk = data[start : start + _AT_ONCE]
            await cloud.aws.call("cloudwatch", "put_metric_data", Namespace=NAMESPACE, MetricData=chunk)
    except (BotoCoreError, ClientError, InfraError) as error:
        history.note("publish", value={"failed": str(error)})
        return 0
    return len(data)


def _told(name: str, seconds: float, passed: bool, spans: Mapping[str, Sequence[float]]) -> Iterator[dict[str, Any]]:
    yield _datum("TestDuration", name, [seconds], "Seconds")
    yield _datum("TestSuccess", name, [float(passed)], "Count")
    for span, values in spans.items():
        if values:
            yield _datum(span, name, values, "Seconds")


def _spans(phases: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Of every journey: from its container's first sign to the page, and from the request or the mail to the row."""
    journeys: dict[str, dict[str, float]] = {}
    for phase in phases:
        journeys.setdefault(phase.get("entry", ""), {}).setdefault(phase["name"], phase["aws_seconds"])
    startup, creation = [], []
    for times in journeys.values():
        served = next((times[name] for name in _SERVED if name in times), None)
        if served is not None and "task pending" in times:
            startup.append(served - times["task pending"])
        if "session row" in times:
            creation.append(times["session row"] - times.get("mail accepted", 0.0))
    spans = {"ContainerStartupTime": startup, "SessionCreationTime": creation}
    return {name: [value for value in values if value >= 0] for name, values in spans.items()}


def _datum(metric: str, test: str, values: Sequence[float], unit: str) -> dict[str, Any]:
    return {
        "MetricName": metric,
        "Dimensions": [{"Name": "TestName", "Value": test}],
        "Values": list(values),
        "Unit": unit,
    }


def wanted(settings: Settings) -> bool:
    """Whether a run with these settings publishes its results."""
    return settings.cost.publish == "always" or (settings.cost.publish == "live" and settings.mode == "live")
