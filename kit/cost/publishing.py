"""Publishes a run's results to CloudWatch under the seed's names: `Webordinary/IntegrationTests`, by TestName.

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
"""TestName of the metrics of a whole run."""
RESULTS = "test results"
"""The user of these metrics in a bill."""
_AT_ONCE = 500
"""Metrics per call; PutMetricData's limit is 1000."""
METRICS = ("TestDuration", "TestSuccess", "ContainerStartupTime", "SessionCreationTime", "TestCost")
_SERVED = ("page served", "first byte")
"""The end of a container's start-up, which begins with the image pull (`task pending`)."""


def metric_data(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """PutMetricData's MetricData for a report, without skipped scenarios."""
    executed = [one for one in report["scenarios"] if one["verdict"] != "skipped"]
    shares = report.get("cost", {}).get("scenarios", {})
    data: list[dict[str, Any]] = []
    for one in executed:
        data += _scenario_data(one["name"], one["aws_seconds"], one["verdict"] == "pass", _spans(one["phases"]))
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
    """Publishes a report's results and returns the number of metrics. Failures are recorded in the history, not raised.

    Custom metrics cost money: they are counted first, so that the report that `tell` returns afterwards, and the
    published cost, include them.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - heavy: only where a call is made

    number = len(metric_data(tell()))
    record_count(history, "metric_month", number / HOURS_PER_MONTH, RESULTS)
    record_count(history, "metrics_request", -(-number // _AT_ONCE), RESULTS)
    data = metric_data(tell())
    try:
        for start in range(0, len(data), _AT_ONCE):
            chunk = data[start : start + _AT_ONCE]
            await cloud.aws.call("cloudwatch", "put_metric_data", Namespace=NAMESPACE, MetricData=chunk)
    except (BotoCoreError, ClientError, InfraError) as error:
        history.note("publish", value={"failed": str(error)})
        return 0
    return len(data)


def _scenario_data(
    name: str, seconds: float, passed: bool, spans: Mapping[str, Sequence[float]]
) -> Iterator[dict[str, Any]]:
    yield _datum("TestDuration", name, [seconds], "Seconds")
    yield _datum("TestSuccess", name, [float(passed)], "Count")
    for span, values in spans.items():
        if values:
            yield _datum(span, name, values, "Seconds")


def _spans(phases: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Each journey's time from pending task to page, and from request or mail to session row."""
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


def publishes(settings: Settings) -> bool:
    """Whether a run with these settings publishes its results."""
    return settings.cost.publish == "always" or (settings.cost.publish == "live" and settings.mode == "live")
