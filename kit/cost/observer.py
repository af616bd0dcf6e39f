"""Reads a run's use from the AWS API into the history, on AWS and emulated alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..backends.interface import Cloud
from ..core.errors import WaitExpired
from ..core.eventually import eventually
from ..core.history import History
from ..system.facts import ACTIVE_SESSIONS
from . import usage
from .fixed_resources import FixedResources
from .series import MINUTE, MeteredResources, Series, series_of
from .usage import TaskUsage, record_count

_AT_ONCE = 100
"""The limit of DescribeTasks; also for GetMetricData's queries, whose limit is 500, for small answers."""
SETTLED_WITHIN = 300.0
"""AWS seconds until a metric's last minute is available: CloudWatch documents one to three minutes, at most five."""
_LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
_LATE = 5 * MINUTE
"""AWS seconds in which a minute's sum may still grow."""


class Observer:
    """Observes the use of a run's stack. Every method only reads AWS."""

    def __init__(self, cloud: Cloud, history: History) -> None:
        self._cloud = cloud
        self._aws = cloud.aws
        self._history = history
        self._ids: Mapping[str, list[str]] = {}
        """Resource type → the physical ids of the stack's resources."""
        self._series: list[Series] = []
        self._since = cloud.clock.now()
        self._collected: float | None = None
        self._public = True
        self._ended: set[str] = set()
        self._silent: set[str] = set()

    @property
    def silent(self) -> list[str]:
        """Metrics without a datapoint so far: unused, or not published by this cloud."""
        return sorted(self._silent)

    async def begin(self, inventory: FixedResources, *, new: bool) -> None:
        """Records the fixed resources and finds the metered ones.

        `new`: the run created the stack, so its cost begins at its creation.
        """
        stack, self._ids = self._cloud.stack, await self._resources()
        if new:
            described = await self._aws.call("cloudformation", "describe_stacks", StackName=stack.name)
            self._since = min(self._since, described["Stacks"][0]["CreationTime"].timestamp())
        self._history.note(
            usage.STACK,
            value={"inventory": inventory.to_json(), "since": self._since, "new": new},
            stack=stack.name,
        )
        self._public = await self._tasks_are_public()
        self._series = series_of(await self._metered())
        self._silent = {f"{one.namespace} {one.metric}" for one in self._series}

    async def tasks(self) -> None:
        """Records running tasks and stopped ones, which ECS keeps for an hour."""
        for cluster in self._ids.get("AWS::ECS::Cluster", ()):
            await self._tasks_of(cluster)

    async def _tasks_of(self, cluster: str) -> None:
        arns: list[str] = []
        for status in ("RUNNING", "STOPPED"):
            arns += await self._aws.pages("ecs", "list_tasks", "taskArns", cluster=cluster, desiredStatus=status)
        new = [arn for arn in dict.fromkeys(arns) if arn not in self._ended]
        for start in range(0, len(new), _AT_ONCE):
            chunk = new[start : start + _AT_ONCE]
            for described in (await self._aws.call("ecs", "describe_tasks", cluster=cluster, tasks=chunk))["tasks"]:
                self._record_task(described)

    def _record_task(self, described: Mapping[str, Any]) -> None:
        task = TaskUsage.described(described, public=self._public)
        stopped = described.get("lastStatus") == "STOPPED"
        if task is not None and (task.ended is None or task.ended >= self._since):
            task.record(self._history)
        if stopped:
            self._ended.add(described["taskArn"])

    async def metrics(self) -> None:
        """Records the sums of the minutes since the last call, and of earlier minutes that may have grown."""
        now = self._cloud.clock.now()
        start = self._since if self._collected is None else max(self._since, self._collected - _LATE)
        for first in range(0, len(self._series), _AT_ONCE):
            chunk = self._series[first : first + _AT_ONCE]
            for index, points in (await self._sums(chunk, start - start % MINUTE, now)).items():
                self._record(chunk[index], points)
        self._collected = now
        if self._series:
            record_count(self._history, "metrics_read", len(self._series), "the meter")

    async def settle(self) -> bool:
        """Waits until CloudWatch has data for the current minute: a queue in use has a datapoint in every minute.

        False when the data did not arrive; then the last minutes are missing.
        """
        queue = self._busy_queue()
        if not queue:
            return True
        ended = self._cloud.clock.now()
        last = ended - ended % MINUTE
        probe = Series("settle", "AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue}, queue)

        async def look() -> list[tuple[int, float]]:
            record_count(self._history, "metrics_read", 1, "the meter")
            return (await self._sums([probe], last, self._cloud.clock.now() + MINUTE)).get(0, [])

        try:
            await eventually(
                look,
                within=SETTLED_WITHIN,
                clock=self._cloud.clock,
                every=15.0,
                describe="CloudWatch data for the run's last minute",
            )
        except WaitExpired:
            return False
        return True

    def _busy_queue(self) -> str:
        stack, queues = self._cloud.stack, self._ids.get("AWS::SQS::Queue", [""])
        return (stack.inbound_queue_url if stack.is_webordinary else queues[0]).rpartition("/")[2]

    async def stored(self) -> None:
        """Records the stored bytes of workspace and tables. AWS updates both with hours of delay."""
        for file_system in self._ids.get("AWS::EFS::FileSystem", ()):
            systems = await self._aws.call("efs", "describe_file_systems", FileSystemId=file_system)
            size = systems["FileSystems"][0]["SizeInBytes"]["Value"]
            self._store("workspace", "efs_storage_gb_month", size)
        for table in self._ids.get("AWS::DynamoDB::Table", ()):
            described = await self._aws.call("dynamodb", "describe_table", TableName=table)
            self._store(table, "dynamodb_storage_gb_month", described["Table"].get("TableSizeBytes", 0))

    def _store(self, what: str, price: str, size: int) -> None:
        self._history.note(usage.STORED, value={"what": what, "price": price, "bytes": size}, what=what)

    def _record(self, series: Series, points: list[tuple[int, float]]) -> None:
        if not points:
            return
        self._silent.discard(f"{series.namespace} {series.metric}")
        used = [point for point in points if point[1]]
        if used:
            value = {"what": series.what, "charges": dict(series.charges), "points": used}
            self._history.note(usage.POINTS, value=value, series=series.key)

    async def _sums(self, series: list[Series], start: float, end: float) -> dict[int, list[tuple[int, float]]]:
        """Position in `series` → its minutes (AWS epoch seconds) with their sums."""
        queries = [
            {
                "Id": f"m{index}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": one.namespace,
                        "MetricName": one.metric,
                        "Dimensions": [{"Name": name, "Value": value} for name, value in one.dimensions.items()],
                    },
                    "Period": MINUTE,
                    "Stat": one.statistic,
                },
            }
            for index, one in enumerate(series)
        ]
        results = await self._aws.pages(
            "cloudwatch",
            "get_metric_data",
            "MetricDataResults",
            MetricDataQueries=queries,
            StartTime=datetime.fromtimestamp(start, UTC),
            EndTime=datetime.fromtimestamp(end, UTC),
        )
        found: dict[int, list[tuple[int, float]]] = {}
        for result in results:
            minutes = [int(at.timestamp()) for at in result["Timestamps"]]
            found.setdefault(int(result["Id"][1:]), []).extend(zip(minutes, result["Values"], strict=True))
        return found

    async def _resources(self) -> dict[str, list[str]]:
        ids: dict[str, list[str]] = {}
        for resource in await self._aws.pages(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=self._cloud.stack.name
        ):
            ids.setdefault(resource["ResourceType"], []).append(resource.get("PhysicalResourceId", ""))
        return ids

    async def _tasks_are_public(self) -> bool:
        services, clusters = (self._ids.get(f"AWS::ECS::{kind}", []) for kind in ("Service", "Cluster"))
        if not services or not clusters:
            return False
        answer = await self._aws.call("ecs", "describe_services", cluster=clusters[0], services=services)
        networks = [one.get("networkConfiguration", {}).get("awsvpcConfiguration", {}) for one in answer["services"]]
        return any(network.get("assignPublicIp") == "ENABLED" for network in networks)

    async def _metered(self) -> MeteredResources:
        stack, ids = self._cloud.stack, self._ids
        tables = {}
        for table in ids.get("AWS::DynamoDB::Table", []):
            described = await self._aws.call("dynamodb", "describe_table", TableName=table)
            tables[table] = tuple(index["IndexName"] for index in described["Table"].get("GlobalSecondaryIndexes", ()))
        return MeteredResources(
            load_balancer=ids.get(_LOAD_BALANCER, [""])[0].partition(":loadbalancer/")[2],
            tables=tables,
            queues=tuple(url.rpartition("/")[2] for url in ids.get("AWS::SQS::Queue", [])),
            topics=tuple(arn.rpartition(":")[2] for arn in ids.get("AWS::SNS::Topic", [])),
            log_groups=tuple(ids.get("AWS::Logs::LogGroup", [])),
            file_systems=tuple(ids.get("AWS::EFS::FileSystem", [])),
            custom=tuple(
                (stack.metrics_namespace, name, stack.environment_name)
                for name in (ACTIVE_SESSIONS, "PendingWork")
                if stack.is_webordinary
            ),
        )
