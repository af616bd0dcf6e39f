"""A cloud with CloudWatch, Application Auto Scaling and a fake ECS, for tests of the two."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.support.world import World, world
from webordinary_testkit.emulation.core.controller import Call, Context, Datum, Handler, Operation, TaskChanged, Watcher
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.services.application_autoscaling import ApplicationAutoScaling
from webordinary_testkit.emulation.services.cloudwatch import Cloudwatch

T = TypeVar("T")

CLUSTER = "shop"
RESOURCE = {
    "ServiceNamespace": "ecs",
    "ResourceId": f"service/{CLUSTER}/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}
DIMENSIONS = [{"Name": "Environment", "Value": "test"}]


@dataclass
class Service:
    desired: int = 0
    running: int = 0


class FakeEcs:
    """Services of one cluster, whose running counts follow the desired ones when `settle` is called."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.services = {"web": Service()}
        self.updates: list[int] = []
        self.described = 0
        self.refuses: str | None = None

    def handlers(self) -> Mapping[Operation, Handler]:
        return {("ecs", "DescribeServices"): self._describe, ("ecs", "UpdateService"): self._update}

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {}

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def settle(self) -> None:
        """Tasks have started and stopped as desired."""
        for name, service in self.services.items():
            service.running = service.desired
            self._ctx.events.publish(TaskChanged("arn:task", f"cluster/{CLUSTER}", f"service:{name}", "RUNNING"))

    async def _describe(self, call: Call) -> dict[str, Any]:
        self.described += 1
        found = [
            {
                "serviceName": name,
                "status": "ACTIVE",
                "desiredCount": self.services[name].desired,
                "runningCount": self.services[name].running,
            }
            for name in call.params["services"]
            if name in self.services
        ]
        return {"services": found, "failures": []}

    async def _update(self, call: Call) -> dict[str, Any]:
        if self.refuses:
            raise AwsError("InvalidParameterException", self.refuses)
        self.services[call.params["service"]].desired = call.params["desiredCount"]
        self.updates.append(call.params["desiredCount"])
        return {"service": {"serviceName": call.params["service"]}}


@dataclass
class Source:
    """A metric source that yields the same data at every collection."""

    data: list[Datum] = field(default_factory=list)
    breaks: bool = False
    collections: int = 0

    async def collect(self) -> Iterable[Datum]:
        self.collections += 1
        if self.breaks:
            raise RuntimeError("this source is broken")
        return self.data


@dataclass
class ScalingWorld:
    """At scale 1 no period ends during a test: only the data a test publishes has effects."""

    world: World
    ecs: FakeEcs

    @property
    def now(self) -> float:
        return self.world.ctx.clock.now()

    @property
    def web(self) -> Service:
        return self.ecs.services["web"]

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        return await self.world.aws.call(service, operation, **params)

    async def publish(self, *values: float, name: str = "Sessions", period: int = 60, **more: Any) -> None:
        """Publish values for the latest complete periods, oldest first."""
        latest = self.now // period * period - period
        data = [
            {"MetricName": name, "Value": value, "Timestamp": latest - age * period, "Dimensions": DIMENSIONS, **more}
            for age, value in zip(reversed(range(len(values))), values, strict=True)
        ]
        await self.call("cloudwatch", "PutMetricData", Namespace="Shop", MetricData=data)

    async def alarm(self, name: str = "busy", **changes: Any) -> None:
        """Create an alarm on the metric that `publish` publishes: at least 1 in one minute."""
        usual = {"Dimensions": DIMENSIONS, "Statistic": "Maximum", "TreatMissingData": "notBreaching"}
        await self.call("cloudwatch", "PutMetricAlarm", **alarm_parameters(**{"AlarmName": name, **usual, **changes}))

    async def described(self, name: str = "busy") -> dict[str, Any]:
        answer = await self.call("cloudwatch", "DescribeAlarms", AlarmNames=[name])
        alarms: list[dict[str, Any]] = answer["MetricAlarms"]
        return alarms[0]

    async def in_state(self, state: str, name: str = "busy") -> dict[str, Any]:
        """Wait until the alarm is in that state."""

        async def probe() -> dict[str, Any] | None:
            alarm = await self.described(name)
            return alarm if alarm["StateValue"] == state else None

        return await until(probe, f"alarm {name} in state {state}")


def alarm_parameters(**changes: Any) -> dict[str, Any]:
    """The parameters of PutMetricAlarm for at least 1 session in one minute."""
    return {
        "AlarmName": "busy",
        "Namespace": "Shop",
        "MetricName": "Sessions",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        **changes,
    }


async def until(probe: Callable[[], Awaitable[T | None]], what: str, *, within: float = 20.0) -> T:
    """Wait for the first true answer of the probe. `within` is wall seconds."""
    __tracebackhide__ = True
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        answer = await probe()
        if answer:
            return answer
        if loop.time() > deadline:
            raise AssertionError(f"expected {what} within {within} s, last saw {answer!r}")
        await asyncio.sleep(0.01)


@asynccontextmanager
async def scaling_world(*sources: Source, scale: float = 1.0) -> AsyncIterator[ScalingWorld]:
    """A cloud with CloudWatch, Application Auto Scaling and `FakeEcs`, whose one service `web` has no tasks."""
    cloudwatch: list[Cloudwatch] = []

    def monitoring(ctx: Context) -> Cloudwatch:
        cloudwatch.append(Cloudwatch(ctx, sources))
        return cloudwatch[0]

    def scaling(ctx: Context) -> ApplicationAutoScaling:
        return ApplicationAutoScaling(ctx, cloudwatch[0])

    async with world(monitoring, scaling, FakeEcs, scale=scale) as built:
        ecs = built.controllers[2]
        assert isinstance(ecs, FakeEcs)
        yield ScalingWorld(built, ecs)


async def register(cloud: ScalingWorld, low: int = 0, high: int = 3, **more: Any) -> str:
    answer = await cloud.call(
        "application-autoscaling", "RegisterScalableTarget", **RESOURCE, MinCapacity=low, MaxCapacity=high, **more
    )
    return str(answer["ScalableTargetARN"])


async def desired(cloud: ScalingWorld, count: int, updates: list[int] | None = None) -> None:
    async def probe() -> bool:
        return cloud.web.desired == count and (updates is None or cloud.ecs.updates == updates)

    await until(probe, f"desired count {count} after updates {updates}")


async def action_errors(cloud: ScalingWorld, count: int = 1) -> list[str]:
    """The errors of the actions in the alarms' histories ("" of a success), once there are so many."""

    async def probe() -> list[str] | None:
        answer = await cloud.call("cloudwatch", "DescribeAlarmHistory", HistoryItemType="Action")
        errors = [json.loads(item["HistoryData"]).get("error", "") for item in answer["AlarmHistoryItems"]]
        return errors if len(errors) >= count else None

    return await until(probe, f"{count} actions in the history")


async def set_state(cloud: ScalingWorld, alarm: str, state: str, *values: float) -> None:
    """By hand, as if these datapoints had brought it about."""
    data = json.dumps({"recentDatapoints": values})
    await cloud.call(
        "cloudwatch",
        "SetAlarmState",
        AlarmName=alarm,
        StateValue=state,
        StateReason="by hand",
        StateReasonData=data,
    )
