"""CloudWatch metrics. Dimensions are required: a query without them finds nothing, which is not zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from .context import Context

Statistic = Literal["Maximum", "Minimum", "Sum", "Average", "SampleCount"]


@dataclass(frozen=True)
class Datapoint:
    """One datapoint: the beginning of its period (AWS epoch seconds) and its value."""

    at: float
    value: float


class Metrics:
    """Reads metrics."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def datapoints(
        self,
        name: str,
        dimensions: Mapping[str, str],
        *,
        since: float,
        namespace: str | None = None,
        statistic: Statistic = "Maximum",
        period: int = 10,
    ) -> list[Datapoint]:
        """The datapoints since an AWS time, oldest first; `period` is seconds. Raises ValueError without dimensions."""
        if not dimensions:
            raise ValueError(f"metric {name} needs its dimensions: CloudWatch returns nothing for a query without them")
        answer = await self._context.cloud.aws.call(
            "cloudwatch",
            "get_metric_statistics",
            Namespace=namespace or self._context.cloud.stack.metrics_namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=datetime.fromtimestamp(since - since % period, UTC),
            EndTime=datetime.fromtimestamp(self._context.clock.now() + period, UTC),
            Period=period,
            Statistics=[statistic],
        )
        points = [Datapoint(point["Timestamp"].timestamp(), point[statistic]) for point in answer["Datapoints"]]
        return sorted(points, key=lambda point: point.at)

    async def verify_published_zero(self, name: str, *, since: float, within: float) -> Datapoint:
        """Wait until the system has published zero: a datapoint after `since` that exists and is 0."""
        __tracebackhide__ = True

        points = await self._context.eventually(
            lambda: self.datapoints(name, self._context.system.metric_dimensions(), since=since),
            until=lambda found: bool(found) and found[-1].value == 0,
            within=within,
            every=5.0,
            describe=f"the newest datapoint of {name} to be there and to be 0",
        )
        return points[-1]
